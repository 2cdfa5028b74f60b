//! Bodies that name one of two things.

use super::values::{Computer, User};
use crate::changes::Fields;
use crate::fault::Fault;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

/// A field that can name what a change is about: as the body has it, as forms have it, and its value.
type Naming = (&'static str, &'static str, Option<String>);

/// Whom a block is about.
pub fn subject(user: Option<User>, computer: Option<Computer>) -> Result<Fields, Fault> {
    one_of(("user", "user", user.map(|of| of.0)), ("claimed_computer", "computer", computer.map(|of| of.0)))
}

/// The one that is there.
pub fn one_of(one: Naming, other: Naming) -> Result<Fields, Fault> {
    match (one, other) {
        ((_, field, Some(value)), (_, _, None)) | ((_, _, None), (_, field, Some(value))) => {
            Ok(Fields::naming(field, &value))
        }
        ((one, ..), (other, ..)) => {
            let what = format!("the body has both `{one}` and `{other}`, or neither");
            Err(Fault::bad_request(what, "name exactly what is changed, with one of them"))
        }
    }
}

/// The schema of a body that has one of two fields. With the second, it must also have those of `more`.
pub fn schema<T: JsonSchema>(generator: &mut SchemaGenerator, [one, other]: [&str; 2], more: &[&str]) -> Schema {
    let whole = T::json_schema(generator).to_value();
    let with = |field: &str, without: &str, more: &[&str]| {
        let mut schema = whole.clone();
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.remove(without);
        }
        if let Some(required) = schema["required"].as_array_mut() {
            required.extend(std::iter::once(&field).chain(more).map(|name| Value::from(*name)));
        }
        schema
    };
    let schema = json!({"oneOf": [with(one, other, &[]), with(other, one, more)]});
    Schema::try_from(schema).unwrap_or_default()
}

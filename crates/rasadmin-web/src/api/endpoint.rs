//! A row of the API's table.

use super::asked::{Asked, Parameter};
use crate::app::App;
use crate::fault::Fault;
use axum::http::StatusCode;
use rasadmin_text::printable_json;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// A path of the API.
pub struct Endpoint {
    /// The path, as the router and OpenAPI write it alike.
    pub path: &'static str,
    /// The name, for programs that are generated from the document.
    pub id: &'static str,
    /// What it answers, in a line.
    pub title: &'static str,
    /// More about it. The command that gives the same answer is named here.
    pub says: &'static str,
    /// The parameters of the path and of the query.
    pub parameters: &'static [Parameter],
    /// What the answer looks like.
    pub shape: Shape,
    /// Whether what is asked for may not exist.
    pub may_lack: bool,
    /// Makes the answer. It may wait for the disk.
    pub work: fn(&App, &Asked) -> Result<Answered, Fault>,
}

/// What an answer looks like.
pub enum Shape {
    /// JSON of this schema.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// A page of a list of rows of this schema.
    Page(fn(&mut SchemaGenerator) -> Schema),
    /// Any JSON object.
    Object,
    /// Text of this kind.
    Text(&'static str),
}

/// An answer.
pub struct Answered {
    /// Its media type.
    pub kind: &'static str,
    /// Itself.
    pub text: String,
}

/// A page of a list.
#[derive(Serialize)]
struct Page<T> {
    rows: Vec<T>,
    next: Option<String>,
}

/// A schema among those that the document names once.
pub fn named<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A schema within its place, for types whose names say nothing outside of their module.
pub fn inline<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

/// An answer in JSON. What could control a terminal in it is escaped, as the commands do.
pub fn json(answer: &impl Serialize) -> Result<Answered, Fault> {
    let text = serde_json::to_string(answer).map_err(|error| Fault {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        what: format!("the answer cannot be written as JSON: {error}"),
        remedy: "report it, with the path".to_owned(),
    })?;
    Ok(Answered { kind: "application/json", text: printable_json(&text).into_owned() })
}

/// A page of a list. `next`: the parameter `after` of the next page.
pub fn page<T: Serialize>(rows: Vec<T>, next: Option<String>) -> Result<Answered, Fault> {
    json(&Page { rows, next })
}

/// A list that has lost the row after which it was to go on: its rest is not known.
pub fn no_such_place() -> Fault {
    Fault::bad_request("the list has no row with the place that `after` names", "begin with the first page again")
}

/// A page of rows of which one more was read than are wanted, if there are so many.
pub fn page_of<T: Serialize>(mut rows: Vec<T>, limit: u32, key: impl FnOnce(&T) -> String) -> Result<Answered, Fault> {
    let is_cut = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| is_cut).map(key);
    page(rows, next)
}

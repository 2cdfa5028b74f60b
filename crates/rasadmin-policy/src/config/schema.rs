//! The JSON Schema of the file, for editors.

/// As it is checked in: docs/rasadmin.schema.json.
pub fn schema() -> String {
    let schema = schemars::schema_for!(super::file::File);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

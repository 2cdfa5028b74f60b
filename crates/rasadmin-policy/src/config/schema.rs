//! The JSON Schema of the file, for editors.
//!
//! A test generates it from the file's types, and it is checked in, so the generator is linked into neither program
//! nor DLL.

/// The schema, as checked in as docs/rasadmin.schema.json.
pub fn schema() -> &'static str {
    include_str!("../../../../docs/rasadmin.schema.json")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn the_schema_is_as_checked_in() {
        let schema = schemars::schema_for!(super::super::file::File);
        let mut made = serde_json::to_string_pretty(&schema).unwrap();
        made.push('\n');
        if std::env::var_os("RASADMIN_BLESS").is_some() {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rasadmin.schema.json");
            std::fs::write(path, &made).unwrap();
        }
        assert!(
            super::schema().replace("\r\n", "\n") == made,
            "docs/rasadmin.schema.json is stale: run `cargo xtask bless`"
        );
    }
}

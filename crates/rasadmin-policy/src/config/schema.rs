//! The JSON Schema of the file, for editors.
//!
//! It is made of the file's types by a test, and checked in: what makes it is linked into no program, and no DLL.

/// As it is checked in: docs/rasadmin.schema.json.
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

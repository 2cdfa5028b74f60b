//! The JSON Schemas of what commands print with `--json`. They are generated, checked in under `docs/schemas`, and
//! stable: docs/json.md.

use crate::commands::*;
use crate::live::SeenSession;
use crate::{error, retention};
use rasadmin_ledger::report::{DecisionRow, KnownUser, LeaseRow, Overview, SessionRow, Total, UsageRow, UserReport};
use schemars::{Schema, schema_for};

/// Every schema, by the name of its file.
pub fn all() -> Vec<(&'static str, Schema)> {
    vec![
        ("addresses", schema_for!(addresses::Answer)),
        ("anonymise", schema_for!(retention::Answer)),
        ("blocks", schema_for!(Vec<blocks::BlockRow>)),
        ("check", schema_for!(rasadmin_check::Report)),
        ("check-list", schema_for!(rasadmin_check::ListReport)),
        ("config-check", schema_for!(config::check::Answer)),
        ("config-show", schema_for!(config::show::Answer)),
        ("dashboard-token-list", schema_for!(Vec<dashboard::token::TokenRow>)),
        ("dashboard-user-list", schema_for!(Vec<dashboard::user::UserRow>)),
        ("decisions", schema_for!(Vec<DecisionRow>)),
        ("disconnect-list", schema_for!(Vec<SessionRow>)),
        ("error", schema_for!(error::ErrorAnswer)),
        ("explain", schema_for!(explain::Answer<'_>)),
        ("explain-past", schema_for!(Vec<explain::StageAnswer<'_>>)),
        ("host-assumptions", schema_for!(Vec<host::assumptions::Answer>)),
        ("host-judge", schema_for!(host::judge::Answer<'_>)),
        ("host-replay", schema_for!(host::replay::Answer)),
        ("host-run", schema_for!(host::run::Answer)),
        ("import", schema_for!(import::Answer)),
        ("journal-check", schema_for!(journal::check::Answer)),
        ("journal-seal", schema_for!(journal::seal::Answer)),
        ("journal-show", schema_for!(journal::show::Answer<'_>)),
        ("ledger-check", schema_for!(ledger::check::Answer)),
        ("ledger-update", schema_for!(ledger::update::Answer)),
        ("purge", schema_for!(retention::Answer)),
        ("replay", schema_for!(replay::Answer)),
        ("report", schema_for!(Vec<Total>)),
        ("sessions", schema_for!(Vec<SeenSession>)),
        ("status", schema_for!(status::Answer)),
        ("top", schema_for!(Overview)),
        ("usage", schema_for!(Vec<UsageRow>)),
        ("user", schema_for!(UserReport)),
        ("users", schema_for!(Vec<KnownUser>)),
        ("who-had", schema_for!(Vec<LeaseRow>)),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas")
    }

    fn files() -> BTreeMap<String, String> {
        all()
            .into_iter()
            .map(|(name, schema)| {
                let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
                (format!("{name}.schema.json"), text)
            })
            .collect()
    }

    #[test]
    fn the_schemas_are_fresh() {
        let files = files();
        if std::env::var_os("RASADMIN_BLESS").is_some() {
            let _ = std::fs::remove_dir_all(folder());
            std::fs::create_dir_all(folder()).unwrap();
            files.iter().for_each(|(name, text)| std::fs::write(folder().join(name), text).unwrap());
        }
        let kept = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut kept: Vec<_> = kept.collect();
        kept.sort();
        assert_eq!(kept, files.keys().cloned().collect::<Vec<_>>(), "run `cargo xtask bless`");
        for (name, text) in &files {
            let kept = std::fs::read_to_string(folder().join(name)).unwrap().replace("\r\n", "\n");
            assert!(kept == *text, "docs/schemas/{name} is stale: run `cargo xtask bless`");
        }
    }

    /// A command that prints JSON has a schema.
    #[test]
    fn every_command_with_json_has_a_schema() {
        fn look(command: &clap::Command, path: &str, names: &mut Vec<String>) {
            for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set()) {
                let path = if path.is_empty() {
                    subcommand.get_name().into()
                } else {
                    format!("{path}-{}", subcommand.get_name())
                };
                if subcommand.get_arguments().any(|argument| argument.get_long() == Some("json")) {
                    names.push(path.clone());
                }
                look(subcommand, &path, names);
            }
        }
        let mut with_json = Vec::new();
        look(&crate::Cli::command(), "", &mut with_json);
        assert!(with_json.len() > 20, "{with_json:?}");
        for name in &with_json {
            assert!(all().iter().any(|(of, _)| of == name), "`rasadmin {name}` has no schema");
        }
    }

    /// A schema explains every field.
    #[test]
    fn every_field_is_described() {
        fn look(value: &serde_json::Value, at: &str) {
            if let Some(properties) = value.get("properties").and_then(|p| p.as_object()) {
                // An enum's variant describes its only field.
                let is_variant = properties.len() == 1 && value.get("description").is_some();
                for (name, property) in properties {
                    let described = property.get("description").or_else(|| property.get("$ref")).is_some();
                    let described = described || is_variant;
                    assert!(described, "{at}: the field `{name}` has no description");
                }
            }
            match value {
                serde_json::Value::Object(all) => {
                    all.iter().for_each(|(key, value)| look(value, &format!("{at}/{key}")))
                }
                serde_json::Value::Array(all) => all.iter().for_each(|value| look(value, at)),
                _ => {}
            }
        }
        for (name, schema) in all() {
            look(schema.as_value(), name);
        }
    }
}

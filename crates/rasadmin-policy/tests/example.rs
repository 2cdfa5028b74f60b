//! examples/rasadmin.toml is the documentation: it must be right, and complete.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn example() -> String {
    std::fs::read_to_string(root().join("examples/rasadmin.toml")).unwrap()
}

#[test]
fn the_example_is_valid() {
    let mut members = |name: &str| {
        assert_eq!(name, "contractors.txt");
        Ok(std::fs::read_to_string(root().join("examples").join(name)).unwrap())
    };
    let parsed = rasadmin_policy::config::parse("rasadmin.toml", &example(), Path::new("/etc/rasadmin"), &mut members);
    let config = parsed.unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.ledger, Path::new("/etc/rasadmin/ledger/rasadmin.db"));
    let carol = config.domains.identity(&"carol@PARTNER.example".into(), &"".into()).unwrap();
    let contractors = config.groups.id("contractors").unwrap();
    assert!(config.groups.of(&carol).contains(contractors));
}

/// Anyone who takes over the process that speaks to the network must not be able to change anything, unless the file says so.
#[test]
fn the_dashboard_changes_nothing_by_default() {
    let changes = |text: &str| {
        let text = format!("default.action = \"allow\"\n{text}");
        let parsed = rasadmin_policy::config::parse("f", &text, Path::new("/f"), &mut |_| unreachable!());
        parsed.unwrap().service.dashboard_changes
    };
    assert!(!changes("") && !changes("service.pipe.enabled = true\n"));
    assert!(!changes("service.pipe.dashboard_changes = false\n"));
    assert!(changes("service.pipe.dashboard_changes = true\n"));
}

#[test]
fn it_stays_valid_without_its_comments_and_is_one_line_at_its_least() {
    let without: String =
        example().lines().filter(|line| !line.trim_start().starts_with('#')).map(|l| format!("{l}\n")).collect();
    assert!(without.len() < example().len());
    let parse =
        |text: &str| rasadmin_policy::config::parse("f", text, Path::new("/f"), &mut |_| Ok("bob\n".to_owned()));
    let rules = |text: &str| parse(text).unwrap_or_else(|errors| panic!("{errors}")).rules.len();
    assert_eq!(rules(&without), rules(&example()));
    let audit = "default.action = \"allow\"\n";
    assert!(example().contains(audit.trim()), "the shortest configuration is quoted");
    rasadmin_policy::config::parse("f", audit, Path::new("/f"), &mut |_| unreachable!()).unwrap();
}

/// Every key and every value of a list of values that the schema knows is shown.
#[test]
fn it_shows_every_key() {
    let schema: serde_json::Value = serde_json::from_str(rasadmin_policy::config::schema()).unwrap();
    let mut words = BTreeSet::new();
    collect(&schema, &mut words);
    assert!(words.len() > 60, "{words:?}");
    let example = example();
    let shown: BTreeSet<&str> = example.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').collect();
    let missing: Vec<_> = words.iter().filter(|word| !shown.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "not in examples/rasadmin.toml: {missing:?}");
}

fn collect(value: &serde_json::Value, words: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(object) => {
            if let Some(properties) = object.get("properties").and_then(|p| p.as_object()) {
                words.extend(properties.keys().cloned());
            }
            words.extend(object.get("const").and_then(|c| c.as_str()).map(str::to_owned));
            let values = object.get("enum").and_then(|e| e.as_array()).into_iter().flatten();
            words.extend(values.filter_map(|v| v.as_str()).map(str::to_owned));
            object.values().for_each(|value| collect(value, words));
        }
        serde_json::Value::Array(array) => array.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}

//! What the README and the page of the host show is what there is.
#![allow(clippy::unwrap_used)]

mod support;

use support::{office_day, product, rasadmin, root, words};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap().replace("\r\n", "\n")
}

/// The code blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

#[test]
fn the_example_is_the_one_that_is_built_and_checked() {
    let (readme, example) = (read("README.md"), read("examples/audit-log/src/lib.rs"));
    let code = &example[example.find("use rasadmin_sdk").unwrap()..];
    assert_eq!(blocks(&readme, "rust"), [code.trim_end()], "copy the example's code into the README");
}

/// All of the table but the times.
#[test]
fn the_demo_prints_what_the_page_shows() {
    let config = root().join("examples/office-day.toml");
    let ran = rasadmin(words([&"host", &"run", &"--config", &config, &"--dll", &product(), &office_day()])).ends(0);
    let counts = |text: &str| -> Vec<String> {
        let from = text.lines().skip_while(|line| !line.trim_start().starts_with("connections  asked"));
        let to = from.take_while(|line| !line.trim_start().starts_with("function "));
        to.map(|line| line.trim_end().to_owned()).collect()
    };
    let printed = counts(&ran.stdout);
    assert!(printed.len() > 15, "{printed:?}");
    assert_eq!(counts(&read("docs/host.md")), printed, "copy the output into docs/host.md");
}

#[test]
fn the_explanation_is_the_one_that_the_readme_shows() {
    let folder = tempfile::tempdir().unwrap();
    let config = root().join("examples/office-day.toml");
    let mut run = words([&"host", &"run", &"--config", &config, &"--dll", &product(), &office_day()]);
    run.extend(words([&"--keep", &folder.path()]));
    rasadmin(run).ends(0);
    let kept = folder.path().join("rasadmin.toml");
    let ran = rasadmin(words([&"explain", &"--config", &kept, &"--decision", &"818"])).ends(0);
    assert!(read("README.md").contains(&ran.stdout), "copy into the README:\n{}", ran.stdout);
}

#[test]
fn the_configuration_is_one() {
    let readme = read("README.md");
    let configurations = blocks(&readme, "toml");
    assert!(!configurations.is_empty());
    for text in configurations {
        let parsed = rasadmin_policy::config::parse("README.md", text, &root(), &mut |_| Err("none".into()));
        parsed.unwrap_or_else(|errors| panic!("{errors}"));
    }
}

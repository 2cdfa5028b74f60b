//! Log lines as RRAS and NPS write them, and what is made of them.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses a part.

use rasadmin_history::logs::{self, LogItem, LogRefusal, LogSession, Reading, Summary, Unreadable};
use std::path::PathBuf;

/// Places of the fields of the database-compatible format, from 0.
pub mod at {
    pub const PACKET: usize = 4;
    pub const QUALIFIED: usize = 6;
    pub const REASON: usize = 25;
    pub const USER: usize = 5;
    pub const CALLING: usize = 8;
    pub const ADDRESS: usize = 10;
    pub const NAS: usize = 11;
    pub const NAS_IP: usize = 12;
    pub const FRIENDLY: usize = 16;
    pub const PORT: usize = 13;
    pub const EVENT: usize = 17;
    pub const PORT_TYPE: usize = 19;
    pub const CLASS: usize = 26;
    pub const STATUS: usize = 31;
    pub const DELAY: usize = 32;
    pub const IN: usize = 33;
    pub const OUT: usize = 34;
    pub const ID: usize = 35;
    pub const SECONDS: usize = 37;
    pub const IN_PACKETS: usize = 38;
    pub const OUT_PACKETS: usize = 39;
    pub const CAUSE: usize = 40;
    pub const MULTI: usize = 41;
    pub const LINKS: usize = 42;
    pub const TUNNEL: usize = 44;
    pub const ENDPOINT: usize = 46;
    pub const CLIENT_NAME: usize = 64;
}

pub const CLASS: &str = "311 1 192.168.180.2 06/15/2024 17:41:37 169";
/// 2024-06-18 13:45:48 UTC.
pub const T: i64 = 1_718_718_348;

/// A line with these fields, and RRAS's own name; 66 fields.
pub fn line(fields: &[(usize, &str)]) -> String {
    let mut all = vec![String::new(); 66];
    all[0] = "\"VPN1\"".to_owned();
    all[1] = "\"RAS\"".to_owned();
    all[2] = "06/18/2024".to_owned();
    all[3] = "14:45:48".to_owned();
    all[at::NAS] = "\"VPN1\"".to_owned();
    all[at::PORT_TYPE] = "5".to_owned();
    for &(at, text) in fields {
        all[at] = match at {
            0..=3 | at::PACKET => text.to_owned(),
            _ if text.parse::<u64>().is_ok() => text.to_owned(),
            _ => format!("\"{}\"", text.replace('"', "\"\"")),
        };
    }
    all.join(",")
}

/// An accounting record of a session: its status (1 Start, 2 Stop, 3 Interim-Update), its id and its second after T.
pub fn accounting(status: &str, id: &str, second: i64, more: &[(usize, &str)]) -> String {
    let event = (T + second).to_string();
    let mut fields = vec![
        (at::PACKET, "4"),
        (at::STATUS, status),
        (at::ID, id),
        (at::EVENT, &event),
        (at::CLASS, CLASS),
        (at::USER, "alice"),
    ];
    fields.extend(more);
    line(&fields)
}

/// Reads texts as files of one folder.
pub fn read_items(files: &[&[u8]], zone: Option<&str>) -> Result<(Vec<LogItem>, Summary), Unreadable> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files
        .iter()
        .enumerate()
        .map(|(at, bytes)| {
            let path = folder.path().join(format!("IN{at}.log"));
            std::fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    let zone = zone.map(|zone| rasadmin_policy::config::time_zone(zone).unwrap());
    let mut items = Vec::new();
    let reading = Reading { zone: zone.as_ref(), strict: false };
    let summary = logs::read(&paths, reading, &mut |_, _| {}, &mut |item| {
        items.push(item);
        Ok::<_, Unreadable>(())
    })?;
    Ok((items, summary))
}

/// Reads texts as files of one folder: their sessions.
pub fn read(files: &[&[u8]], zone: Option<&str>) -> Result<(Vec<LogSession>, Summary), Unreadable> {
    let (items, summary) = read_items(files, zone)?;
    let session = |item| match item {
        LogItem::Session(session) => Some(session),
        LogItem::Refusal(_) | LogItem::Restart(_) => None,
    };
    Ok((items.into_iter().filter_map(session).collect(), summary))
}

/// Reads lines of one file; all of them must be records.
#[track_caller]
pub fn sessions(lines: &[String]) -> (Vec<LogSession>, Summary) {
    let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let (sessions, summary) = read(&[text.as_bytes()], None).unwrap();
    assert_eq!(summary.malformed, 0, "{:?}", summary.faults);
    (sessions, summary)
}

/// The refused attempts in a text.
#[track_caller]
#[allow(dead_code)]
pub fn refusals(text: &str) -> (Vec<LogRefusal>, Summary) {
    let (items, summary) = read_items(&[text.as_bytes()], Some("Europe/London")).unwrap();
    assert_eq!(summary.malformed, 0, "{:?}", summary.faults);
    let refusal = |item| match item {
        LogItem::Refusal(refusal) => Some(refusal),
        LogItem::Session(_) | LogItem::Restart(_) => None,
    };
    (items.into_iter().filter_map(refusal).collect(), summary)
}

/// The only session of these lines.
#[track_caller]
pub fn session(lines: &[String]) -> LogSession {
    let (mut sessions, _) = sessions(lines);
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    sessions.remove(0)
}

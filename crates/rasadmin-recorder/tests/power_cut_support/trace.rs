//! What strace saw of the ledger's files.
#![allow(clippy::unwrap_used)]

use std::path::Path;

/// The ledger's files: what their names end with. (Of `-shm` nothing is expected after a cut.)
pub const ENDS: [&str; 3] = ["", "-wal", "-journal"];
pub const DB: usize = 0;
pub const WAL: usize = 1;

/// Something that happened to a file.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which: an index into [`ENDS`].
    pub file: usize,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    Length(u64),
    /// Its name was removed.
    Removed,
    Sync,
    /// The folder was synced: names removed stay so.
    FolderSync,
    /// The worker said so on standard output: what, and of which handle.
    Acknowledged(String, u64),
}

/// Reads strace's output (`-f -y -xx`).
pub fn read(log: &str, ledger: &Path) -> Vec<Event> {
    let events: Vec<Event> = log.lines().filter_map(|line| event(line, ledger.to_str().unwrap())).collect();
    assert!(events.len() > 100, "strace saw next to nothing:\n{}", log.lines().take(5).collect::<Vec<_>>().join("\n"));
    events
}

fn event(line: &str, ledger: &str) -> Option<Event> {
    assert!(!line.contains("<unfinished ...>"), "a second thread: {line}");
    let (_, line) = line.split_once(char::is_whitespace)?;
    let (name, rest) = line.trim_start().split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") = ")?;
    if result.starts_with('-') {
        return None;
    }
    // `3<\x2f...>` is a descriptor and its path, `"\x2f..."` a text.
    let descriptor = arguments.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(path, _)| path);
    let path = match name {
        "unlink" | "unlinkat" | "rename" | "openat" => text(arguments.split('"').nth(1)?),
        _ => text(descriptor?),
    };
    let path = String::from_utf8(path).unwrap();
    if name == "write" {
        let said = bytes(arguments);
        let said = std::str::from_utf8(&said).ok()?.strip_prefix("ack ")?;
        let (what, handle) = said.trim_end().split_once(' ')?;
        return Some(Event { file: 0, what: What::Acknowledged(what.to_owned(), handle.parse().unwrap()) });
    }
    if Path::new(&path) == Path::new(ledger).parent()? {
        return matches!(name, "fsync" | "fdatasync").then_some(Event { file: 0, what: What::FolderSync });
    }
    let file = ENDS.iter().position(|end| path.strip_prefix(ledger) == Some(end))?;
    let last = || arguments.rsplit_once(", ").unwrap().1.parse().unwrap();
    let what = match name {
        "pwrite64" => {
            let bytes = bytes(arguments);
            assert_eq!(result.trim().parse(), Ok(bytes.len()), "a short write: {name} {result}");
            What::Write { offset: last(), bytes }
        }
        "ftruncate" => What::Length(last()),
        "fsync" | "fdatasync" => What::Sync,
        "unlink" | "unlinkat" => What::Removed,
        "openat" => {
            assert!(!arguments.contains("O_TRUNC"), "{arguments}");
            return None;
        }
        "close" => return None,
        _ => panic!("the ledger was changed in a way that this test does not know: {name}"),
    };
    Some(Event { file, what })
}

/// The text among the arguments.
fn bytes(arguments: &str) -> Vec<u8> {
    let mut parts = arguments.split('"').skip(1);
    let bytes = text(parts.next().unwrap());
    assert!(!parts.next().unwrap().starts_with("..."), "strace left something out");
    bytes
}

/// `\x2f\x74`, as -xx writes it.
fn text(hex: &str) -> Vec<u8> {
    let digits = hex.split("\\x").skip(1);
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap_or_else(|e| panic!("{pair}: {e}"))).collect()
}

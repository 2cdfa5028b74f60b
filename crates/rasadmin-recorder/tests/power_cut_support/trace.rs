//! What strace saw of the files in a folder, such as the journal's.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Stdio};

/// Something that happened in the folder.
#[derive(Clone, Debug)]
pub enum Event {
    /// A file was opened, and created if it did not exist.
    Made(String),
    /// An existing file was opened.
    Opened(String),
    Write {
        file: String,
        /// None: after the previous write, or at the beginning of a file that was opened since.
        offset: Option<u64>,
        bytes: Vec<u8>,
    },
    Length {
        file: String,
        length: u64,
    },
    Renamed {
        from: String,
        to: String,
    },
    Removed(String),
    Sync(String),
    /// The folder was synced: its names are certain.
    NamesSync,
    /// The worker has logged a promise: which one, and its number.
    Promised(String, u64),
}

/// The worker's log of promises: a file beside the folder.
pub const PROMISES: &str = "promises";

/// Runs a test of this program again under strace. Returns what strace saw in each of these folders within the given
/// one: the index of the folder, and the event.
pub fn watch(test: &str, environment: &str, folder: &Path, watched: &[&Path]) -> Vec<(usize, Event)> {
    let log = folder.join("strace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-xx", "-s", "2000000", "-o"]).arg(&log);
    let calls =
        "openat,pwrite64,pwritev,write,writev,fsync,fdatasync,ftruncate,fallocate,unlink,unlinkat,rename,renameat";
    command.arg("-e").arg(format!("trace={calls},renameat2,copy_file_range,sendfile"));
    command.arg(std::env::current_exe().unwrap()).args(["--exact", test]).env(environment, folder);
    let status = command.stdout(Stdio::null()).status().expect("strace is missing: apt-get install strace");
    assert!(status.success(), "the worker under strace: {status}");
    let log = std::fs::read_to_string(&log).unwrap();
    let in_any = |line| watched.iter().enumerate().find_map(|(at, folder)| Some((at, event(line, folder)?)));
    let events: Vec<_> = log.lines().filter_map(in_any).collect();
    assert!(events.len() > 100, "strace saw next to nothing:\n{}", log.lines().take(5).collect::<Vec<_>>().join("\n"));
    events
}

fn event(line: &str, watched: &Path) -> Option<Event> {
    // The test's own harness says that it runs, from another thread.
    let of_harness = line.contains(" write(1<");
    assert!(of_harness || !line.contains("<unfinished ...>"), "a second thread: {line}");
    let (_, line) = line.split_once(char::is_whitespace)?;
    let (name, rest) = line.trim_start().split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") = ")?;
    if result.starts_with('-') {
        return None;
    }
    // `3<\x2f...>` is a descriptor and its path, `"\x2f..."` a text.
    let descriptor = || Some(text(arguments.split_once('<')?.1.split_once('>')?.0));
    let named = |nth: usize| Some(text(arguments.split('"').nth(2 * nth + 1)?));
    let path: Vec<u8> = match name {
        "unlink" | "unlinkat" | "rename" | "renameat" | "renameat2" | "openat" => named(0)?,
        _ => descriptor()?,
    };
    let path = std::path::PathBuf::from(String::from_utf8(path).unwrap());
    if path == watched.parent()?.join(PROMISES) && name == "write" {
        let said = bytes(arguments);
        let (what, handle) = std::str::from_utf8(&said).unwrap().trim_end().split_once(' ')?;
        return Some(Event::Promised(what.to_owned(), handle.parse().unwrap()));
    }
    if path == watched {
        return matches!(name, "fsync" | "fdatasync").then_some(Event::NamesSync);
    }
    if path.parent() != Some(watched) {
        return None;
    }
    let file = path.file_name().unwrap().to_str().unwrap().to_owned();
    // The index of SQLite's log is memory that processes share: after a power cut SQLite rebuilds it.
    if file.ends_with("-shm") {
        return None;
    }
    Some(match name {
        "pwrite64" | "write" => {
            let bytes = bytes(arguments);
            assert_eq!(result.trim().parse(), Ok(bytes.len()), "a short write: {name} {result}");
            let offset = (name == "pwrite64").then(|| arguments.rsplit_once(", ").unwrap().1.parse().unwrap());
            Event::Write { file, offset, bytes }
        }
        "ftruncate" => Event::Length { file, length: arguments.rsplit_once(", ").unwrap().1.parse().unwrap() },
        "fsync" | "fdatasync" => Event::Sync(file),
        "unlink" | "unlinkat" => Event::Removed(file),
        "rename" | "renameat" | "renameat2" => {
            let to = String::from_utf8(named(1)?).unwrap();
            Event::Renamed { from: file, to: Path::new(&to).file_name()?.to_str()?.to_owned() }
        }
        "openat" => {
            assert!(!arguments.contains("O_TRUNC") && !arguments.contains("O_APPEND"), "{arguments}");
            if arguments.contains("O_CREAT") { Event::Made(file) } else { Event::Opened(file) }
        }
        _ => panic!("the folder was changed in a way that this test does not know: {name}"),
    })
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
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or_else(|| panic!("{hex}")) as u8;
    hex.as_bytes().chunks_exact(4).map(|part| digit(part[2]) << 4 | digit(part[3])).collect()
}

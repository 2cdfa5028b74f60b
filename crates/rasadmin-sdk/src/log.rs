//! A log file for an admin DLL, written by `tracing`.
//!
//! It has its own subscriber, because a DLL must leave nothing behind when it is unloaded. Terminate closes the file, unless
//! calls are still inside. Only 32 bytes for each load remain, which `tracing` never frees of a global default. Writing
//! never fails a call: a line that cannot be written is dropped.
//!
//! A DLL with numbered messages can also write them to the system's log: see [`set_sink`]. The number is the event's field
//! `message_id`; its other fields are the values in the text.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// The size, in bytes, at which the file is renamed to `NAME.1` (replacing the previous one) and a new file begins.
pub const ROLL_OVER: u64 = 16 * 1024 * 1024;

struct Open {
    file: File,
    path: PathBuf,
    size: u64,
    limit: u64,
}

/// The open file. Terminate closes it, so that no handle outlives the DLL.
static OPEN: Mutex<Option<Open>> = Mutex::new(None);

/// An event, as a [`Sink`] gets it. Names in it are unchanged, so a sink must make them [`printable`] before it writes them.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The event's level.
    pub level: tracing::Level,
    /// The event's field `message_id`, if it has one.
    pub message_id: Option<u64>,
    /// The event's text.
    pub text: &'a str,
    /// The event's other fields, with their names, in order.
    pub fields: &'a [(&'static str, String)],
}

/// Gets every event of level INFO and above, in addition to the file. The call that logs the event waits for it. It must not
/// use `tracing`.
pub type Sink = Box<dyn Fn(&Entry<'_>) + Send>;

/// The sink. It is dropped when the log is closed.
static SINK: Mutex<Option<Sink>> = Mutex::new(None);

/// Sends events to this sink, too, until [`close`]. This works without a file.
pub fn set_sink(sink: Sink) {
    *SINK.lock().unwrap_or_else(PoisonError::into_inner) = Some(sink);
    subscribe();
}

/// Opens the log to append to it, and creates its folder. From now on `tracing` events of this DLL go there.
///
/// # Errors
/// If the folder or the file cannot be created or opened.
pub fn open(path: &Path) -> io::Result<()> {
    open_with_limit(path, ROLL_OVER)
}

fn open_with_limit(path: &Path, limit: u64) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    *lock() = Some(Open::append(path.to_owned(), limit)?);
    subscribe();
    Ok(())
}

fn subscribe() {
    // The second time this fails, because our subscriber is set already.
    let _ = tracing_core::dispatcher::set_global_default(tracing_core::Dispatch::new(Log));
}

/// Closes the log and drops the sink. Terminate does this unless calls are inside.
pub fn close() {
    let sink = SINK.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(sink);
    *lock() = None;
}

fn lock() -> MutexGuard<'static, Option<Open>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Open {
    fn append(path: PathBuf, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, path, size, limit })
    }

    /// Renames the file and opens a new one. Windows requires that the file is closed first.
    fn rolled_over(self) -> Option<Self> {
        let Self { file, path, limit, .. } = self;
        drop(file);
        // Another process with the same log may have renamed it already. Then only the new file must be opened.
        if std::fs::metadata(&path).is_ok_and(|now| now.len() < limit / 2) {
            return Self::append(path, limit).ok();
        }
        let mut old = path.clone().into_os_string();
        old.push(".1");
        // If renaming fails, the log goes on in the same file, emptied: it must neither stop nor grow without end.
        if std::fs::rename(&path, old).is_err() {
            let _ = File::create(&path);
        }
        Self::append(path, limit).ok()
    }
}

fn write(line: &str) {
    let mut open = lock();
    if open.as_ref().is_some_and(|log| log.size > 0 && log.size + line.len() as u64 > log.limit) {
        *open = open.take().and_then(Open::rolled_over);
    }
    if let Some(log) = open.as_mut()
        && log.file.write_all(line.as_bytes()).is_ok()
    {
        log.size += line.len() as u64;
    }
}

struct Log;

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1) // Spans are not recorded.
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let level = *event.metadata().level();
        let mut fields = Fields::default();
        event.record(&mut fields);
        write(&fields.line(level));
        if let Some(sink) = &*SINK.lock().unwrap_or_else(PoisonError::into_inner) {
            let Fields { text, message_id, others } = &fields;
            sink(&Entry { level, message_id: *message_id, text, fields: others });
        }
    }
}

/// The text, the number and the other fields of an event.
#[derive(Default)]
struct Fields {
    text: String,
    message_id: Option<u64>,
    others: Vec<(&'static str, String)>,
}

impl Fields {
    /// A line of the log: the text, then ` name=value` for each field. A numbered message has its fields in the text already.
    fn line(&self, level: tracing::Level) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut line = timestamp(since.as_secs(), since.subsec_micros());
        // Writing to a String cannot fail.
        let _ = write!(line, " {:5} ", level.as_str());
        line.push_str(&printable(&self.text));
        if let Some(number) = self.message_id {
            let _ = write!(line, " message_id={number}");
        } else {
            for (name, value) in &self.others {
                let _ = write!(line, " {name}={}", printable(value));
            }
        }
        line.push('\n');
        line
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.text, "{value:?}");
        } else {
            self.others.push((field.name(), format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "message_id" {
            self.message_id = Some(value);
        } else {
            self.record_debug(field, &value);
        }
    }
}

/// The text with control characters escaped, so that it cannot break a line or a terminal.
pub fn printable(text: &str) -> String {
    rasadmin_text::printable(text).into_owned()
}

/// A time since 1970, in the format of RFC 3339: UTC, with microseconds.
pub fn timestamp(seconds: u64, micros: u32) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 1970 to a civil date, by H. Hinnant's algorithm: eras of 400 years that begin on 1 March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_civil() {
        assert_eq!(timestamp(0, 0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(timestamp(951_782_400, 5), "2000-02-29T00:00:00.000005Z");
        assert_eq!(timestamp(1_795_440_599, 999_999), "2026-11-23T13:29:59.999999Z");
        assert_eq!(timestamp(4_107_542_399, 0), "2100-02-28T23:59:59.000000Z");
    }

    /// A single test, because the process has only one log.
    #[test]
    fn lines_cannot_be_forged_and_the_file_rolls_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("rasadmin.log");
        open_with_limit(&path, 300).unwrap();
        tracing::info!(user = "a\r\nb", code = 5, "accepted {}", "x\ny");
        tracing::debug!("too detailed");
        let first = std::fs::read_to_string(&path).unwrap();
        assert_eq!(first.lines().count(), 1);
        assert!(first.ends_with("Z INFO  accepted x\\ny user=a\\r\\nb code=5\n"), "{first}");
        for _ in 0..20 {
            tracing::warn!("some line or other of the log");
        }
        let old = folder.path().join("new").join("rasadmin.log.1");
        assert!(std::fs::metadata(&path).unwrap().len() <= 300);
        assert!(std::fs::metadata(&old).unwrap().len() <= 300);
        let entries = std::sync::Arc::new(Mutex::new(Vec::new()));
        let sink_entries = entries.clone();
        set_sink(Box::new(move |entry| {
            let Entry { level, message_id, text, fields } = *entry;
            sink_entries.lock().unwrap().push(format!("{level} {message_id:?} {text} {fields:?}"));
        }));
        tracing::warn!(message_id = 300_u64, user = "a\nb", "refused: {}", "a\nb");
        tracing::info!(seconds = 5_u64, "something else");
        tracing::debug!("too detailed");
        // A numbered message has its fields in the text, so only the number follows.
        let last = std::fs::read_to_string(&path).unwrap();
        assert!(last.contains("Z WARN  refused: a\\nb message_id=300\n"), "{last}");
        let expected =
            ["WARN Some(300) refused: a\nb [(\"user\", \"a\\nb\")]", "INFO None something else [(\"seconds\", \"5\")]"];
        assert_eq!(*entries.lock().unwrap(), expected);
        assert_eq!(printable("a\nb\u{202e}"), "a\\nb\\u{202e}");
        close();
        tracing::warn!("after the end");
        assert!(!std::fs::read_to_string(&path).unwrap().contains("after the end"));
        assert_eq!(entries.lock().unwrap().len(), 2);
        assert_eq!(std::sync::Arc::strong_count(&entries), 1, "the sink is dropped");
    }
}

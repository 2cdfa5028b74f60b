//! The Windows Event Log: the source `rasadmin` in the log Application.
#![allow(unsafe_code)] // The Event Log's own functions.

use rasadmin_messages::{Id, Severity};
use std::path::PathBuf;
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE, RegisterEventSourceW,
    ReportEventW,
};

/// The source's name.
const SOURCE: &str = "rasadmin";

/// The longest insert, in UTF-16 units. Windows refuses an event with an insert of more than 31,839 units, and one that
/// is too long as a whole; ours have at most five inserts.
const LONGEST: usize = 5000;

/// The source, registered with the Event Log service: one handle.
#[derive(Debug)]
pub struct Source(HANDLE);

// SAFETY: the handle belongs to the process, and the functions that take it may be called from any thread.
unsafe impl Send for Source {}
// SAFETY: `write` changes nothing of its own, and several threads may call ReportEventW with one handle at the same time.
unsafe impl Sync for Source {}

impl Source {
    /// Opens the source. None if the Event Log service does not respond. The path is ignored.
    pub fn open(_: Option<PathBuf>) -> Option<Self> {
        let name = wide(SOURCE);
        // SAFETY: null is this computer; the name is terminated, and read only during the call.
        let handle = unsafe { RegisterEventSourceW(std::ptr::null(), name.as_ptr()) };
        (!handle.is_null()).then_some(Self(handle))
    }

    /// Writes a message. If that fails, it is dropped: the log file has it.
    pub fn write(&self, id: Id, inserts: &[String]) {
        let kind = match id.row().severity {
            Severity::Information => EVENTLOG_INFORMATION_TYPE,
            Severity::Warning => EVENTLOG_WARNING_TYPE,
            Severity::Error => EVENTLOG_ERROR_TYPE,
        };
        let texts: Vec<Vec<u16>> = inserts.iter().map(|insert| wide(&shortened(&harmless(insert)))).collect();
        let pointers: Vec<*const u16> = texts.iter().map(|text| text.as_ptr()).collect();
        let count = u16::try_from(pointers.len()).unwrap_or(0);
        // SAFETY: the handle is open until this is dropped; `count` pointers to terminated texts, which live until the
        // call has returned; no user and no raw data.
        let _ = unsafe {
            let (nobody, nothing) = (std::ptr::null_mut(), std::ptr::null());
            ReportEventW(self.0, kind, 0, id.event(), nobody, count, 0, pointers.as_ptr(), nothing)
        };
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody uses it after this.
        unsafe { DeregisterEventSource(self.0) };
    }
}

/// Terminated UTF-16, without NULs, which would end the text.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().filter(|unit| *unit != 0).chain([0]).collect()
}

/// The Event Viewer would replace `%1` in an insert with an insert, and `%%1` with a message of another file.
fn harmless(insert: &str) -> String {
    let mut text = String::with_capacity(insert.len());
    let mut rest = insert.chars().peekable();
    while let Some(c) = rest.next() {
        text.push(c);
        if c == '%' && rest.peek().is_some_and(|next| next.is_ascii_digit() || *next == '%') {
            text.push(' ');
        }
    }
    text
}

fn shortened(text: &str) -> String {
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > LONGEST
    });
    match end {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.replace('\n', "\r\n"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_insert_cannot_break_the_event() {
        assert_eq!(harmless("100% of %1, %%2 and fe80::1%11"), "100% of % 1, % % 2 and fe80::1% 11");
        assert_eq!(shortened("a\nb"), "a\r\nb");
        assert_eq!(shortened(&"\u{1f600}".repeat(4000)).encode_utf16().count(), 5003);
        assert_eq!(wide("a\0b"), [97, 98, 0]);
        let source = Source::open(None).unwrap();
        for id in Id::ALL {
            source.write(*id, &vec!["x".repeat(40_000); id.row().inserts.len()]);
        }
    }
}

//! Passes numbered messages on to the system's log: the Event Log, or syslog.

use rasadmin_messages::Id;
use rasadmin_sdk::log::{self, Entry, printable};
use rasadmin_sdk::tracing::Level;
use rasadmin_system::system_log::SystemLog;
use std::time::Instant;

/// Starts passing messages on, until terminate. If the system has no log, they only go to the file.
pub fn open() {
    if let Some(system) = SystemLog::open() {
        log::set_sink(Box::new(move |entry| write(&system, entry)));
    }
}

fn write(system: &SystemLog, entry: &Entry<'_>) {
    let now = Instant::now();
    match entry.message_id.and_then(Id::from_number) {
        Some(id) => system.write(id, &inserts(id, entry.fields), now),
        // An error without a number is unexpected: most likely a panic.
        None if entry.level == Level::ERROR => system.write(Id::Bug, &[printable(entry.text)], now),
        None => system.look(now),
    }
}

/// The texts for the inserts of a message. Each error of a configuration keeps its own lines; other line breaks were
/// escaped before.
fn inserts(id: Id, fields: &[(&'static str, String)]) -> Vec<String> {
    let value = |name: &str| fields.iter().find(|(field, _)| *field == name).map_or("-", |(_, value)| value);
    let shown = |name: &&str| match *name {
        "errors" => value(name).split('\n').map(printable).collect::<Vec<_>>().join("\n"),
        name => printable(value(name)),
    };
    id.row().inserts.iter().map(shown).collect()
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::sync::PoisonError;

    /// The text of a panic is an error without a number.
    #[test]
    fn an_error_without_a_number_is_a_bug_and_nothing_else_without_one_is_passed_on() {
        let _turn = crate::ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        // SAFETY: every test that reads the environment waits for its turn.
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var("RASADMIN_SYSTEM_LOG", &path);
        }
        let system = SystemLog::open().unwrap();
        let entry = Entry { level: Level::ERROR, message_id: None, text: "panic: a\nb", fields: &[] };
        write(&system, &entry);
        write(&system, &Entry { level: Level::WARN, ..entry });
        write(&system, &Entry { message_id: Some(1), level: Level::INFO, ..entry });
        let mut buffer = [0; 1000];
        let n = socket.recv(&mut buffer).unwrap();
        assert!(buffer[..n].ends_with(b"[103] a bug in rasadmin: panic: a\\nb"), "{:?}", str::from_utf8(&buffer[..n]));
        assert!(socket.recv(&mut buffer).is_err());
    }
}

//! Numbered messages go to the system's own log too: the Event Log, or syslog.

use rasadmin_messages::Id;
use rasadmin_sdk::log::{self, Entry, printable};
use rasadmin_sdk::tracing::Level;
use rasadmin_system::system_log::SystemLog;
use std::time::Instant;

/// From now on until terminate. Where the system has no log that answers, there is only the file.
pub fn open() {
    if let Some(system) = SystemLog::open() {
        log::also(Box::new(move |entry| write(&system, entry)));
    }
}

fn write(system: &SystemLog, entry: &Entry<'_>) {
    let now = Instant::now();
    match entry.message_id.and_then(Id::from_number) {
        Some(id) => system.write(id, &inserts(id, entry.fields), now),
        // An error that has no number was not expected: a panic, most likely.
        None if entry.level == Level::ERROR => system.write(Id::Bug, &[printable(entry.text)], now),
        None => system.look(now),
    }
}

/// One for each that the catalogue names. Of the faults of a configuration each has its own lines; what else would
/// break one is escaped in them already.
fn inserts(id: Id, fields: &[(&'static str, String)]) -> Vec<String> {
    let value = |name: &str| fields.iter().find(|(field, _)| *field == name).map_or("-", |(_, value)| value);
    let shown = |name: &&str| match *name {
        "errors" => value(name).split('\n').map(printable).collect::<Vec<_>>().join("\n"),
        name => printable(value(name)),
    };
    id.row().inserts.iter().map(shown).collect()
}

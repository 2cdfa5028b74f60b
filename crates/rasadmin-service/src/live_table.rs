//! What the last look at RRAS has shown of each live session, for commands. It is in two files in the journal's folder.
//! The journal itself gets only what has to be on record.

use crate::two_files::{self, TwoFiles};
use rasadmin_engine::{Id, Mono};
use rasadmin_pipe::Request;
use rasadmin_policy::Millis;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The names of the files.
pub const FILES: [&str; 2] = ["service-looks-0.json", "service-looks-1.json"];

/// At most this many octets are written per second. The table of 100 sessions is written after each look, that of 5,000 every half
/// a minute.
const PACE: u64 = 20_000;

/// How many sessions an answer over the pipe has at most. With the longest numbers, they fit into an answer.
pub const MOST_AT_ONCE: usize = 4_000;

/// The last look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTable {
    /// When it began.
    pub looked_at: Millis,
    /// The live sessions that RRAS listed.
    pub sessions: Vec<LiveSession>,
}

/// A live session that RRAS listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveSession {
    /// The session.
    pub session: Id,
    /// Octets: client to server, server to client.
    pub octets: [u64; 2],
    /// Are they exact? Otherwise there may have been more.
    pub exact: bool,
    /// When its received octets last grew; None if no look has seen them grow.
    pub heard: Option<Millis>,
}

impl LiveTable {
    /// The next sessions after this one, in the order of their keys: as many as an answer has.
    pub fn after(mut self, after: Option<Id>) -> Self {
        self.sessions.retain(|session| after.is_none_or(|after| session.session > after));
        self.sessions.sort_unstable_by_key(|session| session.session);
        self.sessions.truncate(MOST_AT_ONCE);
        self
    }

    /// The whole table, from answers to this question. An older service answers with all of it at once.
    ///
    /// # Errors
    /// If one of them is not answered.
    pub fn of_answers<E>(mut ask: impl FnMut(Request) -> Result<Self, E>) -> Result<Self, E> {
        let mut whole = ask(Request::Live { after: None })?;
        let mut last_part = whole.sessions.len();
        while let Some(last) = whole.sessions.last().filter(|_| last_part == MOST_AT_ONCE) {
            let next = ask(Request::Live { after: Some(last.session.to_string()) })?;
            last_part = next.sessions.len();
            // A look in between does not make the first part newer.
            whole.looked_at = whole.looked_at.min(next.looked_at);
            whole.sessions.extend(next.sessions);
        }
        Ok(whole)
    }
}

/// The table that was written last to a journal's folder.
pub fn read(folder: &Path) -> Option<LiveTable> {
    two_files::read(folder, FILES)
}

/// Writes tables, at a pace.
#[derive(Debug)]
pub struct LiveTableFile {
    file: TwoFiles,
    next: Mono,
}

impl LiveTableFile {
    /// In the journal's folder.
    pub fn open(folder: &Path) -> Self {
        Self { file: TwoFiles::open::<LiveTable>(folder, FILES).0, next: Mono(0) }
    }

    /// Writes the table, unless it is too early for that.
    ///
    /// # Errors
    ///
    /// If it cannot be written. The last one stays.
    pub fn write(&mut self, now: Mono, table: impl FnOnce() -> LiveTable) -> std::io::Result<()> {
        if self.next <= now {
            let size = self.file.write(&table())?;
            self.next = now.after(size * 1000 / PACE);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_large_table_is_not_written_after_each_look() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = LiveTableFile::open(folder.path());
        let session = |n| LiveSession { session: Id(n), octets: [1, 2], exact: true, heard: None };
        let table = |looked_at, many| LiveTable { looked_at, sessions: (0..many).map(session).collect() };
        let mut written = Vec::new();
        for look in 1..=12 {
            file.write(Mono(look * 5000), || table(look as i64, 5000)).unwrap();
            written.push(read(folder.path()).unwrap().looked_at);
        }
        assert_eq!(written, [1, 1, 1, 1, 1, 6, 6, 6, 6, 6, 11, 11]);
        for look in 20..=21 {
            file.write(Mono(look * 5000), || table(look as i64, 100)).unwrap();
            assert_eq!(read(folder.path()), Some(table(look as i64, 100)));
        }
    }
}

//! Imports sessions of other logs in short transactions, so that others can write between them.

use super::{Database, Sqlite, deadline};
use crate::Error;
use crate::imported::{ImportCounts, ImportedSession};
use crate::queries;
use crate::value::values;
use std::time::{Duration, Instant};

/// The most sessions in a transaction.
const MOST: usize = 1_000;
/// The time after which a transaction ends.
const LONGEST: Duration = Duration::from_millis(40);
/// The pause between transactions. Processes that wait for the lock try again every half millisecond.
const PAUSE: Duration = Duration::from_millis(4);

impl Sqlite {
    /// Imports sessions of other logs. Existing sessions stay unchanged, unless their end was missing and is known now.
    /// `wait` is how long each transaction may wait for the lock. After an error, sessions that were written before
    /// stay, and repeating the import continues.
    pub fn import(&mut self, sessions: &[ImportedSession], wait: Duration) -> Result<ImportCounts, Error> {
        let mut counts = ImportCounts::default();
        let mut rest = sessions;
        while !rest.is_empty() {
            let (done, more) = self.import_some(rest, Instant::now() + wait)?;
            counts += more;
            rest = &rest[done..];
            std::thread::sleep(PAUSE);
        }
        Ok(counts)
    }

    /// Runs one transaction. Returns the number of sessions that it handled, and what happened to them.
    fn import_some(&mut self, sessions: &[ImportedSession], until: Instant) -> Result<(usize, ImportCounts), Error> {
        self.check_not_replaced()?;
        let _guard = deadline::until(until);
        self.sync_level(false)?;
        let transaction = self.database.begin()?;
        let began = Instant::now();
        let (mut done, mut counts) = (0, ImportCounts::default());
        for session in sessions.iter().take(MOST) {
            match write(&self.database, session)? {
                ImportResult::New => counts.new += 1,
                ImportResult::Completed => counts.completed += 1,
                ImportResult::AlreadyThere => counts.already_there += 1,
            }
            done += 1;
            if began.elapsed() > LONGEST {
                break;
            }
        }
        transaction.commit()?;
        Ok((done, counts))
    }
}

enum ImportResult {
    New,
    Completed,
    AlreadyThere,
}

fn write(database: &Database, s: &ImportedSession) -> Result<ImportResult, Error> {
    let (usage, user) = (&s.usage, s.user.as_ref());
    let octets_are = usage.input_octets.or(usage.output_octets).map(|_| if s.exact { "exact" } else { "lower bound" });
    let address = s.address.map(|address| address.to_string());
    let inserted = database.run(
        queries::SESSION_IMPORTED,
        values! {
            session: &s.key, server: &s.server, domain: user.map(|u| &u.domain), name: user.map(|u| &u.name),
            user_name: &s.user_name, computer: &s.computer, calling: &s.calling, tunnel: s.tunnel.as_ref(),
            port: s.port.as_ref(), nas_port: s.nas_port, address: address.as_ref(), interface_id: s.interface_id.as_ref(),
            prefix: s.prefix.as_ref(), start: s.start, links: s.links, stop: s.stop, seconds: s.seconds,
            input: usage.input_octets, output: usage.output_octets,
            frames_in: usage.input_packets, frames_out: usage.output_packets,
            octets_are: octets_are, cause: s.cause.as_ref(), closed_by: s.closed_by, estimated: s.estimated,
            source: s.source,
        },
    )?;
    if inserted > 0 {
        return Ok(ImportResult::New);
    }
    let completed = database.run(
        queries::SESSION_COMPLETED,
        values! {
            session: &s.key, stop: s.stop, seconds: s.seconds,
            input: usage.input_octets, output: usage.output_octets,
            frames_in: usage.input_packets, frames_out: usage.output_packets,
            octets_are: octets_are, cause: s.cause.as_ref(), closed_by: s.closed_by, estimated: s.estimated,
            links: s.links, tunnel: s.tunnel.as_ref(), address: address.as_ref(),
        },
    )?;
    Ok(if completed > 0 { ImportResult::Completed } else { ImportResult::AlreadyThere })
}

//! What an administrator does to a ledger while the service may be using it: every change is one short transaction like
//! a callback's, so nobody waits long.

use super::sqlite::{Create, Sqlite};
use super::{Away, ClosedBy, EndedBy, Id, Ledger, Millis};
use crate::addresses::Address;
use crate::config::Config;
use crate::pools::Tags;
use crate::record::Book;
use crate::{Identity, Name};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a change waits for the service's.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many rows a transaction of `purge` or `anonymise` changes at most.
const BATCH: i64 = 500;

/// Between two of them the service has its turn.
const PAUSE: Duration = Duration::from_millis(5);

/// A ledger open for changes.
#[derive(Debug)]
pub struct Desk {
    ledger: Sqlite,
    config: Arc<Config>,
}

/// Why an address was not released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReleased {
    /// No live lease holds it on this server.
    Free,
    /// The lease's session is live: its number.
    SessionIsLive(Id),
}

/// What was purged, or made anonymous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs)]
pub struct Changed {
    pub sessions: u64,
    pub links: u64,
    pub leases: u64,
    pub decisions: u64,
    pub usage_days: u64,
    pub oddities: u64,
    /// Free addresses that no longer say who had them last.
    pub addresses: u64,
}

/// Whose data: of everybody before a time, or of one user; never what is still live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// What ended before.
    pub before: Millis,
    /// The first day that stays, of the configured time zone: `2026-11-23`.
    pub first_day: String,
    /// Only of this user.
    pub user: Option<Identity>,
}

/// A statement, its condition, and where its rows are counted.
type Step = (&'static str, String, fn(&mut Changed) -> &mut u64);

impl Desk {
    /// Opens a ledger that is there.
    pub fn open(path: &Path, config: Arc<Config>) -> Result<Self, Away> {
        let ledger = Sqlite::open(path, Create::No, true, Instant::now() + PATIENCE)?;
        Ok(Self { ledger, config })
    }

    /// Runs `work` as the service would, in the name of `server`, and answers what it answers.
    fn in_book<T>(
        &mut self,
        server: &Name,
        now: Millis,
        mut work: impl FnMut(&mut Book<'_>) -> Result<T, Away>,
    ) -> Result<Option<T>, Away> {
        let mut tags = Tags::new(&self.config.addresses);
        let config = self.config.clone();
        let mut answer = None;
        self.ledger.transact(Instant::now() + PATIENCE, true, &mut |ledger| {
            let mut book = Book { ledger, config: &config, server, instance: 0, tags: &mut tags, time: now };
            answer = Some(work(&mut book)?);
            Ok(())
        })?;
        Ok(answer)
    }

    /// Ends the live lease of an address, so that it can be given again; of a live session only if `force`. The answer is
    /// the user who held it.
    pub fn release(
        &mut self,
        server: &Name,
        address: Address,
        force: bool,
        now: Millis,
    ) -> Result<Result<Option<Identity>, NotReleased>, Away> {
        let done = self.in_book(server, now, |book| {
            let Some(lease) = book.ledger.live_lease_at(server, address)? else { return Ok(Err(NotReleased::Free)) };
            if let Some(session) = lease.session
                && !force
                && book.ledger.live_by_id(session)?.is_some()
            {
                return Ok(Err(NotReleased::SessionIsLive(session)));
            }
            book.end_lease(&lease, EndedBy::Administrator)?;
            Ok(Ok(lease.user))
        })?;
        Ok(done.unwrap_or(Err(NotReleased::Free)))
    }

    /// Closes a session as ended now, with cause Admin-Reset; RRAS is not told. False if it is not live. Its leases end
    /// too, so that the addresses can be given again.
    pub fn close(&mut self, server: &Name, session: Id, now: Millis) -> Result<bool, Away> {
        let done = self.in_book(server, now, |book| {
            let Some(live) = book.ledger.live_by_id(session)? else { return Ok(false) };
            let leases = book.ledger.live_leases_of_session(session)?;
            book.close(&live, now, ClosedBy::Administrator)?;
            for lease in &leases {
                book.end_lease(lease, EndedBy::Administrator)?;
            }
            Ok(true)
        })?;
        Ok(done.unwrap_or(false))
    }

    /// Deletes what ended before a time: sessions with their links, leases, decisions, days of use, oddities. What is
    /// deleted is overwritten. Addresses keep whose they were last if that user's lease ended later.
    pub fn purge(&mut self, past: &Past, progress: &mut dyn FnMut(Changed)) -> Result<Changed, Away> {
        // An imported lease has no rows; a live session keeps everything.
        let [dom, nam] = ["domain IS :domain", "name IS :name"];
        let of_user =
            |all: &str| if past.user.is_some() { format!("{all} AND {dom} AND {nam}") } else { all.to_owned() };
        let sessions = of_user("acct_stop_time < :before");
        // One whose release can still come stays: that release must not end a newer lease.
        let leases = of_user(
            "ended < :before AND (release_due = 0
                 OR instance <> (SELECT max(id) FROM instances WHERE instances.server = leases.server))",
        );
        let decisions = of_user(&super::anonymous::decisions_before(":before"));
        let days = of_user("day < :first_day");
        let mut changed = Changed::default();
        self.prepare(past)?;
        let steps: [Step; 6] = [
            (
                "DELETE FROM links WHERE id IN (SELECT links.id FROM links JOIN sessions ON sessions.id = session
                     WHERE {} LIMIT :batch)",
                sessions.clone(),
                |c| &mut c.links,
            ),
            ("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE {} LIMIT :batch)", sessions, |c| {
                &mut c.sessions
            }),
            ("DELETE FROM leases WHERE id IN (SELECT id FROM leases WHERE {} LIMIT :batch)", leases, |c| &mut c.leases),
            ("DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE {} LIMIT :batch)", decisions, |c| {
                &mut c.decisions
            }),
            (
                "DELETE FROM usage WHERE (domain, name, day) IN (SELECT domain, name, day FROM usage WHERE {} LIMIT :batch)",
                days,
                |c| &mut c.usage_days,
            ),
            (
                "UPDATE addresses SET domain = NULL, name = NULL WHERE (server, family, number) IN
                     (SELECT server, family, number FROM addresses WHERE {} LIMIT :batch)",
                of_user("free_since < :before AND name IS NOT NULL"),
                |c| &mut c.addresses,
            ),
        ];
        for (sql, of, count) in steps {
            self.in_batches(&sql.replace("{}", &of), past, &mut |n| {
                *count(&mut changed) += n;
                progress(changed);
            })?;
        }
        // Oddities have no user of their own, but their details can name one.
        let odd = match past.user {
            Some(_) => "instr(upper(details), :name) > 0 AND time < :before",
            None => "time < :before",
        };
        let odd = format!("DELETE FROM oddities WHERE id IN (SELECT id FROM oddities WHERE {odd} LIMIT :batch)");
        self.in_batches(&odd, past, &mut |n| changed.oddities += n)?;
        if past.user.is_none() {
            // Configurations that explain no decision any more, and are not in force.
            self.ledger.maintain(Instant::now() + PATIENCE, &mut |connection| {
                let last = "SELECT max(id) FROM loads GROUP BY server";
                connection
                    .execute(&format!("DELETE FROM loads WHERE time < ?1 AND id NOT IN ({last})"), [past.before])?;
                let unused = "DELETE FROM configs WHERE first_used < ?1 AND hash NOT IN (SELECT config FROM decisions)
                                  AND hash NOT IN (SELECT config FROM loads)";
                connection.execute(unused, [past.before]).map(|n| n as u64)
            })?;
        }
        self.ledger.shrink_log();
        Ok(changed)
    }

    /// Makes what ended before a time nobody's: users become pseudonyms that no key leads back from, computers and public
    /// addresses vanish; times, amounts, tunnels, rules and VPN addresses stay for statistics.
    pub fn anonymise(&mut self, past: &Past, progress: &mut dyn FnMut(Changed)) -> Result<Changed, Away> {
        self.prepare(past)?;
        let mut changed = Changed::default();
        let mut users = super::anonymous::Pseudonyms::default();
        for (table, count) in super::anonymous::TABLES {
            let mut after = 0;
            loop {
                let done = self.ledger.maintain(Instant::now() + PATIENCE, &mut |connection| {
                    super::anonymous::batch(connection, table, past, BATCH, &mut after, &mut users)
                })?;
                *count(&mut changed) += done;
                progress(changed);
                if done == 0 {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
        }
        self.ledger.shrink_log();
        Ok(changed)
    }

    /// Notes the decisions of leases that stay: they stay too.
    fn prepare(&mut self, past: &Past) -> Result<(), Away> {
        self.ledger.overwrite_what_is_deleted()?;
        let note = "INSERT OR IGNORE INTO temp.kept SELECT decision FROM leases
                    WHERE decision IS NOT NULL AND (ended IS NULL OR ended >= ?1)";
        self.ledger.maintain(Instant::now() + PATIENCE, &mut |connection| {
            connection.execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY); DELETE FROM temp.kept",
            )?;
            connection.execute(note, [past.before]).map(|n| n as u64)
        })?;
        Ok(())
    }

    fn in_batches(&mut self, sql: &str, past: &Past, told: &mut dyn FnMut(u64)) -> Result<(), Away> {
        let (domain, name) =
            past.user.as_ref().map_or((None, None), |u| (Some(u.domain.as_str()), Some(u.name.as_str())));
        loop {
            let done = self.ledger.maintain(Instant::now() + PATIENCE, &mut |connection| {
                let values: [(&str, &dyn rusqlite::ToSql); 5] = [
                    (":before", &past.before),
                    (":first_day", &past.first_day),
                    (":domain", &domain),
                    (":name", &name),
                    (":batch", &BATCH),
                ];
                let mut statement = connection.prepare_cached(sql)?;
                // A statement names only some of them.
                let mut used = Vec::new();
                for (name, value) in values {
                    if statement.parameter_index(name)?.is_some() {
                        used.push((name, value));
                    }
                }
                statement.execute(&used[..]).map(|n| n as u64)
            })?;
            if done == 0 {
                return Ok(());
            }
            told(done);
            std::thread::sleep(PAUSE);
        }
    }

    /// Copies the ledger to a new file, consistent as of now, while the service goes on. The copy is on disk, and checked,
    /// when this returns.
    pub fn backup(&mut self, to: &Path) -> Result<(), Away> {
        self.ledger.copy_to(to)
    }
}

//! What an administrator does to a ledger while the service may be using it: every change is one short transaction like
//! a callback's, so nobody waits long.

use crate::sqlite::{Create, Records, Sqlite};
use crate::{Away, RowId};
use rasadmin_engine::addresses::Address;
use rasadmin_engine::config::Config;
use rasadmin_engine::{Event, Here, Id, Identity, Journal, Millis, Name, Now, Process, State, decide};
use std::path::{Path, PathBuf};
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
    /// None only while a server's records are looked at, and if that failed.
    ledger: Option<Sqlite>,
    config: Arc<Config>,
    path: PathBuf,
}

/// Why an address was not released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReleased {
    /// No live lease holds it on this server.
    Free,
    /// The lease's session is live: its number.
    SessionIsLive(RowId),
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
    pub anomalies: u64,
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
    ///
    /// # Errors
    ///
    /// If it is not there, or cannot be used.
    pub fn open(path: &Path, config: Arc<Config>) -> Result<Self, Away> {
        let ledger = Self::opened(path)?;
        Ok(Self { ledger: Some(ledger), config, path: path.to_owned() })
    }

    fn opened(path: &Path) -> Result<Sqlite, Away> {
        Sqlite::open(path, Create::No, true, Instant::now() + PATIENCE)
    }

    fn ledger(&mut self) -> Result<&mut Sqlite, Away> {
        let ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => Self::opened(&self.path)?,
        };
        Ok(self.ledger.insert(ledger))
    }

    /// Works on a server's records, and the state that they make.
    fn on<T>(
        &mut self,
        server: &Name,
        work: impl FnOnce(&mut Records, &mut State) -> Result<T, Away>,
    ) -> Result<T, Away> {
        self.ledger()?;
        let Some(ledger) = self.ledger.take() else { return Err(gone(&self.path)) };
        let (mut records, mut state) = Records::of(ledger, server, &self.config, Instant::now() + PATIENCE)?;
        let done = work(&mut records, &mut state);
        self.ledger = Some(records.into_ledger());
        done
    }

    /// Tells the engine an event in the name of a server, unless `look` says that there is nothing to tell.
    fn tell<T>(
        &mut self,
        server: &Name,
        now: &Now,
        mut look: impl FnMut(&State) -> (T, Option<Event>),
    ) -> Result<Option<T>, Away> {
        let config = self.config.clone();
        self.on(server, |records, state| {
            let mut answer = None;
            records.call(state, Instant::now() + PATIENCE, &mut |state| {
                let (found, event) = look(state);
                answer = Some(found);
                let here = Here::new(&config, server, state.instance()?, Process(0));
                event.map(|event| decide(state, &here, &event, now))
            })?;
            Ok(answer)
        })
    }

    /// Ends the live lease of an address, so that it can be given again; of a live session only if `force`. The answer is
    /// the user who held it.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub fn release(
        &mut self,
        server: &Name,
        address: Address,
        force: bool,
        now: Now,
    ) -> Result<Result<Option<Identity>, NotReleased>, Away> {
        let done = self.tell(server, &now, |state| {
            let Some(lease) = state.lease_at(address) else { return (Err(None), None) };
            let live = lease.session().filter(|id| state.session(*id).is_some());
            match live {
                Some(session) if !force => (Err(Some(session)), None),
                _ => (Ok(lease.user.clone()), Some(Event::ReleaseAddress { address, force })),
            }
        })?;
        Ok(match done {
            Some(Ok(user)) => Ok(user),
            Some(Err(Some(session))) => Err(NotReleased::SessionIsLive(self.row_of(session)?)),
            Some(Err(None)) | None => Err(NotReleased::Free),
        })
    }

    /// Closes a session as ended now, with cause Admin-Reset; RRAS is not told. False if it is not live. Its leases end
    /// too, so that the addresses can be given again.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub fn close(&mut self, server: &Name, session: RowId, now: Now) -> Result<bool, Away> {
        let Some(session) = self.id_of(session)? else { return Ok(false) };
        let done = self.tell(server, &now, |state| {
            let live = state.session(session).is_some();
            (live, live.then_some(Event::CloseSession { session }))
        })?;
        Ok(done.unwrap_or(false))
    }

    /// A session's number, for people.
    fn row_of(&mut self, session: Id) -> Result<RowId, Away> {
        let key = session.to_string();
        let sql = "SELECT id FROM sessions WHERE acct_session_id = ?1";
        Ok(self.ledger()?.find(sql, &[&key], |row| row.get(0))?.unwrap_or(0))
    }

    /// The session of a number.
    fn id_of(&mut self, row: RowId) -> Result<Option<Id>, Away> {
        let sql = "SELECT acct_session_id FROM sessions WHERE id = ?1";
        let key: Option<String> = self.ledger()?.find(sql, &[&row], |row| row.get(0))?;
        Ok(key.and_then(|key| key.parse().ok()))
    }

    /// States and records forget too: every server's state is told, and written down anew without the names, and the
    /// records before it, which hold them, are deleted.
    fn forget(&mut self, past: &Past, now: Now) -> Result<(), Away> {
        let (config, before) = (self.config.clone(), past.before);
        for server in self.ledger()?.servers()? {
            let random = crate::random().unwrap_or(now.random);
            let event = Event::Forget { before, user: past.user.clone() };
            self.on(&server, |records, state| {
                records.call(state, Instant::now() + PATIENCE, &mut |state| {
                    let here = Here::new(&config, &server, state.instance()?, Process(0));
                    Some(decide(state, &here, &event, &Now { random, ..now }))
                })?;
                records.write_checkpoint(state, Instant::now() + PATIENCE)?;
                records.trim(Instant::now() + PATIENCE * 12)
            })?;
        }
        Ok(())
    }

    /// Deletes what ended before a time: sessions with their links, leases, decisions, days of use, anomalies; and
    /// makes the state forget whose free addresses were last. What is deleted is overwritten.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used. What was deleted before stays deleted: the same purge again goes on.
    pub fn purge(&mut self, past: &Past, now: Now, progress: &mut dyn FnMut(Changed)) -> Result<Changed, Away> {
        // An imported lease has no rows; a live session keeps everything.
        let [dom, nam] = ["domain IS :domain", "name IS :name"];
        let of_user =
            |all: &str| if past.user.is_some() { format!("{all} AND {dom} AND {nam}") } else { all.to_owned() };
        let sessions = of_user("acct_stop_time < :before");
        let leases = of_user("ended < :before");
        let decisions = of_user(&crate::anonymous::decisions_before(":before"));
        let days = of_user("day < :first_day");
        let mut changed = Changed::default();
        self.forget(past, now)?;
        self.prepare(past)?;
        let steps: [Step; 5] = [
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
                "DELETE FROM use WHERE (domain, name, day, session) IN
                     (SELECT domain, name, day, session FROM use WHERE {} LIMIT :batch)",
                days,
                |c| &mut c.usage_days,
            ),
        ];
        for (sql, of, count) in steps {
            self.in_batches(&sql.replace("{}", &of), past, &mut |n| {
                *count(&mut changed) += n;
                progress(changed);
            })?;
        }
        // Anomalies have no user of their own, but their details can name one.
        let anomalies = match past.user {
            Some(_) => "instr(upper(details), :name) > 0 AND time < :before",
            None => "time < :before",
        };
        let anomalies =
            format!("DELETE FROM anomalies WHERE id IN (SELECT id FROM anomalies WHERE {anomalies} LIMIT :batch)");
        self.in_batches(&anomalies, past, &mut |n| changed.anomalies += n)?;
        if past.user.is_none() {
            // Configurations that explain no decision any more, and are not in force.
            self.ledger()?.maintain(Instant::now() + PATIENCE, &mut |connection| {
                let last = "SELECT max(id) FROM loads GROUP BY server";
                connection
                    .execute(&format!("DELETE FROM loads WHERE time < ?1 AND id NOT IN ({last})"), [past.before])?;
                let unused = "DELETE FROM configs WHERE first_used < ?1 AND hash NOT IN (SELECT config FROM decisions)
                                  AND hash NOT IN (SELECT config FROM loads)";
                connection.execute(unused, [past.before]).map(|n| n as u64)
            })?;
        }
        self.ledger()?.shrink_log();
        Ok(changed)
    }

    /// Makes what ended before a time nobody's: users become pseudonyms that no key leads back from, computers and public
    /// addresses vanish; times, amounts, tunnels, rules and VPN addresses stay for statistics.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used. What was changed before stays so: the same call again goes on.
    pub fn anonymise(&mut self, past: &Past, now: Now, progress: &mut dyn FnMut(Changed)) -> Result<Changed, Away> {
        self.forget(past, now)?;
        self.prepare(past)?;
        let mut changed = Changed::default();
        let mut users = crate::anonymous::Pseudonyms::default();
        for (table, count) in crate::anonymous::TABLES {
            let mut after = 0;
            loop {
                let done = self.ledger()?.maintain(Instant::now() + PATIENCE, &mut |connection| {
                    crate::anonymous::batch(connection, table, past, BATCH, &mut after, &mut users)
                })?;
                *count(&mut changed) += done;
                progress(changed);
                if done == 0 {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
        }
        self.ledger()?.shrink_log();
        Ok(changed)
    }

    /// Notes the decisions of leases that stay: they stay too.
    fn prepare(&mut self, past: &Past) -> Result<(), Away> {
        let note = "INSERT OR IGNORE INTO temp.kept SELECT decision FROM leases
                    WHERE decision IS NOT NULL AND (ended IS NULL OR ended >= ?1)";
        self.ledger()?.maintain(Instant::now() + PATIENCE, &mut |connection| {
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
            let done = self.ledger()?.maintain(Instant::now() + PATIENCE, &mut |connection| {
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
        self.ledger()?.copy_to(to)
    }
}

fn gone(path: &Path) -> Away {
    Away { kind: crate::AwayKind::Other, message: format!("{}: it is not open", path.display()) }
}

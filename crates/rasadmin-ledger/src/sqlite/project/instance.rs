//! The rows of instances, and what a new one ends.

use super::super::statements::signed;
use super::{Projection, key};
use crate::Error;
use rasadmin_engine::effect::{DayUse, EndedBy, InstanceBegan, Labels};
use rasadmin_engine::state::{Open, closing_of};
use rasadmin_engine::{Id, Identity, Millis, Mono, Name, Stamp};
use rusqlite::{named_params, params};

/// A session that was open when the next instance began.
struct Left {
    id: Id,
    user: Option<Identity>,
    began: Stamp,
    replaced: Option<Stamp>,
}

/// The number of a day that a row names; as [`date_of_label`](rasadmin_engine::calendar::date_of_label) writes it.
fn label_of_date(date: &str) -> Option<i32> {
    let date: jiff::civil::Date = date.parse().ok()?;
    date.since(jiff::civil::date(1970, 1, 1)).ok().map(|span| span.get_days())
}

impl Projection<'_, '_> {
    /// The number of an instance's row; 0 if it has none.
    pub(super) fn instance(&mut self, token: Id) -> Result<i64, Error> {
        if let Some((_, row)) = self.instance.filter(|(known, _)| *known == token) {
            return Ok(row);
        }
        let row =
            self.statements.one("SELECT id FROM instances WHERE token = ?1", params![key(token)], |row| row.get(0))?;
        self.instance = row.map(|row| (token, row));
        Ok(row.unwrap_or(0))
    }

    /// Makes an instance's row, if it has none; its number.
    pub(super) fn known_instance(&mut self, token: Id, server: &Name, time: Millis) -> Result<i64, Error> {
        self.statements.run(
            "INSERT INTO instances (server, token, started, last_activity) VALUES (:server, :token, :now, :now)
             ON CONFLICT (token) DO NOTHING",
            named_params! { ":server": server.as_str(), ":token": key(token), ":now": time },
        )?;
        self.instance(token)
    }

    /// RRAS lived then.
    pub(super) fn hear(&mut self, instance: Id, time: Millis) -> Result<(), Error> {
        match &mut self.heard {
            Some((of, last)) if *of == instance => *last = time.max(*last),
            _ => {
                self.note_heard()?;
                self.heard = Some((instance, time));
            }
        }
        Ok(())
    }

    /// Notes the last sign of life: at the end of a batch, not with every record.
    pub fn note_heard(&mut self) -> Result<(), Error> {
        let Some((instance, time)) = self.heard.take() else { return Ok(()) };
        self.statements.run(
            "UPDATE instances SET last_activity = :now WHERE token = :token AND last_activity < :now",
            named_params! { ":token": key(instance), ":now": time },
        )?;
        Ok(())
    }

    /// The last sign of life of this server that is on record.
    pub(super) fn last_activity(&mut self) -> Result<Millis, Error> {
        let sql = "SELECT max(last_activity) FROM instances WHERE server = ?1";
        let last = self.statements.one(sql, params![self.server.as_str()], |row| row.get::<_, Option<Millis>>(0))?;
        Ok(last.flatten().unwrap_or(0))
    }

    /// A new instance: all that earlier ones had open on this server has ended. On a second reading the rows of later ones
    /// are there too; they stay.
    pub(super) fn instance_began(&mut self, began: &InstanceBegan) -> Result<(), Error> {
        let row = self.known_instance(began.instance, &began.server, began.at.time)?;
        self.end_open(began, &self.server.clone(), row)?;
        if self.server != began.server {
            self.end_open(began, &began.server, row)?;
        }
        self.server.clone_from(&began.server);
        self.living = Some(began.instance);
        Ok(())
    }

    fn end_open(&mut self, began: &InstanceBegan, server: &Name, before: i64) -> Result<(), Error> {
        for session in self.open_sessions(server, before)? {
            let used = self.use_of(session.id, began)?;
            let open = Open { id: session.id, began: session.began, replaced: session.replaced, used: &used };
            let closing = closing_of(&open, began);
            self.session_ended(&closing.ended)?;
            if let Some(user) = &session.user {
                self.used(session.id, user, &closing.days)?;
            }
        }
        // On a second reading links began again, of sessions that have ended already.
        self.statements.run(
            "UPDATE links SET stop = (SELECT CASE WHEN start > acct_stop_time THEN start ELSE acct_stop_time END
                 FROM sessions WHERE sessions.id = session)
             WHERE nas_identifier = :server AND stop IS NULL AND EXISTS (SELECT 1 FROM sessions
                 WHERE sessions.id = session AND acct_stop_time IS NOT NULL AND instance < :before)",
            named_params! { ":server": server.as_str(), ":before": before },
        )?;
        self.statements.run(
            "UPDATE leases SET ended = CASE WHEN began > :at THEN began ELSE :at END, ended_by = :by
             WHERE server = :server AND ended IS NULL AND instance < :before",
            named_params! {
                ":at": began.at.time, ":by": EndedBy::ServiceEnded.name(), ":server": server.as_str(), ":before": before,
            },
        )?;
        Ok(())
    }

    fn open_sessions(&mut self, server: &Name, before: i64) -> Result<Vec<Left>, Error> {
        let sql = "SELECT acct_session_id, domain, name, began, began_mono, replaced, replaced_mono FROM sessions
                   WHERE nas_identifier = ?1 AND acct_stop_time IS NULL AND instance < ?2 ORDER BY id";
        let left = self.statements.all(sql, params![server.as_str(), before], |row| {
            let name = |at| row.get::<_, Option<String>>(at).map(|text| text.map(Name::from_stored));
            let stamp = |at: usize| -> rusqlite::Result<Option<Stamp>> {
                let (time, mono) = (row.get::<_, Option<Millis>>(at)?, row.get::<_, Option<i64>>(at + 1)?);
                Ok(time.zip(mono).map(|(time, mono)| Stamp { time, mono: Mono(mono.cast_unsigned()) }))
            };
            Ok(Left {
                id: row.get::<_, String>(0)?.parse().unwrap_or(Id(0)),
                user: name(1)?.zip(name(2)?).map(|(domain, name)| Identity { domain, name }),
                began: stamp(3)?.unwrap_or_default(),
                replaced: stamp(5)?,
            })
        })?;
        Ok(left)
    }

    /// What was told of a session's use so far. Week and month of a day that the new instance does not name are of no
    /// account: a row has none.
    fn use_of(&mut self, session: Id, began: &InstanceBegan) -> Result<Vec<DayUse>, Error> {
        let sql = "SELECT day, seconds, input_octets, output_octets FROM use WHERE session = ?1 ORDER BY day";
        self.statements.all(sql, params![key(session)], |row| {
            let day = label_of_date(row.get_ref(0)?.as_str()?).unwrap_or_default();
            let known = began.days.iter().map(|day| day.labels).find(|labels| labels.day == day);
            let count = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
            Ok(DayUse {
                labels: known.unwrap_or(Labels { day, week: 0, month: 0 }),
                seconds: count(1)?,
                input_octets: count(2)?,
                output_octets: count(3)?,
            })
        })
    }
}

/// A moment of the monotonic clock as the tables have it.
pub(super) fn mono(mono: Mono) -> i64 {
    signed(mono.0)
}

//! The rows of instances, and what a new instance ends.

use super::Projection;
use crate::sqlite::{ColumnError, Row};
use crate::value::values;
use crate::{Error, queries};
use rasadmin_engine::effect::{DayUse, EndedBy, InstanceBegan, Labels};
use rasadmin_engine::state::{Open, closing_of};
use rasadmin_engine::{Id, Identity, Millis, Name, Stamp};

/// A session that was open when the next instance began.
struct Left {
    id: Id,
    user: Option<Identity>,
    began: Stamp,
    replaced: Option<Stamp>,
}

/// The label of a day in a row, which [`date_of_label`](rasadmin_engine::calendar::date_of_label) wrote.
fn label_of_date(date: &str) -> Option<i32> {
    let date: jiff::civil::Date = date.parse().ok()?;
    date.since(jiff::civil::date(1970, 1, 1)).ok().map(|span| span.get_days())
}

impl Projection<'_> {
    /// The number of an instance's row; 0 if there is none.
    pub(super) fn instance(&mut self, token: Id) -> Result<i64, Error> {
        if let Some((_, row)) = self.instance.filter(|(known, _)| *known == token) {
            return Ok(row);
        }
        let row = self.database.one(queries::INSTANCE, values! { token: token }, |row| row.get::<i64>(0))?;
        self.instance = row.map(|row| (token, row));
        Ok(row.unwrap_or(0))
    }

    /// Writes an instance's row, if it is new. Returns its number.
    pub(super) fn known_instance(&mut self, token: Id, server: &Name, time: Millis) -> Result<i64, Error> {
        self.database.run(queries::INSTANCE_BEGAN, values! { server: server, token: token, now: time })?;
        self.instance(token)
    }

    /// Notes activity of RRAS.
    pub(super) fn note_activity(&mut self, instance: Id, time: Millis) -> Result<(), Error> {
        match &mut self.last_activity {
            Some((of, last)) if *of == instance => *last = time.max(*last),
            _ => {
                self.write_activity()?;
                self.last_activity = Some((instance, time));
            }
        }
        Ok(())
    }

    /// Writes the last activity: at the end of a batch, not for every record.
    pub fn write_activity(&mut self) -> Result<(), Error> {
        let Some((instance, time)) = self.last_activity.take() else { return Ok(()) };
        self.database.run(queries::INSTANCE_HEARD, values! { token: instance, now: time })?;
        Ok(())
    }

    /// The last recorded activity on this server.
    pub(super) fn last_activity(&mut self) -> Result<Millis, Error> {
        let of = values! { server: &self.server };
        let last = self.database.one(queries::LAST_ACTIVITY, of, |row| row.get::<Option<Millis>>(0))?;
        Ok(last.flatten().unwrap_or(0))
    }

    /// Begins an instance, which ends everything that earlier ones had open on this server. On a second reading the
    /// rows of later instances exist already; they stay.
    pub(super) fn instance_began(&mut self, began: &InstanceBegan) -> Result<(), Error> {
        let row = self.known_instance(began.instance, &began.server, began.at.time)?;
        self.end_open(began, &self.server.clone(), row)?;
        if self.server != began.server {
            self.end_open(began, &began.server, row)?;
        }
        self.server.clone_from(&began.server);
        self.live_instance = Some(began.instance);
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
        self.database.run(queries::LINKS_LEFT_ENDED, values! { server: server, before: before })?;
        self.database.run(
            queries::LEASES_LEFT_ENDED,
            values! { at: began.at.time, by: EndedBy::InstanceEnded.name(), server: server, before: before },
        )?;
        Ok(())
    }

    fn open_sessions(&mut self, server: &Name, before: i64) -> Result<Vec<Left>, Error> {
        self.database.all(queries::SESSIONS_LEFT, values! { server: server, before: before }, |row| {
            Ok(Left {
                id: row.get::<String>(0)?.parse().unwrap_or(Id(0)),
                user: row.get::<Option<Name>>(1)?.zip(row.get(2)?).map(|(domain, name)| Identity { domain, name }),
                began: stamp(row, 3)?.unwrap_or_default(),
                replaced: stamp(row, 5)?,
            })
        })
    }

    /// What a session has used so far. Week and month of a day that the new instance does not name do not matter,
    /// because rows have none.
    fn use_of(&mut self, session: Id, began: &InstanceBegan) -> Result<Vec<DayUse>, Error> {
        self.database.all(queries::USE_OF_SESSION, values! { session: session }, |row| {
            let day = label_of_date(&row.get::<String>(0)?).unwrap_or_default();
            let known = began.days.iter().map(|day| day.labels).find(|labels| labels.day == day);
            Ok(DayUse {
                labels: known.unwrap_or(Labels { day, week: 0, month: 0 }),
                seconds: row.get(1)?,
                input_octets: row.get(2)?,
                output_octets: row.get(3)?,
            })
        })
    }
}

/// A time, and the monotonic time in the next column.
fn stamp(row: &Row<'_>, at: usize) -> Result<Option<Stamp>, ColumnError> {
    let (time, mono) = (row.get::<Option<Millis>>(at)?, row.get(at + 1)?);
    Ok(time.zip(mono).map(|(time, mono)| Stamp { time, mono }))
}

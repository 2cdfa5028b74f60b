//! Octets over time: what live sessions had received and sent in all at some times, as the rasadmin service saw them.
//!
//! No record of the journal has them. They are rows of this ledger alone, which go with their session. A session has at
//! most [`MOST_SAMPLES`]: then every second one is deleted, and what it would have told is in the next one, because each
//! is a sum since the session began.

use crate::sqlite::{Database, Sqlite};
use crate::value::values;
use crate::{Error, queries};
use rasadmin_engine::{Id, Millis};
use std::time::Instant;

/// How many samples a session has at most.
pub const MOST_SAMPLES: u32 = 200;

/// What a live session had received and sent at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OctetsSample {
    /// The session.
    pub session: Id,
    /// The time.
    pub time: Millis,
    /// Octets since the session began: from the user, to the user.
    pub octets: [u64; 2],
}

impl Sqlite {
    /// Adds samples, all or none. Those of a session that this ledger does not have, or whose end it knows, are left out.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written before the deadline.
    pub fn add_samples(&mut self, samples: &[OctetsSample], deadline: Instant) -> Result<(), Error> {
        self.transact(deadline, false, |database| samples.iter().try_for_each(|sample| add(database, sample)))
    }

    /// The samples of a session, in the order of time.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn samples_of(&self, session: Id) -> Result<Vec<OctetsSample>, Error> {
        self.database().all(queries::SAMPLES_WITH_KEY, values! { session: session }, |row| {
            Ok(OctetsSample { session, time: row.get(0)?, octets: [row.get(1)?, row.get(2)?] })
        })
    }
}

fn add(database: &Database, sample: &OctetsSample) -> Result<(), Error> {
    let OctetsSample { session, time, octets: [input, output] } = *sample;
    database.run(queries::OCTETS_SAMPLED, values! { time: time, input: input, output: output, session: session })?;
    let key = values! { session: session };
    let rows: Option<u32> = database.one(queries::SAMPLES_COUNTED, key, |row| row.get(0))?;
    if rows > Some(MOST_SAMPLES) {
        database.run(queries::SAMPLES_THINNED, key)?;
    }
    Ok(())
}

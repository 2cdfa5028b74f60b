//! Queries for the octets of a session over time.

use super::{Reader, rfc3339};
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Millis;
use schemars::JsonSchema;
use serde::Serialize;

/// What a session had received and sent since it began, at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OctetsRow {
    /// The time: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Millis,
    /// Octets from the user, since the session began.
    pub input_octets: u64,
    /// Octets to the user, since the session began.
    pub output_octets: u64,
}

impl Reader {
    /// What a session had received and sent in all at some times, as the rasadmin service saw it while it was live, in the
    /// order of time. None of a session that no service monitored.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn octets_of(&self, session: RowId) -> Result<Vec<OctetsRow>, Error> {
        self.database.all(queries::OCTETS_OF_SESSION, values! { session: session }, |row| {
            Ok(OctetsRow { time: row.get(0)?, input_octets: row.get(1)?, output_octets: row.get(2)? })
        })
    }
}

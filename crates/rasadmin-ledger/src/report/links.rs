//! Queries for the links of a session.

use super::{Reader, rfc3339, rfc3339_or_null};
use crate::sqlite::{ColumnError, Row};
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::{Millis, Name};
use schemars::JsonSchema;
use serde::Serialize;

/// A link of a session: one port that it uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LinkRow {
    /// The port, such as `VPN2-127`.
    #[serde(rename = "nas_port_id")]
    pub port: Name,
    /// The device, such as `WAN Miniport (IKEv2)`.
    pub device: Name,
    /// The tunnel. Null if it is not known.
    pub tunnel_type: Option<String>,
    /// When it was established: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub start: Millis,
    /// When it ended: RFC 3339, UTC. Null while it is there.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub stop: Option<Millis>,
    /// How long it lasted, as RRAS reported, in seconds. Null if RRAS reported nothing.
    pub seconds: Option<u64>,
    /// Octets from the user, as RRAS reported.
    pub input_octets: Option<u64>,
    /// Octets to the user, as RRAS reported.
    pub output_octets: Option<u64>,
}

fn link_row(row: &Row<'_>) -> Result<LinkRow, ColumnError> {
    Ok(LinkRow {
        port: row.get(0)?,
        device: row.get(1)?,
        tunnel_type: row.get(2)?,
        start: row.get(3)?,
        stop: row.get(4)?,
        seconds: row.get(5)?,
        input_octets: row.get(6)?,
        output_octets: row.get(7)?,
    })
}

impl Reader {
    /// The links of a session, in the order in which they came.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn links_of(&self, session: RowId) -> Result<Vec<LinkRow>, Error> {
        self.database.all(queries::LINKS_OF_SESSION, values! { session: session }, link_row)
    }
}

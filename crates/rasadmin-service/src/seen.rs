//! Sessions, and what the service saw of them at its last look: as `rasadmin sessions` shows them, and the dashboard's API.

use crate::live_table::{LiveSession, LiveTable};
use rasadmin_answers::show;
use rasadmin_engine::decide::SURELY_LISTED;
use rasadmin_ledger::report::{SessionRow, rfc3339_or_null};
use rasadmin_policy::Millis;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

/// A look that is older says nothing about now, in milliseconds.
pub const CURRENT: Millis = 120_000;

/// A session, and what the rasadmin service has seen of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SeenSession {
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub row: SessionRow,
    /// Whether RRAS listed it at the last look of the rasadmin service. Null if that look is more than two minutes old, if
    /// the session was less than a minute old then and was not listed, if it was adopted and was not listed, and if it has
    /// ended.
    pub listed: Option<bool>,
    /// When the service last saw its received octets grow: RFC 3339, UTC. RRAS lists a client that is gone for up to half
    /// an hour; this tells it from one that is there. Null if the service has not seen them grow.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_heard: Option<Millis>,
}

impl SeenSession {
    /// For people: when it was last heard, or that RRAS does not list it.
    pub fn heard(&self, now: Millis) -> String {
        match (self.listed, self.last_heard) {
            (Some(false), _) => "not listed".to_owned(),
            (Some(true), Some(heard)) => format!("{} ago", show::between(heard, now)),
            (Some(true), None) | (None, _) => String::new(),
        }
    }
}

/// Adds what the service saw at a look. Without a look that is current, the table is empty.
pub fn seen(rows: Vec<SessionRow>, table: &LiveTable) -> Vec<SeenSession> {
    let by_key: HashMap<String, &LiveSession> =
        table.sessions.iter().map(|session| (session.session.to_string(), session)).collect();
    rows.into_iter().map(|row| with(row, table, &by_key)).collect()
}

fn with(mut row: SessionRow, table: &LiveTable, by_key: &HashMap<String, &LiveSession>) -> SeenSession {
    let seen = by_key.get(&row.acct_session_id).filter(|_| row.is_live());
    let Some(seen) = seen else {
        // An adopted session began before the look that found it.
        let old_enough = row.is_live()
            && !row.adopted
            && row.acct_start_time.saturating_add(SURELY_LISTED.cast_signed()) <= table.looked_at;
        return SeenSession { row, listed: old_enough.then_some(false), last_heard: None };
    };
    (row.acct_input_octets, row.acct_output_octets) = (Some(seen.octets[0]), Some(seen.octets[1]));
    row.octets_are = Some(if seen.exact { "exact" } else { "lower bound" }.to_owned());
    SeenSession { row, listed: Some(true), last_heard: seen.heard }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_engine::Id;

    #[test]
    fn a_live_session_is_shown_as_the_service_saw_it() {
        let row = |id: u128, stop| SessionRow {
            acct_session_id: Id(id).to_string(),
            acct_start_time: 1000,
            acct_stop_time: stop,
            ..SessionRow::default()
        };
        let listed = LiveSession { session: Id(1), octets: [5, 7], exact: true, heard: Some(3000) };
        let table = LiveTable {
            looked_at: 100_000,
            sessions: vec![listed, LiveSession { heard: None, session: Id(3), ..listed }],
        };
        let by_key = table.sessions.iter().map(|session| (session.session.to_string(), session)).collect();
        let of = |row| with(row, &table, &by_key);
        let one = of(row(1, None));
        assert_eq!((one.row.acct_input_octets, one.row.acct_output_octets), (Some(5), Some(7)));
        assert_eq!((one.row.octets_are.as_deref(), one.heard(63_000)), (Some("exact"), "1m 00s ago".to_owned()));
        assert_eq!(of(row(2, None)).heard(0), "not listed");
        assert_eq!((of(row(3, None)).listed, of(row(3, None)).heard(0)), (Some(true), String::new()));
        // It has ended, and the hangup knows better.
        let ended = of(row(1, Some(2000)));
        assert_eq!((ended.listed, ended.row.acct_input_octets), (None, None));
        let young = SessionRow { acct_start_time: 99_000, ..row(2, None) };
        assert_eq!(of(young).listed, None);
    }
}

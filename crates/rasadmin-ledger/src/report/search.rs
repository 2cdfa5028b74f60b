//! Searches for sessions and decisions, a page at a time.

use super::decisions::{decision_row, values_of};
use super::filter::Filter;
use super::leases::spellings;
use super::{DecisionRow, Reader, SessionRow};
use crate::value::Value;
use crate::{Error, RowId, queries};
use rasadmin_engine::{Millis, Name, Stage};
use std::net::IpAddr;

/// What is searched for. None means that it does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionSearch {
    /// The user, the server, the period, and how many rows there are at most.
    pub filter: Filter,
    /// Only sessions that are connected now.
    pub live: bool,
    /// The tunnel: `SSTP`, `IKEv2`, `L2TP` or `PPTP`.
    pub tunnel: Option<String>,
    /// The client's address on the tunnel, or its public one. An IPv6 address on the tunnel is found by its identifier, and by
    /// its prefix if RRAS passed it.
    pub address: Option<String>,
    /// The name of the client's computer, in whichever case.
    pub computer: Option<String>,
    /// The user's name, without a domain, or the name of the client's computer, in whichever case.
    pub name: Option<Name>,
    /// The rule that decided about the connection or a link of it, in upper or lower case.
    pub rule: Option<String>,
    /// Continue after this row: when its session began, and its number.
    pub after: Option<(Millis, RowId)>,
}

/// What is searched for among decisions. None means that it does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionSearch {
    /// The user, the server, the period, and how many rows there are at most.
    pub filter: Filter,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// What decided, as [`DecisionRow::decided_by`] says it, in upper or lower case.
    pub rule: Option<String>,
    /// The event that RRAS asked about.
    pub stage: Option<Stage>,
    /// Continue after this row: when it was decided, and its number.
    pub after: Option<(Millis, RowId)>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A condition needed a fact that was not known yet.
    ForNow,
    /// Allowed.
    Allowed,
    /// Denied.
    Denied,
}

impl Outcome {
    /// As the column has it.
    const fn name(self) -> &'static str {
        match self {
            Self::ForNow => "allow for now",
            Self::Allowed => "allow",
            Self::Denied => "deny",
        }
    }
}

impl SessionSearch {
    /// The name as users' names are folded.
    pub(super) fn folded(&self) -> Option<Name> {
        self.name.clone().map(Name::into_directory_folded)
    }

    /// The values of the filter, and of what a search asks of a row besides.
    pub(super) fn values<'v>(&'v self, folded: Option<&'v Name>) -> Vec<(&'static str, Value<'v>)> {
        let mut values = self.filter.limited();
        // As the tables have it, if it is an address.
        let parsed: Option<IpAddr> = self.address.as_deref().and_then(|typed| typed.parse().ok());
        let address = parsed.map(|address| address.to_string()).or_else(|| self.address.clone());
        let ipv6 = parsed.filter(IpAddr::is_ipv6).map(spellings);
        let (identifier, prefix) = ipv6.map_or((None, None), |(identifier, prefix)| (Some(identifier), prefix));
        values.extend([
            (":identifier", identifier.into()),
            (":prefix", prefix.into()),
            (":tunnel", self.tunnel.as_deref().into()),
            (":address", address.into()),
            (":computer", self.computer.as_deref().into()),
            (":either", self.name.as_ref().into()),
            (":folded", folded.into()),
            (":rule", self.rule.as_deref().into()),
        ]);
        values
    }
}

impl Reader {
    /// Sessions, the latest first. What [`sessions`](Self::sessions) leaves out is left out.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn search_sessions(&self, search: &SessionSearch) -> Result<Vec<SessionRow>, Error> {
        let query = match search.live {
            true => queries::LIVE_SESSION_PAGE,
            false if search.filter.is_of_one_user() => queries::SESSION_PAGE_OF_USER,
            false if search.filter.user.is_some() => queries::SESSION_PAGE_OF_NAME,
            false => queries::SESSION_PAGE,
        };
        let (before, before_id) = search.after.unwrap_or((Millis::MAX, RowId::MAX));
        let folded = search.folded();
        let mut values = search.values(folded.as_ref());
        values.extend([(":before", before.into()), (":before_id", before_id.into())]);
        self.database.all(query, &values, SessionRow::read)
    }

    /// Decisions, also imported ones, the latest first. Without a user, those that are not denials only come in the order
    /// in which they came into the ledger: an imported one comes when it was imported.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn search_decisions(&self, search: &DecisionSearch) -> Result<Vec<DecisionRow>, Error> {
        let query = match (search.filter.user.is_some(), search.outcome) {
            (true, _) => queries::DECISION_PAGE_OF_USER,
            (false, Some(Outcome::Denied)) => queries::DENIAL_PAGE,
            (false, _) => queries::DECISION_PAGE,
        };
        let (before, before_id) = search.after.unwrap_or((Millis::MAX, RowId::MAX));
        let mut values = values_of(&search.filter, search.rule.as_deref());
        let stage = search.stage.map(Stage::name);
        values.extend([
            (":outcome", search.outcome.map(Outcome::name).into()),
            (":stage", stage.into()),
            (":before_id", before_id.into()),
        ]);
        if query != queries::DECISION_PAGE {
            values.push((":before", before.into()));
        }
        self.database.all(query, &values, decision_row)
    }
}

//! What the rules want to know of the ledger.

use crate::addresses::Family;
use crate::config::file::Reconnect;
use crate::ledger::{Away, Id, LiveSession};
use crate::record::{Book, elapsed};
use crate::rules::period::{period_dates, period_start};
use crate::rules::{Count, LedgerFacts, Needs, Used};
use crate::{Fact, Facts};
use std::collections::HashMap;

/// Reads what is needed. `own` is the session that the event is of: it never counts itself.
pub(super) fn read(book: &mut Book<'_>, needs: &Needs, facts: &Facts, own: Option<Id>) -> Result<LedgerFacts, Away> {
    let mut known = LedgerFacts::default();
    let Some(user) = facts.user.known() else {
        known.groups = needs.groups.iter().map(|&group| (group, Count::default())).collect();
        known.used = needs.periods.iter().map(|&period| (period, Used::default())).collect();
        return Ok(known);
    };
    if !needs.user_sessions && needs.groups.is_empty() && needs.periods.is_empty() {
        return Ok(known);
    }
    let mut others = book.ledger.live_of(user)?;
    others.retain(|session| Some(session.id) != own);
    let count = count(&others, facts, book.config.reconnect);
    known.user_sessions = count;
    if !needs.groups.is_empty() {
        let users = book.ledger.live_users()?;
        for &group in &needs.groups {
            let is_member = |who| book.config.groups.of(who).contains(group);
            let rest: u32 = users.iter().filter(|(who, _)| who != user && is_member(who)).map(|(_, n)| n).sum();
            let own = if is_member(user) { count } else { Count::default() };
            known.groups.push((group, Count { min: rest + own.min, max: rest + own.max }));
        }
    }
    for &period in &needs.periods {
        let (first, last) = period_dates(period, facts.time, &book.config.zone);
        let (seconds, octets) = book.ledger.used(user, &first, &last)?;
        let start = period_start(period, facts.time, &book.config.zone).as_millisecond();
        let now = facts.time.as_millisecond();
        let live: u64 = others.iter().map(|session| elapsed(session.start.max(start), now)).sum();
        known.used.push((period, Used { seconds: seconds + live, octets }));
    }
    Ok(known)
}

/// How many of them count: a new connection from the same computer (or endpoint) replaces the old one. Which it
/// replaces is not known before the computer is.
fn count(others: &[LiveSession], facts: &Facts, reconnect: Reconnect) -> Count {
    let all = u32::try_from(others.len()).unwrap_or(u32::MAX);
    let key = |session: &LiveSession| match reconnect {
        Reconnect::Strict => String::new(),
        Reconnect::SameComputer => session.computer.folded().as_str().to_owned(),
        Reconnect::SameEndpoint => session.source.clone(),
    };
    let own = match reconnect {
        Reconnect::Strict => Fact::Absent,
        Reconnect::SameComputer => facts.computer.clone().map(|computer| computer.folded().as_str().to_owned()),
        Reconnect::SameEndpoint => facts.source.clone().map(|source| source.to_string()),
    };
    let mut by_key = HashMap::<String, u32>::new();
    for session in others {
        *by_key.entry(key(session)).or_default() += 1;
    }
    by_key.remove("");
    let replaced = match own {
        Fact::Known(own) => by_key.get(&own).copied().unwrap_or(0),
        Fact::Absent => 0,
        Fact::NotYetKnown => {
            return Count { min: all - by_key.values().max().copied().unwrap_or(0), max: all };
        }
    };
    Count { min: all - replaced, max: all - replaced }
}

/// Which pool a user has at the address stage: the deciding rule's, else his first group's that has one, else the
/// default.
pub(super) fn pool_of(
    config: &crate::config::Config,
    ruled: [Option<crate::addresses::PoolId>; 2],
    groups: &crate::rules::GroupSet,
    family: Family,
) -> Option<crate::addresses::PoolId> {
    let index = family.index();
    ruled[index]
        .or_else(|| groups.iter().find_map(|group| <[_; 2]>::from(config.groups.pools(group))[index]))
        .or(config.addresses.default_pools[index])
}

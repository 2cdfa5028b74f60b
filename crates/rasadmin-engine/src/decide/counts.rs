//! Counts what the rules ask for.

use super::draft::Draft;
use super::facts::groups_of;
use crate::calendar::labels_at;
use crate::config::file::Reconnect;
use crate::effect::{DayUse, Effect};
use crate::now::Id;
use crate::rules::{Count, Needs, RuleCounts, Used, period_start};
use crate::state::{Session, Sums, period_label};
use crate::{Fact, Facts, Identity, Stage, Tunnel};

/// Counts what is needed. `own` is the session of the event; it is not counted.
pub(crate) fn count(draft: &Draft<'_>, needs: &Needs, stage: Stage, facts: &Facts, own: Option<Id>) -> RuleCounts {
    let lasted = |session: &Session| draft.at().seconds_since(session.began);
    let session_time = own.and_then(|own| draft.state.session(own)).map_or(0, lasted);
    let mut known = RuleCounts { session_time, ..RuleCounts::default() };
    let Some(user) = facts.user.known() else {
        known.groups = needs.groups.iter().map(|&group| (group, Count::default())).collect();
        known.used = needs.periods.iter().map(|&period| (period, Used::default())).collect();
        return known;
    };
    if needs.is_empty() {
        return known;
    }
    let others: Vec<_> = draft.of_user(user).filter(|session| Some(session.id) != own).collect();
    let count = sessions(draft, user, &others, stage, facts);
    known.user_sessions = Some(count);
    if !needs.groups.is_empty() {
        let member = groups_of(&draft.context, Some(user));
        let own_in_state = draft.state.of_user(user).filter(|session| session.counts()).count();
        let own_remote = draft.state.remote_sessions_of(user).count();
        let own_counted = u32::try_from(own_in_state + own_remote).unwrap_or(u32::MAX);
        for &group in &needs.groups {
            let mut rest = draft.state.counted_in(group);
            for ended in draft.ended().filter(|ended| ended.counts() && ended.user.as_ref() != Some(user)) {
                if groups_of(&draft.context, ended.user.as_ref()).contains(group) {
                    rest = rest.saturating_sub(1);
                }
            }
            let own = if member.contains(group) {
                rest = rest.saturating_sub(own_counted);
                count
            } else {
                Count::default()
            };
            known.groups.push((group, Count { min: rest + own.min, max: rest + own.max }));
        }
    }
    for &period in &needs.periods {
        known.used.push((period, used(draft, user, &others, own, period, facts)));
    }
    known
}

fn used(
    draft: &Draft<'_>,
    user: &Identity,
    others: &[&Session],
    own: Option<Id>,
    period: crate::config::file::Period,
    facts: &Facts,
) -> Used {
    let zone = &draft.context.config.zone;
    let (now, at) = (facts.time.as_millisecond(), draft.at());
    let label = period_label(period, labels_at(now, zone));
    let past = with_what_ends(draft, user, period, label, draft.state.used(user, period, label));
    let past = without_own(draft, user, own, period, label, past);
    let so_far = u64::try_from(now - period_start(period, facts.time, zone).as_millisecond()).unwrap_or(0) / 1000;
    let live = |session: &&Session| {
        // A session that a returning client left behind has not lasted longer than that.
        let until = session.replaced.map_or(at, |replaced| replaced.at);
        until.seconds_since(session.began).min(so_far)
    };
    let remote = draft.state.remote_sessions_of(user).map(|other| {
        let lived = u64::try_from(now.saturating_sub(other.start)).unwrap_or(0) / 1000;
        lived.min(so_far)
    });
    let seconds = others.iter().map(live).chain(remote).fold(past.seconds, u64::saturating_add);
    Used { seconds, octets: past.octets }
}

/// Adds what ends by this very record to the past use.
fn with_what_ends(
    draft: &Draft<'_>,
    user: &Identity,
    period: crate::config::file::Period,
    label: i32,
    mut past: Sums,
) -> Sums {
    for effect in &draft.effects {
        let Effect::Used { session, user: of, days } = effect else { continue };
        if of != user {
            continue;
        }
        let before = draft.state.session(*session).map(|session| &session.used[..]).unwrap_or_default();
        let (before, now) = (in_period(before, period, label), in_period(days, period, label));
        past.seconds = past.seconds.saturating_add(now.0).saturating_sub(before.0);
        past.octets = past.octets.saturating_add(now.1).saturating_sub(before.1);
    }
    past
}

/// Leaves out what the event's own session has used so far: looks have already counted its octets.
fn without_own(
    draft: &Draft<'_>,
    user: &Identity,
    own: Option<Id>,
    period: crate::config::file::Period,
    label: i32,
    mut past: Sums,
) -> Sums {
    let closed = |id| draft.state.closed_session(id).map(|closed| &closed.session);
    let own = own.and_then(|id| draft.state.session(id).or_else(|| closed(id)));
    // An address call may be taken for that of another user's session on the port.
    if let Some(own) = own.filter(|own| own.user.as_ref() == Some(user)) {
        let (seconds, octets) = in_period(&own.used, period, label);
        past.seconds = past.seconds.saturating_sub(seconds);
        past.octets = past.octets.saturating_sub(octets);
    }
    past
}

/// Seconds and octets of the days in a period.
fn in_period(days: &[DayUse], period: crate::config::file::Period, label: i32) -> (u64, u64) {
    let days = days.iter().filter(|day| period_label(period, day.labels) == label);
    days.fold((0, 0), |sum: (u64, u64), day| {
        let octets = day.input_octets.saturating_add(day.output_octets);
        (sum.0.saturating_add(day.seconds), sum.1.saturating_add(octets))
    })
}

/// How many of a user's sessions count, without the one that a new connection replaces.
fn sessions(draft: &Draft<'_>, user: &Identity, others: &[&Session], stage: Stage, facts: &Facts) -> Count {
    let counting =
        others.iter().filter(|session| session.counts()).count() + draft.state.remote_sessions_of(user).count();
    let all = u32::try_from(counting).unwrap_or(u32::MAX);
    let newcomer = matches!(stage, Stage::Ipv4Address | Stage::Ipv6Address | Stage::Connection);
    if !newcomer {
        return Count { min: all, max: all };
    }
    match replacement(draft, others, facts) {
        Replacement::Session(_) => Count { min: all.saturating_sub(1), max: all.saturating_sub(1) },
        Replacement::None => Count { min: all, max: all },
        Replacement::NotYetKnown => Count { min: all.saturating_sub(1), max: all },
    }
}

/// The user's oldest sessions beyond those that the user keeps. A session never replaces a later one. What the new
/// connection replaces in the counts has gone already.
pub(crate) fn oldest(draft: &Draft<'_>, facts: &Facts, own: Option<Id>, keeps: u64) -> Vec<Id> {
    let Some(user) = facts.user.known() else { return Vec::new() };
    let began = own.and_then(|own| draft.state.session(own)).map(|own| own.began.mono);
    let others: Vec<&Session> = draft.of_user(user).filter(|session| Some(session.id) != own).collect();
    let returning = match own {
        None => replacement(draft, &others, facts),
        Some(_) => Replacement::None,
    };
    let counting = others.iter().filter(|session| session.counts() && Replacement::Session(session.id) != returning);
    let mut counting: Vec<&&Session> = counting.collect();
    counting.sort_by_key(|session| session.began.mono);
    let too_many = counting.len().saturating_sub(usize::try_from(keeps).unwrap_or(usize::MAX));
    let earlier =
        counting.into_iter().take(too_many).filter(|other| began.is_none_or(|began| other.began.mono <= began));
    earlier.map(|session| session.id).collect()
}

/// The session that a new connection replaces in the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// This session: its client has come back.
    Session(Id),
    /// No session.
    None,
    /// Perhaps one: the fact that decides it is not yet known.
    NotYetKnown,
}

/// A new connection replaces one session: the oldest that counts and has the same computer (or endpoint).
pub(crate) fn replacement(draft: &Draft<'_>, others: &[&Session], facts: &Facts) -> Replacement {
    let mut candidates = others.iter().filter(|session| session.counts());
    let first = |found: Option<&&Session>| found.map_or(Replacement::None, |session| Replacement::Session(session.id));
    match draft.context.config.reconnect {
        Reconnect::Strict => Replacement::None,
        Reconnect::SameComputer => match &facts.computer {
            Fact::Known(computer) => {
                let computer = computer.folded();
                first(candidates.find(|session| session.computer.folded() == computer))
            }
            // IKEv2 may carry no computer name. Then the endpoint decides.
            Fact::Absent if facts.tunnel == Fact::Known(Tunnel::Ikev2) => {
                let Some(source) = facts.source.known() else { return Replacement::None };
                first(candidates.find(|session| {
                    session.tunnel == Some(Tunnel::Ikev2)
                        && session.computer.is_empty()
                        && session.source.parse().ok().as_ref() == Some(source)
                }))
            }
            Fact::Absent => Replacement::None,
            Fact::NotYetKnown => candidates.next().map_or(Replacement::None, |_| Replacement::NotYetKnown),
        },
        Reconnect::SameEndpoint => match &facts.source {
            Fact::Known(source) => first(candidates.find(|s| s.source.parse().ok().as_ref() == Some(source))),
            Fact::Absent => Replacement::None,
            Fact::NotYetKnown => candidates.next().map_or(Replacement::None, |_| Replacement::NotYetKnown),
        },
    }
}

//! Live sessions that are no longer allowed.

use super::Context;
use super::admission::block;
use super::counts;
use super::draft::Draft;
use super::facts::{groups_of, of_session};
use crate::effect::Disconnecting;
use crate::now::{Now, Stamp};
use crate::state::{Session, State};
use crate::{InterfaceType, Stage};

/// Why a live session is to be disconnected, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The reason.
    pub why: Disconnecting,
    /// How long that must be so before it is disconnected, in milliseconds.
    pub grace: u64,
}

/// Is the user of a live session, or the computer that it claims, blocked? Routers of demand-dial interfaces are not
/// disconnected.
pub fn is_blocked(state: &State, context: &Context<'_>, session: &Session, at: Stamp) -> bool {
    let draft = Draft::new(state, context, &Now { at, random: [0; 16] }, false);
    session.interface == InterfaceType::Client && block(&draft, &of_session(context, session, at.time)).is_some()
}

/// Why a live session is to be disconnected, if a rule that holds for live sessions denies it. `more` are octets of its
/// user that no record has yet.
pub fn overdue(state: &State, context: &Context<'_>, session: &Session, at: Stamp, more: u64) -> Option<Overdue> {
    let rules = &context.config.rules;
    if !rules.end_live_sessions() || session.interface != InterfaceType::Client {
        return None;
    }
    let facts = of_session(context, session, at.time);
    let groups = groups_of(context, facts.user.known());
    let needs = rules.needs_of_live(&facts, &groups);
    let draft = Draft::new(state, context, &Now { at, random: [0; 16] }, false);
    // The session itself counts too.
    let mut known = counts::count(&draft, &needs, Stage::Reauthentication, &facts, None);
    known.session_time = at.seconds_since(session.began);
    for (_, used) in &mut known.used {
        used.octets = used.octets.saturating_add(more);
    }
    let overdue = rules.overdue(&facts, &groups, &known)?;
    let (rule, reason) = (overdue.rule.to_owned(), overdue.reason.map(str::to_owned));
    let why = Disconnecting::Rule { rule, reason, time_is_up: overdue.time_is_up };
    Some(Overdue { why, grace: overdue.grace.saturating_mul(1000) })
}

/// Is a live session still one too many, because a newer one of its user is to replace it? The mark says that it was when
/// the newer one came. Since then that may have ended, or the limit may be another one.
pub fn is_replaced(state: &State, context: &Context<'_>, session: &Session, at: Stamp) -> bool {
    let rules = &context.config.rules;
    let Some(user) = session.user.as_ref().filter(|_| session.interface == InterfaceType::Client) else { return false };
    let newer = |other: &&Session| other.id != session.id && other.counts() && session.began.mono <= other.began.mono;
    let newest = state.of_user(user).filter(newer).max_by_key(|other| (other.began.mono, other.id));
    let Some(newest) = newest else { return false };
    let (stage, facts) = (Stage::Reauthentication, of_session(context, newest, at.time));
    let groups = groups_of(context, facts.user.known());
    let draft = Draft::new(state, context, &Now { at, random: [0; 16] }, false);
    let needs = rules.needs_for(stage, &facts, &groups);
    let known = counts::count(&draft, &needs, stage, &facts, Some(newest.id));
    let keeps = rules.decide(stage, &facts, &groups, &known).keeps;
    keeps.is_some_and(|keeps| counts::oldest(&draft, &facts, Some(newest.id), keeps).contains(&session.id))
}

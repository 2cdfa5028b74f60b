//! Blocking users for a while, so that their clients do not come back at once.

use crate::commands::block;
use crate::context::Context;
use crate::disconnecting::Target;
use crate::error::{CommandError, Result};
use crate::output::Output;
use crate::{record, times};
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::event::BeginBlock;
use rasadmin_engine::state::MAX_BLOCKS;
use rasadmin_engine::{Event, Id, Identity, InterfaceType, Millis, State};
use rasadmin_ledger::report::Reader;
use rasadmin_recorder::admin::AdminJournal;
use std::collections::HashSet;

/// The users who are blocked now.
#[derive(Default)]
pub struct KeptAway {
    users: Vec<String>,
    /// When the earliest of their blocks ends, for people.
    until: String,
}

impl KeptAway {
    /// For people: who is blocked, and until when. `None` if nobody is.
    pub fn shown(&self) -> Option<String> {
        match &self.users[..] {
            [] => None,
            [user] => Some(format!("{user} is blocked {}", self.until)),
            users => Some(format!("{} users are blocked {}", users.len(), self.until)),
        }
    }
}

/// What came of one block.
enum Outcome {
    Blocked,
    /// An earlier block lasts at least as long.
    Stays(Option<Millis>),
    /// There are too many blocks.
    Full,
}

/// The users of the sessions, each once.
pub fn distinct_users(targets: &[Target]) -> Vec<Identity> {
    let mut known = HashSet::new();
    targets.iter().filter_map(|target| target.identity.clone()).filter(|user| known.insert(user.clone())).collect()
}

/// Adds the other sessions of users who are going to be blocked: the service disconnects those too. It leaves routers
/// alone.
pub fn add_others(targets: &mut Vec<Target>, users: &[Identity], state: &State, ledger: Option<&Reader>) {
    let known: HashSet<Id> = targets.iter().map(|target| target.id).collect();
    let others = users.iter().flat_map(|user| state.of_user(user));
    let others = others.filter(|s| s.interface == InterfaceType::Client && !known.contains(&s.id));
    targets.extend(others.map(|session| Target::new(session, ledger)));
    targets.sort_by_key(|target| target.since);
}

/// Blocks the users for `length` milliseconds, and says so.
pub fn keep_away(
    users: &[Identity],
    length: Millis,
    reason: Option<&str>,
    tool: &mut AdminJournal,
    context: &Context,
    out: &mut Output,
) -> Result<KeptAway> {
    let server = tool.state().server().clone();
    let until = times::now().saturating_add(length);
    let ends = block::end(Some(until), context);
    let mut kept = KeptAway { users: Vec::new(), until: ends.clone() };
    for user in users {
        let (subject, by) = (BlockSubject::User(user.clone()), rasadmin_rights::account_name());
        let asked = BeginBlock { subject, until: Some(until), reason: reason.map(str::to_owned), by };
        let outcome = record::record(tool, |state, now| look(state, now, asked));
        match outcome.map_err(|error| nobody_yet(error, &kept))? {
            Outcome::Blocked => {
                writeln!(out, "{user} is blocked on {server} {ends}: new connections are refused")?;
            }
            Outcome::Stays(later) => {
                let later = block::end(later, context);
                writeln!(out, "{user} is blocked on {server} already, {later}: that block stays")?;
            }
            Outcome::Full => {
                let full = CommandError::usage(format!("there are {MAX_BLOCKS} blocks, and no more are possible"))
                    .hint("lift some with `rasadmin unblock`, or leave out --block-for");
                return Err(nobody_yet(full, &kept));
            }
        }
        kept.users.push(user.to_string());
    }
    Ok(kept)
}

/// The error of a block, when some users may be blocked already.
fn nobody_yet(error: CommandError, kept: &KeptAway) -> CommandError {
    error.context(match kept.shown() {
        Some(blocked) => format!("nobody was disconnected, but {blocked}"),
        None => "nobody was disconnected".to_owned(),
    })
}

fn look(state: &State, now: Millis, asked: BeginBlock) -> (Outcome, Option<Event>) {
    if let Some(known) = state.block(&asked.subject, now)
        && known.until.is_none_or(|until| Some(until) >= asked.until)
    {
        return (Outcome::Stays(known.until), None);
    }
    if !state.can_block(&asked.subject, now) {
        return (Outcome::Full, None);
    }
    (Outcome::Blocked, Some(Event::BeginBlock(asked)))
}

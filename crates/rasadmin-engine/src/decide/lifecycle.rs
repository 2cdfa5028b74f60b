//! The start of an instance, the end of a process, a new configuration.

use super::draft::Draft;
use crate::Millis;
use crate::calendar::day_starts;
use crate::effect::{ClosedBy, Effect, InstanceBegan};
use crate::event::ConfigRead;
use crate::now::{Id, Process};

/// Ends whatever belongs to an earlier instance. An instance that has already begun does not begin again: it would close its
/// own sessions.
pub(super) fn instance_started(draft: &mut Draft<'_>, instance: Id) {
    let (state, at) = (draft.state, draft.at());
    if state.instance() == Some(instance) {
        return;
    }
    let last = state.last();
    let end = last.map_or(at.time, |last| last.time).min(at.time);
    let lived = |began| last.map_or(0, |last| last.seconds_since(began));
    let longest = state.live().map(|session| lived(session.began)).max().unwrap_or(0);
    let from = end.saturating_sub(Millis::try_from(longest).unwrap_or(0).saturating_mul(1000));
    let live = state.live_count() > 0;
    let days = if live { day_starts(from, end, &draft.context.config.zone) } else { Vec::new() };
    let server = draft.context.server.clone();
    draft.add(Effect::InstanceBegan(InstanceBegan { server, instance, at, last, days }));
}

/// Closes the sessions of a process that has ended. One record closes a limited number, because it has to fit into a
/// segment. Their addresses stay held: the clients may still be connected.
pub(super) fn process_ended(draft: &mut Draft<'_>, process: Process) {
    const SESSIONS: usize = 1_000;
    let (state, at) = (draft.state, draft.at());
    for session in state.live().filter(|session| session.process == process).take(SESSIONS) {
        if draft.lives(session.id) {
            draft.close(session, at, ClosedBy::ProcessEnded, None);
        }
    }
}

/// Records that a configuration was read. Its texts are recorded once.
pub(super) fn config_read(draft: &mut Draft<'_>, read: &ConfigRead) {
    let mut read = read.clone();
    if draft.state.config_on_record() == Some(read.hash.as_str()) {
        read.texts = None;
    }
    draft.add(Effect::ConfigRead(read));
}

//! What an administrator or the service does: release an address, close a session, disconnect some, block somebody,
//! delete personal data.

use super::draft::Draft;
use crate::addresses::Address;
use crate::calendar::labels_at;
use crate::effect::{Block, ClosedBy, DisconnectDecided, Effect, EndedBy, Enforcement, Forgetting};
use crate::event::{BeginBlock, Disconnect};
use crate::now::Id;
use crate::state::Holding;
use crate::{Identity, Millis};

/// Deletes or anonymises what ended before a time.
pub(super) fn forget(draft: &mut Draft<'_>, before: Millis, user: Option<&Identity>, how: Forgetting) {
    let first_day = labels_at(before, &draft.context.config.zone);
    draft.add(Effect::Forgotten { before, first_day, user: user.cloned(), how });
}

/// Releases an address. A live session keeps its address unless `force` is set.
pub(super) fn release_address(draft: &mut Draft<'_>, address: Address, force: bool) {
    let Some(lease) = draft.lease_at(address) else { return };
    if force || !matches!(lease.holding, Holding::Session(_)) {
        draft.session = lease.session();
        draft.end_lease(lease, EndedBy::Administrator);
    }
}

/// Closes a session.
pub(super) fn close_session(draft: &mut Draft<'_>, id: Id) {
    if let Some(session) = draft.state.session(id).filter(|_| draft.lives(id)) {
        draft.session = Some(id);
        draft.close(session, draft.at(), ClosedBy::Administrator, None);
    }
}

/// Decides that a live session is to be disconnected.
pub(super) fn disconnect(draft: &mut Draft<'_>, asked: &Disconnect) {
    draft.session = Some(asked.session);
    decide_to_disconnect(draft, asked.clone());
}

/// What has been decided already is not decided again, and an order is not taken back. A newer session's mark comes
/// before what was only reported.
pub(super) fn decide_to_disconnect(draft: &mut Draft<'_>, Disconnect { session, why, how, by }: Disconnect) {
    let before = draft.state.to_disconnect(session);
    let new = before.is_none_or(|before| {
        let other = before.why != why;
        let mark = how == Enforcement::Marked && before.how < Enforcement::Enforced;
        before.how < how || (other && (before.how == how || mark))
    });
    if new && draft.lives(session) {
        let at = draft.at();
        draft.add(Effect::DisconnectDecided(Box::new(DisconnectDecided { session, at, why, how, by })));
    }
}

/// Blocks somebody, if there is room for another block.
pub(super) fn begin_block(draft: &mut Draft<'_>, asked: &BeginBlock) {
    let since = draft.at().time;
    if draft.state.can_block(&asked.subject, since) {
        let BeginBlock { subject, until, reason, by } = asked.clone();
        draft.add(Effect::BlockBegan(Block { subject, since, until, reason, by }));
    }
}

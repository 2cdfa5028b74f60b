//! A session that was closed without a hangup turns out to be live.

use super::draft::Draft;
use crate::effect::{DayUse, Effect};
use crate::state::Closed;

/// Makes a closed session live again. Its connect time goes on, so the time counted when it was closed is taken back; the
/// octets that the service has seen remain.
pub(super) fn revive(draft: &mut Draft<'_>, closed: &Closed) {
    let session = &closed.session;
    if let Some(user) = session.user.as_ref().filter(|_| !session.used.is_empty()) {
        let days = session.used.iter().map(|day| DayUse { seconds: 0, ..*day });
        let days = days.filter(|day| day.input_octets > 0 || day.output_octets > 0).collect();
        draft.add(Effect::Used { session: session.id, user: user.clone(), days });
    }
    let at = draft.at();
    draft.add(Effect::SessionRevived { session: session.id, at });
}

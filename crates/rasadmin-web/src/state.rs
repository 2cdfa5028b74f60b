//! The state of a session, as a mark.

use maud::{Markup, html};
use rasadmin_engine::effect::ClosedBy;
use rasadmin_ledger::report::SessionRow;

/// What the mark `replaced` means.
const REPLACED: &str = "The client has come back in another session. RRAS still lists this one, which no longer counts in limits and quotas.";
/// What the mark of a session with a denied first link means.
const DENIED: &str = "Its first link was denied, so the user was never connected.";
/// What the mark of a session that never came up means.
const NOT_ESTABLISHED: &str = "It was accepted, but RRAS reported no link of it within a minute.";

/// The mark of a session that is connected, or that never was. A session that has ended has none.
pub fn mark(row: &SessionRow) -> Option<Markup> {
    if row.is_live() {
        return Some(html! {
            span.tag.live { "connected" }
            @if row.replaced.is_some() { " " span.tag.warn title=(REPLACED) { "replaced" } }
        });
    }
    match row.never_connected()? {
        ClosedBy::FirstLinkRejected => Some(html! { span.tag.denied title=(DENIED) { "denied" } }),
        _ => Some(html! { span.tag title=(NOT_ESTABLISHED) { "not established" } }),
    }
}

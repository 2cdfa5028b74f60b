//! The links to changes that other pages have. A viewer does not see them.

use super::subject::Subject;
use crate::pages::asked;
use crate::parts;
use crate::visitor::{Role, Visitor};
use maud::{Markup, html};
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::{Domains, Identity};

/// Whether a visitor sees links to changes.
pub fn are_for(visitor: &Visitor) -> bool {
    visitor.role == Role::Operator
}

/// What can be done about a session. What cannot be named over the pipe has no link.
pub fn of_session(visitor: &Visitor, domains: &Domains, row: &SessionRow) -> Markup {
    let computer = Subject::computer(row.remote_computer.as_str()).map_or("", |_| row.remote_computer.as_str());
    let user = row.user().filter(|user| Subject::user(domains, user).is_ok());
    let user = user.map(|user| parts::whole_name(&user.domain, &user.name));
    let session = row.id.to_string();
    let of = |kind: &str, field: &str, value: &str| asked::address(&format!("/change/{kind}"), &[(field, value)]);
    html! {
        @if are_for(visitor) && row.imported.is_none() && (row.is_live() || user.is_some() || !computer.is_empty()) {
            p.changes {
                @if row.is_live() { a.button href=(of("disconnect", "session", &session)) { "Disconnect…" } }
                @if let Some(user) = &user { a.button.plain href=(of("block", "user", user)) { "Block the user…" } }
                @if !computer.is_empty() { a.button.plain href=(of("block", "computer", computer)) { "Block the computer name…" } }
                @if row.is_live() { a.button.plain href=(of("close", "session", &session)) title="for a session that RRAS no longer has" { "Close…" } }
            }
        }
    }
}

/// What can be done about a user.
pub fn of_user(visitor: &Visitor, domains: &Domains, user: &Identity, live: usize, is_blocked: bool) -> Markup {
    let whole = parts::whole_name(&user.domain, &user.name);
    let of = |kind: &str| asked::address(&format!("/change/{kind}"), &[("user", &whole)]);
    html! {
        @if are_for(visitor) && Subject::user(domains, user).is_ok() {
            p.changes {
                @if live > 0 { a.button href=(of("disconnect")) { "Disconnect…" } }
                @if is_blocked { a.button.plain href=(of("unblock")) { "Lift the block…" } }
                a.button.plain href=(of("block")) { @if is_blocked { "Block in another way…" } @else { "Block…" } }
            }
        }
    }
}

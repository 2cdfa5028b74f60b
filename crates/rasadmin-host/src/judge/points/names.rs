//! The names of users.

use crate::assumptions::Assumption;
use crate::judge::judgement::Notes;
use crate::judge::trace::{Trace, bare};
use crate::judge::{Look, Point};

pub const USER_FORM: Point = Point {
    name: "user-form",
    ids: &["R-STRUCT-18", "R-HOST-12"],
    statement: "A user's name has the same form in the address calls and in the connection's structures.",
    assumption: Some(Assumption::UserForm),
    how: "Connect as `DOMAIN\\user` and as `user@suffix`.",
    look: Look::Calls(user_form),
};

fn user_form(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in &trace.sessions {
        let Some(given) = trace.ipv4_of(session).or_else(|| trace.ipv6_of(session)) else { continue };
        let (at_address, connection) = (&given.user, &session.connection);
        let has_domain = |user: &str| user.contains(['\\', '@']);
        let calls = [given.call, session.asked()];
        let detail = format!("`{at_address}` and `{}`, domain `{}`", connection.user, connection.domain);
        if *at_address == connection.user {
            // A bare name shows nothing, unless the structure proves that there is a domain.
            if has_domain(at_address) || !connection.domain.is_empty() {
                notes.value("same", "the same name in both", &calls, detail);
            }
        } else if bare(at_address) != bare(&connection.user) {
            notes.contradict("two different names", &calls, detail);
        } else if !has_domain(at_address) {
            notes.value("bare-at-address", "without its domain in the address call", &calls, detail);
        } else if !has_domain(&connection.user) {
            notes.value("bare-at-connection", "without its domain in wszUserName", &calls, detail);
        } else {
            notes.contradict("two forms of one name", &calls, detail);
        }
    }
}

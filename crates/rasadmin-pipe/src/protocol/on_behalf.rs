//! Changes that a process asks for on behalf of a user of its dashboard.

use super::{Refusal, Request, Right, Why};
use crate::caller::{Caller, Class};

/// How many characters of a user's name are recorded. The dashboard's own names are not longer.
const LONGEST_NAME: usize = 64;

/// Refuses what must not be asked for on behalf of somebody.
pub(super) fn check(request: &Request) -> Result<(), Refusal> {
    let Request::OnBehalf { of, change } = request else { return Ok(()) };
    let invalid = |what: &str| Err(Refusal::new(Why::Invalid, what));
    if matches!(**change, Request::OnBehalf { .. }) {
        return invalid("a change on behalf of somebody is on behalf of somebody else again");
    }
    if change.right() != Right::Change {
        return invalid("only changes can be asked for on behalf of somebody");
    }
    if of.trim().is_empty() {
        return invalid("a change on behalf of somebody has no name");
    }
    Ok(())
}

/// What the service is to do, and who is recorded as the one who asked. `dashboard_changes`: does the configuration let
/// the dashboard's own account change something?
pub(crate) fn admit(
    request: Request,
    caller: Caller,
    dashboard_changes: impl FnOnce() -> bool,
) -> Result<(Request, Caller), Refusal> {
    let has_right = caller.class.has(request.right());
    let forbidden = |what: &str| Err(Refusal::new(Why::Forbidden, what));
    match request {
        Request::OnBehalf { .. } if !has_right && caller.class == Class::Reader && !dashboard_changes() => forbidden(
            "the dashboard may change nothing: service.pipe.dashboard_changes is not true in the configuration",
        ),
        Request::OnBehalf { of, change } if has_right || caller.class == Class::Reader => {
            let account = through(&of, &caller.account);
            Ok((*change, Caller { account, ..caller }))
        }
        request if has_right => Ok((request, caller)),
        _ => forbidden("this account has no right to ask for it"),
    }
}

/// Who has asked, and through whom: `anna (dashboard, NT SERVICE\rasadmin-net)`. The end is always the system's word.
fn through(of: &str, account: &str) -> String {
    let of = rasadmin_text::printable(of.trim());
    let name: String = match of.char_indices().nth(LONGEST_NAME) {
        None => of.into_owned(),
        Some((cut, _)) => format!("{}…", &of[..cut]),
    };
    format!("{name} (dashboard, {account})")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::{Connecting, Subject, request};
    use proptest::prelude::*;

    const NET: &str = r"NT SERVICE\rasadmin-net";

    fn caller(class: Class) -> Caller {
        Caller { account: NET.to_owned(), class }
    }

    fn change() -> Request {
        Request::Unblock { subject: Subject::User("alice".to_owned()), reason: None }
    }

    fn on_behalf(of: &str, change: Request) -> Request {
        Request::OnBehalf { of: of.to_owned(), change: Box::new(change) }
    }

    fn may(class: Class, request: Request, dashboard_changes: bool) -> bool {
        let admitted = admit(request, caller(class), || dashboard_changes);
        admitted.map_err(|refusal| assert_eq!(refusal.why, Why::Forbidden)).is_ok()
    }

    #[test]
    fn the_change_is_done_and_both_who_asked_are_recorded() {
        let admitted = admit(on_behalf("anna", change()), caller(Class::Administrator), || false).unwrap();
        let account = r"anna (dashboard, NT SERVICE\rasadmin-net)".to_owned();
        assert_eq!(admitted, (change(), Caller { account, class: Class::Administrator }));
        let admitted = admit(change(), caller(Class::Administrator), || false).unwrap();
        assert_eq!(admitted, (change(), caller(Class::Administrator)));
    }

    #[test]
    fn the_dashboards_account_changes_something_only_for_a_user_and_only_if_it_may() {
        let cases = [(Class::Administrator, true, true), (Class::Reader, true, false), (Class::Stranger, false, false)];
        for (class, looks, changes) in cases {
            for key in [false, true] {
                assert_eq!(may(class, Request::Status {}, key), looks, "{class:?} {key}");
                assert_eq!(may(class, change(), key), changes, "{class:?} {key}");
                let for_anna = changes || class == Class::Reader && key;
                assert_eq!(may(class, on_behalf("anna", change()), key), for_anna, "{class:?} {key}");
            }
        }
        let refusal = admit(on_behalf("anna", change()), caller(Class::Reader), || false).unwrap_err();
        assert!(refusal.text.contains("service.pipe.dashboard_changes"), "{}", refusal.text);
    }

    #[test]
    fn only_a_change_is_asked_for_and_only_for_somebody() {
        let look = Request::Explain(Connecting::default());
        for (wrong, says) in [
            (on_behalf("anna", Request::Status {}), "only changes"),
            (on_behalf("anna", look), "only changes"),
            (on_behalf("anna", on_behalf("bob", change())), "somebody else again"),
            (on_behalf("", change()), "no name"),
            (on_behalf(" \u{a0}", change()), "no name"),
        ] {
            let refusal = request(&serde_json::to_vec(&wrong).unwrap()).unwrap_err();
            assert_eq!(refusal.why, Why::Invalid, "{wrong:?}");
            assert!(refusal.text.contains(says), "{says}: {}", refusal.text);
        }
        for json in [
            r#"{"on-behalf":{"change":{"close":{"session":"018f"}}}}"#,
            r#"{"on-behalf":{"of":"anna"}}"#,
            r#"{"on-behalf":{"of":"anna","change":{"close":{"session":"018f"}},"as":"root"}}"#,
        ] {
            assert_eq!(request(json.as_bytes()).unwrap_err().why, Why::Invalid, "{json}");
        }
        // Many, one in another, end no thread's stack.
        let many = r#"{"on-behalf":{"of":"a","change":"#.repeat(20_000);
        assert_eq!(request(many.as_bytes()).unwrap_err().why, Why::Invalid);
    }

    proptest! {
        /// A user may have any name: what is recorded is one line, not long, and ends with who the system says.
        #[test]
        fn no_name_hides_through_whom(of in any::<String>(), more in "\\PC{0,300}") {
            for of in [of.as_str(), &more, &format!("root (dashboard, {NET})\u{202e}\n{of}")] {
                let recorded = through(of, NET);
                prop_assert!(recorded.ends_with(r" (dashboard, NT SERVICE\rasadmin-net)"), "{}", recorded);
                prop_assert!(recorded.chars().count() <= LONGEST_NAME + 1 + NET.len() + " (dashboard, )".len());
                prop_assert!(!recorded.contains(rasadmin_text::is_unsafe), "{:?}", recorded);
            }
        }

        #[test]
        fn what_is_asked_for_somebody_arrives(of in "\\PC{0,80}x", session: String, reason: String) {
            let asked = on_behalf(&of, Request::Close { session, reason: Some(reason) });
            prop_assert_eq!(request(&serde_json::to_vec(&asked).unwrap()), Ok(asked));
        }
    }
}

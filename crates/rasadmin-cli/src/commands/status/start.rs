//! What is known to keep Remote Access from starting, for which the DLL would be blamed.

use super::facts::{Facts, Mark};
use crate::times;
use jiff::Timestamp;
use rasadmin_policy::Millis;
use rasadmin_system::start_causes::{self, KNOWN_CAUSES, StartFailure};
use schemars::JsonSchema;
use serde::Serialize;

/// What is known to keep Remote Access from starting.
#[derive(Default, Serialize, JsonSchema)]
pub struct StartCauses {
    /// The registry value DisabledComponents of IPv6; null if it does not exist.
    ipv6_disabled_components: Option<u32>,
    /// The latest event 7024 of the service within a week; null if there is none, or if the service has started since.
    failure: Option<Failure>,
}

/// Event 7024: the service ended with an error when it started.
#[derive(Serialize, JsonSchema)]
struct Failure {
    /// When: UTC, as RFC 3339 writes it.
    time: String,
    /// The error's number.
    error: String,
}

/// What is known about this machine. `instead`: for tests, a key that takes the place of HKEY_LOCAL_MACHINE; then
/// nobody looks at this machine's events.
pub fn read(instead: Option<&str>) -> (Option<u32>, Option<StartFailure>) {
    let failure = if instead.is_none() { start_causes::start_failure() } else { None };
    (start_causes::disabled_components(instead), failure)
}

/// As warnings of `install`: nobody shall take for the DLL's fault what was there before it.
pub fn warnings(instead: Option<&str>) -> Vec<String> {
    let (components, failure) = read(instead);
    let ipv6 = start_causes::ipv6_obstacle(components).map(|obstacle| format!("warning: {}", obstacle.text()));
    let failure = failure.map(|StartFailure { time, error }| {
        format!("warning: Remote Access has failed to start before (event 7024, {time}, error {error}); {KNOWN_CAUSES}")
    });
    ipv6.into_iter().chain(failure).collect()
}

/// Reports it. `started`: when Remote Access started, if it runs. `shown`: a time, for people.
pub fn check(
    facts: &mut Facts,
    (components, failure): (Option<u32>, Option<StartFailure>),
    started: Option<Millis>,
    shown: &dyn Fn(Millis) -> String,
) -> StartCauses {
    if let Some(obstacle) = start_causes::ipv6_obstacle(components) {
        // What runs has started in spite of it.
        let mark = if started.is_some() { Mark::Notice } else { Mark::Attention };
        facts.add(mark, "IPv6", obstacle.text());
    }
    let time = |failure: &StartFailure| failure.time.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    let is_over = |failure: &StartFailure| time(failure).zip(started).is_some_and(|(failed, started)| failed < started);
    let failure = failure.filter(|failure| !is_over(failure));
    if let Some(failure) = &failure {
        let when = time(failure).map_or_else(|| failure.time.clone(), shown);
        let what = format!("event 7024, {when}: Remote Access did not start, error {}; {KNOWN_CAUSES}", failure.error);
        facts.add(Mark::Attention, "start", what);
    }
    let failure = failure.map(|StartFailure { time, error }| Failure { time, error });
    StartCauses { ipv6_disabled_components: components, failure }
}

/// A time in UTC, if no configuration names a time zone.
pub fn in_utc(time: Millis) -> String {
    times::show(time, &jiff::tz::TimeZone::UTC) + " UTC"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(components: Option<u32>, failed: Option<&str>, started: Option<Millis>) -> (bool, String, bool) {
        let mut facts = Facts::default();
        let failure = failed.map(|time| StartFailure { time: time.to_owned(), error: "20205".to_owned() });
        let causes = check(&mut facts, (components, failure), started, &in_utc);
        (facts.need_attention(), facts.text(None, false), causes.failure.is_some())
    }

    #[test]
    fn what_keeps_remote_access_from_starting_needs_attention() {
        let (attention, text, _) = told(Some(0xff), None, None);
        assert!(attention && text.contains("IPv6 is switched off on this machine"), "{text}");
        let (attention, text, is_there) = told(None, Some("2026-11-28T07:12:00.1234567Z"), None);
        assert!(attention && is_there, "{text}");
        assert!(
            text.contains("event 7024, 2026-11-28 07:12:00 UTC: Remote Access did not start, error 20205"),
            "{text}"
        );
        assert_eq!(told(Some(0x20), None, None), (false, "all is well\n\n".to_owned(), false));
    }

    #[test]
    fn what_runs_has_started_since() {
        let (attention, text, _) = told(Some(0xff), None, Some(0));
        assert!(!attention && text.contains("notice     IPv6"), "{text}");
        let failed = "2026-11-28T07:12:00Z";
        let at = failed.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond);
        assert!(!told(None, Some(failed), Some(at + 1)).2);
        assert!(told(None, Some(failed), Some(at - 1)).2, "it runs, but failed after that start");
    }
}

//! What is well, and what cannot be told.

use super::*;
use rasadmin_service::state::{DutyState, FaultState, MonitorReport};

fn instance(events_lost: u64) -> LastInstance {
    LastInstance {
        server: "VPN1".into(),
        token: "t".to_owned(),
        started: 1,
        last_activity: 2,
        loaded: None,
        open_sessions: 0,
        events_lost,
    }
}

fn state(running: bool, faulty: bool) -> State {
    let fault = FaultState { since: 1, tries: 1, what: "broken".to_owned(), remedy: "mend it".to_owned() };
    let follow = Report::Follow(FollowReport { record: Some(7), behind: 2, warning: None });
    let monitor = Report::Monitor(MonitorReport { running, ..MonitorReport::default() });
    let duties =
        vec![DutyState { report: follow, fault: faulty.then_some(fault) }, DutyState { report: monitor, fault: None }];
    State { version: "1".to_owned(), started: 3, duties, ..State::default() }
}

#[test]
fn the_dll_is_well_if_it_runs_and_has_lost_nothing() {
    let (runs, stands) = (state(true, false), state(false, false));
    let well = |service: Option<&State>, lost: Option<u64>| DllHealth::of(service, lost.map(instance).as_ref()).well;
    assert_eq!(well(Some(&runs), Some(0)), Some(true));
    assert_eq!(well(Some(&stands), Some(0)), Some(false));
    assert_eq!(well(Some(&runs), Some(1)), Some(false));
    assert_eq!(well(None, Some(0)), None, "it may have ended");
    assert_eq!(well(None, None), Some(false), "it has recorded nothing");
}

#[test]
fn a_service_is_well_if_all_its_duties_work() {
    assert!(ServiceHealth::of(Some(&state(true, false))).well);
    let faulty = ServiceHealth::of(Some(&state(true, true)));
    let duties: Vec<_> = faulty.duties.iter().map(|duty| (duty.duty, duty.works)).collect();
    assert_eq!((faulty.well, duties), (false, vec![("follow", false), ("monitor", true)]));
    assert!(!ServiceHealth::of(None).well);
}

#[test]
fn the_journal_is_known_from_the_duty_that_follows_it() {
    let of = |service: Option<State>| {
        let journal = JournalHealth::of(service.as_ref(), "f".to_owned());
        (journal.well, journal.record, journal.behind)
    };
    assert_eq!(of(Some(state(true, false))), (Some(true), Some(7), Some(2)));
    assert_eq!(of(Some(state(true, true))), (Some(false), Some(7), Some(2)));
    assert_eq!(of(Some(State::default())), (None, None, None), "it is switched off");
    assert_eq!(of(None), (None, None, None));
}

//! What clients of the pipe change, on a journal that a recorder writes. Each request goes over the pipe.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::{Event, Record};
use rasadmin_pipe::{Blocked, Configuration, Released, Request, Subject, Why};
use rasadmin_recorder::Verdict;
use rasadmin_rras::Scripted;
use rasadmin_service::state::{DisconnectReport, DutyName, Report, State, StoppedRule};
use rasadmin_service::{Beside, Current, Duty, Fault, NewDuty, Service, Turn, duties, state_file};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{CONFIG, PATIENCE, Running, Scene, With as _, connection, lock, log, settings};

fn running() -> Running {
    Running::beside(Scene::new(CONFIG))
}

/// The last record of the journal.
fn last(running: &Running) -> Record {
    running.scene.records().pop().unwrap()
}

fn user(name: &str) -> Subject {
    Subject::User(name.to_owned())
}

fn block(subject: Subject, reason: Option<&str>) -> Request {
    Request::Block { subject, until: None, reason: reason.map(str::to_owned) }
}

/// The account that runs the test, as the system names it.
fn me() -> Option<String> {
    rasadmin_rights::account_name()
}

#[test]
fn a_user_is_blocked_and_unblocked_and_the_account_that_asked_is_recorded() {
    let running = running();
    running.scene.begin(1, "alice", "VPN2-1").unwrap();
    let session = running.scene.present().by_handle(1).unwrap().id.to_string();
    let blocked: Blocked = running.ask(&block(user("alice"), Some("stolen")));
    assert_eq!(blocked, Blocked::InForce { sessions: vec![session] });
    let Event::BeginBlock(begun) = last(&running).event else { panic!("{:?}", last(&running)) };
    let alice = running.scene.config.domains.identity(&"alice".into(), &"".into()).unwrap();
    assert_eq!((begun.subject, begun.reason.as_deref()), (BlockSubject::User(alice), Some("stolen")));
    assert!(begun.by.is_some() && begun.by == me(), "{:?}", begun.by);
    assert!(matches!(running.scene.connect(&connection(2, "alice")), Verdict::Reject(_)));
    let unblock = Request::Unblock { subject: user(r"CORP\Alice"), reason: Some("found".to_owned()) };
    assert_eq!((running.ask::<bool>(&unblock), running.ask::<bool>(&unblock)), (true, false));
    let Event::EndBlock { by, reason, .. } = last(&running).event else { panic!("{:?}", last(&running)) };
    assert_eq!((by, reason.as_deref()), (me(), Some("found")));
    assert!(matches!(running.scene.connect(&connection(3, "alice")), Verdict::Accept));
}

#[test]
fn a_claimed_computer_is_blocked_however_it_is_spelled() {
    let running = running();
    let of = |name: &str| Subject::ClaimedComputer(name.to_owned());
    assert_eq!(running.ask::<Blocked>(&block(of("laptop-7"), None)), Blocked::InForce { sessions: vec![] });
    let event = connection(1, "alice").with(|e| e.computer = "LAPTOP-7".into());
    assert!(matches!(running.scene.connect(&event), Verdict::Reject(_)));
    assert!(running.ask::<bool>(&Request::Unblock { subject: of("Laptop-7"), reason: None }));
}

#[test]
fn a_session_is_closed_and_an_address_released_once() {
    let running = running();
    running.scene.begin(1, "alice", "VPN2-1").unwrap();
    let session = running.scene.present().by_handle(1).unwrap().id;
    let address = running.scene.present().leases_of(session).next().unwrap().address;
    let address = IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(address.number).unwrap()));
    let gone = || Some("gone".to_owned());
    let release = |force| running.ask::<Released>(&Request::Release { address, force, reason: gone() });
    assert_eq!(release(false), Released::InUse);
    assert_eq!((release(true), release(true)), (Released::Released, Released::WasFree));
    let Event::ReleaseAddress { by, reason, force: true, .. } = last(&running).event else {
        panic!("{:?}", last(&running))
    };
    assert_eq!((by, reason), (me(), gone()));
    let close = Request::Close { session: session.to_string(), reason: gone() };
    assert_eq!((running.ask::<bool>(&close), running.ask::<bool>(&close)), (true, false));
    let Event::CloseSession { by, reason, .. } = last(&running).event else { panic!("{:?}", last(&running)) };
    assert_eq!((by, reason), (me(), gone()));
}

#[test]
fn a_change_for_a_user_of_the_dashboard_is_recorded_with_both_names() {
    let running = running();
    let on_behalf = |of: &str, change: Request| Request::OnBehalf { of: of.to_owned(), change: Box::new(change) };
    let blocked: Blocked = running.ask(&on_behalf("anna", block(user("alice"), Some("stolen"))));
    assert_eq!(blocked, Blocked::InForce { sessions: vec![] });
    let Event::BeginBlock(begun) = last(&running).event else { panic!("{:?}", last(&running)) };
    assert_eq!(begun.by, Some(format!("anna (dashboard, {})", me().unwrap())));
    let hostile = on_behalf("\u{1b}[2J\u{202e}", Request::Unblock { subject: user("alice"), reason: None });
    assert!(running.ask::<bool>(&hostile));
    let Event::EndBlock { by: Some(by), .. } = last(&running).event else { panic!("{:?}", last(&running)) };
    assert_eq!(by, format!("\\u{{1b}}[2J\\u{{202e}} (dashboard, {})", me().unwrap()));
    let before = running.scene.records().len();
    for wrong in [
        on_behalf("anna", Request::Status {}),
        on_behalf("", Request::Unblock { subject: user("alice"), reason: None }),
    ] {
        assert_eq!(running.refuses(&wrong).why, Why::Invalid, "{wrong:?}");
    }
    assert_eq!(running.scene.records().len(), before);
}

/// Reports that a rule was stopped, as a service before has.
struct Stopped(DisconnectReport);

impl Duty for Stopped {
    fn step(&mut self, _: &Turn<'_>) -> Result<Duration, Fault> {
        Ok(Duration::from_secs(3600))
    }

    fn report(&self) -> Report {
        Report::Disconnect(self.0.clone())
    }
}

#[test]
fn a_rule_is_resumed_once_and_the_log_has_the_account_that_asked() {
    let scene = Scene::new(CONFIG);
    let (settings, (log, lines)) = (settings(&scene), log());
    let rule = StoppedRule { rule: "hours".to_owned(), sessions: 12, live: 12, since: 1 };
    let judged = Some(scene.config.hash.clone());
    let report = DisconnectReport { judged, stopped: vec![rule], ..DisconnectReport::default() };
    let make = move |_| Box::new(Stopped(report.clone())) as Box<dyn Duty>;
    let before = NewDuty { name: DutyName::Disconnect, make: Box::new(make) };
    let mut service = Service::start(&settings, lock(&settings.journal), vec![before], 1, &log).unwrap();
    let stopped = |state: &State| {
        state.duties.iter().any(|duty| matches!(&duty.report, Report::Disconnect(report) if report.stopped.len() == 1))
    };
    let deadline = Instant::now() + PATIENCE;
    while !state_file::read(&settings.journal).is_some_and(|state| stopped(&state)) {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(10));
        service.tick();
    }
    assert_eq!(service.stop(), []);
    let current = Arc::new(Current::new(scene.config.clone()));
    let rras = Beside { rras: Arc::new(Scripted::default()), speed: None };
    let all = duties(&settings, &current, Some(&rras));
    let service = Service::start(&settings, lock(&settings.journal), all, 1, &log).unwrap();
    let running = Running { scene, service: Some(service), settings };
    let resume = |rule: &str| running.ask::<bool>(&Request::Resume { rule: rule.to_owned() });
    assert!(!resume("another"));
    // Its duty may start later than the pipe, and knows of it only then.
    while !resume("hours") {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!resume("hours"));
    let expected = format!("the rule hours disconnects sessions again; {} asked for it", me().unwrap());
    let resumed: Vec<String> =
        lines.lock().unwrap().iter().filter(|line| line.contains("rule hours")).cloned().collect();
    assert_eq!(resumed, [expected]);
}

#[test]
fn the_configuration_in_force_is_shown() {
    let running = running();
    let shown: Configuration = running.ask(&Request::Configuration {});
    assert_eq!((shown.text.as_str(), shown.hash), (CONFIG, running.scene.config.hash.clone()));
    assert!(shown.file.ends_with("rasadmin.toml") && shown.fault.is_none(), "{}", shown.file);
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_is_recorded() {
    let running = running();
    let before = running.scene.records().len();
    let long = "x".repeat(601);
    for request in [
        block(user(""), None),
        block(user("a*"), None),
        block(user(" alice"), None),
        block(user("al\u{7}ice"), None),
        block(user(&long), None),
        block(Subject::ClaimedComputer(String::new()), None),
        block(user("alice"), Some("two\nlines")),
        block(user("alice"), Some(&"x".repeat(201))),
        Request::Block { subject: user("alice"), until: Some(1), reason: None },
        Request::Close { session: "7".to_owned(), reason: None },
        Request::Close { session: "018f".to_owned(), reason: Some("two\nlines".to_owned()) },
        Request::Unblock { subject: user("alice"), reason: Some("x".repeat(201)) },
        Request::Release { address: [10, 8, 0, 1].into(), force: true, reason: Some("\u{7}".to_owned()) },
    ] {
        let refusal = running.refuses(&request);
        assert_eq!(refusal.why, Why::Invalid, "{request:?}: {}", refusal.text);
    }
    // Without an RRAS, nobody is disconnected.
    let disconnect = Request::Disconnect { sessions: Vec::new(), reason: None };
    for request in [disconnect, Request::Resume { rule: "hours".to_owned() }] {
        let refusal = running.refuses(&request);
        assert!(refusal.why == Why::Unavailable && refusal.text.contains("switched off"), "{}", refusal.text);
    }
    assert_eq!(running.scene.records().len(), before);
}

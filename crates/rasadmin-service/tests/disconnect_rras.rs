//! How `disconnect` carries out orders: what it asks RRAS, and what it does if RRAS does not answer or refuses.
#![allow(clippy::unwrap_used)]

#[path = "support/disconnecting.rs"]
mod disconnecting;
mod support;

use disconnecting::{Case, LONG, NOBODY_CUT, port};
use proptest::prelude::*;
use rasadmin_engine::Event;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::event::BeginBlock;
use rasadmin_journal::{Journal, Options};
use rasadmin_policy::Name;
use rasadmin_rras::{
    Connection, ConnectionHandle, Error, Failure, Instance, Operation, Port, PortHandle, Rras, Scripted,
};
use rasadmin_service::disconnect::{Cut, Outcome, cut};
use rasadmin_service::{Duty, Turn};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{With, connection, listed};

#[test]
fn what_an_administrator_names_is_disconnected_and_the_account_is_recorded() {
    let case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.begin(2, "bob");
    let id = |handle| case.scene.present().by_handle(handle).unwrap().id;
    let ids = [id(1), rasadmin_engine::Id(7)];
    let outcomes = case.disconnector.order(&ids, Some("stolen"), r"CORP\admin").unwrap();
    assert_eq!((outcomes, case.cut()), (vec![Outcome::Asked, Outcome::NotLive], vec![1]));
    assert_eq!(
        case.scene.ask(
            "SELECT disconnect, disconnect_why, disconnect_reason, disconnect_by FROM sessions WHERE name = 'ALICE'"
        ),
        r"enforced asked stolen CORP\admin"
    );
}

/// A block disconnects too, and may be faster than the order that follows it.
#[test]
fn what_has_been_disconnected_already_is_told_apart_from_what_never_was_there() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.begin(2, "bob");
    let ids: Vec<_> = (1..=2).map(|handle| case.scene.present().by_handle(handle).unwrap().id).collect();
    case.disconnector.order(&ids[..1], None, "root").unwrap();
    case.hangup(1, "alice");
    case.hangup(2, "bob");
    for steps in 0..3 {
        let outcomes = case.disconnector.order(&ids, None, "root").unwrap();
        assert_eq!(outcomes, [Outcome::Ended, Outcome::NotLive], "after {steps} steps");
        case.step();
    }
}

#[test]
fn an_order_that_rras_cannot_hear_is_recorded_and_carried_out_later() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    let id = case.scene.present().by_handle(1).unwrap().id;
    case.rras.change(|script| script.failing = vec![(Operation::Ports, Failure::AccessDenied)]);
    let outcomes = case.disconnector.order(&[id], None, "root").unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Failed(why)] if why.contains("access")), "{outcomes:?}");
    case.rras.change(|script| script.failing.clear());
    // A service that was killed in between knows it from the journal.
    case.restart();
    case.step();
    assert_eq!((case.cut(), case.decided().len()), (vec![1], 1));
}

#[test]
fn a_session_that_stays_is_tried_again_and_reported() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.rras.change(|script| script.ports.clear());
    let id = case.scene.present().by_handle(1).unwrap().id;
    case.disconnector.order(&[id], None, "root").unwrap();
    case.wait(5);
    assert_eq!(case.step().failing, []);
    case.wait(10);
    case.step();
    case.wait(20);
    let failing = case.step().failing;
    assert_eq!((failing.len(), failing[0].session, failing[0].tries), (1, id, 3));
    case.rras.change(|script| script.ports.push(port(1, 1)));
    case.wait(30);
    case.step();
    assert_eq!(case.cut(), [1]);
    case.hangup(1, "alice");
    assert_eq!(case.step().failing, []);
}

#[test]
fn another_users_connection_is_never_hit_even_with_the_same_guid() {
    let case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.rras.change(|script| script.connections[0].user = "bob".into());
    let id = case.scene.present().by_handle(1).unwrap().id;
    let outcomes = case.disconnector.order(&[id], None, "root").unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Failed(why)] if why.contains("another user, bob")), "{outcomes:?}");
    assert_eq!(case.cut(), NOBODY_CUT);
}

#[test]
fn a_connection_without_a_guid_is_left_alone() {
    let listed = Connection { guid: None, ..listed(&connection(1, "alice")) };
    assert_eq!(cut(&Scripted::default(), &listed), Ok(Cut::NoGuid));
}

#[test]
fn one_connection_that_rras_refuses_does_not_keep_the_others() {
    let mut case = Case::fresh("report", "");
    (1..=3).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    let ids: Vec<_> = (1..=3).map(|handle| case.scene.present().by_handle(handle).unwrap().id).collect();
    case.rras.change(|script| script.refused = vec![PortHandle(1001)]);
    let outcomes = case.disconnector.order(&ids, None, "root").unwrap();
    assert!(matches!(&outcomes[0], Outcome::Failed(why) if why.contains("31")), "{outcomes:?}");
    assert_eq!((&outcomes[1..], case.cut().len()), (&[Outcome::Asked, Outcome::Asked][..], 2));
    case.rras.change(|script| script.refused.clear());
    case.wait(10);
    case.step();
    assert_eq!((case.cut().len(), case.cut()[2]), (3, 1));
}

#[test]
fn an_order_is_not_carried_out_when_its_reason_is_gone() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    let user = case.scene.config.domains.identity(&"alice".into(), &"".into()).unwrap();
    let subject = BlockSubject::User(user);
    let block = BeginBlock { subject: subject.clone(), until: None, reason: None, by: None };
    case.scene.record(Event::BeginBlock(block));
    // RRAS has no port for it yet.
    case.rras.change(|script| script.ports.clear());
    case.step();
    assert_eq!(case.decided().len(), 1);
    case.scene.record(Event::EndBlock { subject, by: None, reason: None });
    case.rras.change(|script| script.ports.push(port(1, 1)));
    case.wait(60);
    case.step();
    assert_eq!(case.cut(), NOBODY_CUT);
}

#[test]
fn while_rras_does_not_answer_no_more_than_a_minutes_orders_wait() {
    let mut case = Case::new("enforce", LONG);
    (1..=25).for_each(|handle| case.begin(handle, &format!("u{handle}")));
    case.wait(10 * 3600);
    case.rras.change(|script| script.failing = vec![(Operation::Ports, Failure::NotRunning)]);
    for _ in 0..10 {
        case.wait(60);
        let turn = Turn { now: case.scene.now().at.time, stop: &case.stop, log: &case.log };
        case.duty.step(&turn).unwrap_err();
    }
    assert_eq!(case.decided().len(), 10);
    case.rras.change(|script| script.failing.clear());
    case.wait(600);
    case.step();
    assert_eq!(case.cut().len(), 10);
}

#[test]
fn a_router_is_not_disconnected_on_request() {
    let case = Case::fresh("report", "");
    let event = connection(1, "branch").with(|e| e.interface = rasadmin_engine::InterfaceType::FullRouter);
    case.scene.connect(&event);
    case.scene.link(1, "VPN2-1", rasadmin_engine::Tunnel::Sstp);
    case.rras.change(|script| {
        script.connections.push(listed(&event));
        script.ports.push(port(1, 1));
    });
    let id = case.scene.present().by_handle(1).unwrap().id;
    let outcomes = case.disconnector.order(&[id], None, "root").unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Refused(why)] if why.contains("router")), "{outcomes:?}");
    assert_eq!((case.cut(), case.decided().len()), (vec![], 0));
}

/// An RRAS in which a connection ends before some call, and another user gets what it had.
#[derive(Debug)]
struct Shifting {
    rras: Scripted,
    /// Before which call, and what the newcomer gets.
    before: usize,
    same_handle: bool,
    calls: Mutex<usize>,
}

impl Shifting {
    fn call(&self) {
        let mut calls = self.calls.lock().unwrap();
        if *calls == self.before {
            self.rras.change(|script| {
                script.connections.clear();
                let handle = if self.same_handle { 1 } else { 2 };
                script.connections.push(listed(&connection(handle, "bob").with(|e| e.guid = Some("b".into()))));
                script.ports.iter_mut().for_each(|port| port.connection = ConnectionHandle(handle));
            });
        }
        *calls += 1;
    }
}

impl Rras for Shifting {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        self.rras.instance()
    }
    fn connections(&self) -> Result<Vec<Connection>, Error> {
        self.rras.connections()
    }
    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        self.call();
        self.rras.connection(handle)
    }
    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        self.call();
        self.rras.ports(connection)
    }
    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        self.call();
        self.rras.port(handle)
    }
    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        // Nothing can be done about what happens between the last question and this.
        let bob = self.rras.script().connections.iter().any(|listed| listed.user == Name::new("bob"));
        assert!(!bob, "{port} is another user's now");
        self.rras.disconnect(port)
    }
}

/// An RRAS that takes its time for a list, and refuses to be asked while somebody has the journal's lock.
#[derive(Debug)]
struct Watchful {
    rras: Scripted,
    journal: Journal,
    asked: Mutex<BTreeSet<&'static str>>,
    lists_for: Duration,
    listed_for: Mutex<Duration>,
}

impl Watchful {
    fn beside(case: &Case, lists_for: Duration) -> Arc<Self> {
        let journal = Journal::open(&case.scene.path(), Options::default(), support::soon()).unwrap();
        Arc::new(Self {
            rras: case.rras.clone(),
            journal,
            asked: Mutex::default(),
            lists_for,
            listed_for: Mutex::default(),
        })
    }

    fn call(&self, call: &'static str) {
        let lock = self.journal.lock(Instant::now() + Duration::from_millis(1));
        assert!(lock.is_ok(), "{call} while the journal is locked");
        self.asked.lock().unwrap().insert(call);
    }
}

impl Rras for Watchful {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        self.call("instance");
        self.rras.instance()
    }
    fn connections(&self) -> Result<Vec<Connection>, Error> {
        self.call("connections");
        let began = Instant::now();
        std::thread::sleep(self.lists_for);
        *self.listed_for.lock().unwrap() = began.elapsed();
        self.rras.connections()
    }
    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        self.call("connection");
        self.rras.connection(handle)
    }
    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        self.call("ports");
        self.rras.ports(connection)
    }
    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        self.call("port");
        self.rras.port(handle)
    }
    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        self.call("disconnect");
        self.rras.disconnect(port)
    }
}

fn block(case: &Case, user: &str) {
    let user = case.scene.config.domains.identity(&user.into(), &"".into()).unwrap();
    let subject = BlockSubject::User(user);
    case.scene.record(Event::BeginBlock(BeginBlock { subject, until: None, reason: None, by: None }));
}

#[test]
fn rras_is_never_asked_while_the_journal_is_locked() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    case.begin(2, "bob");
    let bob = case.scene.present().by_handle(2).unwrap().id;
    let rras = Watchful::beside(&case, Duration::ZERO);
    case.ask(rras.clone(), None);
    block(&case, "alice");
    let asked = || std::mem::take(&mut *rras.asked.lock().unwrap());
    let all = BTreeSet::from(["instance", "connections", "connection", "ports", "port", "disconnect"]);
    case.step();
    assert_eq!((asked(), case.cut()), (all.clone(), vec![1]), "the duty");
    assert_eq!(case.disconnector.order(&[bob], None, "root").unwrap(), [Outcome::Asked]);
    assert_eq!((asked(), case.cut()), (all, vec![1, 2]), "an order");
}

#[test]
fn after_a_long_list_rras_is_left_alone_five_times_as_long_also_if_it_failed() {
    let mut case = Case::fresh("report", "");
    case.begin(1, "alice");
    let rras = Watchful::beside(&case, Duration::from_millis(60));
    // The time between two steps must be no reason for the pause.
    case.ask(rras.clone(), Some(1000));
    let step = |case: &mut Case| {
        let turn = Turn { now: case.scene.now().at.time, stop: &case.stop, log: &case.log };
        let pause = case.duty.step(&turn);
        (pause, case.duty.rest(), *rras.listed_for.lock().unwrap() * 5)
    };
    assert_eq!(step(&mut case), (Ok(Duration::from_millis(10)), Duration::ZERO, Duration::ZERO), "nothing is due");
    block(&case, "alice");
    case.rras.change(|script| script.failing = vec![(Operation::Connections, Failure::Changed)]);
    let (pause, rest, least) = step(&mut case);
    assert!(pause.is_err() && least >= Duration::from_millis(300) && rest >= least, "{pause:?} {rest:?} {least:?}");
    case.rras.change(|script| script.failing.clear());
    case.wait(60);
    let (pause, rest, least) = step(&mut case);
    assert!(pause.as_ref().is_ok_and(|pause| *pause >= least) && rest >= least, "{pause:?} {rest:?} {least:?}");
    assert_eq!(case.cut(), [1]);
    let (pause, rest, _) = step(&mut case);
    assert_eq!((pause, rest), (Ok(Duration::from_millis(10)), Duration::ZERO), "nothing is due any more");
}

proptest! {
    #[test]
    fn a_user_who_gets_a_port_is_never_hit(before in 0..12_usize, same_handle: bool, ports in 1..4_u64) {
        let rras = Scripted::default();
        let alice = listed(&connection(1, "alice"));
        rras.change(|script| {
            script.instance = Some(Instance { process: 1, created: 1 });
            script.connections.push(alice.clone());
            script.ports = (1..=ports).map(|number| port(number, 1)).collect();
        });
        let calls = Mutex::default();
        let shifting = Shifting { rras, before, same_handle, calls };
        let outcome = cut(&shifting, &alice).unwrap();
        let cut_ports = shifting.rras.script().disconnected.len() as u64;
        prop_assert_eq!(outcome, if cut_ports == 0 { Cut::Gone } else { Cut::Asked });
        if *shifting.calls.lock().unwrap() <= before {
            prop_assert_eq!(cut_ports, ports);
        }
    }
}

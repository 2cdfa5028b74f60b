//! `monitor` beside a recorder, with an RRAS in memory.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::SessionEnded;
use rasadmin_engine::event::ConnectionEvent;
use rasadmin_engine::{Effect, Event, InterfaceType, Record, Stamp, Tunnel};
use rasadmin_policy::Name;
use rasadmin_recorder::Verdict;
use rasadmin_rras::{
    Connection, ConnectionHandle, Counters, Error, Failure, Instance, Operation, Port, PortHandle, Rras, Scripted,
};
use rasadmin_service::live_table;
use rasadmin_service::state::{MonitorReport, Report};
use rasadmin_service::{Current, Duty, Fault, Log, Monitor, Settings, Stop, Turn};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Lines, Scene, With, connection, listed, log, number, settings};

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
    [[rules]]
    name = "one each"
    action = "deny"
    user_sessions = { at_least = 1 }
"#;

const GIB: u64 = 1 << 30;

/// What happens in RRAS while it makes its list.
type Meanwhile = Box<dyn FnOnce() + Send>;

/// An RRAS in which something happens while it makes its list.
#[derive(Clone, Default)]
struct Busy {
    scripted: Scripted,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scripted.fmt(f)
    }
}

impl Rras for Busy {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        self.scripted.instance()
    }

    fn connections(&self) -> Result<Vec<Connection>, Error> {
        let list = self.scripted.connections();
        if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
            meanwhile();
        }
        list
    }

    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        self.scripted.connection(handle)
    }

    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        self.scripted.ports(connection)
    }

    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        self.scripted.port(handle)
    }

    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        self.scripted.disconnect(port)
    }
}

struct Case {
    scene: Scene,
    rras: Busy,
    monitor: Monitor,
    clock: Arc<Mutex<Stamp>>,
    stop: Stop,
    log: Arc<Log>,
    lines: Lines,
}

impl Case {
    fn new() -> Self {
        let (scene, rras) = (Scene::new(CONFIG), Busy::default());
        rras.scripted.change(|script| script.instance = Some(Instance { process: 700, created: 1 }));
        let clock = Arc::new(Mutex::new(scene.now().at));
        let (log, lines) = log();
        let monitor = monitor(&scene, &rras, &clock);
        Self { scene, rras, monitor, clock, stop: Stop::default(), log, lines }
    }

    fn wait(&self, seconds: i64) {
        self.scene.wait(seconds);
        *self.clock.lock().unwrap() = self.scene.now().at;
    }

    /// A session begins, and RRAS lists it.
    fn begin(&self, handle: u64, user: &str) {
        self.scene.begin(handle, user, &format!("VPN2-{handle}")).unwrap();
        self.lists(&connection(handle, user));
    }

    fn lists(&self, event: &ConnectionEvent) {
        self.rras.scripted.change(|script| script.connections.push(listed(event)));
    }

    fn change(&self, handle: u64, change: impl FnOnce(&mut Connection)) {
        self.rras.scripted.change(|script| {
            change(script.connections.iter_mut().find(|connection| connection.handle.0 == handle).unwrap());
        });
    }

    /// So much has passed from the client. RRAS's counters have 32 bits.
    fn received(&self, handle: u64, octets: u64) {
        self.change(handle, |connection| connection.counters = counters(octets));
    }

    fn loses(&self, handle: u64) {
        self.rras.scripted.change(|script| script.connections.retain(|connection| connection.handle.0 != handle));
    }

    fn try_step(&mut self) -> Result<MonitorReport, Fault> {
        self.monitor.step(&Turn { now: self.scene.now().at.time, stop: &self.stop, log: &self.log })?;
        let Report::Monitor(report) = self.monitor.report() else { panic!("another duty's report") };
        Ok(report)
    }

    /// A look, five seconds after the last one.
    fn step(&mut self) -> MonitorReport {
        self.wait(5);
        self.try_step().unwrap()
    }

    fn live(&self) -> Vec<String> {
        let mut live: Vec<String> = self.scene.present().live().map(|session| session.user_name.to_string()).collect();
        live.sort();
        live
    }

    fn ended(&self) -> Vec<SessionEnded> {
        self.scene.records().iter().flat_map(Record::ended).cloned().collect()
    }

    fn records(&self) -> usize {
        self.scene.records().len()
    }
}

fn monitor(scene: &Scene, rras: &Busy, clock: &Arc<Mutex<Stamp>>) -> Monitor {
    let settings = settings(scene);
    let current = Arc::new(Current::new(scene.config.clone()));
    let clock = clock.clone();
    Monitor::new(settings, current, Arc::new(rras.clone()), None).with_clock(Box::new(move || *clock.lock().unwrap()))
}

fn counters(octets: u64) -> Counters {
    let octets_received = (octets & 0xffff_ffff) as u32;
    Counters { octets_received, frames_received: (octets / 1000) as u32, ..Counters::default() }
}

#[test]
fn six_gibibytes_of_a_live_session_are_counted_exactly_also_if_the_service_starts_again() {
    let mut case = Case::new();
    case.begin(1, "alice");
    for half_gibibytes in 1..=12 {
        case.received(1, half_gibibytes * GIB / 2);
        if half_gibibytes % 4 == 0 {
            case.monitor = monitor(&case.scene, &case.rras, &case.clock);
        }
        case.step();
    }
    let sum = case.monitor.looks().sessions().values().next().unwrap().counted;
    assert_eq!((sum.octets[0], sum.exact), (6 * GIB, true));
    let hangup = connection(1, "alice").with(|e| {
        e.usage.input_octets = (6 * GIB + 7) & 0xffff_ffff;
        e.usage.input_packets = 6 * GIB / 1000 + 1;
    });
    case.scene.recorder.hangup(&hangup, case.scene.now());
    let ended = case.ended();
    assert_eq!((ended[0].usage.input_octets, ended[0].is_exact()), (6 * GIB + 7, true));
    assert_eq!(
        case.scene.ask("SELECT acct_input_octets, octets_are, (SELECT sum(input_octets) FROM use) FROM sessions"),
        format!("{0} exact {0}", 6 * GIB + 7)
    );
}

#[test]
fn counters_are_recorded_once_an_hour_and_only_if_they_have_changed() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.begin(2, "bob");
    let before = case.records();
    for minutes in 0..120 {
        case.received(1, minutes * 1000);
        case.wait(60);
        case.step();
    }
    assert_eq!(case.records() - before, 2);
    let counted = case.scene.records().into_iter().flat_map(|record| record.effects);
    let counted = counted.filter_map(|effect| if let Effect::Counted(counted) = effect { Some(counted) } else { None });
    assert!(counted.into_iter().all(|counted| counted.sessions.len() == 1));
    assert_eq!(case.scene.ask("SELECT count(*) FROM sessions WHERE acct_input_octets IS NULL"), "1");
}

#[test]
fn the_dead_are_listed_and_do_not_lock_their_users_out() {
    let mut case = Case::new();
    let at_her_pc = |handle| connection(handle, "alice").with(|e| e.computer = "LAPTOP-7".into());
    let dials = |case: &Case, handle: u64| {
        let port = format!("VPN2-{handle}");
        let given = case.scene.address("alice", &port, "").unwrap();
        let shows = at_her_pc(handle).with(|e| e.addresses = vec![number(&given)]);
        case.lists(&shows);
        case.scene.connect(&shows) == Verdict::Accept
    };
    assert!(dials(&case, 1));
    case.received(1, 500);
    case.step();
    case.received(1, 900);
    case.step();
    // Her client is gone. RRAS has not noticed, and still sends to it.
    case.wait(10);
    assert!(dials(&case, 2));
    case.change(1, |dead| dead.counters.octets_transmitted = 5000);
    for _ in 0..5 {
        case.step();
    }
    let counts = |case: &Case, handle| case.scene.present().by_handle(handle).unwrap().counts();
    assert_eq!((counts(&case, 1), counts(&case, 2)), (false, true));
    let heard = |case: &Case, handle| {
        let id = case.scene.present().by_handle(handle).unwrap().id;
        case.monitor.looks().sessions()[&id].heard
    };
    assert_eq!(case.scene.now().at.mono.since(heard(&case, 1).unwrap().mono), 35_000);
    assert_eq!(heard(&case, 2), None);
    let table = live_table::read(&case.scene.path()).unwrap();
    let shown: Vec<_> = table.sessions.iter().map(|s| (s.octets, s.exact, s.heard.is_some())).collect();
    assert_eq!(shown, [([900, 5000], false, true), ([0, 0], true, false)]);
    // If it is there after all, it counts again.
    case.received(1, 950);
    case.step();
    assert!(counts(&case, 1));
}

#[test]
fn a_session_that_two_looks_miss_is_closed() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.begin(2, "bob");
    case.wait(120);
    case.step();
    case.loses(1);
    assert_eq!((case.step().not_listed, case.live().len()), (1, 2));
    let since = case.scene.now().at;
    let report = case.step();
    assert_eq!((report.closed, case.live()), (1, vec!["bob".to_owned()]));
    let ended = case.ended();
    assert_eq!((ended[0].by.name(), ended[0].by.cause(), ended[0].at.mono), ("not listed by RRAS", None, since.mono));
    assert_eq!(case.step().not_listed, 0);
}

#[test]
fn a_session_that_got_a_link_shortly_before_is_closed_a_minute_later() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.wait(120);
    assert_eq!(case.scene.link(1, "VPN2-9", Tunnel::Sstp), Verdict::Accept);
    case.loses(1);
    // The list may not show yet what has just happened to it.
    assert_eq!((case.step().not_listed, case.step().closed), (0, 0));
    case.wait(60);
    assert_eq!((case.step().not_listed, case.live().len()), (1, 1));
    assert_eq!((case.step().closed, case.live().len()), (1, 0));
}

#[test]
fn a_session_is_not_missed_while_it_is_young_or_in_another_instance_or_after_a_failed_look() {
    let mut case = Case::new();
    case.scene.begin(1, "alice", "VPN2-1").unwrap();
    for _ in 0..11 {
        assert_eq!(case.step().not_listed, 0);
    }
    assert_eq!((case.step().not_listed, case.live().len()), (1, 1));
    // Looks that fail prove nothing.
    case.rras.scripted.change(|script| script.failing = vec![(Operation::Connections, Failure::Changed)]);
    case.wait(5);
    let fault = case.try_step().unwrap_err();
    assert!(fault.what.starts_with("cannot list RRAS's connections"), "{}", fault.what);
    case.rras.scripted.change(|script| script.failing.clear());
    // RRAS is another one now.
    case.rras.scripted.change(|script| script.instance = Some(Instance { process: 800, created: 2 }));
    assert_eq!((case.step().not_listed, case.live().len()), (1, 1));
    // It becomes another one during the look, so the list may be of either.
    let scripted = case.rras.scripted.clone();
    *case.rras.meanwhile.lock().unwrap() = Some(Box::new(move || {
        scripted.change(|script| script.instance = Some(Instance { process: 900, created: 3 }));
    }));
    assert_eq!((case.step().closed, case.live().len()), (0, 1));
    case.step();
    assert_eq!(case.step().closed, 1);
}

#[test]
fn a_list_that_lacks_too_many_closes_nobody() {
    let mut case = Case::new();
    for handle in 1..=20 {
        case.begin(handle, &format!("user{handle}"));
    }
    case.wait(120);
    case.step();
    case.rras.scripted.change(|script| script.connections.truncate(9));
    case.step();
    let report = case.step();
    assert_eq!((report.withheld.len(), report.closed, case.live().len()), (11, 0, 20));
    case.step();
    let lines = case.lines.lock().unwrap().clone();
    let reported = lines.iter().filter(|line| line.contains("RRAS does not list 11 of the 20 live sessions")).count();
    assert_eq!(reported, 1, "{lines:?}");
    // Ten may be closed at once.
    case.lists(&connection(10, "user10"));
    let report = case.step();
    assert_eq!((report.withheld.len(), report.closed, case.live().len()), (0, 10, 10));
}

#[test]
fn more_than_ten_are_closed_if_they_are_no_more_than_a_fifth() {
    let mut case = Case::new();
    for handle in 1..=60 {
        case.begin(handle, &format!("user{handle}"));
    }
    case.wait(120);
    case.step();
    case.rras.scripted.change(|script| script.connections.truncate(47));
    case.step();
    // Thirteen are more than a fifth.
    let report = case.step();
    assert_eq!((report.withheld.len(), report.closed, case.live().len()), (13, 0, 60));
    case.lists(&connection(48, "user48"));
    let report = case.step();
    assert_eq!((report.withheld.len(), report.closed, case.live().len()), (0, 12, 48));
}

#[test]
fn a_connection_that_is_not_on_record_is_adopted_after_two_looks() {
    let mut case = Case::new();
    case.begin(1, "alice");
    let router = connection(8, "branch").with(|e| e.interface = InterfaceType::FullRouter);
    let nameless = connection(9, "emil").with(|e| e.guid = None);
    [&router, &nameless, &connection(7, "dora")].into_iter().for_each(|event| case.lists(event));
    let report = case.step();
    assert_eq!((report.connections, report.routers, report.unknown, report.adopted), (4, 1, 2, 0));
    assert_eq!(case.step().adopted, 1);
    assert_eq!(case.live(), ["alice", "dora"]);
    assert_eq!(case.scene.ask("SELECT name, adopted FROM sessions ORDER BY name"), "ALICE 0; DORA 1");
    assert_eq!(case.step().adopted, 1);
}

#[test]
fn a_connection_that_is_recorded_during_the_look_is_not_adopted() {
    let mut case = Case::new();
    let dora = connection(7, "dora");
    case.lists(&dora);
    case.step();
    case.wait(5);
    // Its accept and its hangup are recorded while RRAS makes the second list.
    let recorder = case.scene.beside();
    let (now, hangup) = (case.scene.now(), case.scene.now());
    *case.rras.meanwhile.lock().unwrap() = Some(Box::new(move || {
        assert_eq!(recorder.accept_connection(&dora, now), Verdict::Accept);
        recorder.hangup(&dora, hangup);
    }));
    let report = case.try_step().unwrap();
    assert_eq!((report.adopted, case.live().len()), (0, 0));
    // RRAS goes on listing it. Its time and its octets have been counted.
    case.step();
    assert_eq!((case.step().adopted, case.live().len()), (0, 0));
}

#[test]
fn a_session_that_was_closed_by_hand_is_not_adopted() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.step();
    let session = case.scene.present().live().next().unwrap().id;
    case.scene.record(Event::CloseSession { session, by: None, reason: None });
    for _ in 0..4 {
        assert_eq!((case.step().adopted, case.live().len()), (0, 0));
    }
}

#[test]
fn a_session_that_is_missed_ends_with_the_octets_that_looks_saw() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.wait(120);
    case.received(1, 900_000_000);
    case.step();
    case.loses(1);
    case.step();
    case.step();
    let ended = case.ended();
    assert_eq!((ended[0].by.name(), ended[0].usage.input_octets), ("not listed by RRAS", 900_000_000));
    assert_eq!(case.scene.ask("SELECT sum(input_octets) FROM use"), "900000000");
}

#[test]
fn counters_that_start_again_are_recorded_at_once() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.received(1, 900_000_000);
    case.step();
    case.received(1, 10_000_000);
    case.step();
    let hangup = connection(1, "alice").with(|e| (e.usage.input_octets, e.usage.input_packets) = (11_000_000, 11_000));
    case.scene.recorder.hangup(&hangup, case.scene.now());
    let ended = case.ended();
    assert_eq!((ended[0].usage.input_octets, ended[0].is_exact()), (911_000_000, false));
}

#[test]
fn octets_go_to_the_day_of_the_look_that_saw_them() {
    let mut case = Case::new();
    case.begin(1, "alice");
    // A minute before midnight, and a minute after.
    case.wait(15 * 3600 - 60);
    case.received(1, 700_000);
    case.step();
    case.wait(120);
    case.received(1, 1_000_000);
    case.step();
    case.wait(3600);
    case.step();
    assert_eq!(
        case.scene.ask("SELECT day, input_octets FROM use ORDER BY day"),
        "2026-11-23 700000; 2026-11-24 300000"
    );
}

#[test]
fn a_session_that_lives_again_goes_on_beyond_4_gib() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.wait(120);
    for gibibytes in 1..=5 {
        case.wait(60);
        case.received(1, gibibytes * GIB);
        case.step();
    }
    let listed = case.rras.scripted.script().connections;
    case.loses(1);
    case.step();
    assert_eq!(case.step().closed, 1);
    case.rras.scripted.change(|script| script.connections = listed);
    case.received(1, 6 * GIB);
    case.step();
    case.step();
    assert_eq!(case.live(), ["alice"]);
    case.step();
    let sum = case.monitor.looks().sessions().values().next().unwrap().counted;
    assert_eq!((sum.octets[0], sum.exact), (6 * GIB, false));
}

#[test]
fn a_session_that_reauthenticates_while_it_is_missed_is_not_closed() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.wait(120);
    case.step();
    case.loses(1);
    case.step();
    case.wait(2);
    case.scene.recorder.reauthenticate(&connection(1, "alice"), case.scene.now());
    assert_eq!((case.step().closed, case.live().len()), (0, 1));
}

#[test]
fn a_connection_is_known_by_its_guid_or_by_its_handle_and_its_user() {
    let mut case = Case::new();
    let bare = |handle, user| connection(handle, user).with(|e| e.guid = None);
    case.scene.connect(&bare(0x5_0000_0001, "alice"));
    // RRAS passes the lower half of a handle to other processes.
    case.lists(&bare(1, "alice"));
    case.wait(120);
    let report = case.step();
    assert_eq!((report.unknown, report.not_listed), (0, 0));
    case.change(1, |connection| connection.user = "bob".into());
    let report = case.step();
    assert_eq!((report.unknown, report.not_listed), (1, 1));
    case.change(1, |connection| (connection.user, connection.guid) = ("alice".into(), Some("other".to_owned())));
    let report = case.step();
    assert_eq!((report.unknown, report.not_listed), (0, 0));
}

#[test]
fn rras_is_never_asked_while_the_journal_is_locked() {
    let mut case = Case::new();
    case.begin(1, "alice");
    let journal = rasadmin_journal::Journal::open(&case.scene.path(), Default::default(), support::soon()).unwrap();
    *case.rras.meanwhile.lock().unwrap() = Some(Box::new(move || {
        drop(journal.lock(Instant::now() + Duration::from_millis(1)).unwrap());
    }));
    case.received(1, GIB);
    case.step();
    assert!(case.rras.meanwhile.lock().unwrap().is_none());
}

/// Makes the next list take some time, after which `then` happens. Returns how long it takes.
fn takes_long(rras: &Busy, then: impl FnOnce(&Scripted) + Send + 'static) -> Arc<Mutex<Duration>> {
    let took = Arc::new(Mutex::new(Duration::ZERO));
    let (scripted, noted) = (rras.scripted.clone(), took.clone());
    *rras.meanwhile.lock().unwrap() = Some(Box::new(move || {
        let began = Instant::now();
        std::thread::sleep(Duration::from_millis(60));
        *noted.lock().unwrap() = began.elapsed();
        then(&scripted);
    }));
    took
}

#[test]
fn after_a_long_look_rras_is_left_alone_five_times_as_long_whatever_came_of_it() {
    let mut case = Case::new();
    case.begin(1, "alice");
    // The time between two looks must be no reason for the pause.
    let clock = case.clock.clone();
    let monitor = monitor(&case.scene, &case.rras, &case.clock).at_speed(1000);
    case.monitor = monitor.with_clock(Box::new(move || *clock.lock().unwrap()));
    let mut look = |fails: Option<Failure>, then: fn(&Scripted)| {
        let failing = fails.map(|failure| (Operation::Connections, failure)).into_iter().collect();
        case.rras.scripted.change(|script| script.failing = failing);
        let took = takes_long(&case.rras, then);
        case.wait(5);
        let turn = Turn { now: case.scene.now().at.time, stop: &case.stop, log: &case.log };
        let pause = case.monitor.step(&turn);
        let Report::Monitor(report) = case.monitor.report() else { panic!("another duty's report") };
        let least = *took.lock().unwrap() * 5;
        assert!(least >= Duration::from_millis(300) && case.monitor.rest() >= least, "{:?}", case.monitor.rest());
        (pause.map(|pause| pause >= least).map_err(|fault| fault.what), report.running)
    };
    assert_eq!(look(None, |_| ()), (Ok(true), true), "a complete look");
    assert_eq!(look(Some(Failure::NotRunning), |_| ()), (Ok(true), false), "RRAS stopped");
    let another = |scripted: &Scripted| {
        scripted.change(|script| script.instance = Some(Instance { process: 800, created: 2 }));
    };
    assert_eq!(look(None, another), (Ok(true), false), "another instance");
    // Whoever runs the duty asks it how long to wait after a fault.
    let (failed, _) = look(Some(Failure::Changed), |_| ());
    assert!(failed.unwrap_err().starts_with("cannot list RRAS's connections"));
}

#[test]
fn without_rras_or_a_journal_it_waits() {
    let mut case = Case::new();
    case.rras.scripted.change(|script| script.instance = None);
    assert!(!case.step().running);
    case.rras.scripted.change(|script| script.instance = Some(Instance { process: 700, created: 1 }));
    assert!(case.step().running);
    let empty = tempfile::tempdir().unwrap();
    let settings =
        Settings { journal: empty.path().to_owned(), ..Settings::of(&case.scene.config, &Name::new("VPN1")) };
    let current = Arc::new(Current::new(case.scene.config.clone()));
    case.monitor = Monitor::new(Arc::new(settings), current, Arc::new(case.rras.clone()), None);
    assert!(!case.try_step().unwrap().running);
}

#[test]
fn a_day_of_five_thousand_connections_is_less_than_twenty_megabytes() {
    let mut case = Case::new();
    for handle in 1..=5000 {
        // IKEv2 needs no link.
        let event = connection(handle, &format!("somebody-with-a-name-{handle}")).with(|e| e.ikev2 = Some(true));
        assert_eq!(case.scene.connect(&event), Verdict::Accept);
        case.lists(&event);
    }
    let size = |case: &Case| -> u64 {
        case.scene.records().iter().map(|record| serde_json::to_vec(record).unwrap().len() as u64 + 32).sum()
    };
    case.wait(120);
    case.step();
    let before = size(&case);
    let hours: u64 = 3;
    for hour in 1..=hours {
        for handle in 1..=5000 {
            case.received(handle, hour * 900_000_000);
        }
        case.wait(3600);
        case.step();
    }
    let day = (size(&case) - before) / hours * 24;
    assert!(day > 5_000_000, "all of them are recorded: {day}");
    assert!(day < 20_000_000, "{day}");
}

#[test]
fn a_call_that_goes_on_hanging_is_one_fault() {
    let mut case = Case::new();
    let mut hung_for = |seconds| {
        let since = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        let failing = vec![(Operation::Connections, Failure::Hung { since })];
        case.rras.scripted.change(|script| script.failing = failing);
        case.try_step().unwrap_err()
    };
    let first = hung_for(31);
    assert_eq!(first, hung_for(95));
    assert_eq!(first.what, "cannot list RRAS's connections: a call to RRAS has not returned");
}

//! MprAdminTerminateDll while calls are inside. Its timeout is five seconds for RRAS. In these tests it is an hour, so that a
//! terminate that waits for the wrong thing hangs the test, or zero, so that the timeout has passed.
#![allow(clippy::unwrap_used)]

use rasadmin_sdk::abi::*;
use rasadmin_sdk::boundary::terminate_within;
use rasadmin_sdk::{
    AddressRequest, AdminDll, AssignIpv4, Assignment, CallsInside, Connection, Environment, FunctionId,
    InitializeError, Link, Refusal, Verdict, export_admin_dll, log, tracing,
};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

const AN_HOUR: Duration = Duration::from_secs(3600);

/// The instructions for the test's DLL, and its log of events.
#[derive(Default)]
struct World {
    events: Vec<String>,
    /// Whether link calls wait inside.
    hold: bool,
    /// What a connection call and initialise run.
    act: Option<fn()>,
}

static WORLD: Mutex<World> = Mutex::new(World { events: Vec::new(), hold: false, act: None });
static RELEASED: Condvar = Condvar::new();
/// The number of link calls inside.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Whether a library that calls use is running. Terminate shuts it down.
static LIBRARY: AtomicBool = AtomicBool::new(false);
/// The number of errors: link calls that found the library shut down, terminates that found calls inside, and values that
/// were dropped with calls inside.
static ERRORS: AtomicUsize = AtomicUsize::new(0);
/// The exports share one instance, so the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn world() -> MutexGuard<'static, World> {
    WORLD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn log_event(what: &str) {
    world().events.push(what.to_owned());
}

fn act() {
    let act = world().act;
    if let Some(act) = act {
        act();
    }
}

fn uses_the_library() {
    if !LIBRARY.load(SeqCst) {
        ERRORS.fetch_add(1, SeqCst);
    }
}

/// The DLL, with the number of link calls inside this instance.
struct Guarded(AtomicUsize);

impl Drop for Guarded {
    fn drop(&mut self) {
        log_event("dropped");
        ERRORS.fetch_add(self.0.load(SeqCst), SeqCst);
    }
}

impl AdminDll for Guarded {
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        LIBRARY.store(true, SeqCst);
        log_event("initialize");
        act();
        Ok(Self(AtomicUsize::new(0)))
    }
    fn terminate(&self) {
        log_event("terminate");
        ERRORS.fetch_add(INSIDE.load(SeqCst), SeqCst);
        LIBRARY.store(false, SeqCst);
    }
    fn terminate_among_calls(&self, calls: &CallsInside) {
        log_event("terminate among calls");
        let list: Vec<_> = calls.functions().iter().map(|(function, calls)| format!("{function} {calls}")).collect();
        log_event(&list.join(", "));
    }
    fn accept_connection(&self, _: &Connection) -> Verdict {
        act();
        Verdict::Accept
    }
    fn connection_hangup(&self, _: &Connection) {
        log_event("hangup");
    }
    fn accept_link(&self, _: &Link) -> Verdict {
        self.0.fetch_add(1, SeqCst);
        INSIDE.fetch_add(1, SeqCst);
        uses_the_library();
        let mut world = world();
        while world.hold {
            world = RELEASED.wait(world).unwrap_or_else(PoisonError::into_inner);
        }
        drop(world);
        tracing::info!("a link call leaves");
        uses_the_library();
        self.0.fetch_sub(1, SeqCst);
        INSIDE.fetch_sub(1, SeqCst);
        Verdict::Accept
    }
    fn link_hangup(&self, _: &Link) {}
    fn accept_reauthentication(&self, _: &Connection) -> Verdict {
        Verdict::Accept
    }
}

impl AssignIpv4 for Guarded {
    fn assign_ipv4(&self, request: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal> {
        Ok(Assignment::of(request.address()))
    }
    fn release_ipv4(&self, _: &AddressRequest<Ipv4Addr>) {
        log_event("release");
    }
}

export_admin_dll!(Guarded, ipv4);

/// A test's turn, with an initialised DLL.
fn turn() -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *world() = World::default();
    terminate(AN_HOUR);
    *world() = World::default();
    ERRORS.store(0, SeqCst);
    assert_eq!(MprAdminInitializeDll(), NO_ERROR);
    assert_eq!(events(), ["initialize"]);
    turn
}

fn events() -> Vec<String> {
    std::mem::take(&mut world().events)
}

fn terminate(patience: Duration) -> u32 {
    terminate_within(&RASADMIN_SLOT, patience)
}

fn link() -> BOOL {
    // SAFETY: whole structures.
    unsafe { MprAdminAcceptNewLink(&mut RAS_PORT_0::default(), &mut RAS_PORT_1::default()) }
}

fn connection() -> BOOL {
    // SAFETY: whole structures.
    unsafe { MprAdminAcceptNewConnection(&mut RAS_CONNECTION_0::default(), &mut RAS_CONNECTION_1::default()) }
}

/// Calls GetIpAddressForUser. Returns the result, the address and notify_release.
fn address() -> (u32, u32, BOOL) {
    let (name, mut address, mut notify) = ([u16::from(b'a'), 0], 5, 9);
    // SAFETY: terminated names and writable outputs.
    let code = unsafe { MprAdminGetIpAddressForUser(name.as_ptr(), name.as_ptr(), &mut address, &mut notify) };
    (code, address, notify)
}

fn hold() {
    world().hold = true;
}

fn release_calls() {
    world().hold = false;
    RELEASED.notify_all();
}

/// Waits until this many link calls are inside.
fn wait_for_links(count: usize) {
    while INSIDE.load(SeqCst) != count {
        thread::yield_now();
    }
}

#[test]
fn it_waits_for_the_calls_inside_and_lets_no_other_in() {
    let _turn = turn();
    hold();
    thread::scope(|scope| {
        let links: Vec<_> = (0..4).map(|_| scope.spawn(link)).collect();
        wait_for_links(4);
        let ending = scope.spawn(|| terminate(AN_HOUR));
        // The call is accepted until terminate begins, and then rejected without waiting for terminate to end.
        while connection() == TRUE {
            thread::yield_now();
        }
        assert_eq!(address(), (ERROR_NOT_READY, 5, FALSE));
        assert_eq!(events(), Vec::<String>::new(), "not before they have left");
        release_calls();
        assert!(links.into_iter().all(|link| link.join().unwrap() == TRUE), "those inside get their own answer");
        assert_eq!(ending.join().unwrap(), NO_ERROR);
    });
    assert_eq!(events(), ["terminate", "dropped"]);
    assert_eq!(ERRORS.load(SeqCst), 0);
}

#[test]
fn after_the_deadline_the_dll_is_told_and_a_later_initialise_starts_afresh() {
    let _turn = turn();
    hold();
    thread::scope(|scope| {
        let links: Vec<_> = (0..4).map(|_| scope.spawn(link)).collect();
        wait_for_links(4);
        assert_eq!(terminate(Duration::ZERO), ERROR_BUSY);
        assert_eq!(events(), ["terminate among calls", "MprAdminAcceptNewLink 4"], "and it is not dropped under them");
        // Each return type has its safe answer.
        assert_eq!((connection(), link()), (FALSE, FALSE));
        assert_eq!(address(), (ERROR_NOT_READY, 5, FALSE));
        // SAFETY: whole structures; terminated names.
        unsafe {
            MprAdminConnectionHangupNotification(&mut RAS_CONNECTION_0::default(), &mut RAS_CONNECTION_1::default());
            MprAdminReleaseIpAddress([97, 0].as_ptr(), [97, 0].as_ptr(), &mut 5);
        }
        assert_eq!(events(), Vec::<String>::new());
        assert_eq!(terminate(Duration::ZERO), NO_ERROR, "there is nothing left to end");

        assert_eq!(MprAdminInitializeDll(), NO_ERROR);
        assert_eq!((connection(), address().0), (TRUE, NO_ERROR));
        // The library that it shares with the earlier instance is still in use.
        assert_eq!(terminate(Duration::ZERO), ERROR_BUSY);
        let expected = ["terminate among calls", "MprAdminAcceptNewLink 4"];
        assert_eq!(events(), ["initialize", expected[0], expected[1], "dropped"]);

        assert_eq!(MprAdminInitializeDll(), NO_ERROR);
        release_calls();
        assert!(links.into_iter().all(|link| link.join().unwrap() == TRUE));
    });
    assert_eq!(events(), ["initialize", "dropped"], "by the last call that had it");
    assert_eq!(link(), TRUE);
    assert_eq!(terminate(AN_HOUR), NO_ERROR);
    assert_eq!(events(), ["terminate", "dropped"]);
    assert_eq!(ERRORS.load(SeqCst), 0);
}

#[test]
fn the_log_stays_open_for_the_calls_inside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inside.log");
    let _turn = turn();
    log::open(&path).unwrap();
    hold();
    thread::scope(|scope| {
        let inside = scope.spawn(link);
        wait_for_links(1);
        assert_eq!(terminate(Duration::ZERO), ERROR_BUSY);
        release_calls();
        assert_eq!(inside.join().unwrap(), TRUE);
    });
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("a link call leaves"), "{text}");
    // The next instance ends without calls inside, and closes the log.
    assert_eq!(MprAdminInitializeDll(), NO_ERROR);
    assert_eq!(terminate(AN_HOUR), NO_ERROR);
    tracing::info!("after the end");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

/// A call that terminates its own DLL must not wait for itself.
#[test]
fn a_call_that_terminates_waits_for_the_others_only() {
    static CODE: AtomicUsize = AtomicUsize::new(0);
    let _turn = turn();
    hold();
    world().act = Some(|| CODE.store(terminate(AN_HOUR) as usize, SeqCst));
    thread::scope(|scope| {
        let other = scope.spawn(link);
        wait_for_links(1);
        let ending = scope.spawn(connection);
        while address().0 == NO_ERROR {
            thread::yield_now();
        }
        release_calls();
        assert_eq!((other.join().unwrap(), ending.join().unwrap()), (TRUE, TRUE));
    });
    assert_eq!(CODE.load(SeqCst), ERROR_BUSY as usize);
    assert_eq!(events(), ["terminate among calls", "MprAdminAcceptNewConnection 1", "dropped"]);
    assert_eq!(ERRORS.load(SeqCst), 0);
}

#[test]
fn a_call_that_panics_is_no_longer_inside() {
    let _turn = turn();
    world().act = Some(|| panic!("in a call"));
    assert_eq!((connection(), connection()), (FALSE, FALSE));
    assert_eq!(terminate(AN_HOUR), NO_ERROR);
    assert_eq!(events(), ["terminate", "dropped"]);
}

/// Neither works from inside initialise: both return at once, and the log of the running initialise stays open.
#[test]
fn initialise_and_terminate_from_inside_initialise_answer_busy() {
    static CODES: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    static PATH: Mutex<Option<std::path::PathBuf>> = Mutex::new(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nested.log");
    let _turn = turn();
    assert_eq!(terminate(AN_HOUR), NO_ERROR);
    events();
    *PATH.lock().unwrap() = Some(path.clone());
    world().act = Some(|| {
        log::open(PATH.lock().unwrap().as_ref().unwrap()).unwrap();
        let codes = [MprAdminInitializeDll(), terminate(AN_HOUR), address().0];
        CODES.lock().unwrap().extend(codes);
        rasadmin_sdk::tracing::info!("still open");
    });
    assert_eq!(MprAdminInitializeDll(), NO_ERROR);
    assert_eq!(*CODES.lock().unwrap(), [ERROR_BUSY, ERROR_BUSY, ERROR_NOT_READY]);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("another initialise or terminate is still running; the DLL"), "{text}");
    assert!(text.contains("still open"), "{text}");
    world().act = None;
    assert_eq!((events(), connection()), (vec!["initialize".to_owned()], TRUE));
}

/// Link calls on four threads, while the service starts and stops.
#[test]
fn links_on_four_threads_through_many_lives() {
    const LIVES: usize = 300;
    static OVER: AtomicBool = AtomicBool::new(false);
    let _turn = turn();
    let (accepted, rejected) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !OVER.load(SeqCst) {
                    if link() == TRUE { &accepted } else { &rejected }.fetch_add(1, SeqCst);
                }
            });
        }
        // At least one call comes during each instance and each pause between two.
        let after = |count: &AtomicUsize| {
            let before = count.load(SeqCst);
            while count.load(SeqCst) == before {
                thread::yield_now();
            }
        };
        for _ in 0..LIVES {
            after(&accepted);
            assert_eq!(terminate(AN_HOUR), NO_ERROR);
            after(&rejected);
            assert_eq!(MprAdminInitializeDll(), NO_ERROR);
        }
        OVER.store(true, SeqCst);
    });
    assert_eq!(ERRORS.load(SeqCst), 0);
    let life = ["terminate", "dropped", "initialize"];
    assert_eq!(events(), life.repeat(LIVES));
}

/// Several threads call terminate at once. One ends the DLL, and none returns before that.
#[test]
fn terminates_at_once_end_it_once() {
    let _turn = turn();
    hold();
    thread::scope(|scope| {
        let link = scope.spawn(link);
        wait_for_links(1);
        let ending: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let code = terminate(AN_HOUR);
                    (code, world().events.clone())
                })
            })
            .collect();
        while connection() == TRUE {
            thread::yield_now();
        }
        release_calls();
        assert_eq!(link.join().unwrap(), TRUE);
        for ending in ending {
            assert_eq!(ending.join().unwrap(), (NO_ERROR, vec!["terminate".to_owned(), "dropped".to_owned()]));
        }
    });
}

#[test]
fn unless_implemented_it_is_logged_and_terminated() {
    struct Plain(AtomicUsize);
    impl AdminDll for Plain {
        fn initialize(_: &Environment) -> Result<Self, InitializeError> {
            Ok(Self(AtomicUsize::new(0)))
        }
        fn terminate(&self) {
            self.0.fetch_add(1, SeqCst);
        }
        fn accept_connection(&self, _: &Connection) -> Verdict {
            // A call that terminates its own DLL is inside.
            assert_eq!(terminate_within(&SLOT, AN_HOUR), ERROR_BUSY);
            assert_eq!(self.0.load(SeqCst), 1);
            Verdict::Accept
        }
        fn connection_hangup(&self, _: &Connection) {}
        fn accept_link(&self, _: &Link) -> Verdict {
            Verdict::Accept
        }
        fn link_hangup(&self, _: &Link) {}
        fn accept_reauthentication(&self, _: &Connection) -> Verdict {
            Verdict::Accept
        }
    }
    static SLOT: rasadmin_sdk::Slot<Plain> = rasadmin_sdk::Slot::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.log");
    let _turn = turn();
    log::open(&path).unwrap();
    assert_eq!(rasadmin_sdk::boundary::initialize(&SLOT, rasadmin_sdk::FunctionSet::EMPTY), NO_ERROR);
    let (mut c0, mut c1) = (RAS_CONNECTION_0::default(), RAS_CONNECTION_1::default());
    let pointers = [(&raw mut c0).cast(), (&raw mut c1).cast()];
    let function = FunctionId::AcceptNewConnection;
    // SAFETY: whole structures.
    let accepted = unsafe { rasadmin_sdk::boundary::ask(&SLOT, function, &pointers, Plain::accept_connection) };
    assert_eq!(accepted, TRUE);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(
        text.contains("ERROR terminated while calls are inside: MprAdminAcceptNewConnection (1); the DLL"),
        "{text}"
    );
}

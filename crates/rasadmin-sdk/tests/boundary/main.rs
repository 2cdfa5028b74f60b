//! The boundary between RRAS and the DLL's methods: every export, called as a faulty caller might.
#![allow(clippy::unwrap_used)]

mod addresses;

use rasadmin_sdk::abi::*;
use rasadmin_sdk::{
    AddressRequest, AdminDll, AssignIpv4, AssignIpv6, Assignment, Connection, Environment, FunctionId, FunctionSet,
    InitializeError, InterfaceId, Link, Refusal, Verdict, export_admin_dll, log,
};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ptr::null_mut;
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};

/// What the methods of the test's DLL do, and the log of their calls.
struct World {
    calls: Vec<String>,
    act: fn(&str),
    verdict: fn() -> Verdict,
    ipv4: fn(Ipv4Addr) -> Result<Assignment<Ipv4Addr>, Refusal>,
    ipv6: fn(InterfaceId) -> Result<Assignment<InterfaceId>, Refusal>,
    start: fn() -> Result<(), InitializeError>,
}

const QUIET: World = World {
    calls: Vec::new(),
    act: |_| {},
    verdict: || Verdict::Accept,
    ipv4: |offer| Ok(Assignment::of(offer)),
    ipv6: |offer| Ok(Assignment::of(offer)),
    start: || Ok(()),
};
static WORLD: Mutex<World> = Mutex::new(QUIET);
/// The exports share one instance, so the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn world() -> MutexGuard<'static, World> {
    WORLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs a call, then runs `act` outside the lock, because it may panic or wait.
fn log_call(what: String) {
    let act = {
        let mut world = world();
        world.calls.push(what.clone());
        world.act
    };
    act(&what);
}

struct Probe;

impl AdminDll for Probe {
    fn initialize(environment: &Environment) -> Result<Self, InitializeError> {
        log_call(format!("initialize {}", environment.function()));
        (world().start)().map(|()| Self)
    }
    fn terminate(&self) {
        log_call("terminate".into());
    }
    fn accept_connection(&self, c: &Connection) -> Verdict {
        log_call(format!(
            "accept {} user={} units={} handle={}",
            c.function(),
            c.user(),
            c.user().units().len(),
            c.handle()
        ));
        (world().verdict)()
    }
    fn connection_hangup(&self, c: &Connection) {
        log_call(format!("hangup {} user={} truncated={}", c.function(), c.user(), c.is_truncated()));
    }
    fn accept_link(&self, l: &Link) -> Verdict {
        let tunnel = l.tunnel().map_or("none".to_owned(), |t| t.to_string());
        log_call(format!("link port={} tunnel={tunnel} handle={}", l.port(), l.connection_handle()));
        (world().verdict)()
    }
    fn link_hangup(&self, l: &Link) {
        log_call(format!("link hangup port={} truncated={}", l.port(), l.is_truncated()));
    }
    fn accept_reauthentication(&self, c: &Connection) -> Verdict {
        log_call(format!("reauthentication {} {:?}", c.function(), c.quarantine()));
        (world().verdict)()
    }
    fn accept_endpoint_change(&self, c: &Connection) -> Verdict {
        log_call(format!("endpoint {}", c.remote_endpoint()));
        (world().verdict)()
    }
}

impl AssignIpv4 for Probe {
    fn assign_ipv4(&self, r: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal> {
        log_call(format!("ipv4 user={} units={} port={} {}", r.user(), r.user().units().len(), r.port(), r.address()));
        (world().ipv4)(r.address())
    }
    fn release_ipv4(&self, r: &AddressRequest<Ipv4Addr>) {
        log_call(format!("ipv4 release {}", r.address()));
    }
}

impl AssignIpv6 for Probe {
    fn assign_ipv6(&self, r: &AddressRequest<Ipv6Addr>) -> Result<Assignment<InterfaceId>, Refusal> {
        log_call(format!("ipv6 {}", r.address()));
        (world().ipv6)(r.offered_identifier())
    }
    fn release_ipv6(&self, r: &AddressRequest<Ipv6Addr>) {
        log_call(format!("ipv6 release {}", r.address()));
    }
}

export_admin_dll!(Probe, ipv4, ipv6);

/// A test's turn, with an initialised DLL.
fn turn(change: impl FnOnce(&mut World)) -> MutexGuard<'static, ()> {
    let turn = idle();
    assert_eq!(initialize_ex().0, 0);
    let mut world = world();
    world.calls.clear();
    change(&mut world);
    turn
}

/// A test's turn, with a DLL that is not initialised.
fn idle() -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *world() = QUIET;
    // SAFETY: it takes nothing.
    unsafe { MprAdminTerminateDll() };
    *world() = QUIET;
    turn
}

fn calls() -> Vec<String> {
    std::mem::take(&mut world().calls)
}

fn initialize_ex() -> (u32, MPRAPI_ADMIN_DLL_CALLBACKS) {
    let mut table = MPRAPI_ADMIN_DLL_CALLBACKS::default();
    // SAFETY: the table is writable.
    (unsafe { MprAdminInitializeDllEx(&mut table) }, table)
}

fn put(array: &mut [u16], text: &str) {
    array.iter_mut().zip(text.encode_utf16()).for_each(|(to, unit)| *to = unit);
}

fn ex(user: &str) -> RAS_CONNECTION_EX {
    let header = MPRAPI_OBJECT_HEADER { revision: 1, r#type: 1, size: size_of::<RAS_CONNECTION_EX>() as u16 };
    let mut c = RAS_CONNECTION_EX { Header: header, ..Default::default() };
    put(&mut c.wszUserName, user);
    c.hConnection = std::ptr::without_provenance_mut(7);
    c
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Calls AcceptNewConnectionEx.
fn accept(c: &mut RAS_CONNECTION_EX) -> BOOL {
    // SAFETY: a whole structure.
    unsafe { MprAdminAcceptNewConnectionEx(c) }
}

fn get_ipv4(user: &[u16], address: &mut u32, notify: &mut BOOL) -> u32 {
    // SAFETY: terminated names and writable outputs.
    unsafe { MprAdminGetIpAddressForUser(user.as_ptr(), wide("VPN0-1").as_ptr(), address, notify) }
}

fn get_ipv6(offer: [u8; 16]) -> (u32, [u8; 16], BOOL) {
    let mut address = IN6_ADDR { u: IN6_ADDR_0 { Byte: offer } };
    let mut notify = 9;
    // SAFETY: terminated names and writable outputs; a union of plain bytes.
    unsafe {
        let code = MprAdminGetIpv6AddressForUser(wide("a").as_ptr(), wide("p").as_ptr(), &mut address, &mut notify);
        (code, address.u.Byte, notify)
    }
}

const OFFER: [u8; 4] = [10, 8, 0, 5];

#[test]
fn the_table_has_what_was_named_and_nothing_else() {
    let _turn = idle();
    let (code, table) = initialize_ex();
    assert_eq!((code, table.revision), (0, 2));
    let set = [
        table.lpfnMprAdminGetIpAddressForUser.is_some(),
        table.lpfnMprAdminReleaseIpAddress.is_some(),
        table.lpfnMprAdminGetIpv6AddressForUser.is_some(),
        table.lpfnMprAdminReleaseIpV6AddressForUser.is_some(),
        table.lpfnRasAdminAcceptNewLink.is_some(),
        table.lpfnRasAdminLinkHangupNotification.is_some(),
        table.lpfnRasAdminTerminateDll.is_some(),
        table.lpfnRasAdminAcceptNewConnectionEx.is_some(),
        table.lpfnRasAdminAcceptEndpointChangeEx.is_some(),
        table.lpfnRasAdminAcceptReauthenticationEx.is_some(),
        table.lpfnRasAdminConnectionHangupNotificationEx.is_some(),
    ];
    assert_eq!(set, [true; 11]);
    assert!(table.lpfnRASValidatePreAuthenticatedConnectionEx.is_none(), "null unless named");
    let callbacks: FunctionSet = rasadmin_callbacks().1;
    assert_eq!(callbacks.len(), 11);
}

#[test]
fn initialise_and_terminate_come_in_any_order() {
    let _turn = idle();
    let mut c = ex("alice");
    assert_eq!(accept(&mut c), FALSE, "before initialise");
    assert_eq!(get_ipv4(&wide("a"), &mut 5, &mut 0), ERROR_NOT_READY);
    // SAFETY: as above.
    unsafe { MprAdminConnectionHangupNotificationEx(&mut c) };
    assert_eq!(calls(), Vec::<String>::new());
    assert_eq!(MprAdminInitializeDll(), 0);
    let (code, table) = initialize_ex();
    assert_eq!((code, table.revision), (0, 2), "a second initialise still fills the table");
    assert_eq!(MprAdminInitializeDll(), 0);
    assert_eq!(accept(&mut c), TRUE);
    // SAFETY: it takes nothing.
    assert_eq!(unsafe { MprAdminTerminateDll() }, 0);
    assert_eq!(accept(&mut c), FALSE, "one terminate ends it");
    // SAFETY: it takes nothing.
    assert_eq!(unsafe { MprAdminTerminateDll() }, 0, "and a second harms nothing");
    assert_eq!(initialize_ex().0, 0);
    assert_eq!(accept(&mut c), TRUE, "a later initialise starts afresh");
    let accept = "accept MprAdminAcceptNewConnectionEx user=alice units=5 handle=7";
    let expected =
        ["initialize MprAdminInitializeDll", accept, "terminate", "initialize MprAdminInitializeDllEx", accept];
    assert_eq!(calls(), expected);
}

#[test]
fn a_failing_initialise_answers_its_code_and_leaves_nothing() {
    let _turn = idle();
    world().start = || Err(InitializeError::new(1610, "no config"));
    let (code, table) = initialize_ex();
    assert_eq!((code, table.revision), (1610, 0), "the table stays as it was");
    assert_eq!(accept(&mut ex("a")), FALSE);
    world().start = || Err(std::io::Error::from_raw_os_error(2).into());
    assert_eq!(MprAdminInitializeDll(), 2, "the system's code");
    world().start = || Err(InitializeError::new(0, "a code of 0 would be success"));
    assert_eq!(MprAdminInitializeDll(), ERROR_INVALID_PARAMETER);
}

#[test]
fn a_table_that_cannot_be_filled_in_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.log");
    let _turn = turn(|_| {});
    log::open(&path).unwrap();
    let mut table = MPRAPI_ADMIN_DLL_CALLBACKS::default();
    for table in [null_mut(), (&raw mut table).wrapping_byte_add(1)] {
        // SAFETY: the test checks that neither is written to.
        assert_eq!(unsafe { MprAdminInitializeDllEx(table) }, ERROR_INVALID_PARAMETER);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(
        matches!(lines[..], [null, misaligned] if null.contains("is null") && misaligned.contains("is misaligned")),
        "{text}"
    );
    assert!(lines.iter().all(|line| line.contains("function=MprAdminInitializeDllEx code=87")), "{text}");
}

/// Calls each export with each of its pointers null and the others valid.
#[test]
fn null_pointers_get_the_safe_answer() {
    let _turn = turn(|_| {});
    let (mut c0, mut c1, mut c2, mut c3) = (
        RAS_CONNECTION_0::default(),
        RAS_CONNECTION_1::default(),
        RAS_CONNECTION_2::default(),
        RAS_CONNECTION_3::default(),
    );
    let (mut p0, mut p1) = (RAS_PORT_0::default(), RAS_PORT_1::default());
    put(&mut c0.wszUserName, "alice");
    let (c0, c1, c2, c3): (*mut _, *mut _, *mut _, *mut _) = (&mut c0, &mut c1, &mut c2, &mut c3);
    let (p0, p1): (*mut _, *mut _) = (&mut p0, &mut p1);
    // SAFETY: whole structures or null.
    unsafe {
        assert_eq!(MprAdminAcceptNewConnection(c0, c1), TRUE);
        assert_eq!(MprAdminAcceptNewConnection(null_mut(), c1), FALSE);
        assert_eq!(MprAdminAcceptNewConnection(c0, null_mut()), FALSE);
        assert_eq!(MprAdminAcceptNewConnection2(c0, c1, c2), TRUE);
        assert_eq!(MprAdminAcceptNewConnection2(c0, c1, null_mut()), FALSE);
        for at in 0..4 {
            let p = |index: usize| index != at;
            let (a, b) = (if p(0) { c0 } else { null_mut() }, if p(1) { c1 } else { null_mut() });
            let (c, d) = (if p(2) { c2 } else { null_mut() }, if p(3) { c3 } else { null_mut() });
            assert_eq!(MprAdminAcceptNewConnection3(a, b, c, d), FALSE);
            assert_eq!(MprAdminAcceptReauthentication(a, b, c, d), FALSE);
        }
        assert_eq!(MprAdminAcceptNewConnection3(c0, c1, c2, c3), TRUE);
        assert_eq!(MprAdminAcceptNewConnectionEx(null_mut()), FALSE);
        assert_eq!(MprAdminAcceptReauthenticationEx(null_mut()), FALSE);
        assert_eq!(rasadmin_accept_endpoint_change(null_mut()), FALSE);
        assert_eq!(MprAdminAcceptNewLink(p0, null_mut()), FALSE);
        assert_eq!(MprAdminAcceptNewLink(null_mut(), p1), FALSE);
        calls();
        // Of a hangup, the SDK delivers what it can read.
        MprAdminConnectionHangupNotificationEx(null_mut());
        MprAdminConnectionHangupNotification(null_mut(), null_mut());
        MprAdminLinkHangupNotification(null_mut(), null_mut());
        assert_eq!(calls(), Vec::<String>::new());
        MprAdminConnectionHangupNotification3(c0, null_mut(), c2, c3);
        MprAdminLinkHangupNotification(p0, null_mut());
        assert_eq!(
            calls(),
            [
                "hangup MprAdminConnectionHangupNotification3 user=alice truncated=true",
                "link hangup port= truncated=true"
            ]
        );
        let (user, port) = (wide("alice"), wide("VPN0-1"));
        let (user, port) = (user.as_ptr(), port.as_ptr());
        let (mut ipv4, mut ipv6, mut notify) = (u32::from_ne_bytes(OFFER), IN6_ADDR::default(), 9);
        let (null, nobody) = (null_mut(), std::ptr::null());
        assert_eq!(MprAdminGetIpAddressForUser(nobody, port, &mut ipv4, &mut notify), 87);
        assert_eq!(notify, FALSE, "on every refusal");
        assert_eq!(MprAdminGetIpAddressForUser(user, nobody, &mut ipv4, &mut notify), 87);
        assert_eq!(MprAdminGetIpAddressForUser(user, port, null_mut(), &mut notify), 87);
        assert_eq!(MprAdminGetIpAddressForUser(user, port, &mut ipv4, null), 87);
        assert_eq!(MprAdminGetIpv6AddressForUser(nobody, port, &mut ipv6, &mut notify), 87);
        assert_eq!(MprAdminGetIpv6AddressForUser(user, nobody, &mut ipv6, &mut notify), 87);
        assert_eq!(MprAdminGetIpv6AddressForUser(user, port, null_mut(), &mut notify), 87);
        assert_eq!(MprAdminGetIpv6AddressForUser(user, port, &mut ipv6, null), 87);
        MprAdminReleaseIpAddress(nobody, port, &mut ipv4);
        MprAdminReleaseIpAddress(user, port, null_mut());
        assert_eq!(MprAdminReleaseIpv6AddressForUser(user, port, null_mut()), NO_ERROR);
        assert_eq!(calls(), Vec::<String>::new(), "none of these reached the DLL");
        assert_eq!(ipv4.to_ne_bytes(), OFFER, "left as it came");
    }
}

#[test]
fn misaligned_pointers_get_the_safe_answer() {
    let _turn = turn(|_| {});
    let mut room = vec![0u64; 300];
    let misaligned = room.as_mut_ptr().cast::<u8>().wrapping_add(1);
    // SAFETY: the room is larger than every structure; the pointers are misaligned, which the test checks.
    unsafe {
        assert_eq!(MprAdminAcceptNewConnectionEx(misaligned.cast()), FALSE);
        assert_eq!(MprAdminAcceptNewConnection(misaligned.cast(), misaligned.cast()), FALSE);
        assert_eq!(MprAdminAcceptNewLink(misaligned.cast(), misaligned.cast()), FALSE);
        let (mut ipv4, mut notify) = (0, 0);
        let name = wide("a");
        assert_eq!(MprAdminGetIpAddressForUser(misaligned.cast(), name.as_ptr(), &mut ipv4, &mut notify), 87);
        assert_eq!(MprAdminGetIpAddressForUser(name.as_ptr(), name.as_ptr(), misaligned.cast(), &mut notify), 87);
        assert_eq!(MprAdminGetIpAddressForUser(name.as_ptr(), name.as_ptr(), &mut ipv4, misaligned.cast()), 87);
        assert_eq!(MprAdminInitializeDllEx(misaligned.cast()), 87);
    }
    assert_eq!(calls(), Vec::<String>::new());
}

#[test]
fn headers_are_checked() {
    let _turn = turn(|_| {});
    let mut c = ex("alice");
    for (revision, kind, size, expected) in [
        (1, 1, 1672, TRUE),
        (2, 1, 2000, TRUE), // A later Windows: the SDK reads the part that it knows.
        (1, 2, 1672, FALSE),
        (1, 1, 1671, FALSE),
        (1, 1, 0, FALSE),
        (0, 1, 1672, TRUE),
    ] {
        c.Header = MPRAPI_OBJECT_HEADER { revision, r#type: kind, size };
        assert_eq!(accept(&mut c), expected, "revision {revision}, type {kind}, size {size}");
    }
    calls();
    // The user's name is within the first 1,048 bytes.
    c.Header = MPRAPI_OBJECT_HEADER { revision: 1, r#type: 1, size: 1100 };
    // SAFETY: the structure is larger than its header says.
    unsafe { MprAdminConnectionHangupNotificationEx(&mut c) };
    assert_eq!(calls(), ["hangup MprAdminConnectionHangupNotificationEx user=alice truncated=true"]);
    c.Header.r#type = 4;
    // SAFETY: as above.
    unsafe { MprAdminConnectionHangupNotificationEx(&mut c) };
    assert_eq!(calls(), Vec::<String>::new(), "not a connection");
}

#[test]
fn names_without_an_end_are_read_to_the_arrays_end() {
    let _turn = turn(|_| {});
    let mut c = ex("");
    c.wszUserName = [b'x'.into(); 257];
    assert_eq!(accept(&mut c), TRUE);
    assert!(calls()[0].contains("units=257"));
    let (mut p0, mut p1) = (RAS_PORT_0::default(), RAS_PORT_1::default());
    p0.wszPortName = [b'p'.into(); 17];
    put(&mut p0.wszDeviceName, "WAN Miniport (L2TP)");
    p0.hConnection = std::ptr::without_provenance_mut(7);
    // SAFETY: whole structures.
    assert_eq!(unsafe { MprAdminAcceptNewLink(&mut p0, &mut p1) }, TRUE);
    assert_eq!(calls(), ["link port=ppppppppppppppppp tunnel=L2TP handle=7"]);
}

#[test]
fn a_name_of_256_units_is_whole_and_a_longer_one_is_refused() {
    let _turn = turn(|_| {});
    let (mut address, mut notify) = (u32::from_ne_bytes(OFFER), 9);
    assert_eq!(get_ipv4(&wide(&"x".repeat(256)), &mut address, &mut notify), 0);
    assert!(calls()[0].contains("units=256"));
    for long in [257, 65_536] {
        assert_eq!(get_ipv4(&wide(&"x".repeat(long)), &mut address, &mut notify), 87);
        assert_eq!((notify, address.to_ne_bytes()), (FALSE, OFFER));
    }
    assert_eq!(calls(), Vec::<String>::new(), "never a truncated name");
    let surrogate = [b'a'.into(), 0xD800, 0];
    assert_eq!(get_ipv4(&surrogate, &mut address, &mut notify), 0);
    assert!(calls()[0].contains("user=a\u{fffd} units=2"), "an unpaired surrogate is kept");
}

/// A payload whose destructor panics.
struct Nasty;

impl Drop for Nasty {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

#[test]
fn a_panic_costs_one_call_and_reaches_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panics.log");
    let _turn = turn(|world| {
        world.act = |what| {
            if what.contains("nasty") { std::panic::panic_any(Nasty) } else { panic!("oh no: {what}") }
        }
    });
    log::open(&path).unwrap();
    let (mut c, mut p0, mut p1) = (ex("alice"), RAS_PORT_0::default(), RAS_PORT_1::default());
    let (mut address, mut notify) = (u32::from_ne_bytes(OFFER), 9);
    // SAFETY: whole structures.
    unsafe {
        assert_eq!(MprAdminAcceptNewConnectionEx(&mut c), FALSE);
        assert_eq!(MprAdminAcceptReauthenticationEx(&mut c), FALSE);
        assert_eq!(rasadmin_accept_endpoint_change(&mut c), FALSE);
        assert_eq!(MprAdminAcceptNewLink(&mut p0, &mut p1), FALSE);
        MprAdminConnectionHangupNotificationEx(&mut c);
        MprAdminLinkHangupNotification(&mut p0, &mut p1);
        assert_eq!(get_ipv4(&wide("a"), &mut address, &mut notify), ERROR_INTERNAL_ERROR);
        assert_eq!((address.to_ne_bytes(), notify), (OFFER, FALSE));
        assert_eq!(get_ipv6([3; 16]).0, ERROR_INTERNAL_ERROR);
        MprAdminReleaseIpAddress(wide("a").as_ptr(), wide("p").as_ptr(), &mut address);
        assert_eq!(accept(&mut ex("nasty")), FALSE);
        assert_eq!(calls().len(), 10, "each reached the DLL");
        world().act = |_| {};
        assert_eq!(MprAdminAcceptNewConnectionEx(&mut c), TRUE, "and the next call works");
        world().act = |_| panic!("at the end");
        assert_eq!(MprAdminTerminateDll(), ERROR_INTERNAL_ERROR);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let link = "ERROR panic: oh no: link port= tunnel=none handle=0 function=MprAdminAcceptNewLink";
    assert!(text.contains(link), "{text}");
    assert!(text.contains("ERROR panic: at the end function=MprAdminTerminateDll"), "{text}");
    assert_eq!(text.lines().count(), 11, "one line a panic: {text}");
    world().act = |_| panic!("at the start");
    assert_eq!(initialize_ex().0, ERROR_INTERNAL_ERROR);
    assert_eq!(accept(&mut c), FALSE);
}

/// RRAS frees a DLL that does not start without a terminate, so its log must be closed.
#[test]
fn an_initialise_that_fails_leaves_its_reason_in_the_log_and_the_log_closed() {
    static PATH: Mutex<Option<std::path::PathBuf>> = Mutex::new(None);
    let open = || log::open(PATH.lock().unwrap().as_ref().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let starts: [fn() -> Result<(), InitializeError>; 2] =
        [|| Err(InitializeError::new(5, "no config")), || panic!("at the start")];
    for (at, (start, reason)) in starts.into_iter().zip(["no config", "at the start"]).enumerate() {
        let _turn = idle();
        let path = folder.path().join(format!("{at}.log"));
        *PATH.lock().unwrap() = Some(path.clone());
        open();
        world().start = start;
        assert_ne!(MprAdminInitializeDll(), 0);
        rasadmin_sdk::tracing::warn!("after the end");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(reason) && !text.contains("after the end"), "{text}");
    }
}

/// A null table is refused first, so it does not close the log of a running DLL.
#[test]
fn a_null_table_does_not_close_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("running.log");
    let _turn = turn(|_| {});
    log::open(&path).unwrap();
    // SAFETY: the test checks null.
    assert_eq!(unsafe { MprAdminInitializeDllEx(null_mut()) }, ERROR_INVALID_PARAMETER);
    rasadmin_sdk::tracing::warn!("still open");
    assert!(std::fs::read_to_string(&path).unwrap().contains("still open"));
}

#[test]
fn half_a_link_hangup_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.log");
    let _turn = turn(|_| {});
    log::open(&path).unwrap();
    // SAFETY: a whole structure and null, which the test checks.
    unsafe { MprAdminLinkHangupNotification(&mut RAS_PORT_0::default(), null_mut()) };
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("delivered only what could be read: ") && text.contains(" is null"), "{text}");
}

#[test]
fn a_rejection_reaches_the_log_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rejections.log");
    let _turn = turn(|world| world.verdict = || Verdict::reject("office hours are over"));
    log::open(&path).unwrap();
    assert_eq!(accept(&mut ex("alice\nforged")), FALSE);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("rejected alice\\nforged: office hours are over"), "{text}");
}

/// A DLL that logs the reason itself has one line in the log, not two.
#[test]
fn an_empty_reason_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.log");
    let (name, mut address, mut notify) = (wide("a"), u32::from_ne_bytes(OFFER), FALSE);
    {
        let _turn = turn(|world| {
            world.verdict = || Verdict::reject("");
            world.ipv4 = |_| Err(Refusal::new(""));
        });
        log::open(&path).unwrap();
        assert_eq!(accept(&mut ex("alice")), FALSE);
        // SAFETY: terminated names, writable outputs.
        let code = unsafe { MprAdminGetIpAddressForUser(name.as_ptr(), name.as_ptr(), &mut address, &mut notify) };
        assert_eq!(code, ERROR_ACCESS_DENIED);
    }
    let _turn = idle();
    log::open(&path).unwrap();
    world().start = || Err(InitializeError::new(5, ""));
    assert_eq!(MprAdminInitializeDll(), 5);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
}

/// Calls may overlap: one method waits for another to begin.
#[test]
fn calls_overlap() {
    static BOTH: Barrier = Barrier::new(2);
    let _turn = turn(|world| {
        world.act = |_| {
            BOTH.wait();
        }
    });
    std::thread::scope(|scope| {
        let connection = scope.spawn(|| accept(&mut ex("alice")));
        // SAFETY: whole structures.
        let link =
            scope.spawn(|| unsafe { MprAdminAcceptNewLink(&mut RAS_PORT_0::default(), &mut RAS_PORT_1::default()) });
        assert_eq!((connection.join().unwrap(), link.join().unwrap()), (TRUE, TRUE));
    });
    world().act = |_| {};
}

#[test]
fn the_views_read_every_form() {
    let _turn = turn(|_| {});
    let (mut c0, mut c1, mut c2, mut c3) = (
        RAS_CONNECTION_0::default(),
        RAS_CONNECTION_1::default(),
        RAS_CONNECTION_2::default(),
        RAS_CONNECTION_3::default(),
    );
    put(&mut c0.wszUserName, "old");
    c0.hConnection = std::ptr::without_provenance_mut(3);
    c3.rasQuarState = RAS_QUAR_STATE_PROBATION;
    // SAFETY: whole structures.
    unsafe {
        MprAdminAcceptNewConnection(&mut c0, &mut c1);
        MprAdminAcceptReauthentication(&mut c0, &mut c1, &mut c2, &mut c3);
        let mut c = ex("new");
        put(&mut c.wszRemoteEndpointAddress, "203.0.113.9");
        rasadmin_accept_endpoint_change(&mut c);
    }
    let expected = [
        "accept MprAdminAcceptNewConnection user=old units=3 handle=3",
        "reauthentication MprAdminAcceptReauthentication Some(Probation)",
        "endpoint 203.0.113.9",
    ];
    assert_eq!(calls(), expected);
    assert_eq!(FunctionId::from_export("MprAdminAcceptTunnelEndpointChangeEx"), None, "in the table only");
}

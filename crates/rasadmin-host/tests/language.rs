//! Every word of docs/scenario.md produces the calls that the page describes.
#![allow(clippy::unwrap_used)]

mod support;

use mprapi::FunctionId as F;
use mprapi::abi::{RAS_CONNECTION_EX, RAS_PORT_0, RAS_PORT_1};
use rasadmin_host::assumptions::Assumption;
use rasadmin_host::clock::Clock;
use rasadmin_host::dll::Returned;
use rasadmin_host::outcome::RunSummary;
use rasadmin_host::runner::{RunOptions, run};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::{Observer, Options, Service};
use rasadmin_trace::{Buffer, Call};
use std::mem::offset_of;
use std::sync::{Arc, Mutex};
use support::Dll;

const HEAD: &str = "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\nipv6-prefix 2001:db8::/64\n";

fn parse(text: &str) -> Scenario {
    Scenario::parse("day", &format!("{HEAD}{text}")).unwrap_or_else(|e| panic!("{e}"))
}

/// Collects every call.
struct CallLog(Arc<Mutex<Vec<Call>>>);

impl Observer for CallLog {
    fn before(&self, _: F, _: &[Buffer]) {}

    fn after(
        &self,
        function: F,
        arguments: &[Buffer],
        returned: Returned,
        changed: &[(mprapi::contract::ArgumentType, Buffer)],
    ) {
        let (arguments, after) = (arguments.to_vec(), changed.to_vec());
        let call = Call { seq: 0, at_us: 0, dll: 0, function, arguments, result: returned.result, after, took_ns: 0 };
        self.0.lock().unwrap().push(call);
    }
}

/// Runs the scenario with a DLL. Returns the results and the calls.
fn play_to(dll: &Dll, text: &str) -> (RunSummary, Vec<Call>) {
    let scenario = parse(text);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let mut options = Options::new(scenario.pool.clone());
    options.assumptions = scenario.assumptions;
    options.observer = Some(Box::new(CallLog(calls.clone())));
    let service = Service::start(std::slice::from_ref(&dll.path), options).unwrap();
    let day = run(&service, &scenario, RunOptions::threads(1));
    service.stop().unwrap();
    let calls = std::mem::take(&mut *calls.lock().unwrap());
    (day, calls)
}

fn play(text: &str) -> Vec<Call> {
    play_to(&Dll::good(), text).1
}

/// Short names of the calls, in order.
fn short(calls: &[Call]) -> Vec<&'static str> {
    let names = calls.iter().map(|call| match call.function {
        F::GetIpAddressForUser => "get",
        F::GetIpv6AddressForUser => "get6",
        F::AcceptNewConnectionEx => "accept",
        F::AcceptNewLink => "link",
        F::LinkHangupNotification => "unlink",
        F::ConnectionHangupNotificationEx => "hangup",
        F::AcceptReauthenticationEx => "reauthenticate",
        F::ReleaseIpAddress => "release",
        F::ReleaseIpv6AddressForUser => "release6",
        F::TerminateDll => "terminate",
        other => other.name(),
    });
    names.filter(|name| *name != "terminate").collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn of(calls: &[Call], function: F) -> Vec<&Call> {
    calls.iter().filter(|call| call.function == function).collect()
}

fn bytes(call: &Call, argument: usize) -> &[u8] {
    match &call.arguments[argument] {
        Buffer::Bytes(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

fn text(call: &Call, argument: usize) -> String {
    match &call.arguments[argument] {
        Buffer::Text(units) => String::from_utf16_lossy(units),
        other => panic!("{other:?}"),
    }
}

fn number<const N: usize>(call: &Call, argument: usize, offset: usize) -> [u8; N] {
    bytes(call, argument)[offset..offset + N].try_into().unwrap()
}

fn name(call: &Call, argument: usize, offset: usize) -> String {
    let units = bytes(call, argument)[offset..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    String::from_utf16_lossy(&units.take_while(|&unit| unit != 0).collect::<Vec<_>>())
}

/// A name in the structure of every call of the function.
macro_rules! names {
    ($calls:expr, $function:expr, $ty:ty, $($field:tt)+) => {
        of(&$calls, $function).into_iter().map(|call| name(call, 0, offset_of!($ty, $($field)+))).collect::<Vec<_>>()
    };
}

const ALICE: &str = r"08:00:00 connect alice user=CORP\alice tunnel=sstp from=203.0.113.1 computer=PC";

#[test]
fn a_notification_is_lost_comes_twice_or_late() {
    let calls = |end: &str| play(&format!("{ALICE}\n09:00:00 hangup alice {end}"));
    assert_eq!(short(&calls("received=1")), words("get accept link unlink hangup release"));
    assert_eq!(short(&calls("lose=release")), words("get accept link unlink hangup"));
    assert_eq!(short(&calls("lose=link,connection")), words("get accept link release"));
    assert_eq!(short(&calls("twice=link,release")), words("get accept link unlink unlink hangup release release"));
    let late = calls("lose=link,release\n10:00:00 deliver alice release\n10:00:01 deliver alice link");
    assert_eq!(short(&late), words("get accept link hangup release unlink"));
    let repeated = calls("received=1\n10:00:00 deliver alice connection,link");
    assert_eq!(short(&repeated), words("get accept link unlink hangup release hangup unlink"));
    let until = play(&format!("{ALICE} until=09:00:00 lose=connection twice=release"));
    assert_eq!(short(&until), words("get accept link unlink release release"));
}

#[test]
fn a_lost_release_is_lost_to_the_dll_and_not_to_rras() {
    let offered = |call: &Call| number::<4>(call, 2, 0)[3];
    let text = format!(
        "{ALICE} until=09:00:00 lose=release\n09:00:01 connect b user=b tunnel=sstp from=203.0.113.2 offer=10.20.0.2"
    );
    let calls = play(&text);
    assert_eq!(of(&calls, F::GetIpAddressForUser).into_iter().map(offered).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn a_hangup_reports_the_duration_of_the_scenario() {
    let calls = play(&format!("{ALICE}\n09:00:00 hangup alice duration=4294967295 received=7 sent=5000000000"));
    let [hangup] = of(&calls, F::ConnectionHangupNotificationEx)[..] else { panic!() };
    let field = |offset| u32::from_le_bytes(number(hangup, 0, offset));
    assert_eq!(field(offset_of!(RAS_CONNECTION_EX, dwConnectDuration)), u32::MAX);
    assert_eq!(field(offset_of!(RAS_CONNECTION_EX, dwBytesRcved)), 7);
    assert_eq!(field(offset_of!(RAS_CONNECTION_EX, dwBytesXmited)), 5_000_000_000_u64 as u32);
    let [link] = of(&calls, F::LinkHangupNotification)[..] else { panic!() };
    assert_eq!(number::<4>(link, 0, offset_of!(RAS_PORT_0, dwConnectDuration)), [255; 4]);
    assert_eq!(number::<4>(link, 1, offset_of!(RAS_PORT_1, dwBytesRcved)), [7, 0, 0, 0]);
}

#[test]
fn ports_are_as_named_and_can_be_used_again_while_their_session_lives() {
    let calls = play(
        "08:00:00 connect a user=a tunnel=l2tp from=203.0.113.1 port=VPN3-1\n08:01:00 link a port=VPN3-2\n\
         08:02:00 unlink a port=VPN3-1\n08:03:00 connect b user=b tunnel=l2tp from=203.0.113.2 port=VPN3-1\n\
         08:04:00 connect c user=c tunnel=l2tp from=203.0.113.3\n09:00:00 hangup a\n",
    );
    let port = |function| names!(calls, function, RAS_PORT_0, wszPortName);
    assert_eq!(port(F::AcceptNewLink), ["VPN3-1", "VPN3-2", "VPN3-1", "VPN3-3"]);
    assert_eq!(port(F::LinkHangupNotification), ["VPN3-1", "VPN3-2", "VPN3-1", "VPN3-3"]);
    let released = of(&calls, F::ReleaseIpAddress).into_iter().map(|call| text(call, 1)).collect::<Vec<_>>();
    assert_eq!(released, ["VPN3-1", "VPN3-1", "VPN3-3"], "with the port of the address call, though its link has gone");
    // A named port can be another session's, too.
    let calls = play(
        "08:00:00 connect a user=a tunnel=sstp from=203.0.113.1 port=VPN0-7\n\
         08:01:00 connect b user=b tunnel=sstp from=203.0.113.2 port=VPN0-7\n",
    );
    assert_eq!(names!(calls, F::AcceptNewLink, RAS_PORT_0, wszPortName), ["VPN0-7", "VPN0-7"]);
    let lost =
        play(&format!("{ALICE}\n08:01:00 link alice\n08:02:00 unlink alice lose=link\n08:03:00 deliver alice link"));
    assert_eq!(short(&lost), words("get accept link link unlink unlink hangup release"));
}

#[test]
fn handles_and_guids_repeat_on_demand() {
    let calls = play(&format!(
        "{ALICE} until=09:00:00\n\
         10:00:00 connect b user=b tunnel=sstp from=203.0.113.2 handle=alice guid=alice\n\
         10:01:00 connect c user=c tunnel=sstp from=203.0.113.3 handle=4711 guid=none\n"
    ));
    let accepts = of(&calls, F::AcceptNewConnectionEx);
    let handle = |call| u64::from_le_bytes(number(call, 0, offset_of!(RAS_CONNECTION_EX, hConnection)));
    let guid = |call| number::<16>(call, 0, offset_of!(RAS_CONNECTION_EX, guid));
    assert_eq!(handle(accepts[0]), handle(accepts[1]));
    assert_eq!(guid(accepts[0]), guid(accepts[1]));
    assert_eq!((handle(accepts[2]), guid(accepts[2])), (4711, [0; 16]));
    assert_ne!(guid(accepts[0]), [0; 16]);
}

#[test]
fn a_user_has_another_form_at_the_address_call() {
    let alone = |more: &str| {
        let calls = play(&format!("{more}\n"));
        let at_address = of(&calls, F::GetIpAddressForUser).into_iter().map(|call| text(call, 0));
        let released = of(&calls, F::ReleaseIpAddress).into_iter().map(|call| text(call, 0));
        let forms: Vec<_> = at_address.chain(released).collect();
        assert_eq!(forms[0], forms[1], "a release carries the name of its address call");
        let user = names!(calls, F::AcceptNewConnectionEx, RAS_CONNECTION_EX, wszUserName).remove(0);
        let domain = names!(calls, F::AcceptNewConnectionEx, RAS_CONNECTION_EX, wszLogonDomain).remove(0);
        (forms[0].clone(), user, domain)
    };
    let forms = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(alone(ALICE), forms(r"CORP\alice", r"CORP\alice", "CORP"));
    assert_eq!(alone(&format!("{ALICE} address-user=alice@corp.example")).0, "alice@corp.example");
    let bare = format!("assume user-form=bare-at-address\n{ALICE}");
    assert_eq!(alone(&bare), forms("alice", r"CORP\alice", "CORP"));
    let bare = format!("assume user-form=bare-at-connection\n{ALICE}");
    assert_eq!(alone(&bare), forms(r"CORP\alice", "alice", "CORP"));
}

#[test]
fn ikev2_comes_without_a_link_or_with_a_late_one() {
    let bob = "08:00:00 connect bob user=bob tunnel=ikev2 from=203.0.113.2 computer=PC";
    let end = "09:00:00 hangup bob";
    assert_eq!(short(&play(&format!("{bob}\n{end}"))), words("get accept link unlink hangup release"));
    assert_eq!(short(&play(&format!("{bob} no-link\n{end}"))), words("get accept hangup release"));
    let never = format!("assume ikev2-link=not-called\n{bob}\n{end}");
    assert_eq!(short(&play(&never)), words("get accept hangup release"));
    let late = play(&format!("{bob} no-link\n08:05:00 link bob\n{end}"));
    assert_eq!(short(&late), words("get accept link unlink hangup release"));
    let elsewhere = play(&format!("{bob} no-link port=VPN2-5\n08:05:00 link bob port=VPN2-6\n{end}"));
    assert_eq!(names!(elsewhere, F::AcceptNewLink, RAS_PORT_0, wszPortName), ["VPN2-6"]);
    let rejects = Dll::scripted("good-rev2", "MprAdminAcceptNewLink reject\n");
    let (day, calls) = play_to(&rejects, &format!("{bob} no-link\n08:05:00 link bob\nexpect bob cut"));
    assert_eq!(short(&calls), words("get accept link hangup release"), "a late first link that is rejected ends it");
    assert_eq!(parse(&format!("{bob}\nexpect bob cut")).faults(&day), Vec::<String>::new());
    let flags = |head: &str| {
        let calls = play(&format!("{head}\n{bob}\n"));
        let accept = of(&calls, F::AcceptNewConnectionEx)[0];
        let computer = name(accept, 0, offset_of!(RAS_CONNECTION_EX, wszRemoteComputer));
        (u32::from_le_bytes(number(accept, 0, offset_of!(RAS_CONNECTION_EX, dwConnectionFlags))) & 0x10, computer)
    };
    assert_eq!(flags(""), (0x10, "PC".to_owned()));
    assert_eq!(flags("assume ikev2-flags=zero"), (0, "PC".to_owned()));
    assert_eq!(flags("assume ikev2-computer=empty"), (0x10, String::new()));
}

#[test]
fn an_ipv6_offer_is_what_the_scenario_says() {
    let offer = |head: &str, more: &str| {
        let calls = play(&format!("{head}\n{ALICE} ipv6 {more}"));
        let connection = of(&calls, F::AcceptNewConnectionEx)[0];
        let arm = offset_of!(RAS_CONNECTION_EX, ProjectionInfo) + offset_of!(mprapi::abi::PROJECTION_INFO, Anonymous);
        let remote = offset_of!(mprapi::abi::PPP_PROJECTION_INFO, bRemoteInterfaceIdentifier);
        let negotiated = number::<8>(connection, 0, arm + remote);
        (number::<16>(of(&calls, F::GetIpv6AddressForUser)[0], 2, 0), negotiated)
    };
    let halves = |bytes: [u8; 16]| {
        let (high, low) = bytes.split_at(8);
        (high.iter().any(|&byte| byte != 0), low.iter().any(|&byte| byte != 0))
    };
    let (own, negotiated) = offer("", "");
    assert_eq!((halves(own), &own[8..]), ((false, true), &negotiated[..]));
    assert_eq!(offer("", "ipv6-offer=::").0, [0; 16]);
    assert_eq!(offer("", "ipv6-offer=::fdff:ffff:ffff:ff80").0[8..], [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80]);
    let (high, negotiated) = offer("", "ipv6-offer=high-only");
    assert_eq!((halves(high), &high[..8]), ((true, false), &negotiated[..]));
    let (high, negotiated) = offer("assume identifier-half=high", "");
    assert_eq!((halves(high), &high[..8]), ((true, false), &negotiated[..]));
    assert_eq!(offer("assume ipv6-offer=zero", "").0, [0; 16]);
    let (_, local) = offer("assume projection=local-is-client", "");
    assert_eq!(local, [0, 0, 0, 0, 0, 0, 0, 1], "the server's is in the remote field then");
}

#[test]
fn an_ipv4_offer_of_zero_can_be_assumed() {
    // The fixture keeps the offer, and RRAS refuses it.
    let (day, calls) = play_to(&Dll::good(), &format!("assume ipv4-offer=zero\n{ALICE}"));
    assert_eq!(number::<4>(of(&calls, F::GetIpAddressForUser)[0], 2, 0), [0; 4]);
    assert_eq!(day.outcomes[0].refused.and_then(|refused| refused.code()), Some(1168));
    let own = play_to(&Dll::good(), &format!("{ALICE} offer=10.20.0.1")).0;
    assert_eq!(own.outcomes[0].refused.and_then(|refused| refused.code()), Some(1168), "the server's own");
}

#[test]
fn addresses_are_asked_for_alone_and_the_connection_later_or_never() {
    let alone = "08:00:00 address a user=a tunnel=sstp from=203.0.113.1";
    assert_eq!(short(&play(&format!("{alone}\n08:01:00 accept a"))), words("get accept link unlink hangup release"));
    assert_eq!(short(&play(alone)), words("get release"));
    assert_eq!(short(&play(&format!("{alone}\n08:01:00 hangup a lose=release"))), words("get"));
    let (day, _) = play_to(&Dll::good(), alone);
    let faults = |expected: &str| parse(&format!("{alone}\nexpect a {expected}")).faults(&day);
    assert_eq!(faults("addressed address=10.20.0.2"), Vec::<String>::new());
    assert_eq!(
        faults("accepted address=10.20.0.3"),
        ["day:5: a: expected accepted, address 10.20.0.3; found addressed, address 10.20.0.2"]
    );
}

#[test]
fn a_reauthentication_comes_after_the_end() {
    let calls = play(&format!("{ALICE} until=09:00:00\n10:00:00 reauthenticate alice quarantine=normal after-end"));
    assert_eq!(short(&calls), words("get accept link unlink hangup release reauthenticate"));
}

#[test]
fn the_last_calls_have_the_assumed_order() {
    let order = |value: &str| short(&play(&format!("assume hangup-order={value}\n{ALICE}")))[3..].to_vec();
    assert_eq!(order("releases-last"), words("unlink hangup release"));
    assert_eq!(order("releases-first"), words("release unlink hangup"));
    assert_eq!(order("connection-first"), words("hangup unlink release"));
}

#[test]
fn the_assumption_says_which_dlls_get_the_hangup_of_a_rejection() {
    let (first, second) = (Dll::good(), Dll::scripted("good-rev2", "MprAdminAcceptNewConnectionEx reject\n"));
    let scenario = |value: &str| parse(&format!("assume rejected-connection={value}\n{ALICE}"));
    for (value, expected) in [("earlier-dlls", (1, 0)), ("nobody", (0, 0)), ("every-dll", (1, 1))] {
        let scenario = scenario(value);
        let before = [&first, &second].map(hangups);
        let mut options = Options::new(scenario.pool.clone());
        options.assumptions = scenario.assumptions;
        let service = Service::start(&[first.path.clone(), second.path.clone()], options).unwrap();
        run(&service, &scenario, RunOptions::threads(1));
        service.stop().unwrap();
        assert_eq!((hangups(&first) - before[0], hangups(&second) - before[1]), expected, "{value}");
    }
    let rejects = Dll::scripted("good-rev2", "MprAdminAcceptNewLink reject\n");
    let calls =
        |value: &str| short(&play_to(&rejects, &format!("assume rejected-first-link={value}\n{ALICE}")).1).len();
    assert_eq!((calls("every-dll"), calls("nobody")), (5, 4));
}

fn hangups(dll: &Dll) -> usize {
    dll.session_calls().iter().filter(|call| *call == "ConnectionHangupNotificationEx").count()
}

#[test]
fn free_handles_repeat_if_assumed() {
    let handles = |value: &str| {
        let calls = play(&format!(
            "assume handles={value}\n{ALICE} until=09:00:00\n10:00:00 connect b user=b tunnel=sstp from=203.0.113.2"
        ));
        let accepts = of(&calls, F::AcceptNewConnectionEx);
        let field = |call: &Call, offset| number::<8>(call, 0, offset);
        let handle = offset_of!(RAS_CONNECTION_EX, hConnection);
        let guid = offset_of!(RAS_CONNECTION_EX, guid);
        assert_ne!(field(accepts[0], guid), field(accepts[1], guid), "a GUID belongs to one connection");
        field(accepts[0], handle) == field(accepts[1], handle)
    };
    assert_eq!((handles("fresh"), handles("repeated")), (false, true));
}

#[test]
fn an_address_of_two_who_are_online_is_a_fault() {
    let dll = Dll::scripted("good-rev2", "MprAdminGetIpAddressForUser address=10.20.0.9 notify=1\n");
    let text = format!("{ALICE}\n08:01:00 connect b user=b tunnel=ikev2 from=203.0.113.2\nexpect b refused error=735");
    let (day, _) = play_to(&dll, &text);
    assert_eq!(
        parse(&text).faults(&day),
        [r"the DLL chose 10.20.0.9 for b on VPN2-1 while CORP\alice on VPN0-1 was online with it"]
    );
    // A session that has ended holds no address, and an offer that a DLL keeps is RRAS's own choice.
    let gone = format!("{ALICE} until=08:00:30\n08:01:00 connect b user=b tunnel=ikev2 from=203.0.113.2");
    assert_eq!(play_to(&dll, &gone).0.conflicts, []);
    let offered =
        format!("{ALICE} offer=10.20.0.5\n08:01:00 connect b user=b tunnel=sstp from=203.0.113.2 offer=10.20.0.5");
    assert_eq!(play_to(&Dll::good(), &offered).0.conflicts, []);
}

#[test]
fn expectations_are_compared_with_the_outcome() {
    let dll = Dll::scripted(
        "good-rev2",
        "MprAdminAcceptNewConnectionEx reject user=mallory\nMprAdminGetIpAddressForUser status=5 user=carol\n\
         MprAdminAcceptReauthenticationEx reject user=dora\n",
    );
    let text = "08:00:00 connect alice user=alice tunnel=sstp from=203.0.113.1 ipv6 ipv6-offer=::2a00:1\n\
                08:00:01 connect mallory user=mallory tunnel=sstp from=203.0.113.2\n\
                08:00:02 connect carol user=carol tunnel=sstp from=203.0.113.3\n\
                08:00:03 connect dora user=dora tunnel=sstp from=203.0.113.4\n\
                08:00:04 reauthenticate dora quarantine=normal\n";
    let (day, _) = play_to(&dll, text);
    let met = [
        "alice accepted address=10.20.0.2 identifier=::2a00:1 port=VPN0-1 address-differs-from=dora",
        "mallory rejected",
        "mallory denied",
        "carol refused error=5",
        "carol denied",
        "dora cut",
    ];
    for expected in met {
        assert_eq!(parse(&format!("{text}expect {expected}")).faults(&day), Vec::<String>::new(), "{expected}");
    }
    let unmet = [
        ("alice denied", "day:9: alice: expected denied; found accepted"),
        ("mallory accepted", "day:9: mallory: expected accepted; found rejected (the DLL rejected the connection)"),
        ("alice accepted port=VPN0-2", "day:9: alice: expected accepted, port VPN0-2; found accepted, port VPN0-1"),
        (
            "alice accepted address-differs-from=alice",
            "day:9: alice: expected accepted, address other than 10.20.0.2; found accepted, address 10.20.0.2",
        ),
        (
            "carol refused error=735",
            "day:9: carol: expected refused, error 735; found refused (the DLL gave no IPv4 address (error 5)), error 5",
        ),
    ];
    for (expected, fault) in unmet {
        assert_eq!(parse(&format!("{text}expect {expected}")).faults(&day), [fault]);
    }
}

/// The two functions that are called at once run at once, if they may.
#[test]
fn what_happens_at_once_overlaps() {
    let dll = Dll::scripted("good-rev2", "MprAdminAcceptNewLink sleep=60\nMprAdminAcceptReauthenticationEx sleep=60\n");
    play_to(
        &dll,
        "08:00:00 connect a user=a tunnel=sstp from=203.0.113.1\n08:00:00 connect b user=b tunnel=sstp from=203.0.113.2\n\
         08:01:00 link a\n& reauthenticate b quarantine=normal\n",
    );
    let log = dll.log();
    let reauthenticated =
        log.iter().position(|entry| entry.begins && entry.function == "MprAdminAcceptReauthenticationEx");
    let running = log[..reauthenticated.unwrap()].iter().fold(0, |n, entry| if entry.begins { n + 1 } else { n - 1 });
    let overtaken = log[reauthenticated.unwrap() + 1].begins;
    assert!(running == 1 || overtaken, "one of the two began before the other had ended: {log:?}");
}

/// Reads the clock's file before each call.
struct Clocks(std::path::PathBuf, Arc<Mutex<Vec<String>>>);

impl Observer for Clocks {
    fn before(&self, function: F, _: &[Buffer]) {
        if function == F::GetIpAddressForUser {
            self.1.lock().unwrap().push(std::fs::read_to_string(&self.0).unwrap());
        }
    }

    fn after(&self, _: F, _: &[Buffer], _: Returned, _: &[(mprapi::contract::ArgumentType, Buffer)]) {}
}

#[test]
fn the_time_of_day_is_stepped_and_the_monotonic_clock_is_not() {
    let scenario = parse(
        "day 2026-11-23T00:00:00Z\n08:00:00 connect a user=a tunnel=sstp from=203.0.113.1\n08:00:10 clock +01:00:00\n\
         08:00:20 connect b user=b tunnel=sstp from=203.0.113.2\n08:00:30 clock -02:00:00\n\
         08:00:40 connect c user=c tunnel=sstp from=203.0.113.3\n\
         33:00:00 connect d user=d tunnel=sstp from=203.0.113.4",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clock");
    let clock = Clock::create(&file).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut options = Options::new(scenario.pool.clone());
    options.observer = Some(Box::new(Clocks(file, seen.clone())));
    let dll = Dll::good();
    let service = Service::start(std::slice::from_ref(&dll.path), options).unwrap();
    run(&service, &scenario, RunOptions { clock: Some(&clock), ..RunOptions::threads(1) });
    service.stop().unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "2026-11-23T08:00:00.000Z 0000028800000",
            "2026-11-23T09:00:20.000Z 0000028820000",
            "2026-11-23T07:00:40.000Z 0000028840000",
            // Nine o'clock on the next day, minus one hour.
            "2026-11-24T08:00:00.000Z 0000118800000"
        ]
    );
}

#[test]
fn a_file_of_the_runs_folder_is_replaced_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let [file, new] = ["list.txt", "new.txt"].map(|name| folder.path().join(name));
    std::fs::write(&new, "bob\n").unwrap();
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let replace = |name: &str, flag: &str, folder: Option<&std::path::Path>| {
        std::fs::write(&file, "alice\n").unwrap();
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        let scenario = parse(&format!("08:00:00 replace {name} with=\"{}\" {flag}", new.display()));
        let dll = Dll::good();
        let service = Service::start(std::slice::from_ref(&dll.path), Options::new(scenario.pool.clone())).unwrap();
        let day = run(&service, &scenario, RunOptions { folder, ..RunOptions::threads(1) });
        service.stop().unwrap();
        let same_time = std::fs::metadata(&file).unwrap().modified().unwrap() == old;
        (std::fs::read_to_string(&file).unwrap(), same_time, day.failed.unwrap_or_default())
    };
    let here = Some(folder.path());
    assert_eq!(replace("list.txt", "", here), ("bob\n".to_owned(), false, String::new()));
    assert_eq!(replace("list.txt", "same-time", here), ("bob\n".to_owned(), true, String::new()));
    let (text, _, failed) = replace("lost.txt", "", here);
    assert!(text == "alice\n" && failed.starts_with("cannot replace `lost.txt`: "), "{failed}");
    assert_eq!(replace("list.txt", "", None).2, "this run has no folder with files");
}

#[test]
fn errors_name_file_line_and_what_was_expected() {
    let day = "day 2026-11-23T00:00:00Z";
    let cases = [
        (
            "assume colour=red".to_owned(),
            "day:4: there is no assumption `colour`: expected one of rejected-connection,",
        ),
        ("assume handles=none".to_owned(), "day:4: `handles` cannot be `none`: expected fresh or repeated"),
        ("assume handles".to_owned(), "day:4: expected NAME=VALUE"),
        ("100:00:00 link a".to_owned(), "day:4: expected a time like 08:30:00"),
        ("08:60:00 link a".to_owned(), "day:4: expected a time like 08:30:00"),
        ("processes three".to_owned(), "day:4: there cannot be `three` processes: expected one or two"),
        (format!("{ALICE} until=09:00:00 lose=everything"), "day:4: there is no part `everything` of a hangup"),
        (format!("{ALICE} lose=link"), "day:4: did not expect `lose=` here"),
        (format!("{ALICE} until=09:00:00 lose=link twice=link"), "day:4: `link` cannot be lost and come twice"),
        (format!("{ALICE}\n09:00:00 unlink alice lose=release"), "day:5: `unlink` ends only a link"),
        (format!("{ALICE} handle=bob"), "day:4: `handle=bob` names no session that has connected above"),
        (format!("{ALICE} guid=bob"), "day:4: `guid=bob` names no session that has connected above"),
        (format!("{ALICE} ipv6-offer=::"), "day:4: `ipv6-offer` is for a client that negotiates IPv6"),
        (format!("{ALICE} ipv6 ipv6-offer=x"), "day:4: `x` is not a valid offer for IPv6"),
        (format!("{ALICE}\n09:00:00 hangup alice duration=long"), "day:5: `duration` must be a number of seconds"),
        (format!("{ALICE}\n09:00:00 deliver alice release"), "day:5: `alice` has not ended"),
        (format!("{ALICE}\n09:00:00 accept alice"), "day:5: `alice` was accepted already"),
        (
            format!("{ALICE}\n09:00:00 reauthenticate alice quarantine=normal after-end"),
            "day:5: `alice` has not ended: leave out `after-end`",
        ),
        (
            "08:00:00 address a user=a tunnel=sstp from=203.0.113.1\n08:01:00 link a".to_owned(),
            "day:5: `a` has its addresses only",
        ),
        (format!("{ALICE}\n09:00:00 clock +01:00:00"), "day:5: `clock` needs the setting `day`"),
        (format!("{day}\n{ALICE}\n09:00:00 clock 01:00:00"), "day:6: `01:00:00` is not a valid step of the clock"),
        (
            format!("{ALICE}\n09:00:00 kill address"),
            "day:5: the address functions have a process of their own only with",
        ),
        (format!("{ALICE}\n09:00:00 kill everybody"), "day:5: did not expect `everybody` here"),
        (format!("{ALICE}\n09:00:00 kill\n10:00:00 link alice"), "day:6: the session `alice` has ended before"),
        (
            format!("09:00:00 kill\n{}", ALICE.replace("08:", "10:")),
            "day:5: the service is down since the `kill`: `restart` it first",
        ),
        (format!("{ALICE}\n09:00:00 kill\n09:00:01 kill"), "day:6: it is down already"),
        (format!("{ALICE}\n09:00:00 unlock-journal"), "day:5: the journal is not locked"),
        (format!("{ALICE}\n09:00:00 lock-journal\n09:00:00 lock-journal"), "day:6: the journal is locked already"),
        (format!("{ALICE}\n09:00:00 replace"), "day:5: expected the name of a file in the run's folder"),
        (
            format!("{ALICE}\n09:00:00 replace ../a with=b"),
            "day:5: `../a` is not the name of a file in the run's folder",
        ),
        (format!("{ALICE}\n09:00:00 replace a"), "day:5: expected `with=`"),
        ("& hangup a".to_owned(), "day:4: `&` must follow an event of a session"),
        (
            format!("{day}\n{ALICE}\n09:00:00 clock +01:00:00\n& link alice"),
            "day:7: `&` must follow an event of a session",
        ),
        (format!("{ALICE}\n& link alice"), "day:5: `alice` has an event at once with this one"),
        (format!("{ALICE}\n& kill"), "day:5: `kill` happens alone"),
        ("expect alice accepted".to_owned(), "day:4: no session `alice` has connected above"),
        (format!("{ALICE}\nexpect alice happy"), "day:5: a session cannot become `happy`"),
        (format!("{ALICE}\nexpect alice accepted colour=red"), "day:5: did not expect `colour=` here"),
        (format!("{ALICE}\nexpect alice accepted address-differs-from=bob"), "day:5: no session `bob` has connected"),
    ];
    for (text, expected) in cases {
        let error = Scenario::parse("day", &format!("{HEAD}{text}")).unwrap_err().to_string();
        assert!(error.contains(expected), "for\n{text}\nthe error is\n{error}\nand should contain\n{expected}");
    }
}

/// The page explains every verb and every assumption.
#[test]
fn the_page_has_every_word() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenario.md");
    let page = std::fs::read_to_string(page).unwrap();
    let error = Scenario::parse("day", &format!("{HEAD}08:00:00 x y")).unwrap_err().message;
    let verbs = error.split("expected ").nth(1).unwrap().replace(" or ", ", ");
    let mut words: Vec<&str> = verbs.split(", ").collect();
    for assumption in Assumption::ALL {
        words.push(assumption.name());
        words.extend(assumption.values());
    }
    for word in words {
        assert!(page.contains(&format!("`{word}`")), "docs/scenario.md does not say what `{word}` is");
    }
}

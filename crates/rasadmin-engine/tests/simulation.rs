//! Simulation: what a source lacks stays unknown, what one server has counts on the others, and earlier sessions on a port end and are listed.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::Usage;
use rasadmin_engine::simulate::{Begin, Simulation};
use rasadmin_engine::{Fact, InterfaceType, Name, Quarantine, Tunnel};
use support::config;

const HOUR: i64 = 3_600_000;

fn simulation(text: &str) -> Simulation {
    Simulation::new(config(text))
}

fn begin(handle: u64, time: i64, user: &str) -> Begin {
    Begin {
        handle,
        time: support::MONDAY + time,
        server: Name::new("VPN1"),
        user: Name::new(user),
        domain: Name::default(),
        port: Fact::Known(Name::new(&format!("VPN0-{handle}"))),
        tunnel: Fact::Known(Tunnel::Sstp),
        source: Fact::Known("203.0.113.9".parse().unwrap()),
        computer: Fact::Absent,
        quarantine: Fact::Known(Quarantine::Normal),
        interface: Fact::Known(InterfaceType::Client),
        ipv6: false,
    }
}

#[test]
fn what_the_source_lacks_is_neither_invented_nor_absent_and_is_counted() {
    let text = "default.action = \"allow\"\n[[rules]]\nname = \"kiosks\"\naction = \"deny\"\nremote_computers = [\"KIOSK-*\"]\n\
                [[rules]]\nname = \"no PPTP\"\naction = \"deny\"\ntunnels = [\"PPTP\"]\nusers = [\"alice\"]\n";
    let mut simulation = simulation(text);
    let mut ask = |handle, user: &str, computer: Fact<Name>, tunnel: Fact<Tunnel>| {
        let simulated = simulation.begin(&Begin { computer, tunnel, ..begin(handle, 0, user) });
        (simulated.accepted, simulated.decision.rule, simulated.lacking)
    };
    let (pc, sstp) = (Fact::Known(Name::new("PC")), Fact::Known(Tunnel::Sstp));
    assert_eq!(ask(1, "bob", pc.clone(), sstp.clone()), (true, None, vec![]));
    // Absent: its event came, and it was empty.
    assert_eq!(ask(2, "bob", Fact::Absent, sstp.clone()), (true, None, vec![]));
    // Lacking: a deny rule that cannot be ruled out denies, and the answer rests on that.
    let kiosks = Some("kiosks".to_owned());
    assert_eq!(ask(3, "bob", Fact::NotYetKnown, sstp), (false, kiosks, vec!["remote_computers"]));
    let no_pptp = Some("no PPTP".to_owned());
    assert_eq!(ask(4, "alice", pc.clone(), Fact::NotYetKnown), (false, no_pptp, vec!["tunnels"]));
    // No rule asks for the tunnel of bob.
    assert_eq!(ask(5, "bob", pc, Fact::NotYetKnown), (true, None, vec![]));
}

const ONE: &str = "default.action = \"allow\"\n[[rules]]\nname = \"one\"\naction = \"deny\"\n\
                   user_sessions = { at_least = 1 }\n";

#[test]
fn a_count_of_sessions_rests_on_what_tells_a_reconnecting_client() {
    let lacking = |computer: Fact<Name>| {
        let mut simulation = simulation(ONE);
        let first = Begin { computer: computer.clone(), ..begin(1, 0, "bob") };
        let second = Begin { computer, ..begin(2, 1000, "bob") };
        assert_eq!(simulation.begin(&first).lacking, [""; 0], "no other session is live");
        let simulated = simulation.begin(&second);
        (simulated.accepted, simulated.lacking)
    };
    assert_eq!(lacking(Fact::Known(Name::new("PC-1"))), (true, vec![]), "it takes the place of the first");
    assert_eq!(lacking(Fact::Absent), (false, vec![]));
    assert_eq!(lacking(Fact::NotYetKnown), (false, vec!["remote_computers"]));
}

#[test]
fn an_earlier_session_on_the_same_port_ends_and_is_listed() {
    let mut simulation = simulation("default.action = \"allow\"\n");
    let on_port = |handle: i64, user: &str| Begin {
        port: Fact::Known(Name::new("VPN0-1")),
        ..begin(handle.cast_unsigned(), handle * 1000, user)
    };
    assert_eq!(simulation.begin(&on_port(1, "bob")).ended, [0; 0]);
    let second = simulation.begin(&on_port(2, "carol"));
    assert!(second.accepted && second.ended == [1], "{second:?}");
    assert_eq!(simulation.live_count(), 1);
    simulation.end(2, support::MONDAY + 5000, Usage::default());
    assert_eq!(simulation.begin(&on_port(6, "bob")).ended, [0; 0], "no session was left on the port");
}

#[test]
fn a_session_counts_on_every_server_while_it_lives() {
    let mut simulation = simulation(ONE);
    let on = |server: &str, handle, time| Begin { server: Name::new(server), ..begin(handle, time, "bob") };
    // VPN2 learns what the other servers have when it first appears.
    assert!(simulation.begin(&on("VPN1", 1, 0)).accepted);
    let second = simulation.begin(&on("VPN2", 2, 1000));
    assert_eq!((second.accepted, second.decision.rule.as_deref()), (false, Some("one")));
    simulation.end(1, support::MONDAY + 2000, Usage::default());
    assert!(simulation.begin(&on("VPN2", 3, 3000)).accepted);
    // Both are known now.
    let fourth = simulation.begin(&on("VPN1", 4, 4000));
    assert_eq!((fourth.accepted, fourth.decision.rule.as_deref()), (false, Some("one")));
}

#[test]
fn what_was_used_on_one_server_counts_on_another() {
    let text = "time_zone = \"Europe/Berlin\"\ndefault.action = \"allow\"\n[[rules]]\nname = \"two hours a day\"\naction = \"deny\"\n\
                connect_time = { per = \"day\", at_least = \"2h\" }\n";
    let mut simulation = simulation(text);
    let mut used = |server: &str, handle, from: i64, hours: i64| {
        let simulated = simulation.begin(&Begin { server: Name::new(server), ..begin(handle, from * HOUR, "bob") });
        let usage = Usage { seconds: (hours * 3600).cast_unsigned(), ..Usage::default() };
        simulation.end(handle, support::MONDAY + (from + hours) * HOUR, usage);
        (simulated.accepted, simulated.decision.rule)
    };
    assert_eq!(used("VPN1", 1, 0, 1), (true, None));
    assert_eq!(used("VPN2", 2, 2, 1), (true, None));
    let denied = (false, Some("two hours a day".to_owned()));
    assert_eq!(used("VPN1", 3, 4, 1), denied);
    assert_eq!(used("VPN3", 4, 5, 1), denied);
    assert_eq!(used("VPN3", 5, 24, 1), (true, None), "another day");
}

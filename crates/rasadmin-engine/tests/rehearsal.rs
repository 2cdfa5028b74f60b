//! A rehearsal in memory says what the engine says on SQLite; and what a source lacks stays unknown.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use rasadmin_engine::engine::rehearse::{Begin, Rehearsal};
use rasadmin_engine::ledger::Usage;
use rasadmin_engine::{Fact, InterfaceType, Name, Quarantine, Tunnel, Verdict};
use std::sync::Arc;
use support::{Scene, With, connection, number};

const CONFIG: &str = r#"
    time_zone = "Europe/Berlin"
    default_domain = "CORP"
    default.action = "deny"
    server.name = "VPN1"
    [groups.two]
    users = ["u0", "u1", "u2"]
    [pools.small]
    addresses = ["10.8.0.1-10.8.0.3"]
    next = "rest"
    [pools.rest]
    addresses = ["10.9.0.1-10.9.0.2"]
    [[reservations]]
    user = "u3"
    address = "10.7.0.7"
    [[rules]]
    name = "no PPTP"
    action = "deny"
    tunnels = ["PPTP"]
    [[rules]]
    name = "one session"
    action = "deny"
    users = ["u0", "u4"]
    user_sessions = { at_least = 1 }
    when_ledger_unavailable = "skip"
    [[rules]]
    name = "two of the group"
    action = "deny"
    groups = ["two"]
    group_sessions = { group = "two", at_least = 2 }
    when_ledger_unavailable = "skip"
    [[rules]]
    name = "an hour a day"
    action = "deny"
    users = ["u5"]
    connect_time = { per = "day", at_least = "1h" }
    when_ledger_unavailable = "skip"
    [[rules]]
    name = "everybody"
    action = "allow"
    users = ["*"]
    pool = "small"
"#;

const TUNNELS: [Tunnel; 4] = [Tunnel::Sstp, Tunnel::Ikev2, Tunnel::L2tp, Tunnel::Pptp];

fn begin(handle: u64, time: i64, user: usize, tunnel: Tunnel, computer: usize) -> Begin {
    Begin {
        handle,
        time,
        server: Name::new("VPN1"),
        user: Name::new(&format!("u{user}")),
        domain: Name::default(),
        port: Fact::Known(Name::new(&format!("VPN0-{handle}"))),
        tunnel: Fact::Known(tunnel),
        source: Fact::Known("203.0.113.9".parse().unwrap()),
        computer: Fact::arrived((computer > 0).then(|| Name::new(&format!("PC-{computer}")))),
        quarantine: Fact::Known(Quarantine::Normal),
        interface: Fact::Known(InterfaceType::Client),
        ipv6: false,
    }
}

/// The same on SQLite, as RRAS would tell it; the address, or why not.
fn on_sqlite(scene: &Scene, begin: &Begin) -> Result<String, String> {
    let (user, port) = (begin.user.as_str(), begin.port.known().unwrap().as_str().to_owned());
    // RRAS's offers differ, and are never kept: everybody has a pool or a reservation.
    let given = scene.address(user, &port, "")?;
    let tunnel = *begin.tunnel.known().unwrap();
    let event = connection(begin.handle, user).with(|e| {
        e.addresses = vec![number(&given)];
        e.computer = begin.computer.known().cloned().unwrap_or_default();
        e.ikev2 = Some(tunnel == Tunnel::Ikev2);
    });
    let verdict = match scene.connect(&event) {
        Verdict::Accept => scene.link(begin.handle, &port, tunnel),
        rejected => rejected,
    };
    match verdict {
        Verdict::Accept => Ok(given),
        Verdict::Reject(why) => {
            scene.release(user, &port, &given);
            Err(why)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Sessions come and go at random: every answer and every address is the same.
    #[test]
    fn memory_and_sqlite_answer_alike(
        steps in proptest::collection::vec((0..3_usize, 0..7_usize, 0..4_usize, 0..3_usize, 1..2400_i64), 1..60)
    ) {
        let scene = Scene::new(CONFIG);
        let mut rehearsal = Rehearsal::new(scene.config.clone());
        let mut live: Vec<(Begin, String)> = Vec::new();
        for (handle, (kind, user, tunnel, computer, wait)) in (1..).zip(steps) {
            scene.wait(wait);
            let time = scene.now().time;
            if kind == 0 && !live.is_empty() {
                let (begun, given) = live.remove(user % live.len());
                let usage = Usage { seconds: ((time - begun.time) / 1000).cast_unsigned(), ..Usage::default() };
                let port = begun.port.known().unwrap().as_str();
                scene.end(begun.handle, begun.user.as_str(), port, &given);
                rehearsal.end(begun.handle, time, usage).unwrap();
                continue;
            }
            let next = begin(handle, time, user, TUNNELS[tunnel], computer);
            let sqlite = on_sqlite(&scene, &next);
            let memory = rehearsal.begin(&next).unwrap();
            let given = memory.given.first().map(|given| {
                std::net::Ipv4Addr::from_bits(u32::try_from(given.number).unwrap()).to_string()
            });
            match &sqlite {
                Ok(address) => {
                    prop_assert!(memory.accepted, "{:?} {:?}", next, memory);
                    prop_assert_eq!(Some(address), given.as_ref());
                    live.push((next, address.clone()));
                }
                Err(why) => {
                    prop_assert!(!memory.accepted, "{} {:?}", why, memory);
                    let rule = memory.decision.rule.as_deref().unwrap_or_default();
                    prop_assert!(memory.overruled || why.contains(rule), "{} {:?}", why, memory);
                    prop_assert_eq!(memory.overruled, why.contains("exhausted"));
                }
            }
            prop_assert_eq!(rehearsal.living(), live.len());
        }
    }
}

fn rehearsal(text: &str) -> Rehearsal {
    let config = rasadmin_engine::config::parse("c", text, std::path::Path::new("/f"), &mut |_| Err("none".into()));
    Rehearsal::new(Arc::new(config.unwrap_or_else(|errors| panic!("{errors}"))))
}

#[test]
fn what_the_source_lacks_is_neither_invented_nor_absent_and_is_counted() {
    let text = "default.action = \"allow\"\n[[rules]]\nname = \"kiosks\"\naction = \"deny\"\nremote_computers = [\"KIOSK-*\"]\n\
                [[rules]]\nname = \"no PPTP\"\naction = \"deny\"\ntunnels = [\"PPTP\"]\nusers = [\"alice\"]\n";
    let mut rehearsal = rehearsal(text);
    let mut ask = |handle, user: &str, computer: Fact<Name>, tunnel: Fact<Tunnel>| {
        let asked = Begin { user: Name::new(user), computer, tunnel, ..begin(handle, 0, 0, Tunnel::Sstp, 0) };
        let begun = rehearsal.begin(&asked).unwrap();
        (begun.accepted, begun.decision.rule, begun.lacking)
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
    // Nobody asks for bob's tunnel.
    assert_eq!(ask(5, "bob", pc, Fact::NotYetKnown), (true, None, vec![]));
}

#[test]
fn a_count_of_sessions_rests_on_what_tells_a_reconnecting_client() {
    let text = "default.action = \"allow\"\n[[rules]]\nname = \"one\"\naction = \"deny\"\nuser_sessions = { at_least = 1 }\n\
                when_ledger_unavailable = \"skip\"\n";
    let lacking = |computer: Fact<Name>| {
        let mut rehearsal = rehearsal(text);
        let first = Begin { computer: computer.clone(), ..begin(1, 0, 0, Tunnel::Sstp, 0) };
        let second = Begin { computer, ..begin(2, 1000, 0, Tunnel::Sstp, 0) };
        assert_eq!(rehearsal.begin(&first).unwrap().lacking, [""; 0], "nobody else is connected");
        let begun = rehearsal.begin(&second).unwrap();
        (begun.accepted, begun.lacking)
    };
    assert_eq!(lacking(Fact::Known(Name::new("PC-1"))), (true, vec![]), "it takes the place of the first");
    assert_eq!(lacking(Fact::Absent), (false, vec![]));
    assert_eq!(lacking(Fact::NotYetKnown), (false, vec!["remote_computers"]));
}

#[test]
fn a_ghost_on_the_same_port_is_ended_and_told() {
    let mut rehearsal = rehearsal(CONFIG);
    let on_port = |handle, user| Begin {
        port: Fact::Known(Name::new("VPN0-1")),
        ..begin(handle, i64::try_from(handle).unwrap() * 1000, user, Tunnel::Sstp, 0)
    };
    assert_eq!(rehearsal.begin(&on_port(1, 3)).unwrap().ended, [0; 0]);
    let second = rehearsal.begin(&on_port(2, 4)).unwrap();
    assert!(second.accepted && second.ended == [1], "{second:?}");
    assert_eq!(rehearsal.living(), 1);
    rehearsal.end(2, 5000, Usage::default()).unwrap();
    assert_eq!(rehearsal.begin(&on_port(3, 3)).unwrap().ended, [0; 0], "nobody was there any more");
}

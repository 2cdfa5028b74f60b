//! A simulation gives the same answers as the recorder.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::simulate::{Begin, Simulation};
use rasadmin_engine::{Fact, InterfaceType, Name, Quarantine, Tunnel};

use rasadmin_recorder::Verdict;
use support::{Scene, With, connection, number};

const CONFIG: &str = r#"
    time_zone = "Europe/Berlin"
    default_domain = "CORP"
    default.action = "deny"
    server.name = "VPN1"
    journal.durability = "process"
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
    [[rules]]
    name = "two of the group"
    action = "deny"
    groups = ["two"]
    group_sessions = { group = "two", at_least = 2 }
    [[rules]]
    name = "an hour a day"
    action = "deny"
    users = ["u5"]
    connect_time = { per = "day", at_least = "1h" }
    [[rules]]
    name = "everybody"
    action = "allow"
    users = ["*"]
    pool = "small"
"#;

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

/// The recorder's result for the same attempt: the address, or why there is none.
fn recorded(scene: &Scene, begin: &Begin) -> Result<String, String> {
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

    /// Random sessions: every answer and every address must be the same.
    #[test]
    fn a_simulation_and_the_recorder_answer_alike(
        steps in proptest::collection::vec((0..3_usize, 0..7_usize, 0..4_usize, 0..3_usize, 1..2400_i64), 1..60)
    ) {
        let scene = Scene::new(CONFIG);
        let mut simulation = Simulation::new(scene.config.clone());
        let mut live: Vec<(Begin, String)> = Vec::new();
        for (handle, (kind, user, tunnel, computer, wait)) in (1..).zip(steps) {
            scene.wait(wait);
            let time = scene.now().at.time;
            if kind == 0 && !live.is_empty() {
                let (begun, given) = live.remove(user % live.len());
                let usage = Usage { seconds: ((time - begun.time) / 1000).cast_unsigned(), ..Usage::default() };
                let port = begun.port.known().unwrap().as_str();
                scene.end(begun.handle, begun.user.as_str(), port, &given);
                simulation.end(begun.handle, time, usage);
                continue;
            }
            let next = begin(handle, time, user, Tunnel::ALL[tunnel], computer);
            let recorded = recorded(&scene, &next);
            let simulated = simulation.begin(&next);
            let given = simulated.given.first().map(|given| {
                std::net::Ipv4Addr::from_bits(u32::try_from(given.number).unwrap()).to_string()
            });
            match &recorded {
                Ok(address) => {
                    prop_assert!(simulated.accepted, "{:?} {:?}", next, simulated);
                    prop_assert_eq!(Some(address), given.as_ref());
                    live.push((next, address.clone()));
                }
                Err(why) => {
                    prop_assert!(!simulated.accepted, "{} {:?}", why, simulated);
                    match &simulated.decision.refusal {
                        Some(refusal) => prop_assert_eq!(why, &refusal.to_string()),
                        None => {
                            let rule = simulated.decision.rule.as_deref().unwrap_or("(none)");
                            prop_assert_eq!(why, &format!("rule `{rule}`"));
                        }
                    }
                }
            }
            prop_assert_eq!(simulation.live_count(), live.len());
        }
    }
}

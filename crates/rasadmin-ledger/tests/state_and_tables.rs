//! The state and the tables both apply the same effects, and must always agree.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::addresses::Address;
use rasadmin_engine::config::file::Period;
use rasadmin_engine::counters::Counted;
use rasadmin_engine::effect::{Forgetting, Usage};
use rasadmin_engine::event::{ConfigRead, Look, Reading, ReleaseEvent};
use rasadmin_engine::{Answer, LateEvent};
use rasadmin_engine::{Context, Event, Id, Identity, Name, Process, Stamp, State, Tunnel, decide, decide_late};
use rasadmin_ledger::report::{Filter, Reader};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use std::collections::{BTreeMap, BTreeSet};
use support::rows::first_difference;
use support::{With, address, append, connection, dump, link, soon};

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.9"]
    when_exhausted = "keep-offer"
    [[rules]]
    name = "no PPTP"
    action = "deny"
    tunnels = ["PPTP"]
"#;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

const USERS: [&str; 4] = ["alice", "bob", r"PARTNER\alice", "carol"];

/// Any event that RRAS or an administrator can cause, even a nonsensical one.
fn any(random: &mut Random, state: &State) -> Event {
    let user = USERS[random.below(4) as usize];
    let (handle, port) = (random.below(6), format!("VPN0-{}", random.below(5)));
    let seconds = random.below(3) * 40;
    let usage = Usage { seconds, input_octets: random.below(1000), output_octets: 7, ..Usage::default() };
    let addresses: Vec<Address> = state.leases_on(&port.as_str().into()).map(|lease| lease.address).collect();
    let told = connection(handle, user).with(|e| {
        e.addresses = addresses.clone();
        e.usage = usage;
        e.ikev2 = Some(handle == 5);
        e.source = format!("203.0.113.{handle}");
    });
    let tunnel = if random.below(8) == 0 { Tunnel::Pptp } else { Tunnel::Sstp };
    let linked = link(handle, &port, tunnel);
    match random.below(17) {
        0..=3 => Event::Address(address(user, &port, if random.below(2) == 0 { "" } else { "172.16.0.9" })),
        4..=6 => Event::Connection(told),
        7..=9 => Event::Link(linked),
        10 => Event::LinkHangup(linked),
        11 => Event::Hangup(told),
        12 => Event::Reauthentication(told),
        13 => Event::EndpointChange(told.with(|e| e.source = "198.51.100.1".into())),
        14 => {
            let known =
                told.guid.as_ref().and_then(|guid| state.by_guid(guid)).or_else(|| state.by_handle(told.handle));
            let at = state.last().unwrap_or_default();
            let counted = |session| match state.counted(session) {
                Some(counted) => counted.then(&told.usage, at.mono),
                None => Counted::first(&told.usage, at.mono),
            };
            let read = known.map(|of| Reading { session: of.id, counted: counted(of.id), alive: None });
            let read = read.into_iter().collect();
            let found = if known.is_none() { vec![told] } else { Vec::new() };
            Event::Look(Look { begun: at, read, found, ..Look::default() })
        }
        15 => {
            let address = addresses.first().copied().or_else(|| state.leases().next().map(|lease| lease.address));
            Event::Release(ReleaseEvent { user: user.into(), port: port.as_str().into(), address })
        }
        _ => {
            match (state.live().map(|session| session.id).min(), state.leases().map(|lease| lease.address.number).min())
            {
                (Some(session), _) if random.below(2) == 0 => Event::CloseSession { session, by: None, reason: None },
                (_, Some(number)) => {
                    let family = rasadmin_engine::addresses::Family::Ipv4;
                    Event::ReleaseAddress {
                        address: Address { family, number },
                        force: random.below(2) == 0,
                        by: None,
                        reason: None,
                    }
                }
                _ => Event::Lost { events: 1 },
            }
        }
    }
}

/// Compares live sessions, leases, and what each user has used in November.
fn assert_same(reader: &Reader, state: &State, server: &Name, seed: u64) {
    assert_eq!(reader.faults().unwrap(), Vec::<String>::new(), "seed {seed}");
    assert_eq!(reader.differences(state).unwrap(), Vec::<String>::new(), "seed {seed}");
    let rows = reader.sessions(&Filter::default(), true).unwrap();
    let live: BTreeMap<String, _> = state.live().map(|session| (session.id.to_string(), session)).collect();
    assert_eq!(rows.len(), live.len());
    for row in rows {
        let session = live[&row.acct_session_id];
        assert_eq!(row.user(), session.user, "seed {seed}");
        assert_eq!(row.live_links as usize, session.links.len(), "seed {seed}, {}", session.id);
        assert_eq!(row.nas_port_id, session.port, "seed {seed}");
        assert_eq!(row.tunnel_type.as_deref(), session.tunnel.map(Tunnel::name), "seed {seed}");
        assert_eq!(row.calling_station_id, session.source, "seed {seed}");
        assert_eq!(row.established, session.established.map(|at| at.time), "seed {seed}");
        assert_eq!(&row.nas_identifier, server);
    }
    let held = reader.live_leases(&Filter::default(), None).unwrap();
    assert_eq!(held.len(), state.leases().count(), "seed {seed}");
    for held in held {
        let lease = state.leases().find(|lease| {
            rasadmin_engine::addresses::text::show(lease.address.number, lease.address.family) == held.address
        });
        let lease = lease.unwrap();
        let user = held.domain.zip(held.name).map(|(domain, name)| Identity { domain, name });
        assert_eq!((user, held.port), (lease.user.clone(), lease.port.clone()), "seed {seed}");
        assert_eq!(held.session.is_some(), lease.session().is_some(), "seed {seed}");
    }
    let used = reader.usage(&Filter::default(), "2026-11-01", "2026-11-30", &|_| "2026-11".to_owned()).unwrap();
    let of = |user: &Identity| {
        let rows = used.iter().filter(|row| row.domain == user.domain && row.name == user.name);
        rows.map(|row| (row.seconds, row.input_octets + row.output_octets)).collect::<Vec<_>>()
    };
    let (mut users, mut rows) = (BTreeSet::new(), 0);
    for name in USERS {
        let (domain, name) = name.split_once('\\').unwrap_or(("CORP", name));
        let user = Identity { domain: domain.into(), name: Name::new(name).folded() };
        let (sums, row) = (state.used(&user, Period::Month, 20_758), of(&user));
        assert_eq!((sums.seconds, sums.octets), row.first().copied().unwrap_or_default(), "seed {seed}, {user:?}");
        rows += row.len();
        users.insert(user);
    }
    assert_eq!((rows, users.len()), (used.len(), USERS.len()), "seed {seed}: nobody else, and everybody once");
}

#[test]
fn state_and_tables_say_the_same_whatever_happens() {
    let server = Name::new("VPN1");
    let mut seen = [0; 3];
    for (seed, forgets) in (12..22).map(|seed| (seed, false)).chain((100..106).map(|seed| (seed, true))) {
        let folder = tempfile::tempdir().unwrap();
        let config = support::config(folder.path(), CONFIG);
        let journal = support::journal(&config);
        let mut ledger = Sqlite::open(&config.ledger, Create::Yes, false, soon()).unwrap();
        let mut state = State::new();
        state.derive(&config);
        let reader = Reader::open(&config.ledger).unwrap();
        let mut random = Random(seed);
        let mut at = Stamp { time: support::MONDAY, mono: rasadmin_engine::Mono(1_000_000) };
        let (mut instance, mut process) = (Id(1), Process(1));
        for step in 0..250 {
            let passed = [0, 10, 1_000, 30_000, 100_000, 400_000][random.below(6) as usize];
            // What is forgotten is named by the time of day: where that goes back, a row may get another number.
            let time = at.time + passed - if random.below(20) == 0 && !forgets { 3_600_000 } else { 0 };
            at = Stamp { time, mono: at.mono.after(passed.cast_unsigned()) };
            let event = if random.below(60) == 0 && step > 1 {
                process = Process(process.0 + 1);
                Event::ProcessEnded { process: Process(process.0 - 1) }
            } else if step == 0 || random.below(80) == 0 {
                instance = Id(u128::from(seed) << 64 | step);
                Event::InstanceStarted { instance }
            } else if step == 1 {
                let texts = Some(serde_json::to_string(&config.bundle).unwrap());
                let hash = config.hash.clone();
                Event::ConfigRead(ConfigRead { version: String::new(), hash, texts, fault: None })
            } else if forgets && random.below(30) == 0 {
                let user = (random.below(2) == 0).then(|| Identity { domain: "CORP".into(), name: "ALICE".into() });
                let how = if random.below(2) == 0 { Forgetting::Purge } else { Forgetting::Anonymise };
                let before = at.time - random.below(4).cast_signed() * 40_000_000;
                Event::Forget { before, user, how }
            } else {
                any(&mut random, &state)
            };
            let context = Context::new(&config, &server, instance, process);
            let mut now = support::now(at);
            let late =
                matches!(event, Event::LinkHangup(_) | Event::Hangup(_) | Event::Release(_)) && random.below(3) == 0;
            let record = if late {
                // It had waited for a while.
                now.at.mono.0 -= 35_000;
                let (at, random) = (now.at, now.random);
                let waited = LateEvent { at, random, event, decision: None, answer: Answer::Nothing };
                decide_late(&state, &context, &waited)
            } else {
                decide(&state, &context, &event, &now)
            };
            let mut guard = journal.lock(soon()).unwrap();
            guard.catch_up(|item| panic!("{item:?}")).unwrap();
            append(&mut guard, &record);
            drop(guard);
            state.apply(&record);
            if step % 50 == 49 {
                ledger.ingest(&config.journal, &server, &mut |_| {}).unwrap();
                if forgets {
                    assert_eq!(reader.differences(&state).unwrap(), Vec::<String>::new(), "seed {seed}");
                    continue;
                }
                assert_same(&reader, &state, &server, seed);
                seen[0] += state.live_count();
                seen[1] += state.leases().count();
                let alice = Identity { domain: "PARTNER".into(), name: "ALICE".into() };
                seen[2] += usize::try_from(state.used(&alice, Period::Month, 20_758).octets).unwrap();
            }
        }
        // All of it once more into the same ledger, and into a new one.
        let before = dump(&config.ledger);
        rusqlite::Connection::open(&config.ledger).unwrap().execute("DELETE FROM journals", []).unwrap();
        ledger.ingest(&config.journal, &server, &mut |_| {}).unwrap();
        assert_eq!(first_difference(&before, &dump(&config.ledger)), None, "seed {seed}");
        let anew = folder.path().join("anew.db");
        let mut new = Sqlite::open(&anew, Create::Yes, false, soon()).unwrap();
        new.ingest(&config.journal, &server, &mut |_| {}).unwrap();
        assert_eq!(first_difference(&before, &dump(&anew)), None, "seed {seed}");
    }
    assert!(seen.iter().all(|&seen| seen > 20), "sessions, leases and use were there to be compared: {seen:?}");
}

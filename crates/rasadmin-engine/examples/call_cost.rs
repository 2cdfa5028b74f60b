//! What a session costs the state machine itself, with few and with many live sessions: `cargo xtask bench` runs it.
#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use rasadmin_engine::event::{Event, Offer};
use rasadmin_engine::{Context, Id, Mono, Name, Now, Process, Stamp, State, Tunnel, decide};
use std::time::Instant;
use support::{COUNTING, With, address, connection, link, number, release};

struct Bench {
    state: State,
    config: std::sync::Arc<rasadmin_engine::config::Config>,
    server: Name,
    calls: u64,
    took: Vec<u64>,
}

impl Bench {
    fn handle(&mut self, event: &Event) -> rasadmin_engine::Record {
        self.calls += 1;
        let at = Stamp { time: support::MONDAY + self.calls as i64, mono: Mono(self.calls) };
        let random = (u128::from(self.calls) << 64 | 7).to_be_bytes();
        let context = Context::new(&self.config, &self.server, Id(1), Process(1));
        let began = Instant::now();
        let record = decide(&self.state, &context, event, &Now { at, random });
        self.state.apply(&record);
        self.took.push(u64::try_from(began.elapsed().as_nanos()).unwrap());
        record
    }

    fn begin(&mut self, handle: u64) -> String {
        let (user, port) = (format!("u{handle}"), format!("VPN2-{handle}"));
        let given = support::answer(&self.handle(&Event::Address(address(&user, &port, Offer::Nothing)))).unwrap();
        let event = connection(handle, &user).with(|e| e.addresses = vec![number(&given)]);
        support::verdict(&self.handle(&Event::Connection(event))).unwrap();
        support::verdict(&self.handle(&Event::Link(link(handle, &port, Tunnel::Sstp)))).unwrap();
        given
    }

    fn end(&mut self, handle: u64, given: &str) {
        let (user, port) = (format!("u{handle}"), format!("VPN2-{handle}"));
        self.handle(&Event::LinkHangup(link(handle, &port, Tunnel::Sstp)));
        self.handle(&Event::Hangup(connection(handle, &user)));
        self.handle(&Event::Release(release(&user, &port, given)));
    }
}

/// What it costs to find an address when so many are held. `round`: the whole pool was tried before.
fn address_search(pool: &str, held: u64, round: bool) -> f64 {
    let text = COUNTING.replace("10.0.0.0/8", pool);
    let config = support::config(&text);
    let mut state = State::new();
    state.derive(&config);
    let mut bench = Bench { state, config, server: "VPN1".into(), calls: 0, took: Vec::new() };
    bench.handle(&Event::InstanceStarted { instance: Id(1) });
    let ask = |bench: &mut Bench, n: u64| {
        let event = Event::Address(address(&format!("u{n}"), &format!("VPN2-{n}"), Offer::Nothing));
        support::answer(&bench.handle(&event)).unwrap()
    };
    let give_back = |bench: &mut Bench, n: u64, given: &str| {
        bench.handle(&Event::Release(release(&format!("u{n}"), &format!("VPN2-{n}"), given)));
    };
    if round {
        // Those that were released last are remembered; the rest of the pool was tried.
        let all: Vec<_> = (1_000_000..1_100_000).map(|n| (n, ask(&mut bench, n))).collect();
        all.iter().for_each(|(n, given)| give_back(&mut bench, *n, given));
        let shape = bench.state.shape(0).unwrap().to_owned();
        let mut record = bench.handle(&Event::Lost { events: 1 });
        record.effects = vec![rasadmin_engine::Effect::CursorMoved { pool: "staff".to_owned(), shape, next: None }];
        bench.state.apply(&record);
    }
    (0..held).for_each(|n| drop(ask(&mut bench, n)));
    let mut took: Vec<u64> = Vec::new();
    for n in held..held + 20_000 {
        let given = ask(&mut bench, n);
        took.extend(bench.took.last());
        give_back(&mut bench, n, &given);
    }
    took.sort_unstable();
    took[took.len() / 2] as f64 / 1000.0
}

fn main() {
    let least = address_search("10.0.0.0/24", 0, false);
    println!("an address of an empty /24: {least:.2} us at the median");
    for (what, pool, held, round) in [
        ("a /8 that was gone round, 100,000 held", "10.0.0.0/8", 100_000, true),
        ("a /16 of which 99 % are held", "10.0.0.0/16", 64_880, false),
    ] {
        let took = address_search(pool, held, round);
        println!("{what}: {took:.2} us, {:.2} times as long", took / least);
    }
    let config = support::config(COUNTING);
    for live in [10_u64, 1_000, 100_000] {
        let mut state = State::new();
        state.derive(&config);
        let mut bench = Bench { state, config: config.clone(), server: "VPN1".into(), calls: 0, took: Vec::new() };
        bench.handle(&Event::InstanceStarted { instance: Id(1) });
        for handle in 0..live {
            bench.begin(handle);
        }
        bench.took.clear();
        for handle in live..live + 20_000 {
            let given = bench.begin(handle);
            bench.end(handle, &given);
        }
        bench.took.sort_unstable();
        let at = |share: usize| bench.took[bench.took.len() * share / 1000] as f64 / 1000.0;
        println!(
            "{live:>7} live sessions: a call {:.1} us at the median, {:.1} us at p99, {:.1} us at p99.9",
            at(500),
            at(990),
            at(999)
        );
    }
}

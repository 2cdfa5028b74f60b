//! What only a test inside can do to the driver.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::report::Reader;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::event::Offer;
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Mono, config};
use std::panic::{AssertUnwindSafe, catch_unwind};

const CONFIG: &str =
    "default.action = \"allow\"\naddresses.pool = \"p\"\npools.p.addresses = [\"10.8.0.1-10.8.0.9\"]\n";

fn now() -> Now {
    Now { at: Stamp { time: 1_795_424_400_000, mono: Mono(3_600_000) }, random: crate::random().unwrap() }
}

#[test]
fn a_panic_in_a_record_leaves_no_part_of_it_in_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rasadmin.toml");
    std::fs::write(&path, CONFIG).unwrap();
    let engine = Engine::start(Arc::new(config::load(&path).unwrap()), &Name::new("VPN1"), now());
    let assign = |user: &str, port: &str| {
        let event = AddressEvent { user: user.into(), port: port.into(), family: Family::Ipv4, offer: Offer::Nothing };
        match engine.assign(&event, now()).unwrap() {
            Assigned::Number(number) => number,
            Assigned::AsOffered => panic!("nothing was offered"),
        }
    };
    let alices = assign("alice", "VPN0-1");
    // In memory her lease ends; the ledger never hears of it.
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        engine.in_turn(|inner, _| {
            let whose = Whose { config: &inner.config, server: &inner.server, process: inner.process };
            let (open, token) = inner.store.here().unwrap();
            let address = Address { family: Family::Ipv4, number: alices };
            let event = Event::ReleaseAddress { address, force: true };
            let record = decide(&open.state, &whose.here(token), &event, &now());
            open.state.apply(&record);
            assert!(open.state.leases().next().is_none());
            panic!("in the middle of a record");
        });
    }));
    assert!(panicked.is_err());
    assert_ne!(assign("bob", "VPN0-2"), alices);
    assert_eq!(engine.health().away, None);
    let read = Reader::open(&engine.ledger()).unwrap().state_of(&Name::new("VPN1")).unwrap();
    assert_eq!(read.leases().count(), 2);
    let mut inner = engine.inner();
    assert_eq!(Checkpoint::of(&inner.store.here().unwrap().0.state), Checkpoint::of(&read));
}

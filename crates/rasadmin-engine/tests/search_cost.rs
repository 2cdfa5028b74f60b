//! The work of an address search does not grow with the pool: by SQLite's own counters, not by time.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Name;
use rasadmin_engine::addresses::PoolId;
use rasadmin_engine::config::Config;
use rasadmin_engine::identity::Identity;
use rasadmin_engine::ledger::sqlite::{Create, Sqlite, Work};
use rasadmin_engine::ledger::{Ledger, Origin};
use rasadmin_engine::pools::{Tags, search};
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Pool {
    _folder: tempfile::TempDir,
    config: Arc<Config>,
    ledger: Sqlite,
    tags: Tags,
}

const SERVER: &str = "VPN1";

fn far() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

impl Pool {
    fn new(network: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text =
            format!("default.action = \"allow\"\naddresses.pool = \"p\"\n[pools.p]\naddresses = [\"{network}\"]\n");
        let config = support::config(folder.path(), &text);
        let ledger = Sqlite::open(&config.ledger, Create::Yes, false, far()).unwrap();
        let tags = Tags::new(&config.addresses);
        Self { _folder: folder, config, ledger, tags }
    }

    /// Marks the first `held` addresses of the pool as held, and the next `free` as given back, the last one first.
    fn fill(&mut self, held: u64, free: u64) {
        self.search(&user(0)); // The pool's row is made.
        self.rows(0, held, "i + 1", "NULL");
        self.fill_again(held, held + free);
    }

    /// These too were given out, and given back, the last one first.
    fn fill_again(&mut self, from: u64, to: u64) {
        self.rows(from, to, "NULL", "-i");
    }

    fn rows(&mut self, from: u64, to: u64, lease: &str, free_since: &str) {
        let (first, last) = self.config.addresses.pools[0].ranges[0];
        let cursor = if first + to > last { "NULL".to_owned() } else { (first + to).to_string() };
        let other = rusqlite::Connection::open(&self.config.ledger).unwrap();
        let sql = format!(
            "BEGIN;
             WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})
             INSERT INTO addresses SELECT '{SERVER}', 4, {first} + i, 1, 'CORP', 'U' || i, {lease}, {free_since}
             FROM n WHERE i < {to};
             UPDATE pools SET cursor = {cursor};
             COMMIT;"
        );
        other.execute_batch(&sql).unwrap();
    }
    fn search(&mut self, user: &Identity) -> Option<(u64, Origin)> {
        let Self { config, ledger, tags, .. } = self;
        let mut found = None;
        ledger
            .transact(far(), false, &mut |t| {
                let server = Name::new(SERVER);
                found = search(t, config, tags, &server, PoolId(0), Some(user), 0)?;
                // The search alone: it gives nothing away.
                Ok(())
            })
            .unwrap();
        found.map(|found| (found.number, found.origin))
    }

    fn work(&mut self, user: &Identity) -> Work {
        self.ledger.work(); // From here on it is added up.
        self.search(user); // Statements are prepared, the pool's row is known.
        self.ledger.work();
        assert!(self.search(user).is_some());
        self.ledger.work()
    }
}

/// The one who had the address so far into the pool.
fn former(n: u64) -> Identity {
    Identity { domain: "CORP".into(), name: Name::new(&format!("U{n}")) }
}

fn user(n: u32) -> Identity {
    Identity { domain: "CORP".into(), name: Name::new(&format!("SOMEBODY{n}")) }
}

/// A /8, all but one per cent of it held.
const SIZE: u64 = 1 << 24;

#[test]
fn the_same_for_an_empty_24_and_an_8_that_is_99_per_cent_full() {
    let mut small = Pool::new("10.9.0.0/24");
    let mut large = Pool::new("10.0.0.0/8");
    large.fill(SIZE / 100 * 99, 0);
    let (empty, full) = (small.work(&user(1)), large.work(&user(1)));
    assert_eq!(empty, full);
    assert_eq!((full.scanned, full.sorts), (0, 0), "no table is walked through, nothing sorted");
    assert!(full.steps > 0);
    // The last per cent was given back: the one released first, which is the last.
    let mut small = Pool::new("10.9.0.0/24");
    small.fill(0, 254);
    large.fill_again(SIZE / 100 * 99, SIZE - 2);
    let (free, full) = (small.work(&user(1)), large.work(&user(1)));
    assert_eq!(free, full);
    assert_eq!(large.search(&user(1)), Some((u64::from(u32::from_be_bytes([10, 255, 255, 254])), Origin::Pool)));
    // The user's former address.
    assert_eq!(small.work(&former(253)).steps, large.work(&former(SIZE - 3)).steps);
    assert_eq!(large.search(&former(SIZE - 3)).map(|found| found.1), Some(Origin::Sticky));
}

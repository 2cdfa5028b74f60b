//! Every statement has a test of its name here. The test uses the ledger's public interface on a ledger made from a
//! recorder's records. `postgresql` then runs the same statements with the same values on PostgreSQL.

use super::statement_log;
use super::support::Scene;
use super::support::imported::{import, import_refusals, import_restarts, imported, refusal};
use crate::queries::{self, Statement};
use crate::report::Reader;
use crate::upkeep::Upkeep;

/// Declares tests, each named after its statement, and the list of them.
macro_rules! conformance {
    ($($name:ident $body:block)*) => {
        $(#[test]
        fn $name() {
            super::holds(stringify!($name), || $body);
        })*

        pub(super) const TESTS: &[(&str, fn())] = &[$((stringify!($name), $name)),*];
    };
}

mod checks;
mod decisions;
mod expire;
mod forget;
mod instances;
mod journals;
mod leases;
mod links;
mod lists;
mod octets;
mod rules;
mod sessions;
mod sessions_asked;
mod sorted;
mod usage;

/// All tests, by name.
pub fn tests() -> Vec<(&'static str, fn())> {
    [
        checks::TESTS,
        decisions::TESTS,
        expire::TESTS,
        forget::TESTS,
        instances::TESTS,
        journals::TESTS,
        leases::TESTS,
        links::TESTS,
        lists::TESTS,
        octets::TESTS,
        rules::TESTS,
        sessions::TESTS,
        sessions_asked::TESTS,
        sorted::TESTS,
        usage::TESTS,
    ]
    .concat()
}

#[test]
fn every_statement_has_a_test_of_its_name() {
    let mut tested: Vec<_> = tests().into_iter().map(|(name, _)| name.to_uppercase()).collect();
    let mut all: Vec<_> = queries::all().into_iter().map(|query| query.name().to_owned()).collect();
    tested.sort();
    all.sort();
    assert_eq!(tested, all);
}

/// Runs a test, and checks that it has run the statement of its name.
fn holds(name: &str, test: impl FnOnce()) {
    statement_log::take();
    test();
    let all = statement_log::take();
    assert!(all.iter().any(|ran| ran.name.eq_ignore_ascii_case(name)), "the statement did not run");
    statement_log::put_back(all);
}

const OPEN: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.9"]
    [[rules]]
    name = "Not Mallory"
    action = "deny"
    users = ["mallory"]
    reason = "this user is banned"
"#;

fn scene() -> Scene {
    Scene::new(OPEN)
}

/// A session of some seconds.
fn visit(scene: &Scene, handle: u64, user: &str, seconds: i64) {
    let port = format!("VPN0-{handle}");
    let given = scene.begin(handle, user, &port).unwrap();
    scene.wait(seconds);
    scene.end(handle, user, &port, &given);
}

fn reader(scene: &Scene) -> Reader {
    Reader::open(&scene.ledger()).unwrap()
}

fn upkeep(scene: &Scene) -> Upkeep {
    Upkeep::open(&scene.ledger()).unwrap()
}

/// Changes rows directly.
fn change(scene: &Scene, sql: &str) {
    scene.ingest();
    assert_ne!(rusqlite::Connection::open(&scene.config.ledger).unwrap().execute(sql, []).unwrap(), 0, "{sql}");
    statement_log::done(sql);
}

/// Makes the ledger read the journal again from its oldest record.
fn read_again(scene: &Scene) {
    change(scene, "UPDATE journals SET crc = crc + 1");
    assert!(scene.ingest().reread);
}

/// A ledger whose journal lacks its oldest records. A checkpoint has what was live then, including `vera` on `VPN1-7`.
fn without_beginning() -> Scene {
    let scene = scene();
    scene.begin(1000, "vera", "VPN1-7").unwrap();
    for handle in 1..50 {
        visit(&scene, handle, &format!("u{}", handle % 5), 60);
    }
    expire(&scene);
    scene
}

/// The ledger has the end of alice's session. The journal is read again, without the record of that end, but with a
/// checkpoint in which that session is live.
fn ended_after_the_checkpoint() -> Scene {
    let scene = scene();
    scene.begin(1, "alice", "VPN1-1").unwrap();
    scene.checkpoint();
    scene.end(1, "alice", "VPN1-1", "10.8.0.1");
    for handle in 2..50 {
        visit(&scene, handle, &format!("u{}", handle % 5), 60);
    }
    scene.ingest();
    expire(&scene);
    change(&scene, "DELETE FROM journals");
    assert_eq!(scene.ingest().gaps, 1);
    scene
}

/// Deletes the oldest segments of the journal, after a checkpoint.
fn expire(scene: &Scene) {
    scene.tool().seal().unwrap();
    visit(scene, 2000, "u1", 60);
    expire_sealed(scene);
}

/// Deletes the sealed segments. Later records stay.
fn expire_sealed(scene: &Scene) {
    scene.checkpoint();
    scene.tool().seal().unwrap();
    visit(scene, 2001, "u1", 60);
    let rule = rasadmin_journal::retain::Rule::Limit { bytes: 0 };
    assert!(!rasadmin_journal::retain::expire(&scene.config.journal, rule).unwrap().is_empty());
}

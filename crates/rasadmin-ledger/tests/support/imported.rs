//! Imported sessions for tests.

use super::{Scene, soon};
use rasadmin_engine::{Domains, Fact, Facts, Millis, Name};
use rasadmin_ledger::imported::{ImportCounts, ImportedRefusal, ImportedRestart, ImportedSession, ImportedUsage};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use std::time::Duration;

/// A session of a user of CORP.
pub fn imported(key: &str, user: &str, start: Millis, stop: Millis) -> ImportedSession {
    let domains = Domains::new([("CORP", &[][..])], Some("CORP"));
    ImportedSession {
        key: key.to_owned(),
        source: "odbc",
        server: "VPN1".into(),
        user: domains.identity(&user.into(), &Name::default()),
        user_name: user.into(),
        computer: Name::default(),
        calling: String::new(),
        tunnel: Some("SSTP".to_owned()),
        port: None,
        address: Some([10, 8, 0, 1].into()),
        interface_id: None,
        prefix: None,
        start,
        stop,
        seconds: u64::try_from((stop - start) / 1000).unwrap(),
        usage: ImportedUsage { input_octets: Some(1), output_octets: Some(2), ..ImportedUsage::default() },
        nas_port: Some(9),
        exact: true,
        links: 1,
        cause: None,
        closed_by: "hangup",
        estimated: false,
        continued: false,
    }
}

/// Imports them into the scene's ledger.
pub fn import(scene: &Scene, sessions: &[ImportedSession]) -> ImportCounts {
    let mut ledger = Sqlite::open(&scene.ledger(), Create::No, false, soon()).unwrap();
    ledger.import(sessions, Duration::from_secs(20)).unwrap()
}

/// An attempt of a user of CORP that NPS refused.
#[allow(dead_code)]
pub fn refusal(key: &str, user: &str, time: Millis) -> ImportedRefusal {
    let domains = Domains::new([("CORP", &[][..])], Some("CORP"));
    ImportedRefusal {
        key: key.to_owned(),
        source: "odbc",
        time,
        user_name: user.into(),
        facts: Facts {
            time: rasadmin_policy::timestamp(time),
            server: "VPN1".into(),
            user: Fact::arrived(domains.identity(&user.into(), &Name::default())),
            port: Fact::NotYetKnown,
            tunnel: Fact::NotYetKnown,
            source: Fact::Known([203, 0, 113, 9].into()),
            computer: Fact::NotYetKnown,
            quarantine: Fact::NotYetKnown,
            interface: Fact::NotYetKnown,
        },
        reason_code: Some(16),
        reason: "wrong password".to_owned(),
    }
}

/// Imports them into the scene's ledger.
#[allow(dead_code)]
pub fn import_refusals(scene: &Scene, refusals: &[ImportedRefusal]) -> ImportCounts {
    let mut ledger = Sqlite::open(&scene.ledger(), Create::No, false, soon()).unwrap();
    ledger.import_refusals(refusals, Duration::from_secs(20)).unwrap()
}

/// Imports them into the scene's ledger, and says how many sessions they ended.
#[allow(dead_code)]
pub fn import_restarts(scene: &Scene, restarts: &[ImportedRestart]) -> u64 {
    let mut ledger = Sqlite::open(&scene.ledger(), Create::No, false, soon()).unwrap();
    ledger.import_restarts(restarts, Duration::from_secs(20)).unwrap()
}

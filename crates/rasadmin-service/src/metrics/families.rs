//! The metrics: their names, types and meanings. docs/metrics.md lists them too, and a test compares the two.

use super::collector::Collected;
use super::exposition::Kind::{Counter, Gauge, Histogram};
use super::exposition::{Exposition, Family};
use crate::settings::Settings;
use crate::state::{PipeReport, Report, State};
use rasadmin_engine::Tunnel;
use rasadmin_engine::effect::Origin;
use rasadmin_journal::inventory;
use rasadmin_ledger::report::{DecidedBy, PoolUse};
use rasadmin_system::disk;
use std::path::Path;

/// All metrics.
pub fn text(settings: &Settings, service: &State, collected: &Collected) -> String {
    let mut text = Exposition::default();
    let of_service = service_metrics(service);
    let of_journal = collected.state().map(|state| journal_metrics(settings, state, collected));
    for family in of_service.iter().chain(of_journal.iter().flatten()).chain(&disk_metrics(settings)) {
        text.push(family);
    }
    text.into_text()
}

/// Prometheus has only floating-point numbers, which are exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
const fn float(number: u64) -> f64 {
    number as f64
}

fn service_metrics(service: &State) -> Vec<Family> {
    let mut up = Family::new("rasadmin_duty_up", Gauge, "Whether a duty of the rasadmin service works.");
    let mut requests = Family::new("rasadmin_pipe_requests_total", Counter, "Requests over the pipe.");
    for duty in &service.duties {
        up.add(&[("duty", duty.report.duty().name())], f64::from(u8::from(duty.fault.is_none())));
        if let Report::Pipe(PipeReport { answered, refused, .. }) = &duty.report {
            requests.add(&[("result", "answered")], float(*answered));
            requests.add(&[("result", "refused")], float(*refused));
        }
    }
    let valid = f64::from(u8::from(service.config_fault.is_none()));
    // Exact to a millisecond.
    let started = float(service.started.max(0).unsigned_abs()) / 1000.0;
    vec![
        Family::new("rasadmin_build_info", Gauge, "The version of the rasadmin service; always 1.")
            .with(&[("version", &service.version)], 1.0),
        Family::new(
            "rasadmin_start_time_seconds",
            Gauge,
            "When the rasadmin service started, in seconds since 1970-01-01 UTC.",
        )
        .with(&[], started),
        Family::new(
            "rasadmin_configuration_valid",
            Gauge,
            "Whether the configuration's file is valid; if not, an earlier one is in force.",
        )
        .with(&[], valid),
        up,
        requests,
    ]
}

fn journal_metrics(settings: &Settings, state: &rasadmin_engine::State, collected: &Collected) -> Vec<Family> {
    let mut live = Family::new("rasadmin_live_sessions", Gauge, "Sessions that are connected now.");
    for tunnel in Tunnel::ALL {
        live.add(&[("tunnel", tunnel.name())], 0.0);
    }
    for session in state.live() {
        live.add(&[("tunnel", session.tunnel.map_or("unknown", Tunnel::name))], 1.0);
    }
    let mut decisions = Family::new("rasadmin_decisions_total", Counter, "Decisions about connections.");
    for (key, count) in &collected.tally.decisions {
        let by = match key.by {
            DecidedBy::Rule => "rule",
            DecidedBy::Default => "default",
            DecidedBy::Dll => "dll",
            DecidedBy::Nps | DecidedBy::Import | DecidedBy::Unknown => "unknown",
        };
        let labels =
            [("stage", key.stage), ("by", by), ("rule", &key.rule), ("refusal", key.refusal), ("outcome", key.outcome)];
        decisions.add(&labels, float(*count));
    }
    let mut disconnects = Family::new("rasadmin_disconnects_total", Counter, "Decisions to disconnect a session.");
    for (key, count) in &collected.tally.disconnects {
        disconnects.add(&[("how", key.how), ("why", key.why), ("rule", &key.rule)], float(*count));
    }
    let mut calls =
        Family::new("rasadmin_callback_duration_seconds", Histogram, "How long RRAS waited for its calls of the DLL.");
    for (callback, histogram) in &collected.tally.calls {
        calls.add_histogram(("callback", callback.name()), histogram);
    }
    let [received, sent] = collected.tally.octets.map(float);
    let mut all = vec![
        live,
        decisions,
        disconnects,
        calls,
        Family::new("rasadmin_received_bytes_total", Counter, "Octets received from clients.").with(&[], received),
        Family::new("rasadmin_sent_bytes_total", Counter, "Octets sent to clients.").with(&[], sent),
    ];
    all.extend(pool_metrics(settings, state));
    if let Some(lag) = collected.lag {
        all.push(
            Family::new("rasadmin_ledger_lag_records", Gauge, "Records of the journal that the ledger lacks.")
                .with(&[], float(lag.records)),
        );
        all.push(
            Family::new("rasadmin_ledger_lag_seconds", Gauge, "For how long the ledger has lacked a record.")
                .with(&[], float(lag.millis) / 1000.0),
        );
    }
    all
}

fn pool_metrics(settings: &Settings, state: &rasadmin_engine::State) -> [Family; 2] {
    let mut size = Family::new("rasadmin_pool_addresses", Gauge, "Addresses that a pool has.");
    let mut held = Family::new("rasadmin_pool_held_addresses", Gauge, "Addresses of a pool that are held.");
    // RRAS's own offers are not given from a pool, even if they lie in one.
    let given = state.leases().filter(|lease| lease.origin != Origin::Offer).map(|lease| lease.address);
    let counts = PoolUse::count(&settings.pools, state.server(), given);
    for pool in PoolUse::of(&settings.pools, &counts) {
        let family = pool.family.to_string();
        let labels = [("pool", pool.name.as_str()), ("family", &family)];
        size.add(&labels, float(pool.size));
        held.add(&labels, float(pool.held));
    }
    [size, held]
}

/// What cannot be read is left out, as Prometheus expects it.
fn disk_metrics(settings: &Settings) -> [Family; 2] {
    let mut journal = Family::new("rasadmin_journal_size_bytes", Gauge, "The length of the journal's files.");
    if let Ok(inventory) = inventory::take(&settings.journal) {
        journal.add(&[], float(inventory.length()));
    }
    let mut free = Family::new("rasadmin_disk_free_bytes", Gauge, "The free space on the disk of a folder.");
    let ledger = settings.ledger.parent().unwrap_or(Path::new(""));
    let folders =
        [("journal", &*settings.journal), ("ledger", ledger), ("backups", &settings.service.retention.backups)];
    for (of, folder) in folders {
        if let Ok(bytes) = disk::free_bytes(folder) {
            free.add(&[("of", of)], float(bytes));
        }
    }
    [journal, free]
}

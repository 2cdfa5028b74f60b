//! Remote Access with the DLL: whether it runs, and with which configuration.

use super::facts::{Facts, Mark, rfc3339};
use super::recorded::Recorded;
use crate::clock::is_recording;
use crate::format::count;
use crate::times;
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// Remote Access with the DLL, on one server.
#[derive(Serialize, JsonSchema)]
pub struct Service {
    /// The server's name.
    server: String,
    /// Whether it runs now, on this computer.
    alive: bool,
    /// When its last instance started: UTC, as RFC 3339 writes it.
    started: String,
    /// When its last event was recorded: UTC, as RFC 3339 writes it.
    last_activity: String,
    /// Sessions that are open: live ones, or those of an instance that ended without closing them.
    open_sessions: u64,
    /// Events that were lost before they could be recorded.
    events_lost: u64,
    /// The configuration that the DLL loaded last; null if that was not recorded.
    loaded: Option<LoadedConfig>,
}

/// A configuration that the DLL has loaded.
#[derive(Serialize, JsonSchema)]
struct LoadedConfig {
    /// When: UTC, as RFC 3339 writes it.
    time: String,
    /// The version of the DLL.
    version: String,
    /// The hash of the configuration in force since then.
    config: String,
    /// What was wrong with the file, if an earlier configuration stayed in force; null if nothing was.
    fault: Option<String>,
}

/// Whether Remote Access runs, on each server that the journal and the ledger know.
pub fn check(facts: &mut Facts, config: &Config, recorded: &Recorded, dll: Option<&Path>) -> Vec<Service> {
    let file = dll.and_then(|dll| rasadmin_setup::version_marker::version_of(dll).ok().flatten());
    let here = recorded.present.as_ref().map(|present| present.state.server().folded());
    let alive_here = is_recording(&config.journal);
    let time = |time| times::show(time, &config.zone);
    let mut services = Vec::new();
    for last in &recorded.instances {
        let name = last.server.to_string();
        let is_here = here.as_ref().is_some_and(|here| *here == last.server.folded());
        let alive = alive_here && is_here;
        let sessions = count(last.open_sessions, "open session");
        let activity = time(last.last_activity);
        if alive {
            let since = time(last.started);
            facts.add(Mark::Ok, "service", format!("{name}: running since {since}, {sessions}, last event {activity}"));
        } else if is_here && last.open_sessions > 0 {
            let what = format!(
                "{name}: not running, but {sessions}, last event {activity}: Remote Access ended without closing them; \
                 they count until it starts again, so start it, or see the System log for why it does not start"
            );
            facts.add(Mark::Attention, "service", what);
        } else {
            facts.add(Mark::Note, "service", format!("{name}: not running, {sessions}, last event {activity}"));
        }
        if let Some(loaded) = &last.loaded {
            let at = time(loaded.time);
            let text = format!("{at}: version {}, configuration {}", loaded.version, loaded.config);
            match &loaded.fault {
                Some(fault) => {
                    facts.add(Mark::Attention, "last reload", format!("{text}, because the file was broken\n{fault}"));
                }
                None if alive && loaded.config != config.hash => {
                    let what = format!("{text}; the file has changed since, and the DLL reads it at RRAS's next call");
                    facts.add(Mark::Note, "last reload", what);
                }
                None => facts.add(Mark::Ok, "last reload", text),
            }
            if alive && file.as_ref().is_some_and(|file| *file != loaded.version) {
                let what =
                    format!("version {} runs; the file is another version: restart RRAS to load it", loaded.version);
                facts.add(Mark::Attention, "DLL", what);
            }
        }
        if last.events_lost > 0 {
            let what = format!(
                "{name}: {} lost while nothing could be recorded; message 410 in the system's log says why",
                if last.events_lost == 1 {
                    "1 event was".to_owned()
                } else {
                    format!("{} events were", last.events_lost)
                }
            );
            facts.add(Mark::Attention, "lost", what);
        }
        services.push(Service {
            server: name,
            alive,
            started: rfc3339(last.started),
            last_activity: rfc3339(last.last_activity),
            open_sessions: last.open_sessions,
            events_lost: last.events_lost,
            loaded: last.loaded.as_ref().map(|loaded| LoadedConfig {
                time: rfc3339(loaded.time),
                version: loaded.version.clone(),
                config: loaded.config.clone(),
                fault: loaded.fault.clone(),
            }),
        });
    }
    services
}

/// When the instance started that runs on this computer now.
pub fn started(config: &Config, recorded: &Recorded) -> Option<Millis> {
    let here = recorded.present.as_ref().filter(|_| is_recording(&config.journal))?.state.server().folded();
    recorded.instances.iter().find(|last| last.server.folded() == here).map(|last| last.started)
}

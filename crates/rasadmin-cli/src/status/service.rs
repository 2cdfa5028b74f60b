//! Remote Access with the DLL: whether it runs, with which configuration.

use super::facts::{Facts, Mark, time};
use super::recorded::Recorded;
use crate::moment::is_recording;
use crate::output::count;
use rasadmin_policy::config::Config;
use serde_json::json;
use std::path::Path;

/// Says it of each server that journal and ledger know.
pub fn service(facts: &mut Facts, config: &Config, recorded: &Recorded, dll: Option<&Path>) {
    let file = dll.and_then(|dll| rasadmin_setup::version_marker::version_of(dll).ok().flatten());
    let here = recorded.present.as_ref().map(|present| present.state.server().folded());
    let alive_here = is_recording(&config.journal);
    let mut data = Vec::new();
    for last in &recorded.instances {
        let name = last.server.to_string();
        let alive = alive_here && here.as_ref().is_some_and(|here| *here == last.server.folded());
        let sessions = count(last.open_sessions, "open session");
        let activity = time(last.last_activity);
        if alive {
            let since = time(last.started);
            facts.add(Mark::Ok, "service", format!("{name}: running since {since}, {sessions}, last event {activity}"));
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
                    let what = format!("{text}; the file has changed since: the DLL reads it at RRAS's next call");
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
                "{name}: {} events were lost while nothing could be recorded; message 410 in the system's log says why",
                last.events_lost
            );
            facts.add(Mark::Attention, "lost", what);
        }
        data.push(json!({
            "server": name, "alive": alive, "started": last.started, "last_activity": last.last_activity,
            "open_sessions": last.open_sessions, "events_lost": last.events_lost,
            "loaded": last.loaded.as_ref().map(|loaded| json!({
                "time": loaded.time, "version": loaded.version, "config": loaded.config, "fault": loaded.fault,
            })),
        }));
    }
    facts.data.insert("services".into(), data.into());
}

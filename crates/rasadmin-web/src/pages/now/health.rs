//! How the parts of this server are: the DLL, the service, the journal, the ledger, the configuration.

use super::attention::Attention;
use crate::parts;
use crate::source::Source;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_ledger::report::{JournalCursor, LastInstance, Reader};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use rasadmin_service::state::{Report, State};

/// What the ledger knows about them.
pub struct Recorded {
    instance: Option<LastInstance>,
    cursor: Option<JournalCursor>,
}

/// One part.
pub struct Part {
    name: &'static str,
    /// None if it cannot be told without the service.
    is_well: Option<bool>,
    says: Markup,
}

impl Recorded {
    /// Asks the ledger about this server; if the configuration does not name it, about the one that was last active.
    pub fn read(reader: &Reader, config: &Config) -> Result<Self, rasadmin_ledger::Error> {
        let here = config.server.as_ref().map(|name| name.folded());
        let is_here = |name: &rasadmin_policy::Name| here.as_ref().is_none_or(|here| *here == name.folded());
        let instances = reader.instances()?.into_iter().filter(|one| is_here(&one.server));
        let cursors = reader.journal_cursors()?.into_iter().filter(|one| is_here(&one.server));
        Ok(Self {
            instance: instances.max_by_key(|one| one.last_activity),
            cursor: cursors.max_by_key(|one| one.brought_at),
        })
    }

    /// What needs attention.
    pub fn attention(&self) -> Vec<Attention> {
        let Some(instance) = &self.instance else { return Vec::new() };
        // The fault may have a line of the file, which viewers may not see.
        let fault = instance.loaded.as_ref().is_some_and(|loaded| loaded.fault.is_some()).then(|| {
            Attention::new(
                "the DLL keeps an earlier configuration, because the file was broken",
                "run `rasadmin config check`, and mend the file",
            )
        });
        let lost = (instance.events_lost > 0).then(|| {
            let what = format!("{} events were lost before they could be recorded", grouped(instance.events_lost));
            Attention::new(what, "`rasadmin status` says when; look at the free space on the journal's disk")
        });
        fault.into_iter().chain(lost).collect()
    }
}

/// The parts. `service` is what the rasadmin service has answered.
pub fn parts(source: &Source, service: Option<&State>, recorded: &Recorded, now: Millis) -> Vec<Part> {
    let config = source.config();
    let zone = &config.zone;
    let (file, fault) = source.config_fault();
    vec![
        dll(service, recorded, now, zone),
        of_service(service, now, zone),
        journal(&config, service),
        Part {
            name: "Ledger",
            is_well: service.map(|_| recorded.cursor.is_some()),
            says: match &recorded.cursor {
                Some(cursor) => {
                    html! { (brought(service.is_some(), cursor.brought_at, now, zone)) ", " span.code { (parts::printable(&config.ledger.display().to_string())) } }
                }
                None => html! { "it has nothing of this server yet" },
            },
        },
        Part {
            name: "Configuration",
            is_well: Some(fault.is_none()),
            says: html! {
                @if fault.is_some() { "broken; the last good one is in force" } @else { "valid, " (grouped(config.rules.len() as u64)) " rules" }
                ", " span.code { (parts::printable(&file.display().to_string())) }
            },
        },
    ]
}

/// When the ledger was last brought up to date. Beside a day that is played, the time is that of the computer.
fn brought(by_service: bool, at: Millis, now: Millis, zone: &TimeZone) -> Markup {
    html! {
        @if by_service { "up to date" @if at <= now { " at " (parts::short_time(at, now, zone)) } }
        @else { "last brought up to date " @if at <= now { (parts::short_time(at, now, zone)) } @else { "before the service ended" } }
    }
}

fn dll(service: Option<&State>, recorded: &Recorded, now: Millis, zone: &TimeZone) -> Part {
    let runs = service.and_then(|state| state.monitor()).map(|monitor| monitor.running);
    let is_well = recorded.instance.as_ref().is_some_and(|one| one.events_lost == 0);
    let is_well = if is_well { service.map(|_| runs != Some(false)) } else { Some(false) };
    let says = match &recorded.instance {
        None => html! { "it has recorded nothing yet: `rasadmin status` says whether it is registered" },
        Some(one) => html! {
            @if let Some(loaded) = &one.loaded { "version " (parts::printable(&loaded.version)) ", " }
            @if runs == Some(false) { "Remote Access does not run" } @else { "started " (parts::short_time(one.started, now, zone)) }
            ", last event " (parts::short_time(one.last_activity, now, zone))
        },
    };
    Part { name: "DLL", is_well, says }
}

fn of_service(service: Option<&State>, now: Millis, zone: &TimeZone) -> Part {
    let faults = service.map_or(0, |state| state.duties.iter().filter(|duty| duty.fault.is_some()).count());
    let says = match service {
        None => html! { "does not answer" },
        Some(state) => html! {
            "version " (parts::printable(&state.version)) ", " @if state.started <= now { "started " (parts::short_time(state.started, now, zone)) ", " }
            (state.duties.len()) " duties"
            @if faults > 0 { ", " (faults) " of them fail" }
        },
    };
    Part { name: "Service", is_well: Some(service.is_some() && faults == 0), says }
}

fn journal(config: &Config, service: Option<&State>) -> Part {
    let follow = service.and_then(|state| {
        state.duties.iter().find_map(|duty| match &duty.report {
            Report::Follow(follow) => Some((follow, duty.fault.is_none())),
            _ => None,
        })
    });
    let says = html! {
        @match follow {
            Some((follow, _)) => {
                @match follow.record { Some(record) => { "record " (grouped(record)) } None => "no records yet" }
                @if follow.behind > 0 { ", " (grouped(follow.behind)) " of them not in the ledger yet" }
            }
            None if service.is_some() => "not known: the duty follow is switched off",
            None => "not known without the service",
        }
        ", " span.code { (parts::printable(&config.journal.display().to_string())) }
    };
    Part { name: "Journal", is_well: follow.map(|(_, works)| works), says }
}

/// The card.
pub fn card(parts: &[Part]) -> Markup {
    html! {
        section.card {
            h2 { "Health" }
            dl.facts.health { @for Part { name, is_well, says } in parts {
                dt {
                    span.dot.bad[*is_well == Some(false)].unknown[is_well.is_none()] aria-hidden="true" {}
                    (name) span.sr { (match is_well { Some(true) => ": well", Some(false) => ": look at it", None => ": not known" }) }
                }
                dd { (says) }
            } }
        }
    }
}

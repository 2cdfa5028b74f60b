//! The card of the first page that says how the parts are.

use super::{ConfigurationHealth, DllHealth, Health, JournalHealth, LedgerHealth, ServiceHealth};
use crate::parts;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_policy::Millis;

/// The card.
pub fn card(health: &Health, now: Millis, zone: &TimeZone) -> Markup {
    let Health { dll, service, journal, ledger, configuration } = health;
    let answers = service.version.is_some();
    html! {
        section.card {
            h2 { "Health" }
            dl.facts.health {
                (part("DLL", dll.well, &of_dll(dll, now, zone)))
                (part("Service", Some(service.well), &of_service(service, now, zone)))
                (part("Journal", journal.well, &of_journal(journal, answers)))
                (part("Ledger", ledger.well, &of_ledger(ledger, answers, now, zone)))
                (part("Configuration", Some(configuration.well), &of_configuration(configuration)))
            }
        }
    }
}

/// `is_well`: none if it cannot be told.
fn part(name: &str, is_well: Option<bool>, says: &Markup) -> Markup {
    html! {
        dt {
            span.dot.bad[is_well == Some(false)].unknown[is_well.is_none()] aria-hidden="true" {}
            (name) span.sr { (match is_well { Some(true) => ": well", Some(false) => ": look at it", None => ": not known" }) }
        }
        dd { (says) }
    }
}

fn of_dll(dll: &DllHealth, now: Millis, zone: &TimeZone) -> Markup {
    let Some((started, last)) = dll.started.zip(dll.last_event) else {
        return html! { "it has recorded nothing yet: `rasadmin status` says whether it is registered" };
    };
    html! {
        @if let Some(version) = &dll.version { "version " (parts::printable(version)) ", " }
        @if dll.remote_access_runs == Some(false) { "Remote Access does not run" } @else { "started " (parts::short_time(started, now, zone)) }
        ", last event " (parts::short_time(last, now, zone))
    }
}

fn of_service(service: &ServiceHealth, now: Millis, zone: &TimeZone) -> Markup {
    let Some((version, started)) = service.version.as_ref().zip(service.started) else {
        return html! { "does not answer" };
    };
    let faults = service.duties.iter().filter(|duty| !duty.works).count();
    html! {
        "version " (parts::printable(version)) ", " @if started <= now { "started " (parts::short_time(started, now, zone)) ", " }
        (service.duties.len()) " duties"
        @if faults > 0 { ", " (faults) " of them fail" }
    }
}

fn of_journal(journal: &JournalHealth, answers: bool) -> Markup {
    html! {
        @match journal.behind {
            Some(behind) => {
                @match journal.record { Some(record) => { "record " (grouped(record)) } None => "no records yet" }
                @if behind > 0 { ", " (grouped(behind)) " of them not in the ledger yet" }
            }
            None if answers => "not known: the duty follow is switched off",
            None => "not known without the service",
        }
        ", " span.code { (parts::printable(&journal.folder)) }
    }
}

fn of_ledger(ledger: &LedgerHealth, answers: bool, now: Millis, zone: &TimeZone) -> Markup {
    let Some(at) = ledger.brought_at else { return html! { "it has nothing of this server yet" } };
    html! { (brought(answers, at, now, zone)) ", " span.code { (parts::printable(&ledger.file)) } }
}

/// When the ledger was last brought up to date. Beside a day that is played, the time is that of the computer.
fn brought(by_service: bool, at: Millis, now: Millis, zone: &TimeZone) -> Markup {
    html! {
        @if by_service { "up to date" @if at <= now { " at " (parts::short_time(at, now, zone)) } }
        @else { "last brought up to date " @if at <= now { (parts::short_time(at, now, zone)) } @else { "before the service ended" } }
    }
}

fn of_configuration(configuration: &ConfigurationHealth) -> Markup {
    html! {
        @if configuration.well { "valid, " (grouped(configuration.rules)) " rules" } @else { "broken; the last good one is in force" }
        ", " span.code { (parts::printable(&configuration.file)) }
    }
}

//! The report of `rasadmin host run` for people.

use super::play::Ran;
use crate::format::{count, duration, numbers};
use rasadmin_host::fill::Tunnel;
use rasadmin_host::outcome::OutcomeKind;
use std::time::Duration;

/// The tables.
pub fn text(ran: &Ran<'_>) -> String {
    let Ran { arguments, scenario, descriptions: about, day, stopped, took, summary, .. } = *ran;
    let name_of = |dll| ran.name_in_reasons(dll);
    use std::fmt::Write;
    let mut out = String::new();
    let connects = day.outcomes.len();
    let name = arguments.scenario.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}"); // Writing to a String cannot fail.
    };
    line(format!("{name} on {}: {} in {}", scenario.server, count(connects, "connect"), short(took)));
    if about.is_empty() {
        line("  no admin DLL: RRAS decides alone".into());
    }
    about.iter().for_each(|dll| line(format!("  {dll}")));
    let assumed = scenario.assumptions.changed();
    if !assumed.is_empty() {
        line(format!("  assumed of RRAS: {}", assumed.join(", ")));
    }
    line(String::new());
    let header = ["connections", "asked", "accepted", "refused", "share accepted"];
    let of = |tunnel: Option<Tunnel>| {
        let all: Vec<_> = day.outcomes.iter().filter(|o| tunnel.is_none_or(|t| o.tunnel == t)).collect();
        let accepted = all.iter().filter(|o| o.refused.is_none()).count();
        vec![
            tunnel.map_or("all", Tunnel::name).to_owned(),
            all.len().to_string(),
            accepted.to_string(),
            (all.len() - accepted).to_string(),
            percent(accepted, all.len()),
        ]
    };
    line(numbers(&header, Tunnel::ALL.into_iter().map(Some).chain([None]).map(of)));
    let refusals = day.refusals(&name_of);
    if !refusals.is_empty() {
        line(String::new());
        let rows = refusals.into_iter().map(|(why, n)| vec![why, n.to_string()]);
        line(numbers(&["refused or cut because", "times"], rows));
    }
    line(String::new());
    let rows = [
        ("further links", day.links.accepted, day.links.rejected),
        ("reauthentications", day.reauthentications.accepted, day.reauthentications.rejected),
        ("endpoint changes", day.endpoint_changes.accepted, day.endpoint_changes.rejected),
    ];
    let rows = rows.map(|(what, yes, no)| vec![what.to_owned(), yes.to_string(), no.to_string()]);
    line(numbers(&["while connected", "accepted", "rejected"], rows));
    line(String::new());
    let (at_end, refused) = (day.released, day.released_after_refusal);
    let rows =
        [("IPv4", day.ipv4_given, at_end.ipv4, refused.ipv4), ("IPv6", day.ipv6_given, at_end.ipv6, refused.ipv6)];
    let rows = rows.map(|(what, given, at_end, refused)| {
        vec![what.to_owned(), given.to_string(), at_end.to_string(), refused.to_string()]
    });
    line(numbers(&["addresses", "given", "released at the end", "released after a refusal"], rows));
    line(format!("  most sessions at once: {}", day.peak));
    line(String::new());
    if let Some(summary) = summary {
        line(summary.tables());
    }
    let rows = stopped.statistics.times().into_iter().map(|(function, t)| {
        vec![function.name().to_owned(), t.calls.to_string(), duration(t.p50), duration(t.p99), duration(t.max)]
    });
    line(numbers(&["function", "calls", "p50", "p99", "max"], rows));
    for (dll, code) in &stopped.terminate_codes {
        line(format!("note: MprAdminTerminateDll of {} answered {code}; RRAS does not mind.", dll.display()));
    }
    for stuck in &stopped.stuck {
        line(format!("warning: {stuck}"));
    }
    ran.warnings().iter().for_each(|warning| line(rasadmin_text::wrap("warning: ", warning, 100).join("\n")));
    if arguments.each {
        line(String::new());
        let rules = summary.map(|summary| summary.rules(day)).unwrap_or_default();
        let rows = day.outcomes.iter().enumerate().map(|(index, o)| {
            let address = o.ipv4.map_or_else(|| "-".to_owned(), |a| a.to_string());
            let port = if o.port.is_empty() { "-".to_owned() } else { o.port.clone() };
            let what = match (o.refused, o.cut) {
                (Some(why), _) => format!("refused: {}", why.describe(&name_of)),
                (None, Some(why)) => format!("accepted, then cut: {}", why.describe(&name_of)),
                (None, None) => OutcomeKind::of(o).name().to_owned(),
            };
            let mut row = vec![o.session.clone(), o.user.clone(), o.tunnel.name().to_owned(), port, address, what];
            row.extend(rules.get(index).cloned());
            row
        });
        let mut header = vec!["session", "user", "tunnel", "port", "address", "what became of it"];
        header.extend((!rules.is_empty()).then_some("decided by"));
        line(crate::format::texts(&header, rows));
    }
    let expected = scenario.expectations.len();
    if expected > 0 {
        let unmet = scenario.expectations.iter().filter(|one| one.unmet(day).is_some()).count();
        line(format!("\n{} met, {unmet} not", count(expected - unmet, "expectation")));
    }
    if let Some(folder) = arguments.keep.folder() {
        line(format!("\nkept in {}", folder.display()));
        line(format!("  look at it: rasadmin sessions --config {}", folder.join("rasadmin.toml").display()));
    }
    if let Some(path) = &arguments.trace {
        line(format!("\ntrace: {}", path.display()));
        line(format!("  replay it: rasadmin host replay --dll OTHER.dll {}", path.display()));
    }
    out
}

fn percent(part: usize, whole: usize) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

fn short(took: Duration) -> String {
    duration(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX))
}

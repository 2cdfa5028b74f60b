//! The time line of a session.

use super::Session;
use crate::parts;
use maud::{Markup, html};
use rasadmin_engine::Stage;
use rasadmin_ledger::report::DecisionRow;
use rasadmin_policy::Millis;

/// What a line is about, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fine,
    Denied,
    Plain,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Denied => "denied",
            Self::Plain => "plain",
        }
    }
}

/// A line.
struct Line {
    time: Millis,
    kind: Kind,
    what: Markup,
}

impl Session {
    /// Everything that happened, in order. In the same moment, decisions come before what they allow.
    pub(super) fn story(&self) -> Markup {
        let mut lines: Vec<Line> = self.decisions.iter().map(decision).collect();
        lines.extend(self.leases.iter().map(|lease| {
            let pool = lease.pool.as_deref().map(|pool| format!(" of the pool {}", parts::printable(pool)));
            let what = html! { "got the address " span.code { (lease.address) } (pool.unwrap_or_default()) " (" (lease.origin) ")" };
            Line { time: lease.began, kind: Kind::Plain, what }
        }));
        lines.extend(self.links.iter().map(|link| {
            let what =
                html! { "link up on " (parts::text(link.port.as_str())) ", " (parts::text(link.device.as_str())) };
            Line { time: link.start, kind: Kind::Plain, what }
        }));
        lines.extend(self.disconnect());
        lines.extend(self.row.replaced.map(|time| {
            let what = html! { "the client came back in another session: from here on, this one does not count in limits and quotas" };
            Line { time, kind: Kind::Plain, what }
        }));
        lines.extend(self.links.iter().filter_map(|link| {
            let octets = [link.input_octets, link.output_octets];
            let what = html! {
                "link down on " (parts::text(link.port.as_str()))
                @if let Some([received, sent]) = known(octets) { ": " (parts::octets(Some(received))) " received, " (parts::octets(Some(sent))) " sent" }
            };
            Some(Line { time: link.stop?, kind: Kind::Plain, what })
        }));
        lines.extend(self.end());
        lines.extend(self.leases.iter().filter_map(|lease| {
            let why = lease.ended_by.as_deref().unwrap_or_default();
            let what = html! { "gave back the address " span.code { (lease.address) } " (" (why) ")" };
            Some(Line { time: lease.ended?, kind: Kind::Plain, what })
        }));
        lines.sort_by_key(|line| line.time);
        html! {
            @if lines.is_empty() {
                p.empty { "Nothing but the session itself is on record: it was imported from a log, or what is older was deleted." }
            } @else {
                ol.story { @for line in &lines { li.{ "is-" (line.kind.name()) } {
                    (parts::time(line.time, &self.zone)) span { (line.what) }
                } } }
            }
        }
    }

    fn disconnect(&self) -> Option<Line> {
        let row = &self.row;
        let (time, how) = (row.disconnect_time?, row.disconnect.as_deref()?);
        let what = match how {
            "enforced" => "the service asked RRAS to disconnect it",
            "reported" => "the service would have disconnected it, but only reports",
            _ => "marked to be disconnected",
        };
        let why = match row.disconnect_why.as_deref() {
            Some("rule") => {
                format!("by the rule {}", parts::printable(row.disconnect_rule.as_deref().unwrap_or_default()))
            }
            Some("blocked") => "because the user is blocked".to_owned(),
            Some("replaced") => "because a newer session replaces it".to_owned(),
            _ => match &row.disconnect_by {
                Some(by) => format!("asked by {}", parts::printable(by)),
                None => "asked".to_owned(),
            },
        };
        let reason = row.disconnect_reason.as_deref().map(|reason| format!(": {}", parts::printable(reason)));
        Some(Line { time, kind: Kind::Denied, what: html! { (what) ", " (why) (reason.unwrap_or_default()) } })
    }

    fn end(&self) -> Option<Line> {
        let row = &self.row;
        let cause = row.acct_terminate_cause.as_deref().map(|cause| format!(", {}", parts::printable(cause)));
        let by = row.closed_by.as_deref().unwrap_or("not known");
        let what = html! { @if row.never_connected().is_some() { "the attempt ended (" } @else { "the session ended (" } (parts::printable(by)) (cause.unwrap_or_default()) ")" @if row.estimated { ", an estimate" } };
        Some(Line { time: row.acct_stop_time?, kind: Kind::Plain, what })
    }
}

/// What RRAS reported of a link. A link that something else ended has nothing.
fn known(octets: [Option<u64>; 2]) -> Option<[u64; 2]> {
    let [Some(received), Some(sent)] = octets else { return None };
    ([received, sent] != [0, 0]).then_some([received, sent])
}

/// A decision, with a link to its explanation.
fn decision(decision: &DecisionRow) -> Line {
    let outcome = match decision.outcome.as_str() {
        "deny" => "denied",
        "allow for now" => "allowed for now",
        _ => "allowed",
    };
    let moved = (decision.stage == Stage::EndpointChange).then(|| decision.facts.source.known()).flatten();
    let because = decision.reason.as_deref().filter(|_| decision.is_denied());
    let what = html! {
        a href={ "/decisions/" (decision.id) } { (parts::stage(decision.stage)) }
        @if let Some(source) = moved { " to " span.code { (source) } }
        ": " (outcome) " by " (parts::printable(&decision.decided_by()))
        @if let Some(because) = because { ": " (parts::printable(because)) }
    };
    Line { time: decision.time, kind: if decision.is_denied() { Kind::Denied } else { Kind::Fine }, what }
}

//! What would happen: the verdict first, then each tunnel, and each stage with its rules.

use super::Query;
use crate::pages::asked;
use crate::pages::rules::evaluated::{self, Evaluated};
use crate::parts;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::explain::{Received, ReceivedStage};
use rasadmin_policy::rules::WhenUnrecorded;

/// The answer to a question.
pub fn content(query: &Query, answer: &Received, zone: &TimeZone) -> Markup {
    let all = answer.tunnels.len();
    let accepted = answer.tunnels.iter().filter(|tunnel| tunnel.allowed).count();
    html! {
        section.card.answer role="status" {
            p.verdict {
                (user(query, answer)) " "
                @if accepted == 0 { span.tag.denied { "would be denied" } } @else { span.tag.live { "would be let in" } }
                @if all > 1 {
                    @if accepted == 0 || accepted == all { ", with every tunnel" } @else { ", but not with every tunnel" }
                }
                @match asked::given(&query.at) {
                    Some(at) => { ", at " time { (at.replace('T', " ")) } " (" (zone.iana_name().unwrap_or("UTC")) ")" }
                    None => ", now",
                }
                "."
            }
            @if let [tunnel] = &answer.tunnels[..] {
                @if let Some(reason) = &tunnel.reason { p.reason { (parts::printable(reason)) } }
            }
            @if let Some(absent) = absent(query) { p.muted { "Not given, so counted as absent: " (absent) "." } }
            @if all > 1 { (tunnels(query, answer)) }
        }
        @for stage in &answer.stages { (self::stage(stage)) }
        @if let (true, Some(tunnel)) = (all > 1, shown(answer)) {
            p.muted { "These are the stages with " (tunnel) ". Choose another tunnel above to see its own." }
        }
        p.muted.foot { "configuration " span.code { (parts::printable(&answer.config)) } }
    }
}

fn user(query: &Query, answer: &Received) -> Markup {
    match answer.user() {
        Some(user) => parts::user(Some(&user.domain), Some(&user.name), &user.name),
        None => html! { (parts::printable(query.user.trim())) },
    }
}

/// The tunnel whose stages these are: the first that is accepted, or else the first.
fn shown(answer: &Received) -> Option<&str> {
    let accepted = answer.tunnels.iter().find(|tunnel| tunnel.allowed);
    accepted.or(answer.tunnels.first()).map(|tunnel| tunnel.tunnel.as_str())
}

fn absent(query: &Query) -> Option<String> {
    let all = [("public address", &query.source), ("computer", &query.computer), ("port", &query.port)];
    let absent: Vec<_> =
        all.into_iter().filter(|(_, field)| asked::given(field).is_none()).map(|(what, _)| what).collect();
    (!absent.is_empty()).then(|| absent.join(", "))
}

fn tunnels(query: &Query, answer: &Received) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="With each tunnel" { table {
            thead { tr { th scope="col" { "tunnel" } th scope="col" { "result" } th scope="col" { "decided by" } th scope="col" { "at" } th scope="col" { "because" } } }
            tbody { @for tunnel in &answer.tunnels { tr {
                th scope="row" { a href=(query.with_tunnel(&tunnel.tunnel)) { (parts::printable(&tunnel.tunnel)) } }
                td { @if tunnel.allowed { span.tag.live { "let in" } } @else { span.tag.denied { "denied" } } }
                td { @match (&tunnel.rule, tunnel.allowed || tunnel.reason.is_none()) {
                    (Some(rule), _) => (parts::rule(rule)),
                    (None, true) => a href="/rules#default" { "(default)" },
                    (None, false) => "(default or rasadmin itself)",
                } }
                td { (tunnel.stage.map(parts::stage).unwrap_or_default()) }
                td.wrap { (parts::text(tunnel.reason.as_deref().unwrap_or_default())) }
            } } }
        } }
    }
}

fn stage(stage: &ReceivedStage) -> Markup {
    html! {
        section.card {
            h2 {
                "RRAS asks about the " (parts::stage(stage.stage)) ": "
                @if stage.ends() { span.tag.denied { "denied" } } @else { span.tag.live { "allowed" } }
            }
            @match &stage.refused {
                Some(why) => {
                    p.reason { "The connection ends, whatever the rules say: " (parts::printable(why)) }
                    p.muted { "The rules alone: " (parts::commands(&stage.ruled())) "." }
                }
                None => p { (parts::commands(&parts::sentence(&stage.ruled()))) "." },
            }
            @if let Some(address) = stage.address() { p { "Address: " (parts::commands(&address)) "." } }
            @if stage.when_unrecorded == Some(WhenUnrecorded::Deny) && stage.is_allowed_by_rules() { p.muted { "While nothing can be recorded: denied." } }
            @if !stage.replaces.is_empty() {
                p { "Marks to be disconnected: "
                    @for (at, session) in stage.replaces.iter().enumerate() {
                        @if at > 0 { ", " }
                        a href={ "/sessions/" (parts::encoded(session)) } { (parts::printable(session)) }
                    }
                    "."
                }
            }
            (evaluated::list(&Evaluated::received(stage)))
        }
    }
}

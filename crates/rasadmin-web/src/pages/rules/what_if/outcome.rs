//! What a candidate would have changed.

use super::candidates::Candidate;
use crate::pages::asked;
use crate::parts;
use maud::{Markup, html};
use rasadmin_answers::replay::{Answer, BecauseAnswer, PoolAnswer, ReportAnswer, RuleAnswer, UserAnswer};
use rasadmin_answers::show::grouped;
use rasadmin_policy::config::Config;

/// The figures, and what would change by rule, by user and in the pools.
pub fn content(answer: &Answer, more_users: u64, kept: Option<&Candidate>, config: &Config) -> Markup {
    let report = &answer.report;
    let changed = report.newly_refused + report.newly_accepted;
    html! {
        section.card.answer {
            h2 { "The result" }
            p role="status" {
                @if changed == 0 { strong { "No change" } ": " (attempts(report.attempts)) " would be decided as " @if report.attempts == 1 { "it was." } @else { "they were." } }
                @else { "Of " (attempts(report.attempts)) ", " strong { (grouped(changed)) } " would be decided differently." }
            }
            @for rule in report.unused_rules.iter().filter(|rule| is_new(rule, config)) {
                p { "The new rule " code { (parts::printable(rule)) } " decided none of them: nobody is concerned, or rules above it decide first." }
            }
            @let others: Vec<_> = report.unused_rules.iter().filter(|rule| !is_new(rule, config)).map(|rule| parts::printable(rule)).collect();
            @if !others.is_empty() { p.muted { "Rules that decided none of them: " (others.join(", ")) "." } }
            @for note in notes(report) { p.muted { (parts::printable(&note)) } }
        }
        dl.figures-row {
            div { dt { "Let in, would be denied" } dd { (grouped(report.newly_refused)) } dd.sub { "of " (grouped(report.accepted_then)) " that were let in" } }
            div { dt { "Denied, would be let in" } dd { (grouped(report.newly_accepted)) } dd.sub { "of " (grouped(report.refused_then)) " that were denied" } }
            div { dt { "Unchanged" } dd { (grouped(report.attempts.saturating_sub(changed))) } dd.sub { "of " (attempts(report.attempts)) } }
        }
        @if !report.by_rule.is_empty() { (by_rule(&report.by_rule, config)) }
        (by_user(&report.by_user, more_users))
        @if !report.pools.is_empty() { (pools(&report.pools, config)) }
        p.muted.foot {
            @if let Some(kept) = kept { (period(kept)) "; " }
            "candidate " span.code { (parts::printable(&answer.config)) } "; times: " (config.zone.iana_name().unwrap_or("UTC"))
        }
    }
}

/// Which attempts were tried.
fn period(kept: &Candidate) -> String {
    let shown = |time: &str| parts::printable(&time.trim().replace('T', " "));
    match (asked::given(&kept.since), asked::given(&kept.until)) {
        (None, None) => "all attempts".to_owned(),
        (Some(since), None) => format!("attempts since {}", shown(since)),
        (None, Some(until)) => format!("attempts before {}", shown(until)),
        (Some(since), Some(until)) => format!("attempts from {} to {}", shown(since), shown(until)),
    }
}

/// Whether the configuration in force has no rule of this name.
fn is_new(rule: &str, config: &Config) -> bool {
    config.rules.names().all(|name| name != rule)
}

fn attempts(count: u64) -> String {
    parts::count(count, "attempt")
}

/// What the figures leave open.
fn notes(report: &ReportAnswer) -> Vec<String> {
    let mut notes = Vec::new();
    if report.rest_on_lacking > 0 {
        let facts: Vec<_> =
            report.lacking.iter().map(|(fact, count)| format!("{fact} ({})", grouped(*count))).collect();
        notes.push(format!(
            "Estimated: {} {} on facts that the ledger does not have for these attempts: {}.",
            grouped(report.rest_on_lacking),
            if report.rest_on_lacking == 1 { "answer depends" } else { "answers depend" },
            facts.join(", ")
        ));
    }
    if report.refused_by_nps > 0 {
        notes.push(format!(
            "NPS refused {} before rasadmin was asked, and would again, whatever the rules say. The candidate would refuse {} of them too.",
            attempts(report.refused_by_nps),
            grouped(report.refused_by_both)
        ));
    }
    notes
}

fn by_rule(rules: &[RuleAnswer], config: &Config) -> Markup {
    html! {
        section.card {
            h2 { "By what would decide" }
            div.scroll tabindex="0" role="region" aria-label="By rule" { table {
                thead { tr { th scope="col" { "by" } th scope="col" { "because" } th.number scope="col" { "would be denied" } th.number scope="col" { "would be let in" } th.number scope="col" { "users" } th scope="col" { "first" } th scope="col" { "last" } } }
                tbody { @for rule in rules { tr {
                    th scope="row" { (because(&rule.because, config)) }
                    td.wrap { (parts::text(rule.reason.as_deref().unwrap_or_default())) }
                    td.number { (grouped(rule.refused)) }
                    td.number { (grouped(rule.accepted)) }
                    td.number { (grouped(rule.users)) }
                    td { (time(&rule.first, config)) }
                    td { (time(&rule.last, config)) }
                } } }
            } }
        }
    }
}

/// A rule of the candidate has a link only if the configuration in force has one of its name.
fn because(because: &BecauseAnswer, config: &Config) -> Markup {
    html! {
        @match because {
            BecauseAnswer::Rule(rule) if !is_new(rule, config) => (parts::rule(rule)),
            BecauseAnswer::Rule(rule) => (parts::printable(rule)),
            BecauseAnswer::Default => "(default)",
            BecauseAnswer::PoolExhausted(pool) => { "(the pool " (parts::printable(pool)) " is exhausted)" }
            BecauseAnswer::NoAddress(why) => { "(" (parts::printable(why)) ")" }
        }
    }
}

/// Those for whom something would change; the most first. If the last of all that were sent is one of them, there may be more.
fn by_user(all: &[UserAnswer], more: u64) -> Markup {
    let users: Vec<_> = all.iter().filter(|user| user.refused + user.accepted > 0).collect();
    if users.is_empty() {
        return html! {};
    }
    let more = if users.len() == all.len() { more } else { 0 };
    html! {
        section.card {
            h2 { "By user" }
            div.scroll tabindex="0" role="region" aria-label="By user" { table {
                thead { tr { th scope="col" { "user" } th.number scope="col" { "would be denied" } th.number scope="col" { "would be let in" } th.number scope="col" { "attempts" } } }
                tbody { @for user in &users { tr {
                    th scope="row" { (self::user(&user.user)) }
                    td.number { (grouped(user.refused)) }
                    td.number { (grouped(user.accepted)) }
                    td.number { (grouped(user.attempts)) }
                } } }
            } }
            @if more > 0 { p.muted { "These are the users for whom most would change; " (grouped(more)) " more are not shown. " code { "rasadmin replay" } " lists all." } }
        }
    }
}

/// The name is as people read it. If something in it is escaped, the page of the user has another address.
fn user(name: &str) -> Markup {
    html! {
        @if name.matches('\\').count() < 2 { a href={ "/users/" (parts::encoded(name)) } { (parts::printable(name)) } }
        @else { (parts::printable(name)) }
    }
}

fn pools(pools: &[PoolAnswer], config: &Config) -> Markup {
    html! {
        section.card {
            h2 { "Pools" }
            div.scroll tabindex="0" role="region" aria-label="Pools" { table {
                thead { tr { th scope="col" { "pool" } th scope="col" { "server" } th.number scope="col" { "most in use" } th.number scope="col" { "of" } th scope="col" { "at" } th.number scope="col" { "was empty for" } } }
                tbody { @for pool in pools { tr {
                    th scope="row" { a href=(asked::address("/addresses", &[("pool", &pool.pool)])) { (parts::printable(&pool.pool)) } @if pool.family == 6 { " (IPv6)" } }
                    td { (parts::printable(&pool.server)) }
                    td.number { (grouped(pool.peak)) }
                    td.number { (grouped(pool.size)) }
                    td { (time(&pool.peak_at, config)) }
                    td.number { @if pool.exhausted_times > 0 { (attempts(pool.exhausted_times)) } @else { "0" } }
                } } }
            } }
        }
    }
}

fn time(text: &str, config: &Config) -> Markup {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => parts::time(time.as_millisecond(), &config.zone),
        Err(_) => parts::text(text),
    }
}

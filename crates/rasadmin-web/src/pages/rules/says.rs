//! What a rule says, in words.

use crate::parts;
use maud::{Markup, html};
use rasadmin_answers::show;
use rasadmin_policy::config::Config;
use rasadmin_policy::rules::{Action, Described, WhenUnrecorded};

/// A condition with more characters is folded: a list can have a thousand users.
const LONG: usize = 240;

/// What a rule does, as a mark.
pub fn action(rule: &Described<'_>) -> Markup {
    html! {
        @match (rule.action, rule.keeps) {
            (_, Some(_)) => span.tag { "replaces" },
            (Action::Allow, None) => span.tag.live { "allows" },
            (Action::Deny, None) => span.tag.denied { "denies" },
        }
    }
}

/// The conditions, the reason, and what else follows.
pub fn content(rule: &Described<'_>, config: &Config) -> Markup {
    html! {
        @if rule.conditions.is_empty() {
            p { @if rule.rule.is_some() { "everybody" } @else { "everybody whom no rule above matches" } }
        } @else {
            dl.conditions { @for (field, asked) in &rule.conditions { dt { (field) } dd { (long(asked)) } } }
        }
        @if let Some(reason) = rule.reason { p { "Reason: " q { (parts::printable(reason)) } } }
        @for line in follows(rule, config) { p.muted { (parts::printable(&line)) } }
    }
}

fn long(asked: &str) -> Markup {
    let count = asked.chars().count();
    if count <= LONG {
        return html! { (parts::printable(asked)) };
    }
    let first: String = asked.chars().take(LONG / 2).collect();
    html! { details { summary { (parts::printable(&first)) "… (" (show::grouped(count as u64)) " characters)" } (parts::printable(asked)) } }
}

fn follows(rule: &Described<'_>, config: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    for (pool, family) in rule.pools.iter().zip(["IPv4", "IPv6"]) {
        if let Some(pool) = pool.and_then(|id| config.addresses.pools.get(id.0 as usize)) {
            lines.push(format!("{family} address from the pool {}", pool.name));
        }
    }
    if let Some(keeps) = rule.keeps {
        let which = match keeps {
            0 => "the user's other sessions are".to_owned(),
            1 => "the user's other sessions, but for the newest, are".to_owned(),
            _ => format!("the user's other sessions, but for the newest {keeps}, are"),
        };
        lines.push(format!("It does not deny. If a rule below allows, {which} marked to be disconnected."));
    }
    match rule.active {
        Some(0) => lines.push("It ends active sessions too.".to_owned()),
        Some(grace) => {
            lines.push(format!("It ends active sessions too, {} after it begins to hold.", show::duration(grace)))
        }
        None => {}
    }
    match rule.when_unrecorded {
        Some(WhenUnrecorded::Deny) => lines.push("While nothing can be recorded, it denies.".to_owned()),
        Some(WhenUnrecorded::Allow) => lines.push("It allows even while nothing can be recorded.".to_owned()),
        None => {}
    }
    lines
}

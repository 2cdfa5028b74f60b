//! The rules in force, as they are evaluated, with what they have decided lately.

mod addresses;
pub mod evaluated;
pub mod explain;
mod hits;
mod says;
pub mod what_if;

use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::visitor::{Role, Visitor};
use crate::{layout, parts};
use axum::Extension;
use axum::extract::State;
use hits::{DAYS, Matched};
use maud::{Markup, html};
use rasadmin_policy::config::Config;
use rasadmin_policy::{Millis, rules::Described};
use std::sync::Arc;

/// What the page shows.
struct Rules {
    config: Arc<Config>,
    now: Millis,
    /// What each rule has decided, in their order; the last is the default.
    matched: Vec<Matched>,
    /// The file, and what is wrong with it, if an earlier configuration is in force.
    fault: Option<(String, String)>,
}

/// The page.
pub async fn page(State(app): Shared, Extension(visitor): Extension<Visitor>) -> Result<Markup, Fault> {
    let rules = app.work(Rules::read).await?;
    let server = rules.config.server.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(layout::page(&visitor, &server, "/rules", "Rules", &rules.content(visitor.role)))
}

impl Rules {
    fn read(app: &App) -> Result<Self, Fault> {
        Self::at(app, app.source.now())
    }

    fn at(app: &App, now: Millis) -> Result<Self, Fault> {
        let config = app.source.config();
        let (file, fault) = app.source.config_fault();
        let fault = fault.map(|fault| (file.display().to_string(), fault));
        let matched = app.source.ledger(|reader| hits::read(reader, &config, now))?;
        Ok(Self { config, now, matched, fault })
    }

    fn content(&self, role: Role) -> Markup {
        let rules = self.config.rules.described();
        html! {
            h1 { "Rules" }
            nav.pages aria-label="Questions about the rules" {
                a.button href="/rules/explain" { "Would a user get in?" }
                @if role >= Role::Operator { a.button.plain href="/rules/what-if" { "Try other rules" } }
            }
            @if let Some((file, fault)) = &self.fault {
                section.attention {
                    h2 { "The file is broken: an earlier configuration is in force" }
                    p { code { (parts::printable(file)) } }
                    @if role >= Role::Operator { pre.code { (rasadmin_text::printable_lines(fault)) } }
                    @else { p { "Operators see here what is wrong; so does " code { "rasadmin config check" } "." } }
                }
            }
            section.card {
                h2 { "In force, top down: the first that matches decides" }
                ol.rulebook { @for (at, (rule, matched)) in rules.iter().zip(&self.matched).enumerate() {
                    li id=(anchor(rule)) {
                        span.at.number aria-hidden="true" { @if rule.rule.is_some() { (at + 1) } }
                        div.name { (name(rule)) " " (says::action(rule)) }
                        div.says { (says::content(rule, &self.config)) }
                        div.hits { (matched.content(rule, self.now, &self.config.zone)) }
                    }
                } }
                p.muted.foot {
                    "Matches of the last " (DAYS) " days. RRAS asks two or three times for each connection, and each answer counts; "
                    a href="/reports?by=rule" { "the report by rule" } " counts sessions."
                }
            }
            (addresses::section(&self.config))
            p.muted.foot { "configuration " span.code { (self.config.hash) } "; times: " (self.config.zone.iana_name().unwrap_or("UTC")) }
        }
    }
}

fn name(rule: &Described<'_>) -> Markup {
    html! {
        @match rule.rule {
            Some(name) => strong { (parts::printable(name)) },
            None => strong { "(default)" },
        }
    }
}

/// Where a rule is on the page.
fn anchor(rule: &Described<'_>) -> String {
    rule.rule.map_or_else(|| "default".to_owned(), parts::rule_anchor)
}

#[cfg(test)]
mod tests;

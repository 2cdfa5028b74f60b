//! The form with the candidate, and what is wrong with it.

use super::candidates::Candidate;
use super::listing;
use crate::fault::Fault;
use crate::layout;
use crate::pages::rules::explain::unanswered;
use crate::visitor::Visitor;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use rasadmin_pipe::Refusal;
use rasadmin_policy::config::Config;
use std::sync::Arc;

/// A form leaves less of 64 KiB for the text, because it sends some characters as three.
const LONG: usize = 40 << 10;

/// The page of the form.
pub struct Page {
    pub candidate: Candidate,
    /// The candidate's mistakes.
    pub mistakes: Option<Refusal>,
    /// Why it cannot be tried now.
    pub fault: Option<Fault>,
    /// The latest simulation that was begun here.
    pub latest: Option<u64>,
    pub config: Arc<Config>,
}

impl Page {
    /// The answer. What was typed stays in the form.
    pub fn answer(&self, status: StatusCode, visitor: &Visitor) -> Response {
        let server = self.config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        (status, layout::page(visitor, &server, "/rules", "What if", &self.content(&visitor.csrf))).into_response()
    }

    fn content(&self, csrf: &str) -> Markup {
        let zone = self.config.zone.iana_name().unwrap_or("UTC");
        html! {
            h1 { "Try other rules" }
            p.muted { "The text is the configuration in force. Change it, and try the candidate on past connections: who would have been let in, and who would have been denied. Rules are read from the top, and the first that matches decides, so put a new one above those that would let the user in. The configuration itself stays as it is." }
            @if let Some(fault) = &self.fault {
                (unanswered(fault))
                @if let Some(latest) = self.latest { p { a href={ "/rules/what-if/" (latest) } { "The simulation that was begun here last" } } }
            }
            @if let Some(refusal) = &self.mistakes { (listing::content(&self.candidate.configuration, refusal)) }
            form.card method="post" action="/rules/what-if" {
                h2.sr { "The configuration to try" }
                input type="hidden" name="csrf" value=(csrf);
                label.wide { "The configuration to try (the candidate)"
                    // The first line end in a text area is left out.
                    textarea.code #configuration name="configuration" rows="24" required spellcheck="false" autocapitalize="none" autocomplete="off" wrap="off" { "\n" (self.candidate.configuration) }
                }
                div.filter {
                    label { "From, in " (zone) " (empty: all)" input type="datetime-local" name="since" value=(self.candidate.since.trim()); }
                    label { "Before (empty: until now)" input type="datetime-local" name="until" value=(self.candidate.until.trim()); }
                    button type="submit" { "Try it" }
                    a.button.plain href="/rules/what-if" { "Reset" }
                }
                p.muted {
                    "If the candidate names files with lists, they must be those of the configuration in force. "
                    @if self.candidate.configuration.len() > LONG { strong { "This text may be too long for a form. " } }
                    "For a long candidate, or one with new lists, use " code { "rasadmin replay --config FILE" } " on the server."
                }
            }
        }
    }
}

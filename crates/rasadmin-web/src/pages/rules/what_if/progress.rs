//! How far a simulation is, and how it has ended.

use super::candidates::Candidate;
use super::outcome;
use crate::fault::Fault;
use crate::{chart, parts};
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_pipe::Simulation;
use rasadmin_policy::config::Config;

/// How often a browser looks again while it runs, in milliseconds.
const EVERY: u32 = 1_000;

/// The page. The script fetches the part `live` again while the simulation runs; without a script there is a link.
pub fn content(
    number: u64,
    state: &Simulation,
    kept: Option<&Candidate>,
    csrf: &str,
    config: &Config,
) -> Result<Markup, Fault> {
    let address = format!("/rules/what-if/{number}");
    let running = matches!(state, Simulation::Running { .. });
    let body = match state {
        Simulation::Running { done, all } => progress(&address, *done, *all),
        Simulation::Finished { answer, more_users } => {
            let unreadable = |error: serde_json::Error| {
                Fault::unavailable(
                    format_args!("the service's answer cannot be read: {error}"),
                    "run the service and the dashboard of the same version",
                )
            };
            let answer = serde_json::from_value(answer.clone()).map_err(unreadable)?;
            outcome::content(&answer, *more_users, kept, config)
        }
        Simulation::Failed { why } => {
            html! { section.attention { h2 { "It has failed" } p { (parts::commands(why)) "." } } }
        }
        Simulation::Stopped { why } => {
            html! { section.card { h2 { "It was stopped" } p { (parts::printable(why)) "." } } }
        }
    };
    Ok(html! {
        h1 { "Try other rules" }
        nav.pages aria-label="Again" {
            @if kept.is_some() { a.button.plain href={ "/rules/what-if?candidate=" (number) } { "Change this candidate" } }
            a.button.plain href="/rules/what-if" { "Begin with the configuration in force" }
        }
        div #live.result data-live=(address) data-every=[running.then_some(EVERY)] { (body) }
        // It is outside of what is fetched again, so that it keeps the focus; the style sheet hides it at the end.
        form.stop method="post" action={ (address) "/stop" } {
            input type="hidden" name="csrf" value=(csrf);
            button.danger type="submit" { "Stop" }
        }
    })
}

fn progress(address: &str, done: u64, all: u64) -> Markup {
    let words = if all == 0 {
        "The attempts are read from the ledger.".to_owned()
    } else {
        format!("{} of {} attempts are simulated.", grouped(done), grouped(all))
    };
    html! {
        section.card {
            h2 { "Running" }
            p role="status" { (words) }
            (chart::bar(done, all.max(1), &words))
            noscript { p { a href=(address) { "Look again" } } }
        }
    }
}

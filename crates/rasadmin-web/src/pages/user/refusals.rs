//! When and why the user was denied.

use super::{ROWS, User, sessions};
use crate::pages::decisions;
use crate::parts;
use maud::{Markup, html};

/// The refusals, each with a link to its explanation.
pub fn section(user: &User) -> Markup {
    let (denials, zone) = (&user.report.denials, &user.config.zone);
    html! {
        section.card {
            h2 { "Denied"
                @if user.report.more_denials {
                    a.more href=(decisions::denials_of(&sessions::typed(user))) { "all; these are the latest " (ROWS) }
                }
            }
            @if denials.is_empty() {
                p.empty { "The user was never denied, as far as the ledger knows." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Denied" { table {
                    thead { tr {
                        th.number scope="col" { "decision" } th scope="col" { "time" } th scope="col" { "by" }
                        th scope="col" { "because" } th scope="col" { "from" } th scope="col" { "tunnel" } th scope="col" { "about" }
                    } }
                    tbody { @for of in denials { tr {
                        th.number scope="row" { a href={ "/decisions/" (of.id) } { (of.id) } }
                        td { (parts::time(of.time, zone)) @if of.repeated > 0 { span.muted { " and " (of.repeated) " more within a minute" } } }
                        td { (parts::printable(&of.decided_by())) }
                        td.wrap { (parts::text(of.reason.as_deref().unwrap_or_default())) }
                        td.code { (parts::text(&of.facts.source.known().map(ToString::to_string).unwrap_or_default())) }
                        td { (parts::text(of.facts.tunnel.known().map(|tunnel| tunnel.name()).unwrap_or_default())) }
                        td { (parts::stage(of.stage)) }
                    } } }
                } }
            }
        }
    }
}

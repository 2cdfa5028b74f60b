//! How much of each limit is used, which only the journal knows, and the block.

use crate::app::App;
use crate::fault::Fault;
use crate::{chart, parts};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::explain::in_force;
use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_engine::{Mono, Stamp, State};
use rasadmin_ledger::report::{InForce, LimitUse, UserBlock, UserInForce};
use rasadmin_pipe::Request;
use rasadmin_policy::config::Config;
use rasadmin_policy::{Identity, Millis, Name};
use rasadmin_recorder::present::{self, Missing};
use rasadmin_service::user_in_force::OfUser;
use rasadmin_system::clock::Clock;
use std::sync::Arc;

/// Whether the state is known.
pub enum Known {
    /// As the journal has it.
    Yes,
    /// As the journal has it, but a part of it cannot be read.
    InPart,
    /// Neither the journal nor the service can be asked, for this reason.
    Not(String),
}

/// What is in force for a user: as the journal has it, or as the service knows it if this process may not read the journal.
/// If neither answers, the limits have no use, and only a block that the service lists is known.
pub fn of_user(app: &App, config: &Arc<Config>, user: &Identity) -> (UserInForce, Known) {
    let (state, server, known) = state(config);
    let at = at(app.source.now(), &state);
    let in_force = || UserInForce::of(user, &InForce { config, state: &state, server: &server, at });
    let Known::Not(why) = known else { return (in_force(), known) };
    let [domain, name] = [&user.domain, &user.name].map(|of| of.as_str().to_owned());
    match app.source.service::<OfUser>(&Request::User { domain, name }) {
        Ok(OfUser { in_force, in_part }) => (in_force, if in_part { Known::InPart } else { Known::Yes }),
        Err(error) => {
            // The list of blocks may have the user's, although the rest is not known.
            let listed = app.source.blocks().ok().flatten().unwrap_or_default();
            let of_user =
                |block: &Block| block.subject == BlockSubject::User(user.clone()) && block.is_in_force(at.time);
            let block = listed.blocks.into_iter().find(of_user);
            let why = format!("{why}, and {}", Fault::from(error));
            (UserInForce { block, ..in_force() }, Known::Not(why))
        }
    }
}

/// The state in force, and its server.
pub fn state(config: &Config) -> (State, Name, Known) {
    let (present, known) = match present::read(&config.journal) {
        Ok(Some(present)) if present.missing == Missing::default() => (Some(present.state), Known::Yes),
        Ok(Some(present)) => (Some(present.state), Known::InPart),
        Ok(None) => (None, Known::Not(format!("the journal {} has no records", config.journal.display()))),
        Err(error) => (None, Known::Not(format!("the journal cannot be read: {error}"))),
    };
    let (server, state) = in_force(present, config.server.clone(), Name::default);
    (state, server, known)
}

/// Now, on the clocks of the state's records: their own clock has advanced with the time of day since the last of them.
pub fn at(now: Millis, state: &State) -> Stamp {
    let of_this_machine = || {
        let (time, mono) = Clock::new(true).now();
        Stamp { time, mono: Mono(mono) }
    };
    advanced(state.last().unwrap_or_else(of_this_machine), now)
}

fn advanced(last: Stamp, now: Millis) -> Stamp {
    Stamp { time: now, mono: Mono(last.mono.0.saturating_add_signed(now.saturating_sub(last.time))) }
}

/// The limits as bars.
pub fn section(limits: &[LimitUse], known: &Known) -> Markup {
    let is_known = !matches!(known, Known::Not(_));
    html! {
        section.card {
            h2 { "Limits, if the user connected now" }
            @if let Known::InPart = known {
                p.error { "A part of the journal cannot be read: the limits may be counted wrong. " code { "rasadmin journal check" } " says which." }
            }
            @if let Known::Not(why) = known {
                p.muted { "How much of them is used is not known here: " (parts::printable(why)) ". " code { "rasadmin user" } " shows it to an administrator." }
            }
            div.scroll tabindex="0" role="region" aria-label="Limits" { table {
                thead { tr {
                    th scope="col" { "rule" } th scope="col" { "counts" } th scope="col" { "condition" }
                    @if is_known { th scope="col" { "used" } th scope="col" { "state" } }
                } }
                tbody { @for limit in limits { tr {
                    th scope="row" { (parts::rule(&limit.rule)) }
                    td { (counted(&limit.field)) }
                    td { (parts::printable(&limit.limit)) }
                    @if is_known {
                        td.used {
                            (parts::printable(&limit.used))
                            @if let (Some(used), Some(of)) = (limit.used_number, limit.limit_number) { (chart::bar(used, of, &percent(used, of))) }
                        }
                        td { (reached(limit)) }
                    }
                } } }
            } }
        }
    }
}

/// `40 % of the limit`.
fn percent(used: u64, of: u64) -> String {
    format!("{:.0} % of the limit", 100.0 * used as f64 / (of as f64).max(1.0))
}

/// What a limit counts, in words.
fn counted(field: &str) -> String {
    match field {
        "user_sessions" => "sessions of the user".to_owned(),
        "group_sessions" => "sessions of the group".to_owned(),
        other => other.replace('_', " "),
    }
}

fn reached(limit: &LimitUse) -> Markup {
    html! {
        @match limit.reached {
            Some(true) if limit.replaces_oldest => span.tag.denied { "reached: a new session marks the oldest one" },
            Some(true) => span.tag.denied { "reached" },
            Some(false) => "not reached",
            None => span title="Whether the session that is connected now counts is not known before the user connects" { "depends on the session" },
        }
    }
}

/// That the user is blocked.
pub fn block(block: &UserBlock, zone: &TimeZone) -> Markup {
    html! {
        section.attention role="status" {
            h2 { "Blocked" }
            p {
                "since " (parts::time(block.since, zone))
                @if let Some(by) = &block.by { " by " (parts::printable(by)) }
                ", "
                @match block.until { Some(until) => { "until " (parts::time(until, zone)) } None => "until it is lifted" }
                @if let Some(reason) = &block.reason { ": " (parts::printable(reason)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_clock_advances_with_the_time_of_day() {
        let last = Stamp { time: 1_000_000, mono: Mono(5_000) };
        assert_eq!(advanced(last, 1_060_000), Stamp { time: 1_060_000, mono: Mono(65_000) });
        assert_eq!(advanced(last, 0).mono, Mono(0), "the time of day went back beyond the start of the machine");
    }
}

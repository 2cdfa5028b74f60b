//! What would happen to a user who connected.

use super::{Arguments, stage_text};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::{clock, context, present, times};
use rasadmin_answers::explain::{self as answers, Answer, WithTunnel, describe_address};
use rasadmin_engine::explain::Question;
use rasadmin_engine::{Id, Refusal, State};
use rasadmin_ledger::report::{Reader, decided_by_in_words};
use rasadmin_policy::Name;
use std::fmt::Write;

/// What is in force on a server, with its name as the journal has it.
pub fn in_force(context: &Context, asked: Option<Name>) -> Result<(Name, State)> {
    let present = present::read(context)?.map(|present| present.state);
    let asked = asked.or_else(|| context.config.server.clone());
    Ok(answers::in_force(present, asked, || context.server()))
}

/// What decides with a tunnel, with the address. Tunnels with the same result need only one explanation.
fn result(with: &WithTunnel<'_>) -> Vec<String> {
    let address = with.stages.iter().find_map(|stage| stage.address.as_ref());
    let address = address.map(|address| describe_address(address, rasadmin_policy::Stage::Ipv4Address));
    let Some(last) = with.stages.last() else { return Vec::new() };
    let outcome = if with.is_allowed() { "accepted" } else { "denied" };
    let by = decided_by_in_words(last.rule, last.refused().map(Refusal::name));
    let address = address.filter(|_| with.is_allowed()).unwrap_or_default();
    [outcome, &by, last.stage.name(), &address].map(str::to_owned).to_vec()
}

pub fn run(out: &mut Output, arguments: &Arguments, context: &Context) -> Result {
    let now = times::now();
    let server = arguments.server.as_deref().map(Name::new);
    let (server, state) = in_force(context, server)?;
    let time = arguments.at.as_deref().map_or(Ok(now), |at| times::parse(at, &context.zone, now))?;
    let question = Question {
        user: Name::new(arguments.user.as_deref().unwrap_or_default()),
        domain: Name::new(arguments.domain.as_deref().unwrap_or_default()),
        at: clock::at(context.journal.as_deref(), state.last(), time),
        server,
        port: arguments.port.as_deref().map(Name::new),
        tunnel: arguments.tunnel,
        source: arguments.from,
        computer: arguments.computer.as_deref().map(Name::new),
        quarantine: Some(arguments.quarantine),
        interface: Some(arguments.interface),
        offer: arguments.offer,
        ipv6: arguments.ipv6,
    };
    let all = answers::with_tunnels(&context.config, &state, &question);
    let answer = Answer::new(&context.config.hash, &all);
    let allowed = answer.allowed;
    if arguments.json {
        out.json(&answer)?;
        return Ok(Exit::no_if(!allowed));
    }
    // The stages that are shown belong to the answer.
    let shown = answers::shown(&all);
    let text = heading(&all, &question, context, time)
        + &match state.number() {
            0 => format!("{} has no journal: nobody is connected, and nothing was used\n", question.server),
            _ => String::new(),
        };
    out.text(&rasadmin_text::printable_lines(&text))?;
    let differ = all.iter().any(|with| all.first().is_some_and(|first| result(first) != result(with)));
    if differ {
        writeln!(out)?;
        print_tunnels(out, &all)?;
        out.text("\n  --tunnel NAME shows the stages, and why each rule decides or does not")?;
        return Ok(Exit::no_if(!allowed));
    }
    let mut text = String::new();
    let marks = shown.iter().any(|with| with.stages.iter().any(|stage| !stage.replaces.is_empty()));
    let ledger = if marks { context.reader_if_usable()? } else { None };
    for stage in shown.into_iter().flat_map(|with| &with.stages) {
        let marked: Vec<_> = stage.replaces.iter().map(|id| session_number(ledger.as_ref(), *id)).collect();
        stage_text::write(&mut text, stage, None, &marked, arguments.all);
    }
    if let (Some(with), None) = (shown, arguments.tunnel) {
        let _ = writeln!(text, "\nthese are the stages of {}; --tunnel shows those of another", with.tunnel.name());
    }
    out.text(&rasadmin_text::printable_lines(&text))?;
    Ok(Exit::no_if(!allowed))
}

/// A session's number as `sessions` shows it, or its key if the ledger does not have it.
fn session_number(ledger: Option<&Reader>, id: Id) -> String {
    context::session_row(ledger, id).map_or_else(|| id.to_string(), |session| session.id.to_string())
}

/// What would happen, and what was not said.
fn heading(all: &[WithTunnel<'_>], question: &Question, context: &Context, time: i64) -> String {
    let who = context.config.domains.identity(&question.user, &question.domain);
    let who = who.map_or_else(|| "a user without a name".to_owned(), |who| who.to_string());
    let accepted = all.iter().filter(|with| with.is_allowed()).count();
    let verdict = if accepted == 0 { "would be denied" } else { "would be accepted" };
    let whichever = match all.len() {
        1 => "",
        _ if accepted == 0 || accepted == all.len() => ", with every tunnel",
        _ => ", but not with every tunnel",
    };
    let (time, zone) = (times::show(time, &context.zone), context.zone.iana_name().unwrap_or("UTC"));
    let absent = [
        ("public address", question.source.is_none()),
        ("computer", question.computer.is_none()),
        ("port", question.port.is_none()),
    ];
    let absent: Vec<_> = absent.iter().filter(|(_, absent)| *absent).map(|(what, _)| *what).collect();
    let mut text = format!("{who} {verdict} on {} at {time} ({zone}){whichever}\n", question.server);
    if !absent.is_empty() {
        let _ = writeln!(text, "not given, so counted as absent: {}", absent.join(", "));
    }
    text
}

fn print_tunnels(out: &mut Output, all: &[WithTunnel<'_>]) -> Result<()> {
    use crate::table::text;
    let columns = [text("tunnel", 0), text("result", 0), text("decided by", 0), text("stage", 2), text("address", 1)];
    let rows = all.iter().map(|with| [vec![with.tunnel.name().to_owned()], result(with)].concat());
    out.table(&columns, rows.collect())
}

//! `rasadmin explain`.

mod stage_text;
mod user;

use crate::context::{Context, ContextArguments, ZoneArguments};
use crate::error::{CommandError, Exit, Kind, Result};
use crate::output::Output;
use crate::times;
use clap::Args;
#[cfg(test)]
pub use rasadmin_answers::explain::Answer;
pub use rasadmin_answers::explain::StageAnswer;
use rasadmin_answers::explain::agrees;
use rasadmin_engine::explain::{StageExplained, explain_recorded};
use rasadmin_ledger::report::{DecisionRow, Reader};
use rasadmin_policy::config::Config;
use rasadmin_policy::{InterfaceType, Quarantine, Tunnel};
use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
pub use user::in_force;

/// The options for what was decided in the past, from the facts of that time.
const PAST: [&str; 2] = ["session", "decision"];

/// Explain which rule decides, and why the others do not
///
/// Shows each stage of a connection, with the rules in order, their conditions, and what was found.
///
/// With --user: what would happen if this user connected now, and which address they would get. Nothing is changed, and
/// nobody is connected. Options you omit count as absent (phones, for example, send no computer name). But every
/// connection has a tunnel: without --tunnel, the answer says what would happen with each. Limits and quotas count the
/// sessions and the use of this moment.
///
/// With --session or --decision: why a past decision was made, from the facts recorded then and the configuration of
/// that time.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["user", "session", "decision"])))]
#[command(after_long_help = "\
Examples:
  rasadmin explain --user alice
  rasadmin explain --user alice --tunnel SSTP --from 203.0.113.9
  rasadmin explain --user 'PARTNER\\bob' --tunnel IKEv2 --at '2026-11-28 20:00'
  rasadmin explain --session 241
  rasadmin decisions --rejected --user bob; rasadmin explain --decision 818

Exit codes: 0 the user would be accepted (without --tunnel: with at least one
tunnel), or a past decision is explained; 1 the user would be denied; 2 the
command could not do its work.")]
pub struct Arguments {
    /// The user, as RRAS would pass the name: `alice`, `CORP\alice`, `alice@corp.example`
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Explain the decisions of this session: its number, or eight characters of its key
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Explain this decision, by its number
    #[arg(long, value_name = "N")]
    decision: Option<i64>,
    /// The tunnel: SSTP, IKEv2, L2TP or PPTP [default: each of them]
    #[arg(long, value_name = "TUNNEL", ignore_case = true, conflicts_with_all = PAST)]
    tunnel: Option<Tunnel>,
    /// The client's public address
    #[arg(long, visible_alias = "source", value_name = "IP", conflicts_with_all = PAST)]
    from: Option<IpAddr>,
    /// The time: `2026-11-23 09:00`, `today` [default: now]
    #[arg(long, value_name = "TIME", conflicts_with_all = PAST)]
    at: Option<String>,
    /// The name of the client's computer
    #[arg(long, value_name = "NAME", conflicts_with_all = PAST)]
    computer: Option<String>,
    /// The port: `VPN2-127`
    #[arg(long, value_name = "NAME", conflicts_with_all = PAST)]
    port: Option<String>,
    /// The logon domain, which RRAS passes with the connection
    #[arg(long, value_name = "NAME", conflicts_with_all = PAST)]
    domain: Option<String>,
    /// The RRAS server [default: the configuration's or the journal's]
    #[arg(long, value_name = "NAME", conflicts_with_all = PAST)]
    server: Option<String>,
    /// The quarantine state: normal, quarantine, probation or not-capable
    #[arg(long, value_name = "STATE", default_value = "normal", value_parser = quarantine, conflicts_with_all = PAST)]
    quarantine: Quarantine,
    /// The type of the interface: client, home-router, full-router, dedicated or other
    #[arg(long, value_name = "TYPE", default_value = "client", value_parser = interface, conflicts_with_all = PAST)]
    interface: InterfaceType,
    /// The IPv4 address that RRAS would offer
    #[arg(long, value_name = "IP", conflicts_with_all = PAST)]
    offer: Option<Ipv4Addr>,
    /// Also explain the IPv6 interface identifier
    #[arg(long, conflicts_with_all = PAST)]
    ipv6: bool,
    /// Also show the rules after the one that decides
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn quarantine(text: &str) -> std::result::Result<Quarantine, &'static str> {
    Quarantine::from_name(text).ok_or("write normal, quarantine, probation or not-capable")
}

fn interface(text: &str) -> std::result::Result<InterfaceType, &'static str> {
    InterfaceType::from_name(text).ok_or("write client, home-router, full-router, dedicated or other")
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    if let Some(session) = &arguments.session {
        let reader = context.reader()?;
        let found = reader.session(session)?.map_err(CommandError::usage)?;
        let missing = || CommandError::not_found(format!("there is no session `{session}`: see `rasadmin sessions`"));
        let found = found.ok_or_else(missing)?;
        if found.imported.is_some() {
            let imported = format!("session {session} was imported from a log: nothing was decided here");
            return Err(CommandError::not_found(imported));
        }
        let decisions = reader.decisions_of(found.id)?;
        return explain_past(out, &arguments, &context, &reader, &decisions);
    }
    if let Some(decision) = arguments.decision {
        let reader = context.reader()?;
        let found = reader.decision(decision)?;
        let missing = || CommandError::not_found(format!("there is no decision {decision}: see `rasadmin decisions`"));
        let found = found.ok_or_else(missing)?;
        if found.imported.is_some() {
            let why = found.reason.unwrap_or_default();
            let refused = format!("decision {decision} was imported from a log: NPS refused this attempt ({why})");
            return Err(CommandError::not_found(format!("{refused}, and rasadmin was not asked")));
        }
        return explain_past(out, &arguments, &context, &reader, &[found]);
    }
    user::run(out, &arguments, &context)
}

/// Past decisions, each under the configuration of its time.
fn explain_past(
    out: &mut Output,
    arguments: &Arguments,
    context: &Context,
    reader: &Reader,
    decisions: &[DecisionRow],
) -> Result {
    let mut configs: HashMap<String, Config> = HashMap::new();
    for decision in decisions {
        if !configs.contains_key(&decision.config) {
            configs.insert(decision.config.clone(), config_of(reader, &decision.config)?);
        }
    }
    let stages: Vec<_> = decisions
        .iter()
        .filter_map(|decision| Some((decision, configs.get(&decision.config)?)))
        .map(|(decision, config)| (decision, recheck(config, decision)))
        .collect();
    let differs = stages.iter().any(|(decision, stage)| !agrees(stage, decision));
    if arguments.json {
        let stages: Vec<_> = stages.iter().map(|(decision, stage)| StageAnswer::new(stage, Some(decision))).collect();
        out.json(&stages)?;
        return Ok(Exit::no_if(differs));
    }
    let mut text = String::new();
    if let Some(first) = decisions.first() {
        let user = crate::filter::user_shown(first.domain.as_ref(), first.name.as_ref(), &first.user_name);
        let session = first.session.map(|id| format!(", session {id}")).unwrap_or_default();
        let _ = writeln!(text, "{user} on {}{session}; {}", first.server, times::zone_name(&context.zone));
    }
    for (decision, stage) in &stages {
        stage_text::write(&mut text, stage, Some((decision, context)), &[], arguments.all);
    }
    if differs {
        let _ = writeln!(
            text,
            "\nA decision is not what its facts give under the configuration of its time: report this, with the \
             output of the same command with --json."
        );
    }
    out.text(&rasadmin_text::printable_lines(&text))?;
    Ok(Exit::no_if(differs))
}

fn config_of(reader: &Reader, hash: &str) -> Result<Config> {
    let bundle = reader.config(hash)?;
    let bundle = bundle.ok_or_else(|| {
        CommandError::not_found(format!(
            "the configuration {hash} is not in the ledger: it is from before rasadmin kept them, or was purged"
        ))
    })?;
    let outdated = format!("this rasadmin no longer understands the configuration {hash} of that time");
    bundle.compile().map_err(|e| CommandError::new(Kind::Configuration, format!("{outdated}:\n{e}")))
}

fn recheck<'c>(config: &'c Config, decision: &DecisionRow) -> StageExplained<'c> {
    explain_recorded(config, decision.stage, decision.facts.clone(), &decision.groups, decision.counted.clone())
}

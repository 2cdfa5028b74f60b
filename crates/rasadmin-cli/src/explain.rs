//! `rasadmin explain`.

use crate::here::{Here, Place};
use crate::select::print_json;
use crate::table::printable;
use crate::{moment, present, times};
use clap::Args;
use rasadmin_engine::effect::Origin;
use rasadmin_engine::explain::{AddressExplained, Question, StageExplained, explain as ask, explain_recorded};
use rasadmin_engine::{Given, State};
use rasadmin_ledger::report::{Decided, Reader};
use rasadmin_policy::config::Config;
use rasadmin_policy::config::file::Action;
use rasadmin_policy::rules::{Explained, ExplainedCondition, Outcome, Truth, WhenUnrecorded};
use rasadmin_policy::{InterfaceType, Name, Quarantine, Stage, Tunnel};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Say which rule decides, stage by stage, and why the earlier ones do not
///
/// With --user: what would happen now to a user who comes like this, and which address he would get. Nothing is
/// changed, and nobody is connected. What is not given counts as absent, as a telephone has no computer name. Limits
/// and quotas are counted as they stand now.
///
/// With --session or --decision: why a past decision was what it was, from the facts recorded then and the
/// configuration of that time.
///
/// Examples:
///   rasadmin explain --user alice --tunnel SSTP --from 203.0.113.9
///   rasadmin explain --user 'PARTNER\bob' --tunnel IKEv2 --at '2026-11-28 20:00'
///   rasadmin explain --session 241
///   rasadmin decisions --rejected --user bob; rasadmin explain --decision 818
#[derive(Args)]
#[command(verbatim_doc_comment)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["user", "session", "decision"])))]
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
    /// Through which tunnel: SSTP, IKEv2, L2TP or PPTP
    #[arg(long, value_name = "TUNNEL", ignore_case = true, value_parser = tunnel)]
    tunnel: Option<Tunnel>,
    /// From which public address
    #[arg(long, visible_alias = "source", value_name = "IP")]
    from: Option<IpAddr>,
    /// When: `2026-11-23 09:00`, `today`; now if nothing is said
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// On which computer
    #[arg(long, value_name = "NAME")]
    computer: Option<String>,
    /// On which port: `VPN2-127`
    #[arg(long, value_name = "NAME")]
    port: Option<String>,
    /// The logon domain, which RRAS tells with the connection
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// On which RRAS server; without it, the configuration's or the journal's
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// In which quarantine state: normal, quarantine, probation or not-capable
    #[arg(long, value_name = "STATE", default_value = "normal", value_parser = quarantine)]
    quarantine: Quarantine,
    /// As what: client, home-router, full-router, dedicated or other
    #[arg(long, value_name = "TYPE", default_value = "client", value_parser = interface)]
    interface: InterfaceType,
    /// The address that RRAS would offer
    #[arg(long, value_name = "IP")]
    offer: Option<Ipv4Addr>,
    /// Also the IPv6 interface identifier
    #[arg(long)]
    ipv6: bool,
    /// Show the rules after the one that decides, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn tunnel(text: &str) -> Result<Tunnel, String> {
    let all = [Tunnel::Sstp, Tunnel::Ikev2, Tunnel::L2tp, Tunnel::Pptp];
    all.into_iter()
        .find(|tunnel| tunnel.name().eq_ignore_ascii_case(text))
        .ok_or_else(|| "write SSTP, IKEv2, L2TP or PPTP".to_owned())
}

fn quarantine(text: &str) -> Result<Quarantine, String> {
    Quarantine::from_name(text).ok_or_else(|| "write normal, quarantine, probation or not-capable".to_owned())
}

fn interface(text: &str) -> Result<InterfaceType, String> {
    InterfaceType::from_name(text)
        .ok_or_else(|| "write client, home-router, full-router, dedicated or other".to_owned())
}

pub fn explain(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    if let Some(session) = &arguments.session {
        let reader = place.reader()?;
        let found = reader.session(session).map_err(|e| e.to_string())??;
        let found = found.ok_or_else(|| format!("there is no session `{session}`: see `rasadmin sessions`"))?;
        if found.imported.is_some() {
            return Err(format!("session {session} was imported from a log: nothing was decided here"));
        }
        let decisions = reader.decisions_of(found.id).map_err(|e| e.to_string())?;
        return past(&arguments, &place, &reader, &decisions);
    }
    if let Some(decision) = arguments.decision {
        let reader = place.reader()?;
        let found = reader.decision(decision).map_err(|e| e.to_string())?;
        let found = found.ok_or_else(|| format!("there is no decision {decision}: see `rasadmin decisions`"))?;
        return past(&arguments, &place, &reader, &[found]);
    }
    what_if(&arguments, &place)
}

/// What is in force on a server, with its name as the journal has it. This journal knows nothing about other servers.
fn in_force(place: &Place, asked: Option<Name>) -> Result<(Name, State), String> {
    let Some(present) = present::read(place)? else {
        return Ok((asked.unwrap_or_else(|| place.server()), State::new()));
    };
    let own = present.state.server();
    // The journal may be examined on another computer than its server.
    let server = asked.or_else(|| place.config.server.clone()).unwrap_or_else(|| own.clone());
    if own.folded() == server.folded() {
        return Ok((own.clone(), present.state));
    }
    Ok((server, State::new()))
}

fn what_if(arguments: &Arguments, place: &Place) -> Result<u8, String> {
    let zone = &place.config.zone;
    let now = times::now();
    let server = arguments.server.as_deref().map(Name::new);
    let (server, state) = in_force(place, server)?;
    let time = arguments.at.as_deref().map_or(Ok(now), |at| times::parse(at, zone, now))?;
    let at = moment::at(place.journal.as_deref(), state.last(), time);
    let question = Question {
        user: Name::new(arguments.user.as_deref().unwrap_or_default()),
        domain: Name::new(arguments.domain.as_deref().unwrap_or_default()),
        at,
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
    let stages = ask(&place.config, &state, &question);
    let allowed = !stages.iter().any(StageExplained::ends);
    if arguments.json {
        let stages: Vec<_> = stages.iter().map(|stage| stage_json(stage, None)).collect();
        print_json(&json!({ "allowed": allowed, "config": place.config.hash, "stages": stages }))?;
        return Ok(u8::from(!allowed));
    }
    let mut out = String::new();
    let who = place.config.domains.identity(&question.user, &question.domain);
    let who = who.map_or_else(|| "a user without a name".to_owned(), |who| who.to_string());
    let verdict = if allowed { "would be accepted" } else { "would be denied" };
    let time = times::show(time, zone);
    let zone_name = zone.iana_name().unwrap_or("UTC");
    let _ = writeln!(out, "{who} {verdict} on {} at {time} ({zone_name})", question.server);
    let absent = [
        ("tunnel", question.tunnel.is_none()),
        ("public address", question.source.is_none()),
        ("computer", question.computer.is_none()),
        ("port", question.port.is_none()),
    ];
    let absent: Vec<_> = absent.iter().filter(|(_, absent)| *absent).map(|(what, _)| *what).collect();
    if !absent.is_empty() {
        let _ = writeln!(out, "not given, so taken as absent: {}", absent.join(", "));
    }
    if state.number() == 0 {
        let _ = writeln!(out, "{} has no journal: nobody is connected, and nothing was used", question.server);
    }
    for stage in &stages {
        show(&mut out, stage, None, arguments.all);
    }
    print!("{}", lines(&out));
    Ok(u8::from(!allowed))
}

/// Past decisions, each under the configuration of its time.
fn past(arguments: &Arguments, place: &Place, reader: &Reader, decisions: &[Decided]) -> Result<u8, String> {
    let mut configs: HashMap<String, Config> = HashMap::new();
    for decision in decisions {
        if !configs.contains_key(&decision.config) {
            configs.insert(decision.config.clone(), config_of(reader, &decision.config)?);
        }
    }
    let stages: Vec<_> = decisions
        .iter()
        .filter_map(|decision| Some((decision, configs.get(&decision.config)?)))
        .map(|(decision, config)| (decision, again(config, decision)))
        .collect();
    let differs = stages.iter().any(|(decision, stage)| !agrees(stage, decision));
    if arguments.json {
        let stages: Vec<_> = stages.iter().map(|(decision, stage)| stage_json(stage, Some(decision))).collect();
        print_json(&stages)?;
        return Ok(u8::from(differs));
    }
    let mut out = String::new();
    if let Some(first) = decisions.first() {
        let user = crate::select::user_shown(first.domain.as_ref(), first.name.as_ref(), &first.user_name);
        let session = first.session.map(|id| format!(", session {id}")).unwrap_or_default();
        let _ = writeln!(out, "{user} on {}{session}; {}", first.server, times::zone_name(&place.config.zone));
    }
    for (decision, stage) in &stages {
        show(&mut out, stage, Some((decision, place)), arguments.all);
    }
    if differs {
        let _ = writeln!(
            out,
            "\nA decision is not what its facts give under the configuration of its time: please report this, with the \
             output of the same command with --json."
        );
    }
    print!("{}", lines(&out));
    Ok(u8::from(differs))
}

fn config_of(reader: &Reader, hash: &str) -> Result<Config, String> {
    let bundle = reader.config(hash).map_err(|e| e.to_string())?;
    let bundle = bundle.ok_or_else(|| {
        format!(
            "the configuration {hash} was not kept in the ledger: it is from before rasadmin kept them, or was purged"
        )
    })?;
    bundle.compile().map_err(|e| format!("the configuration {hash} of that time is not understood any more:\n{e}"))
}

fn again<'c>(config: &'c Config, decision: &Decided) -> StageExplained<'c> {
    explain_recorded(config, decision.stage, decision.facts.clone(), &decision.groups, decision.counted.clone())
}

/// Is this what was recorded? What the engine refused is what the rules had allowed.
fn agrees(stage: &StageExplained<'_>, recorded: &Decided) -> bool {
    if recorded.refusal.is_some() {
        return stage.allow && recorded.is_denied();
    }
    let outcome = match (stage.allow, stage.for_now) {
        (true, true) => "allow for now",
        (true, false) => "allow",
        (false, _) => "deny",
    };
    outcome == recorded.outcome && stage.rule == recorded.rule.as_deref() && stage.reason == recorded.reason.as_deref()
}

/// The denial was the engine's own, and not the rules'.
fn overruled(stage: &StageExplained<'_>, recorded: &Decided) -> bool {
    stage.allow && recorded.is_denied()
}

const fn heading(stage: Stage) -> &'static str {
    match stage {
        Stage::Ipv4Address => "IPv4 address (MprAdminGetIpAddressForUser)",
        Stage::Ipv6Address => "IPv6 address (MprAdminGetIpv6AddressForUser)",
        Stage::Connection => "connection (MprAdminAcceptNewConnectionEx)",
        Stage::Link => "link (MprAdminAcceptNewLink)",
        Stage::Reauthentication => "reauthentication (MprAdminAcceptReauthenticationEx)",
        Stage::EndpointChange => "endpoint change (MprAdminAcceptTunnelEndpointChangeEx)",
    }
}

fn show(out: &mut String, stage: &StageExplained<'_>, past: Option<(&Decided, &Place)>, all: bool) {
    let time = past.map(|(decision, place)| times::show(decision.time, &place.config.zone) + "  ").unwrap_or_default();
    let _ = writeln!(out, "\n{time}{}: {}", heading(stage.stage), verdict(stage));
    let decides = stage.rules.iter().position(|rule| rule.decides).unwrap_or(stage.rules.len());
    let shown = if all { stage.rules.len() } else { (decides + 1).min(stage.rules.len()) };
    let width = stage.rules[..shown].iter().map(|rule| name(rule).chars().count()).max().unwrap_or(0).min(40);
    for rule in &stage.rules[..shown] {
        let mark = if rule.decides { '>' } else { ' ' };
        let _ = writeln!(out, "  {mark} {:width$}  {}", name(rule), said(rule));
    }
    let rest = stage.rules.len() - shown;
    if rest > 0 {
        let noun = crate::output::count(rest, "later rule");
        let _ = writeln!(out, "    ({noun} not asked; --all shows them)");
    }
    if let Some(address) = &stage.address {
        let _ = writeln!(out, "  address: {}", address_told(address, stage.stage));
    }
    if stage.when_unrecorded == Some(WhenUnrecorded::Deny) && stage.allow {
        let _ = writeln!(out, "  while nothing can be recorded: denied");
    }
    if let Some(refusal) = &stage.refusal {
        let _ = writeln!(out, "  but the connection ends all the same: {refusal}");
    }
    if let Some((decision, _)) = past {
        if overruled(stage, decision) {
            let why = decision.reason.as_deref().unwrap_or("for no recorded reason");
            let _ = writeln!(out, "  but it was denied all the same: {why}");
        } else if !agrees(stage, decision) {
            let rule = decision.rule.as_deref().unwrap_or("(default)");
            let _ = writeln!(out, "  but {} by {rule} was recorded", decision.outcome);
        }
    }
}

fn name(rule: &Explained<'_>) -> String {
    rule.rule.unwrap_or("(default)").to_owned()
}

fn verdict(stage: &StageExplained<'_>) -> String {
    let by = stage.rule.map_or_else(|| "by the default".to_owned(), |rule| format!("by the rule `{rule}`"));
    let what = match (stage.allow, stage.for_now) {
        (true, true) => "allowed for now",
        (true, false) => "allowed",
        (false, _) => "denied",
    };
    let reason = stage.reason.filter(|_| !stage.allow).map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{what} {by}{reason}")
}

/// What a rule says, with the condition that settles it.
fn said(rule: &Explained<'_>) -> String {
    let action = match rule.action {
        Action::Allow => "allows",
        Action::Deny => "denies",
    };
    let that = |truth: Truth| rule.conditions.iter().find(|condition| condition.truth == truth);
    match rule.outcome {
        Outcome::NoMatch => match that(Truth::False) {
            Some(condition) => format!("does not match: {}", told(condition)),
            None => "does not match".to_owned(),
        },
        Outcome::Waits => format!("would {}, and waits: {}", verb(rule.action), unknown(rule)),
        Outcome::Fails => format!("cannot allow: {}", unknown(rule)),
        Outcome::DecidesForNow => format!("{action} for now: {}", unknown(rule)),
        Outcome::Decides if that(Truth::Unknown).is_some() => format!("{action}, to be safe: {}", unknown(rule)),
        Outcome::Decides if rule.conditions.is_empty() => action.to_owned(),
        Outcome::Decides => {
            let all: Vec<_> = rule.conditions.iter().map(told).collect();
            format!("{action}: {}", all.join("; "))
        }
    }
}

const fn verb(action: Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Deny => "deny",
    }
}

fn unknown(rule: &Explained<'_>) -> String {
    let unknown = rule.conditions.iter().filter(|condition| condition.truth == Truth::Unknown);
    unknown.map(told).collect::<Vec<_>>().join("; ")
}

fn told(condition: &ExplainedCondition<'_>) -> String {
    let ExplainedCondition { field, asked, found, truth } = condition;
    match truth {
        Truth::Unknown => format!("{field}: wanted {asked}, {found}"),
        _ => format!("{field}: wanted {asked}, found {found}"),
    }
}

fn number(given: &Given, stage: Stage) -> String {
    match stage {
        Stage::Ipv6Address => Ipv6Addr::from_bits(given.number.into()).to_string(),
        _ => Ipv4Addr::from_bits(u32::try_from(given.number).unwrap_or(0)).to_string(),
    }
}

fn address_told(address: &AddressExplained, stage: Stage) -> String {
    match address {
        AddressExplained::Given(given) => {
            let from = match (given.origin, &given.pool) {
                (Origin::Reservation, _) => "reserved for the user".to_owned(),
                (Origin::Sticky, Some(pool)) => format!("from the pool `{pool}`, which the user had last"),
                (_, Some(pool)) => format!("from the pool `{pool}`"),
                (_, None) => "RRAS's own offer".to_owned(),
            };
            format!("{}, {from}", number(given, stage))
        }
        AddressExplained::Offer(because) => format!("RRAS's own offer is kept: {because}"),
        AddressExplained::Refused(why) => format!("none, so the connection ends: {why}"),
    }
}

/// Hostile names reach no terminal as they are; lines stay lines.
fn lines(text: &str) -> String {
    text.lines().map(|line| printable(line) + "\n").collect()
}

fn stage_json(stage: &StageExplained<'_>, recorded: Option<&Decided>) -> Value {
    let address = stage.address.as_ref().map(|address| match address {
        AddressExplained::Given(given) => {
            json!({ "address": number(given, stage.stage), "origin": given.origin, "pool": given.pool })
        }
        AddressExplained::Offer(because) => json!({ "origin": "offer", "because": because }),
        AddressExplained::Refused(why) => json!({ "refused": why }),
    });
    let mut value = json!({
        "stage": stage.stage, "allow": stage.allow, "for_now": stage.for_now,
        "rule": stage.rule, "reason": stage.reason, "facts": stage.facts, "counted": stage.counted,
        "when_unrecorded": stage.when_unrecorded, "rules": stage.rules, "address": address, "refused": stage.refusal.as_ref().map(ToString::to_string),
    });
    if let Some(recorded) = recorded {
        value["recorded"] = json!(recorded);
        value["agrees"] = json!(agrees(stage, recorded));
        value["overruled"] = json!(overruled(stage, recorded));
    }
    value
}

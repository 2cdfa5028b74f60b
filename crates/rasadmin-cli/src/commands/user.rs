//! `rasadmin user`: everything about one user, on one screen.

use super::{explain, sessions};
use crate::context::{Context, ContextArguments, ZoneArguments};
use crate::error::{CommandError, Exit, Result};
use crate::filter::{user_filter, user_shown};
use crate::format::count;
use crate::output::Output;
use crate::table::{number, text};
use crate::{clock, live, times};
use clap::Args;
use jiff::tz::TimeZone;
use rasadmin_ledger::report::{DecisionRow, Filter, InForce, Reader, ReservedAddress, UserInForce, UserReport};
use rasadmin_policy::{Identity, Name};
use rasadmin_text::{printable, wrap};

/// Show everything about one user
///
/// Shows the sessions of now and lately, the addresses, reservations and groups, the rules that name the user, how much
/// of each limit is used, and when and why the user was denied. `rasadmin explain --user` shows what would be decided.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin user alice
  rasadmin user 'PARTNER\\bob' --limit 20

Exit codes: 0 the ledger or the configuration knows the user; 1 neither does;
2 the command could not do its work.")]
pub struct Arguments {
    /// The user: `alice`, `CORP\alice`, `alice@corp.example`
    #[arg(value_name = "USER")]
    user: String,
    /// Show at most N past sessions and N denials; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 5)]
    limit: u32,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let reader = context.reader()?;
    let user = identity(&arguments.user, &context, &reader)?;
    let (server, state) = explain::in_force(&context, None)?;
    let at = clock::at(context.journal.as_deref(), state.last(), times::now());
    let in_force = InForce { config: &context.config, state: &state, server: &server, at };
    let of_user = UserInForce::of(&user, &in_force);
    let report = reader.user(&user, &context.config, of_user, (arguments.limit > 0).then_some(arguments.limit))?;
    let is_known = report.known.is_some() || !report.reservations.is_empty() || report.block.is_some();
    if arguments.json {
        out.json(&report)?;
    } else {
        print(out, &report, &context)?;
    }
    Ok(Exit::no_if(!is_known))
}

/// The user with a name as typed. A name without a domain is the one that the ledger knows, or else that of the default
/// domain.
fn identity(typed: &str, context: &Context, reader: &Reader) -> Result<Identity> {
    let user = user_filter(typed, context)?;
    if let Some(domain) = user.domain {
        return Ok(Identity { domain, name: user.name });
    }
    let mut known = reader.users(&Filter { user: Some(user), ..Filter::default() })?;
    if known.len() > 1 {
        let names: Vec<_> = known.iter().map(|of| user_shown(Some(&of.domain), Some(&of.name), &of.name)).collect();
        let what = format!("several users have the name `{typed}`: {}", names.join(", "));
        return Err(CommandError::usage(what).hint("name the domain too"));
    }
    if let Some(of) = known.pop() {
        return Ok(Identity { domain: of.domain, name: of.name });
    }
    let default = context.config.domains.identity(&Name::new(typed), &Name::default());
    default.ok_or_else(|| CommandError::usage(format!("`{typed}` is not a valid user name")))
}

fn print(out: &mut Output, report: &UserReport, context: &Context) -> Result<()> {
    let zone = &context.zone;
    let name = user_shown(Some(&report.domain), Some(&report.name), &report.name);
    let mut line = |first: &str, text: String| -> Result<()> {
        let text = printable(&text);
        let first = format!("{first:<13}");
        match out.width() {
            Some(width) => wrap(&first, &text, width).iter().try_for_each(|line| writeln!(out, "{line}")),
            None => writeln!(out, "{first}{text}"),
        }
    };
    let show = |time| times::show(time, zone);
    line("user", name)?;
    line(
        "connected",
        match (&report.known, report.live.len()) {
            (None, _) => "never, as far as the ledger knows".to_owned(),
            (Some(known), 0) => match known.last {
                Some(last) => format!("not now; {}, the last until {}", count(known.sessions, "session"), show(last)),
                None => "never".to_owned(),
            },
            (Some(known), now) => format!("{} now; {} in all", count(now, "session"), known.sessions),
        },
    )?;
    if let Some(block) = &report.block {
        let until = times::until(block.until, zone);
        let by = block.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let reason = block.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        line("blocked", format!("since {}{by}, {until}{reason}", show(block.since)))?;
    }
    let list = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let quoted: Vec<String> = report.rules.iter().map(|rule| format!("`{rule}`")).collect();
    line("groups", list(&report.groups))?;
    line("named by", list(&quoted))?;
    line("reserved", list(&report.reservations.iter().map(reserved).collect::<Vec<_>>()))?;
    let held: Vec<String> = report.leases.iter().map(|lease| lease.address.clone()).collect();
    line("holds", list(&held))?;
    if !report.limits.is_empty() {
        writeln!(out, "\nLimits, if the user connected now")?;
        let columns = [text("rule", 0), text("counts", 1), text("limit", 0), text("used", 0), text("state", 0)];
        let rows = report.limits.iter().map(|limit| {
            let state = match limit.reached {
                Some(true) if limit.replaces_oldest => "reached: a new session marks the oldest one",
                Some(true) => "reached",
                Some(false) => "free",
                None => "it depends",
            };
            vec![limit.rule.clone(), limit.field.clone(), limit.limit.clone(), limit.used.clone(), state.to_owned()]
        });
        out.table(&columns, rows.collect())?;
    }
    let more = |more: bool, shown: usize, whole: &str| {
        if more { format!(" (the latest {shown}; --limit 0 or `{whole}` shows all)") } else { String::new() }
    };
    if !report.live.is_empty() {
        writeln!(out, "\nConnected now")?;
        sessions::print(out, &live::seen(report.live.clone(), context.journal().ok()), zone, false)?;
    }
    if !report.past.is_empty() {
        let cut = more(report.more_past, report.past.len(), "rasadmin sessions --user");
        writeln!(out, "\nPast sessions{cut}")?;
        sessions::print(out, &live::seen(report.past.clone(), None), zone, false)?;
    }
    if !report.denials.is_empty() {
        let cut = more(report.more_denials, report.denials.len(), "rasadmin decisions --rejected --user");
        writeln!(out, "\nDenied{cut}")?;
        print_denials(out, &report.denials, zone)?;
    }
    let octets = !report.live.is_empty() || !report.past.is_empty();
    let octets = if octets { "; received and sent: by the server" } else { "" };
    writeln!(out, "\n{}{octets}", times::zone_name(zone))
}

fn reserved(of: &ReservedAddress) -> String {
    let addresses: Vec<String> =
        [of.ipv4.map(|ip| ip.to_string()), of.ipv6.map(|ip| ip.to_string())].into_iter().flatten().collect();
    let server = of.server.as_ref().map_or_else(String::new, |server| format!(" on {server}"));
    addresses.join(" and ") + &server
}

/// Denials of one user, with why.
fn print_denials(out: &mut Output, denials: &[DecisionRow], zone: &TimeZone) -> Result<()> {
    let columns = [
        number("decision", 2),
        text("time", 0),
        text("by", 0),
        text("because", 0),
        text("from", 3),
        text("tunnel", 4),
        text("stage", 5),
    ];
    let rows = denials.iter().map(|of| {
        vec![
            of.id.to_string(),
            times::show(of.time, zone),
            of.decided_by().into_owned(),
            of.reason.clone().unwrap_or_default(),
            of.facts.source.known().map(ToString::to_string).unwrap_or_default(),
            of.facts.tunnel.known().map(|tunnel| tunnel.name().to_owned()).unwrap_or_default(),
            of.stage.name().to_owned(),
        ]
    });
    out.table(&columns, rows.collect())
}

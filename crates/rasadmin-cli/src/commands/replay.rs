//! `rasadmin replay`: what a configuration would have made of the past.

use super::import::warn_of_faults;
use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::filter::LimitArguments;
use crate::format::count;
use crate::output::Output;
use crate::table::{name, number, text};
use crate::times;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
pub use rasadmin_answers::replay::Answer;
use rasadmin_answers::replay::ChangedAttempt;
use rasadmin_engine::simulate::Simulated;
use rasadmin_history::logs::{self, LogItem, Reading, Summary};
use rasadmin_history::simulate::{self, Attempt, Because, Change, Period, Report};
use rasadmin_policy::config::{self, Config};
use rasadmin_policy::{Fact, Name};
use rasadmin_system::places;
use rasadmin_text::{printable, wrap};
use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

/// Try a configuration on the past: who would be refused
///
/// Shows whose attempts would be refused or accepted now, and by which rule. Replays every attempt through the
/// candidate configuration, with the code that decides in the DLL. The attempts come from the ledger (including
/// sessions imported from logs), from a recorded trace, or from the logs of an RRAS or NPS server. Nothing is changed.
/// Logs lack some facts: replay says how many answers depend on those. Attempts that NPS refused stay
/// refused: replay says how many of them the candidate would refuse too. docs/replay.md has more.
///
/// `rasadmin host replay` is something else: it makes the calls of a recorded trace to another DLL.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin replay --config candidate.toml
  rasadmin replay --config candidate.toml --since 2026-11-01 --each
  rasadmin replay --config candidate.toml --log IN2610.log IN2611.log \\
      --time-zone Europe/Berlin
  rasadmin replay --config candidate.toml --trace day.trace \\
      --began '2026-11-23 05:00'

Exit codes: 0 nothing would change; 1 something would change; 2 the attempts
could not be replayed.")]
pub struct Arguments {
    /// The candidate configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Replay this ledger [default: that of the configuration in force on this computer]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["trace", "log"])]
    ledger: Option<PathBuf>,
    /// Replay a trace of `rasadmin host run --trace` or of the example DLL recorder
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    trace: Option<PathBuf>,
    /// When the trace began, because traces contain no date [default: today at midnight]
    #[arg(long, value_name = "TIME", requires = "trace")]
    began: Option<String>,
    /// Use the answers of this DLL of the trace; 0 is the first
    #[arg(long, value_name = "INDEX", default_value_t = 0, requires = "trace")]
    of: usize,
    /// Replay logs of RRAS or NPS: database-compatible (ODBC), DTS or IAS
    #[arg(long, value_name = "FILE", num_args = 1..)]
    log: Vec<PathBuf>,
    /// The time zone of the logs' servers, like Europe/Berlin [default: the candidate's]
    #[arg(long, value_name = "ZONE", requires = "log")]
    time_zone: Option<String>,
    /// Report attempts from this time on; earlier ones count only in limits and quotas: `2026-11-23`,
    /// `2026-11-23 09:00`, `today`, or how long ago: `30d`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Replay only attempts before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// List every attempt whose answer would change
    #[arg(long)]
    each: bool,
    /// With --each, list at most N attempts; 0 lists all [default: 100 in a table, all in JSON]
    #[arg(long, value_name = "N", requires = "each")]
    limit: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Attempts, with what is to be said of their source.
struct Past {
    attempts: Vec<Attempt>,
    from: String,
    logs: Option<Summary>,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let config = config::for_computer(&places::server_name())
        .load(&arguments.config)
        .map_err(|e| CommandError::new(Kind::Configuration, format!("the candidate is not valid:\n{e}")))?;
    let config = Arc::new(config);
    let mut past = past(&arguments, &config)?;
    let zone = &config.zone;
    let (now, whole) = (times::now(), past.attempts.len());
    let time = |text: &Option<String>| text.as_deref().map(|text| times::parse(text, zone, now)).transpose();
    let (since, until) = (time(&arguments.since)?, time(&arguments.until)?);
    // What began before is replayed too: limits and quotas count it.
    past.attempts.retain(|attempt| until.is_none_or(|until| attempt.session.start < until));
    if !past.attempts.iter().any(|attempt| since.is_none_or(|since| attempt.session.start >= since)) {
        let when = if whole > 0 { " in that time" } else { "" };
        return Err(CommandError::not_found(format!("{}: there is nothing to replay{when}", past.from)));
    }
    let bar = bar(past.attempts.len() as u64);
    let mut each = Vec::new();
    let mut keep = |attempt: &Attempt, simulated: &Simulated, change: Change| {
        if arguments.each && change != Change::None {
            each.push(row(attempt, simulated, change));
        }
    };
    let report = simulate::simulate(&config, past.attempts, since, &mut keep, &mut |done| {
        bar.set_position(done as u64);
        ControlFlow::<Infallible>::Continue(())
    });
    bar.finish_and_clear();
    let ControlFlow::Continue(report) = report;
    let changes = report.changes();
    let cut = LimitArguments::new(arguments.limit).of(arguments.json).cut(&mut each);
    if arguments.json {
        let each = arguments.each.then(|| each.iter().map(Row::answer).collect());
        let malformed = past.logs.as_ref().map(|logs| logs.malformed);
        out.json(&Answer::new(past.from, &config, &report, malformed, each))?;
    } else {
        show(out, &report, &past.from, &config, past.logs.is_some())?;
        if arguments.each {
            list(out, &each, &config)?;
            cut.map_or(Ok(()), |cut| writeln!(out, "\n{cut}"))?;
        }
    }
    Ok(Exit::no_if(changes))
}

fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}") {
        bar.set_style(style);
    }
    bar
}

fn past(arguments: &Arguments, config: &Arc<Config>) -> Result<Past> {
    if !arguments.log.is_empty() {
        return from_logs(arguments, config);
    }
    let now = times::now();
    if let Some(trace) = &arguments.trace {
        let (header, calls) = rasadmin_trace::read_trace(trace).or_error(Kind::File)?;
        if arguments.of >= header.dlls.len().max(1) {
            let has = format!("{}: it has {}", trace.display(), count(header.dlls.len(), "DLL"));
            return Err(CommandError::usage(format!("{has}: --of {} is beyond the last", arguments.of)));
        }
        let began = times::parse(arguments.began.as_deref().unwrap_or("today"), &config.zone, now)?;
        let server = config.server.clone().unwrap_or_else(places::server_name);
        let attempts = simulate::from_trace(&calls, arguments.of, &server, began);
        return Ok(Past { attempts, from: trace.display().to_string(), logs: None });
    }
    if arguments.ledger.is_none() {
        let found = config::find(&places::config_places(None));
        found
            .or_error(Kind::Configuration)
            .map_err(|e| e.hint("or name what to replay with --ledger, --trace or --log"))?;
    }
    let context = ContextArguments { ledger: arguments.ledger.clone(), ..Default::default() }.open()?;
    let reader = context.reader()?;
    let period = Period { from: i64::MIN / 2, to: i64::MAX / 2, now };
    let attempts = simulate::from_ledger(&reader, period)?;
    Ok(Past { attempts, from: context.ledger.display().to_string(), logs: None })
}

fn from_logs(arguments: &Arguments, config: &Config) -> Result<Past> {
    let zone = arguments.time_zone.as_deref().map(config::time_zone).transpose().or_error(Kind::Usage)?;
    let zone = zone.or_else(|| config.named_zone().cloned());
    let bar = bar(0);
    let (mut attempts, mut continued, mut step) = (Vec::new(), HashMap::new(), 0_u64);
    let mut progress = |done: u64, all: u64| {
        step += 1;
        if step % 4096 == 1 {
            bar.set_length(all);
            bar.set_position(done);
        }
    };
    let reading = Reading { zone: zone.as_ref(), strict: false };
    let summary = logs::read(&arguments.log, reading, &mut progress, &mut |item| {
        attempts.push(match item {
            LogItem::Session(session) if session.continued => {
                continued.insert(session.past.key.clone(), session.past);
                return Ok(());
            }
            LogItem::Session(session) => Attempt::accepted(session.past),
            LogItem::Restart(_) => return Ok(()),
            LogItem::Refusal(refusal) => {
                Attempt::refused_by_nps(refusal.session.past, rasadmin_history::reason(refusal.reason_code))
            }
        });
        Ok::<_, CommandError>(())
    });
    bar.finish_and_clear();
    let summary = summary?;
    // Sessions that had no room in memory, and whose end came later.
    for session in attempts.iter_mut().map(|attempt: &mut Attempt| &mut attempt.session) {
        if let Some(later) = continued.remove(&session.key) {
            (session.ended, session.last_seen) = (later.ended, later.last_seen);
        }
    }
    warn_of_faults(&summary);
    let names: Vec<_> = arguments.log.iter().map(|file| file.display().to_string()).collect();
    Ok(Past { attempts, from: names.join(", "), logs: Some(summary) })
}

/// An attempt whose answer would change.
struct Row {
    time: i64,
    user: String,
    would_be: &'static str,
    by: String,
    from: String,
    tunnel: String,
}

impl Row {
    fn answer(&self) -> ChangedAttempt {
        ChangedAttempt::new(self.time, self.user.clone(), self.would_be, self.by.clone())
    }
}

fn row(attempt: &Attempt, simulated: &Simulated, change: Change) -> Row {
    let session = &attempt.session;
    let user = simulated.decision.facts.user.known().map(ToString::to_string);
    fn shown<T: ToString>(fact: &Fact<T>) -> String {
        fact.known().map(ToString::to_string).unwrap_or_default()
    }
    Row {
        time: session.start,
        user: user.unwrap_or_else(|| session.user.to_string()),
        would_be: if change == Change::Refused { "refused" } else { "accepted" },
        by: because(&Because::of(simulated)),
        from: shown(&session.source),
        tunnel: session.tunnel.known().map(|tunnel| tunnel.name().to_owned()).unwrap_or_default(),
    }
}

/// Before the rules that do nothing.
const UNUSED: &str = "Rules that decide nothing: ";

fn because(because: &Because) -> String {
    match because {
        Because::Rule(rule) => rule.clone(),
        Because::Default => "(default)".to_owned(),
        Because::PoolExhausted(pool) => format!("(the pool {pool} is exhausted)"),
        Because::NoAddress(why) => format!("({why})"),
    }
}

fn show(out: &mut Output, report: &Report, from: &str, config: &Config, logs: bool) -> Result<()> {
    let zone = &config.zone;
    let accepted = count(report.accepted_then, "session");
    let were = if report.accepted_then == 1 { "was" } else { "were" };
    writeln!(
        out,
        "{}: of {accepted} that {were} accepted, {} would be refused.",
        printable(from),
        report.newly_refused
    )?;
    if report.refused_then > 0 {
        let refused = count(report.refused_then, "attempt");
        writeln!(out, "Of {refused} that were refused, {} would be accepted.", report.newly_accepted)?;
    }
    if report.refused_by_nps > 0 {
        let refused = count(report.refused_by_nps, "attempt");
        let both = report.refused_by_both;
        writeln!(out, "NPS refused {refused} more, and still would; the candidate would refuse {both} of them too.")?;
    }
    if logs && report.refused_by_nps == 0 {
        writeln!(out, "(These logs contain only users who were let in.)")?;
    }
    if report.rest_on_lacking > 0 {
        let fields: Vec<_> = report.lacking.iter().map(|(field, n)| format!("{field} ({n})")).collect();
        let answers = count(report.rest_on_lacking, "answer");
        let depend = if report.rest_on_lacking == 1 { "depends" } else { "depend" };
        writeln!(out, "{answers} {depend} on facts that are missing here: {}.", fields.join(", "))?;
    }
    if !report.by_rule.is_empty() {
        writeln!(out, "\nWhat would change, by rule:\n")?;
        let columns = [
            text("rule", 0),
            number("refused", 0),
            number("accepted", 0),
            number("users", 1),
            text("first", 2),
            text("last", 3),
            text("because", 4),
        ];
        let rows = report.by_rule.iter().map(|rule| {
            vec![
                because(&rule.because),
                rule.refused.to_string(),
                rule.accepted.to_string(),
                rule.users.to_string(),
                times::show(rule.first, zone),
                times::show(rule.last, zone),
                rule.reason.clone().unwrap_or_default(),
            ]
        });
        out.table(&columns, rows.collect())?;
        writeln!(out, "\nUsers who would be affected most:\n")?;
        let columns = [name("user", 0), number("refused", 0), number("accepted", 0), number("of attempts", 1)];
        let rows = report.by_user.iter().filter(|user| user.refused + user.accepted > 0).take(10).map(|user| {
            let counts = [user.refused, user.accepted, user.attempts].map(|n| n.to_string());
            std::iter::once(user.user.clone()).chain(counts).collect()
        });
        out.table(&columns, rows.collect())?;
    }
    pools(out, report, config)?;
    if !report.unused_rules.is_empty() {
        let rules: Vec<_> = report.unused_rules.iter().map(|rule| format!("`{}`", printable(rule))).collect();
        let text = format!("{}. Rules above them decide first, or nobody is concerned.", rules.join(", "));
        writeln!(out)?;
        match out.width() {
            Some(width) => wrap(UNUSED, &text, width).iter().try_for_each(|line| writeln!(out, "{line}"))?,
            None => writeln!(out, "{UNUSED}{text}")?,
        }
    }
    writeln!(out, "\n  {}", times::zone_name(zone))
}

fn pools(out: &mut Output, report: &Report, config: &Config) -> Result<()> {
    if report.pools.is_empty() {
        return Ok(());
    }
    let zone = &config.zone;
    writeln!(out, "\nThe pools:\n")?;
    let servers = report.pools.iter().any(|pool| pool.server != report.pools[0].server);
    let columns = [
        text("pool", 0),
        text("server", 3),
        number("addresses", 0),
        number("most at once", 0),
        text("at", 2),
        number("found empty", 0),
        text("first", 1),
        text("last", 4),
    ];
    let time = |time: Option<i64>| time.map(|time| times::show(time, zone)).unwrap_or_default();
    let rows = report.pools.iter().map(|pool| {
        vec![
            format!("{} (IPv{})", pool.pool, pool.family),
            if servers { shown(&pool.server) } else { String::new() },
            pool.size.to_string(),
            pool.peak.to_string(),
            time(Some(pool.peak_at).filter(|_| pool.peak > 0)),
            pool.exhausted_times.to_string(),
            time(pool.exhausted_first),
            time(pool.exhausted_last),
        ]
    });
    out.table(&columns, rows.collect())
}

fn shown(name: &Name) -> String {
    name.to_string()
}

fn list(out: &mut Output, rows: &[Row], config: &Config) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nEvery attempt whose answer would change:\n")?;
    let columns =
        [text("time", 0), name("user", 0), text("would be", 0), text("rule", 0), text("from", 2), text("tunnel", 1)];
    let rows = rows.iter().map(|row| {
        vec![
            times::show(row.time, &config.zone),
            row.user.clone(),
            row.would_be.to_owned(),
            row.by.clone(),
            row.from.clone(),
            row.tunnel.clone(),
        ]
    });
    out.table(&columns, rows.collect())
}

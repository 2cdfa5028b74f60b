//! What `rasadmin purge` and `rasadmin anonymise` share: forgetting what ended before a time.

use crate::confirm::confirm;
use crate::context::{Context, ContextArguments};
use crate::error::{CommandError, Exit, Result};
use crate::filter::user_filter;
use crate::format::count;
use crate::journal_files::{self, Remaining};
use crate::output::Output;
use crate::{record, times};
use clap::Args;
use rasadmin_engine::Event;
use rasadmin_engine::effect::Forgetting;
use rasadmin_ledger::upkeep::Upkeep;
use rasadmin_ledger::{ForgetCounts, ForgetScope};
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::period_dates;
use rasadmin_policy::{Identity, Millis, Name};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Args)]
pub struct RetentionArguments {
    /// Everything that ended before this time: `2026-05-01`, `today`, or how long ago: `180d`
    #[arg(long, value_name = "TIME")]
    before: String,
    /// Only this user, with the domain
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Also delete the journal's past files at once
    #[arg(long)]
    now: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was forgotten, and what the journal still has.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    #[serde(flatten)]
    changed: ForgetCounts,
    /// The journal's files. `null`: the ledger has no journal.
    journal: Option<JournalAnswer>,
}

/// The journal's files after this.
#[derive(Serialize, JsonSchema)]
struct JournalAnswer {
    /// How many were deleted.
    deleted: usize,
    /// How many are left.
    kept: usize,
    /// The number of the oldest record that is left.
    oldest_record: u64,
}

/// Forgets what ended before a time. `verb` and `done` say it to people.
pub fn forget(arguments: RetentionArguments, how: Forgetting, verb: &str, done: &str, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let past = past(&arguments, &context, times::now())?;
    // This comes first, so that records which the ledger lacks do not count as forgotten.
    context.reader()?;
    let before = times::show(past.before, &context.config.zone);
    let of = past.user.as_ref().map_or_else(|| "everybody".to_owned(), ToString::to_string);
    let question = format!("{verb} what ended before {before}, of {of}? Only a backup can bring it back.");
    confirm(&question, arguments.yes, out)?;
    let has_journal = context.journal.is_some() && crate::present::read(&context)?.is_some();
    let (changed, left) = if has_journal {
        let (changed, left) = in_journal(&context, &past, how, arguments.now)?;
        (changed, Some(left))
    } else {
        (in_ledger_alone(&context, &past, how)?, None)
    };
    // A name that is typed wrong must not look as if the data were gone.
    let unknown = past.user.as_ref().filter(|_| changed == ForgetCounts::default());
    let exit = Exit::no_if(unknown.is_some());
    if arguments.json {
        let journal = left.map(|left| JournalAnswer {
            deleted: left.deleted,
            kept: left.kept,
            oldest_record: left.oldest_record,
        });
        out.json(&Answer { changed, journal })?;
        return Ok(exit);
    }
    writeln!(
        out,
        "{done}: {}, {}, {}, {}, {} of use, {}",
        count(changed.sessions, "session"),
        count(changed.links, "link"),
        count(changed.leases, "lease"),
        count(changed.decisions, "decision"),
        count(changed.usage_days, "day"),
        count(changed.anomalies, "anomaly")
    )?;
    if let Some(user) = unknown {
        writeln!(
            out,
            "The ledger has nothing of {user} from before {before}: `rasadmin users` lists the users it knows."
        )?;
    }
    if let Some(left) = left {
        print_remaining(out, &left, arguments.now)?;
    }
    Ok(exit)
}

/// With an event, so that the DLL and every other ledger made from this journal forget it too.
fn in_journal(context: &Context, past: &ForgetScope, how: Forgetting, now: bool) -> Result<(ForgetCounts, Remaining)> {
    let mut tool = record::open(context)?;
    if now {
        // The event's segment stays, so it must not contain anything that has to go.
        journal_files::seal(&mut tool)?;
    }
    let event = Event::Forget { before: past.before, user: past.user.clone(), how };
    record::record(&mut tool, |_, _| ((), Some(event)))?;
    let changed = record::bring_in(context)?.map(|brought| brought.forgotten).unwrap_or_default();
    let left = if now {
        journal_files::seal(&mut tool)?;
        journal_files::delete_what_every_ledger_has(tool.folder())?
    } else {
        journal_files::remaining(tool.folder(), 0)?
    };
    Ok((changed, left))
}

/// For imported logs, which have no journal.
fn in_ledger_alone(context: &Context, past: &ForgetScope, how: Forgetting) -> Result<ForgetCounts> {
    let mut ledger = Upkeep::open(&context.ledger)?;
    let changed = match how {
        Forgetting::Purge => ledger.purge(past),
        Forgetting::Anonymise => ledger.anonymise(past),
    };
    Ok(changed?)
}

/// Says where the names can still be read.
fn print_remaining(out: &mut Output, left: &Remaining, now: bool) -> Result<()> {
    if !now {
        writeln!(
            out,
            "The journal's files still contain the names. `rasadmin ledger update` deletes each file once every ledger has \
             read it and it is a week old; --now deletes them at once."
        )?;
        return Ok(());
    }
    writeln!(out, "deleted from the journal: {}", count(left.deleted, "file"))?;
    if let Some(why) = &left.why {
        writeln!(out, "left in the journal: {}: {why}", count(left.kept, "file"))?;
    }
    writeln!(out, "The log, backups and exports are not changed.")
}

fn past(arguments: &RetentionArguments, context: &Context, now: Millis) -> Result<ForgetScope> {
    let zone = &context.config.zone;
    let before = times::parse(&arguments.before, zone, now)?;
    if before > now {
        return Err(CommandError::usage(format!("{}: that is not in the past", arguments.before)));
    }
    let user = arguments.user.as_deref().map(|user| {
        let typed = user_filter(user, context)?;
        match typed.domain {
            Some(domain) => Ok(Identity { domain, name: typed.name }),
            // A bare name is the default domain's, as everywhere else.
            None => context
                .config
                .domains
                .identity(&Name::new(user), &Name::default())
                .ok_or_else(|| CommandError::usage(format!("`{user}` is not a valid user name"))),
        }
    });
    let at = jiff::Timestamp::from_millisecond(before).unwrap_or_default();
    Ok(ForgetScope { before, first_day: period_dates(Period::Day, at, zone).0, user: user.transpose()?, now })
}

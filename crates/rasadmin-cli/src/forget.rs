//! `rasadmin purge` and `rasadmin anonymise`: forget what ended before a time.

use crate::ask::confirm;
use crate::here::{Here, Place};
use crate::journal::tidy;
use crate::output::count;
use crate::select::{print_json, who};
use crate::{change, times};
use clap::Args;
use rasadmin_engine::Event;
use rasadmin_engine::effect::Forgetting;
use rasadmin_ledger::upkeep::Upkeep;
use rasadmin_ledger::{ForgetCounts, ForgetScope};
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::period_dates;
use rasadmin_policy::{Identity, Millis, Name};
use serde_json::json;

/// Delete what ended before a date
///
/// For a retention rule: sessions, links, leases, decisions, days of use. Live sessions are never touched. Deleted data
/// is overwritten in the ledger's file, but not in backups and exports that you made.
///
/// The journal contains names too. It deletes each of its files a week after the ledger has read it, or at once with
/// --now.
///
/// Examples:
///   rasadmin purge --before 2026-05-01
///   rasadmin purge --before 2026-05-01 --now
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct PurgeArguments {
    #[command(flatten)]
    past: PastArguments,
}

/// Make what ended before a date anonymous
///
/// Users become pseudonyms that cannot be traced back; computers and public addresses are removed. Times, amounts,
/// tunnels, rules and VPN addresses stay, so that reports over that time still add up. Live sessions are never touched.
/// Configurations that were in force are kept as they are: they name users where rules and groups do.
///
/// The journal contains names too. It deletes each of its files a week after the ledger has read it, or at once with
/// --now.
///
/// Examples:
///   rasadmin anonymise --before 2026-05-01
///   rasadmin anonymise --before today --user 'CORP\alice'
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct AnonymiseArguments {
    #[command(flatten)]
    past: PastArguments,
}

#[derive(Args)]
struct PastArguments {
    /// The date: `2026-05-01`, `today`, or how long ago: `180d`
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
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn purge(arguments: PurgeArguments) -> Result<u8, String> {
    forget(arguments.past, Forgetting::Purge, "Delete", "deleted")
}

pub fn anonymise(arguments: AnonymiseArguments) -> Result<u8, String> {
    forget(arguments.past, Forgetting::Anonymise, "Make anonymous", "made anonymous")
}

fn forget(arguments: PastArguments, how: Forgetting, verb: &str, done: &str) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let past = past(&arguments, &place, times::now())?;
    // First, so that what the journal has gained until now is not counted as forgotten.
    place.reader()?;
    let before = times::show(past.before, &place.config.zone);
    let of = past.user.as_ref().map_or_else(|| "everybody".to_owned(), ToString::to_string);
    let question = format!("{verb} what ended before {before}, of {of}? Only a backup can bring it back.");
    if !confirm(&question, arguments.yes)? {
        println!("nothing was changed");
        return Ok(1);
    }
    let has_journal = place.journal.is_some() && crate::present::read(&place)?.is_some();
    let (changed, left) = if has_journal {
        let (changed, left) = in_journal(&place, &past, how, arguments.now)?;
        (changed, Some(left))
    } else {
        (in_ledger_alone(&place, &past, how)?, None)
    };
    if arguments.json {
        let mut value = json!(changed);
        value["journal"] = left.map_or(
            serde_json::Value::Null,
            |left| json!({ "deleted": left.deleted, "kept": left.kept, "oldest_record": left.oldest_record }),
        );
        return print_json(&value);
    }
    println!(
        "{done}: {} sessions, {} links, {} leases, {} decisions, {} days of use, {} anomalies",
        changed.sessions, changed.links, changed.leases, changed.decisions, changed.usage_days, changed.anomalies
    );
    if let Some(left) = left {
        tell_what_is_left(&left, arguments.now);
    }
    Ok(0)
}

/// With an event, so that the DLL and every other ledger made from this journal forget it too.
fn in_journal(
    place: &Place,
    past: &ForgetScope,
    how: Forgetting,
    now: bool,
) -> Result<(ForgetCounts, tidy::Left), String> {
    let mut tool = change::open(place)?;
    if now {
        // The event's segment stays, so it must not contain anything that has to go.
        tidy::seal(&mut tool)?;
    }
    let event = Event::Forget { before: past.before, user: past.user.clone(), how };
    change::tell(&mut tool, |_| ((), Some(event)))?;
    let changed = change::bring_in(place)?.map(|brought| brought.forgotten).unwrap_or_default();
    let left = if now {
        tidy::seal(&mut tool)?;
        tidy::delete_what_every_ledger_has(tool.folder())?
    } else {
        tidy::left(tool.folder(), 0)?
    };
    Ok((changed, left))
}

/// For imported logs, which have no journal.
fn in_ledger_alone(place: &Place, past: &ForgetScope, how: Forgetting) -> Result<ForgetCounts, String> {
    let mut ledger = Upkeep::open(&place.ledger).map_err(|e| e.to_string())?;
    let changed = match how {
        Forgetting::Purge => ledger.purge(past),
        Forgetting::Anonymise => ledger.anonymise(past),
    };
    changed.map_err(|e| e.to_string())
}

/// Where the names may still be read.
fn tell_what_is_left(left: &tidy::Left, now: bool) {
    if !now {
        println!(
            "The journal's files still contain the names. `rasadmin ledger update` deletes each of them a week after the \
             ledger has read it; --now deletes them at once."
        );
        return;
    }
    println!("deleted from the journal: {}", count(left.deleted, "file"));
    if let Some(why) = &left.why {
        println!("left in the journal: {}: {why}", count(left.kept, "file"));
    }
    println!("The log, backups and exports are not changed.");
}

fn past(arguments: &PastArguments, place: &Place, now: Millis) -> Result<ForgetScope, String> {
    let zone = &place.config.zone;
    let before = times::parse(&arguments.before, zone, now)?;
    if before > now {
        return Err(format!("{}: that is not in the past", arguments.before));
    }
    let user = arguments.user.as_deref().map(|user| {
        let typed = who(user, place)?;
        match typed.domain {
            Some(domain) => Ok(Identity { domain, name: typed.name }),
            // A bare name is the default domain's, as everywhere else.
            None => place
                .config
                .domains
                .identity(&Name::new(user), &Name::default())
                .ok_or_else(|| format!("`{user}` is not a valid user name")),
        }
    });
    let at = jiff::Timestamp::from_millisecond(before).unwrap_or_default();
    Ok(ForgetScope { before, first_day: period_dates(Period::Day, at, zone).0, user: user.transpose()?, now })
}

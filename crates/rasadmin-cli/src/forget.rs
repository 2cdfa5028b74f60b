//! `rasadmin purge` and `rasadmin anonymise`: what ended before a time is forgotten.

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
use rasadmin_ledger::{Changed, Past};
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::period_dates;
use rasadmin_policy::{Identity, Millis, Name};
use serde_json::json;

/// Delete what ended before a date
///
/// For a retention rule: sessions, links, leases, decisions, days of use. Live sessions are never touched. What is deleted
/// is overwritten in the ledger's file; backups and exports that you made are not.
///
/// The journal keeps names too, until the file that they stand in is deleted: a week after the ledger has it, or at once
/// with --now.
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

/// Make what ended before a date nobody's
///
/// Users become pseudonyms that nothing leads back from, computers and public addresses vanish. Times, amounts, tunnels,
/// rules and VPN addresses stay, so that reports over that time still add up. Live sessions are never touched.
/// Configurations that were in force are kept as they are: they name users where rules and groups do.
///
/// The journal keeps names too, until the file that they stand in is deleted: a week after the ledger has it, or at once
/// with --now.
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
    /// What ended before this: `2026-05-01`, `today`, or how long ago: `180d`
    #[arg(long, value_name = "TIME")]
    before: String,
    /// Only of this user, with his domain
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Also delete at once what the journal has of the past
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
    // What the journal has gained by now is counted as known, not as forgotten.
    place.reader()?;
    let before = times::show(past.before, &place.config.zone);
    let of = past.user.as_ref().map_or_else(|| "everybody".to_owned(), ToString::to_string);
    let question = format!("{verb} what ended before {before}, of {of}? There is no way back but a backup.");
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

/// By an event: the DLL forgets it too, and so does every other ledger that is made of this journal.
fn in_journal(place: &Place, past: &Past, how: Forgetting, now: bool) -> Result<(Changed, tidy::Left), String> {
    let mut tool = change::open(place)?;
    if now {
        // What is to go must not stand in a segment with the event, which stays.
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

/// Of imported logs there is no journal.
fn in_ledger_alone(place: &Place, past: &Past, how: Forgetting) -> Result<Changed, String> {
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
            "The journal still has what it has recorded: its files go a week after the ledger has them (`rasadmin ledger \
             update` deletes them), or at once with --now."
        );
        return;
    }
    println!("deleted of the journal: {}", count(left.deleted, "file"));
    if let Some(why) = &left.why {
        println!("{} of the journal stay: {why}", count(left.kept, "file"));
    }
    println!("The log, backups and exports are not changed.");
}

fn past(arguments: &PastArguments, place: &Place, now: Millis) -> Result<Past, String> {
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
    Ok(Past { before, first_day: period_dates(Period::Day, at, zone).0, user: user.transpose()?, now })
}

//! `rasadmin close`.

use crate::confirm::confirm;
use crate::context::{Context, ContextArguments};
use crate::error::{CommandError, Exit, Kind, Result};
use crate::filter::user_shown;
use crate::format::count;
use crate::live::CURRENT;
use crate::output::Output;
use crate::{reason, record, times};
use clap::Args;
use rasadmin_engine::event::NotListed;
use rasadmin_engine::{Event, Id};
use rasadmin_service::monitor::Plan;
use rasadmin_service::state::MonitorReport;
use rasadmin_service::state_file;

/// Close a session that RRAS no longer has
///
/// Use this for a session that still counts although its user has gone. It ends now, with cause Admin-Reset, and its
/// addresses are free. This does not disconnect anybody, because RRAS does not learn of it: `rasadmin disconnect` does. A
/// user who is still connected stays connected, but no longer counts.
///
/// With --not-listed, it closes the sessions that RRAS's list lacked at two looks of the rasadmin service in a row. The
/// service closes a few of them by itself; if many are missing at once, the list may be wrong, so it leaves them to you.
/// Their addresses stay held until RRAS releases them or uses their ports again.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin sessions --live --user alice
  rasadmin close 241
  rasadmin close --not-listed")]
pub struct Arguments {
    /// The session: its number, or eight characters of its key
    #[arg(value_name = "SESSION", required_unless_present = "not_listed")]
    session: Option<String>,
    /// The sessions that RRAS does not list, according to the rasadmin service
    #[arg(long, conflicts_with = "session")]
    not_listed: bool,
    /// The reason, which is recorded
    #[arg(long, value_name = "TEXT", conflicts_with = "not_listed")]
    reason: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    context: ContextArguments,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let Some(typed) = &arguments.session else { return close_not_listed(&context, arguments.yes, out) };
    let reason = arguments.reason.as_deref().map(reason::one_line).transpose()?;
    let found = context.reader()?.session(typed)?.map_err(CommandError::usage)?;
    let missing = || CommandError::not_found(format!("there is no session `{typed}`: see `rasadmin sessions --live`"));
    let session = found.ok_or_else(missing)?;
    let user = user_shown(session.domain.as_ref(), session.name.as_ref(), &session.user_name);
    if !session.is_live() {
        writeln!(out, "session {} of {user} has ended already", session.id)?;
        return Ok(Exit::No);
    }
    let key = session.acct_session_id.parse::<Id>();
    let key = key.map_err(|_| {
        CommandError::usage(format!("session {} has no key of this server: it cannot be closed here", session.id))
    })?;
    let mut tool = record::open(&context)?;
    record::belongs_to(&tool, &session.nas_identifier)?;
    let since = times::show(session.acct_start_time, &context.zone);
    let question = format!(
        "Close session {} of {user}, connected since {since}? (RRAS does not learn of it: nobody is disconnected.)",
        session.id
    );
    confirm(&question, arguments.yes, out)?;
    let closed = record::record(&mut tool, |state, _| {
        let lives = state.session(key).is_some();
        (lives, lives.then(|| Event::CloseSession { session: key, by: rasadmin_rights::account_name(), reason }))
    })?;
    record::bring_in(&context)?;
    if closed {
        writeln!(out, "session {} of {user} is closed, and its addresses are free", session.id)?;
    } else {
        writeln!(out, "session {} of {user} has ended in the meantime", session.id)?;
    }
    Ok(Exit::no_if(!closed))
}

/// Closes what the rasadmin service has withheld from closing.
fn close_not_listed(context: &Context, yes: bool, out: &mut Output) -> Result {
    let report = monitor_report(context)?;
    if report.withheld.is_empty() {
        writeln!(out, "no session waits to be closed: RRAS lists them, or the service closes them itself")?;
        return Ok(Exit::Success);
    }
    let looked = report.looked_at.map(|at| times::show(at, &context.zone)).unwrap_or_default();
    let many = count(report.withheld.len() as u64, "session");
    confirm(&format!("Close {many} that RRAS did not list at {looked}?"), yes, out)?;
    // RRAS may list some of them again by now.
    let withheld = monitor_report(context)?.withheld;
    let mut tool = record::open(context)?;
    let mut closed = 0;
    let not_listed = withheld.iter().map(|&(session, since)| NotListed { session, since }).collect();
    let begun = tool.state().last().unwrap_or_default();
    for look in (Plan { not_listed, ..Plan::default() }).events(begun) {
        let ids: Vec<Id> = look.not_listed.iter().map(|not_listed| not_listed.session).collect();
        let live: Vec<Id> = record::record(&mut tool, |state, _| {
            let live = ids.into_iter().filter(|id| state.session(*id).is_some()).collect();
            (live, Some(Event::Look(look)))
        })?;
        closed += live.iter().filter(|id| tool.state().session(**id).is_none()).count();
    }
    record::bring_in(context)?;
    writeln!(out, "{} closed", count(closed as u64, "session"))?;
    Ok(Exit::Success)
}

/// What the service's last look has seen.
fn monitor_report(context: &Context) -> Result<MonitorReport> {
    let journal = context.journal()?;
    let running = rasadmin_journal::service_of(journal)?.is_some();
    let report = state_file::read(journal).filter(|_| running).and_then(|state| state.monitor().cloned());
    let current = |report: &MonitorReport| {
        report.running && report.looked_at.is_some_and(|at| times::now().saturating_sub(at) < CURRENT)
    };
    report.filter(current).ok_or_else(|| {
        CommandError::new(Kind::NotRunning, "the rasadmin service does not see RRAS's connections now")
            .hint("start Remote Access and the rasadmin service; `rasadmin status` shows both")
    })
}

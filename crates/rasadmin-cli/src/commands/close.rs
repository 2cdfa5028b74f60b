//! `rasadmin close`.

use crate::confirm::confirm;
use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Result};
use crate::filter::user_shown;
use crate::output::Output;
use crate::{record, times};
use clap::Args;
use rasadmin_engine::{Event, Id};

/// Close a session that RRAS no longer has
///
/// Use this for a session that still counts although its user has gone. It ends now, with cause Admin-Reset, and its
/// addresses are free. This does not disconnect anybody, because RRAS does not learn of it. A user who is still
/// connected stays connected, but no longer counts.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin sessions --live --user alice
  rasadmin close 241")]
pub struct Arguments {
    /// The session: its number, or eight characters of its key
    #[arg(value_name = "SESSION")]
    session: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    context: ContextArguments,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let typed = &arguments.session;
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
    let closed = record::record(&mut tool, |state| {
        let lives = state.session(key).is_some();
        (lives, lives.then_some(Event::CloseSession { session: key }))
    })?;
    record::bring_in(&context)?;
    if closed {
        writeln!(out, "session {} of {user} is closed, and its addresses are free", session.id)?;
    } else {
        writeln!(out, "session {} of {user} has ended in the meantime", session.id)?;
    }
    Ok(Exit::no_if(!closed))
}

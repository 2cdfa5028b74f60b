//! `rasadmin close`.

use crate::ask::confirm;
use crate::here::Here;
use crate::select::user_shown;
use crate::{change, times};
use clap::Args;
use rasadmin_engine::{Event, Id};

/// Close a session that RRAS no longer has
///
/// For a ghost: a session that still counts although its user has gone. It ends now, with cause Admin-Reset, and its
/// addresses are free. This does not disconnect anybody, because RRAS does not learn of it. A user who is still
/// connected stays connected, but no longer counts.
///
/// Examples:
///   rasadmin sessions --live --user alice
///   rasadmin close 241
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The session: its number, or eight characters of its key
    #[arg(value_name = "SESSION")]
    session: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    here: Here,
}

pub fn close(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let typed = &arguments.session;
    let found = place.reader()?.session(typed).map_err(|e| e.to_string())??;
    let session = found.ok_or_else(|| format!("there is no session `{typed}`: see `rasadmin sessions --live`"))?;
    let user = user_shown(session.domain.as_ref(), session.name.as_ref(), &session.user_name);
    if !session.is_live() {
        println!("session {} of {user} has ended already", session.id);
        return Ok(1);
    }
    let key = session.acct_session_id.parse::<Id>();
    let key = key.map_err(|_| format!("session {} has no key of this server: it cannot be closed here", session.id))?;
    let mut tool = change::open(&place)?;
    change::is_here(&tool, &session.nas_identifier)?;
    let since = times::show(session.acct_start_time, &place.config.zone);
    let question = format!(
        "Close session {} of {user}, connected since {since}? (RRAS does not learn of it: nobody is disconnected.)",
        session.id
    );
    if !confirm(&question, arguments.yes)? {
        println!("nothing was changed");
        return Ok(1);
    }
    let closed = change::tell(&mut tool, |state| {
        let lives = state.session(key).is_some();
        (lives, lives.then_some(Event::CloseSession { session: key }))
    })?;
    change::bring_in(&place)?;
    if closed {
        println!("session {} of {user} is closed, and its addresses are free", session.id);
    } else {
        println!("session {} of {user} has ended in the meantime", session.id);
    }
    Ok(0)
}

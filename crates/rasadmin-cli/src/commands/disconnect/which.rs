//! Which live sessions are meant.

use crate::block_subject::{claimed_computer, user_or_account};
use crate::clock;
use crate::context::Context;
use crate::disconnecting::Target;
use crate::error::{CommandError, Result};
use crate::filter::user_shown;
use crate::output::Output;
use crate::record;
use clap::Args;
use rasadmin_engine::decide::overdue;
use rasadmin_engine::state::Session;
use rasadmin_engine::{Context as Deciding, Id, InterfaceType, Process, State};
use rasadmin_ledger::report::Reader;
use rasadmin_policy::config::Config;
use rasadmin_recorder::admin::AdminJournal;
use std::collections::BTreeSet;

/// One of four.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct WhichArguments {
    /// Sessions: their numbers, or eight characters of their keys
    #[arg(value_name = "SESSION")]
    sessions: Vec<String>,
    /// All sessions of this user: `alice` (of the default domain), `CORP\alice`, `alice@corp.example`, `host/pc7`
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The sessions that this rule denies now. It must have `disconnect_active = true`
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// All sessions whose client claims this computer name
    #[arg(long, value_name = "NAME")]
    claimed_computer: Option<String>,
}

impl WhichArguments {
    /// The sessions that are live, those that began first come first. Says so if there is none.
    pub fn find(
        &self,
        tool: &AdminJournal,
        context: &Context,
        ledger: Option<&Reader>,
        out: &mut Output,
    ) -> Result<Vec<Target>> {
        let state = tool.state();
        let server = state.server();
        let (mut found, none): (Vec<&Session>, _) = if let Some(typed) = &self.user {
            of_user(typed, state, context)?
        } else if let Some(typed) = &self.claimed_computer {
            let subject = claimed_computer(typed)?;
            let none = format!("no client that claims the computer name {typed} is connected to {server}");
            (state.live().filter(is_client).filter(|session| session.is_of(&subject)).collect(), none)
        } else if let Some(rule) = &self.rule {
            of_rule(rule, state, &context.config)?
        } else {
            (named(&self.sessions, tool, ledger, out)?, String::new())
        };
        if found.is_empty() && !none.is_empty() {
            writeln!(out, "{none}")?;
        }
        found.sort_unstable_by_key(|session| (session.began.mono, session.id));
        Ok(found.into_iter().map(|session| Target::new(session, ledger)).collect())
    }
}

/// Sessions by their numbers or keys. Says which of them have ended.
fn named<'s>(
    all: &[String],
    tool: &'s AdminJournal,
    ledger: Option<&Reader>,
    out: &mut Output,
) -> Result<Vec<&'s Session>> {
    let mut live = BTreeSet::new();
    for typed in all {
        let missing =
            || CommandError::not_found(format!("there is no session `{typed}`: see `rasadmin sessions --live`"));
        let Some(ledger) = ledger else {
            let id = typed.parse::<Id>().map_err(|_| {
                CommandError::usage(format!(
                    "`{typed}` is not the whole key of a session, and no ledger has the others"
                ))
                .hint("name the user with --user")
            })?;
            live.insert(tool.state().session(id).ok_or_else(missing)?.id);
            continue;
        };
        let row = ledger.session(typed)?.map_err(CommandError::usage)?.ok_or_else(missing)?;
        let id = row.acct_session_id.parse::<Id>().ok().filter(|_| row.is_live());
        if id.is_some() {
            record::belongs_to(tool, &row.nas_identifier)?;
        }
        match id.and_then(|id| tool.state().session(id)) {
            Some(session) => {
                live.insert(session.id);
            }
            None => {
                let user = user_shown(row.domain.as_ref(), row.name.as_ref(), &row.user_name);
                writeln!(out, "session {} of {user} has ended already", row.id)?;
            }
        }
    }
    Ok(live.into_iter().filter_map(|id| tool.state().session(id)).collect())
}

/// Routers of demand-dial interfaces are not disconnected.
fn is_client(session: &&Session) -> bool {
    session.interface == InterfaceType::Client
}

/// The sessions of a user, and what to say if there is none.
fn of_user<'s>(typed: &str, state: &'s State, context: &Context) -> Result<(Vec<&'s Session>, String)> {
    let user = user_or_account(typed, &context.config.domains)?;
    let mut none = format!("{user} is not connected to {}", state.server());
    let others = state.live().filter_map(|session| session.user.as_ref()).filter(|other| other.name == user.name);
    let others: BTreeSet<String> = others.map(|other| format!("`{other}`")).collect();
    if !others.is_empty() {
        let others: Vec<String> = others.into_iter().collect();
        none += &format!(", but {}: name the domain too", others.join(", "));
    }
    Ok((state.of_user(&user).filter(is_client).collect(), none))
}

/// The sessions that a rule denies now, and what to say if there is none.
fn of_rule<'s>(rule: &str, state: &'s State, config: &Config) -> Result<(Vec<&'s Session>, String)> {
    must_end_live_sessions(rule, config)?;
    let at = clock::of_this_machine();
    let server = state.server().clone();
    let context = state.instance().map(|instance| Deciding::new(config, &server, instance, Process(0)));
    let denied = |session: &&Session| {
        let overdue = context.as_ref().and_then(|context| overdue(state, context, session, at, 0));
        overdue.is_some_and(|overdue| overdue.why.rule() == Some(rule))
    };
    Ok((state.live().filter(denied).collect(), format!("the rule `{rule}` denies no live session of {server} now")))
}

/// Fails if the rule ends no live session, whatever it asks for.
fn must_end_live_sessions(rule: &str, config: &Config) -> Result<()> {
    let Some(active) = config.rules.holds_for_live_sessions(rule) else {
        let names: Vec<String> = config.rules.names().map(|name| format!("`{name}`")).collect();
        let rules = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        return Err(CommandError::usage(format!("the configuration has no rule `{rule}`: {rules}")));
    };
    if active {
        return Ok(());
    }
    let what = format!("the rule `{rule}` is about new connections only: it disconnects nobody");
    Err(CommandError::usage(what).hint("write disconnect_active = true into it, or name sessions or a user"))
}

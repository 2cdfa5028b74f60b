//! Asking the rasadmin service to disconnect sessions, and saying what became of each.

use crate::ask_service::{Unanswered, ask};
use crate::context::{Context, session_row};
use crate::error::Result;
use crate::filter::user_shown;
use crate::output::Output;
use rasadmin_engine::state::Session;
use rasadmin_engine::{Id, Identity, Millis, Name};
use rasadmin_ledger::report::Reader;
use rasadmin_pipe::{Disconnected, Request};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// How many sessions one request names.
const AT_ONCE: usize = 500;

/// RRAS may need a moment for each session, and the service waits for their ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// A live session that is to be disconnected.
pub struct Target {
    pub id: Id,
    /// Its number; without a ledger, its key.
    pub number: String,
    pub identity: Option<Identity>,
    /// The user, for people.
    pub user: String,
    pub since: Millis,
    pub source: String,
    pub computer: Name,
}

impl Target {
    /// A live session of this server's journal.
    pub fn new(session: &Session, ledger: Option<&Reader>) -> Self {
        let identity = session.user.clone();
        let (domain, name) = identity.as_ref().map(|user| (&user.domain, &user.name)).unzip();
        Self {
            id: session.id,
            number: session_row(ledger, session.id).map_or_else(|| session.id.to_string(), |row| row.id.to_string()),
            user: user_shown(domain, name, &session.user_name),
            identity,
            since: session.began.time,
            source: session.source.clone(),
            computer: session.computer.clone(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {} of {}", self.number, self.user)
    }
}

/// What became of the sessions.
#[derive(Default)]
pub struct Outcomes<'t> {
    /// RRAS has reported their end.
    pub ended: usize,
    /// RRAS was asked.
    pub asked: usize,
    /// They were not connected any more.
    pub gone: usize,
    /// RRAS was not asked.
    pub failed: usize,
    /// Those about which the service has not answered, and why.
    pub unanswered: Option<(Unanswered, &'t [Target])>,
}

/// Asks the service to disconnect the sessions, and says what became of each.
pub fn disconnect<'t>(
    targets: &'t [Target],
    reason: Option<&str>,
    context: &Context,
    out: &mut Output,
) -> Result<Outcomes<'t>> {
    let mut outcomes = Outcomes::default();
    for (at, some) in targets.chunks(AT_ONCE).enumerate() {
        let sessions = some.iter().map(|target| target.id.to_string()).collect();
        let request = Request::Disconnect { sessions, reason: reason.map(str::to_owned) };
        let answers: Vec<Disconnected> = match ask(context, &request, PATIENCE) {
            Ok(answers) => answers,
            Err(unanswered) => {
                outcomes.unanswered = Some((unanswered, &targets[at * AT_ONCE..]));
                break;
            }
        };
        let answers: HashMap<&str, &Disconnected> = answers.iter().map(|of| (of.session.as_str(), of)).collect();
        for target in some {
            outcomes.say(target, answers.get(target.id.to_string().as_str()).copied(), out)?;
        }
    }
    Ok(outcomes)
}

impl Outcomes<'_> {
    fn say(&mut self, target: &Target, answer: Option<&Disconnected>, out: &mut Output) -> Result<()> {
        match answer.map(|answer| answer.outcome.as_str()) {
            Some("ended") => {
                self.ended += 1;
                writeln!(out, "{target} is disconnected")
            }
            Some("asked") => {
                self.asked += 1;
                writeln!(
                    out,
                    "{target}: RRAS was asked to disconnect it, and has not reported its end yet; see `rasadmin sessions \
                     --live`"
                )
            }
            Some("not-live") => {
                self.gone += 1;
                writeln!(out, "{target} was not connected any more")
            }
            outcome => {
                self.failed += 1;
                let why = answer.and_then(|answer| answer.why.as_deref()).unwrap_or("the service does not say why");
                let again = if outcome == Some("failed") { "; the service tries again" } else { "" };
                writeln!(out, "{target} is not disconnected: {why}{again}")
            }
        }
    }
}

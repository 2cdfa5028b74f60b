//! What an administrator orders.

use super::tries::NOT_LISTED;
use super::{Decided, Disconnector, Inner};
use crate::duty::Fault;
use rasadmin_engine::effect::{Disconnecting, Enforcement};
use rasadmin_engine::{Id, InterfaceType};
use rasadmin_policy::config::Config;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an order waits until the duty is not busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long an administrator waits for the hangup.
const CONFIRMATION: Duration = Duration::from_secs(5);

/// What became of a session that an administrator named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// RRAS has reported its end.
    Ended,
    /// RRAS was asked, and has not reported its end yet.
    Asked,
    /// It was not live.
    NotLive,
    /// It was recorded, but RRAS could not be asked, for this reason. The service tries again.
    Failed(String),
    /// It is not disconnected, for this reason.
    Refused(String),
}

impl Outcome {
    /// Can it still turn out that it has ended?
    fn may_end(&self) -> bool {
        *self == Self::Asked || *self == Self::Failed(NOT_LISTED.to_owned())
    }
}

impl Disconnector {
    /// Disconnects sessions that an administrator names, and waits a few seconds for their hangups. `by` is the account
    /// that asks.
    ///
    /// # Errors
    ///
    /// If nothing was done.
    pub fn order(&self, sessions: &[Id], reason: Option<&str>, by: &str) -> Result<Vec<Outcome>, Fault> {
        let config = self.config.get();
        let mut outcomes = vec![Outcome::NotLive; sessions.len()];
        {
            let busy = || Fault::new("the service waits for RRAS", "try again, or look at `rasadmin status`");
            let mut inner = self.inner_within(PATIENCE).ok_or_else(busy)?;
            if !self.follow(&mut inner, &config)? {
                return Ok(outcomes);
            }
            if let Inner { journal: Some(journal), tries, .. } = &mut *inner {
                tries.forget_ended(journal.state());
            }
            let why = Disconnecting::Asked { reason: reason.map(str::to_owned) };
            let mut failed = None;
            for (session, outcome) in sessions.iter().zip(&mut outcomes) {
                let Some(live) = inner.state().and_then(|state| state.session(*session)) else {
                    // A block has come before the question.
                    if inner.tries.has_ended(*session) {
                        *outcome = Outcome::Ended;
                    }
                    continue;
                };
                if live.interface != InterfaceType::Client {
                    *outcome = Outcome::Refused("it is a router's, not a client's".to_owned());
                    continue;
                }
                let decided = Decided { session: *session, why: why.clone(), how: Enforcement::Enforced };
                match self.record(&mut inner, &config, &decided, Some(by)) {
                    Ok(true) => {
                        *outcome = Outcome::Asked;
                        // An earlier attempt does not make the administrator wait.
                        inner.tries.begin_anew(*session);
                    }
                    Ok(false) => {}
                    Err(fault) => {
                        *outcome = Outcome::Refused(format!("it could not be recorded: {}", fault.what));
                        failed = failed.or(Some(fault));
                        // The journal may have been closed.
                        self.follow(&mut inner, &config).ok();
                    }
                }
            }
            if let Some(fault) = failed.filter(|_| !outcomes.contains(&Outcome::Asked)) {
                return Err(fault);
            }
            let failed = self.carry_out(&mut inner, &config, None).err().map(|fault| fault.what);
            for (session, outcome) in sessions.iter().zip(&mut outcomes).filter(|(_, o)| **o == Outcome::Asked) {
                let waits = || failed.clone().unwrap_or_else(|| "others come first".to_owned());
                let refused = inner.tries.refused(*session).cloned();
                if let Some(why) = refused.or_else(|| (!inner.tries.has(*session)).then(waits)) {
                    *outcome = Outcome::Failed(why);
                }
            }
            self.show(&inner);
        }
        self.confirm(sessions, &mut outcomes, &config);
        Ok(outcomes)
    }

    /// Waits for the ends of sessions that RRAS was asked to disconnect. If the journal cannot be read, nobody knows more.
    fn confirm(&self, sessions: &[Id], outcomes: &mut [Outcome], config: &Arc<Config>) {
        let deadline = Instant::now() + CONFIRMATION;
        while outcomes.iter().any(Outcome::may_end) && Instant::now() < deadline {
            if let Some(mut inner) = self.inner_within(CONFIRMATION)
                && self.follow(&mut inner, config).is_ok()
                && let Some(state) = inner.state()
            {
                for (session, outcome) in sessions.iter().zip(outcomes.iter_mut()) {
                    if outcome.may_end() && state.session(*session).is_none() {
                        *outcome = Outcome::Ended;
                    }
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

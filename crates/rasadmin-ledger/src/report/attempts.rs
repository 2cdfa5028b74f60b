//! The attempts to connect that decisions belong to.

use super::Reader;
use super::decided_by::decided_by_in_words;
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Name;
use std::borrow::Cow;

/// The result of one attempt to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The user's name as RRAS passed it.
    pub user: Name,
    /// The rule of the last decision. None is the default, or the DLL itself.
    pub rule: Option<String>,
    /// Why the DLL itself denied it: `exhausted` and so on. None if it did not.
    pub refusal: Option<String>,
    /// True if every decision allowed it.
    pub allowed: bool,
}

impl Attempt {
    /// What decided, for people: the rule, or something else in brackets.
    pub fn decided_by(&self) -> Cow<'_, str> {
        decided_by_in_words(self.rule.as_deref(), self.refusal.as_deref())
    }
}

/// An attempt that is being put together.
struct Open {
    attempt: Attempt,
    /// The stage of its last decision.
    stage: String,
    /// Links belong to it only until the connection is established.
    done: bool,
}

/// A refusal that came again within a minute, and was recorded only once.
struct RepeatedRefusal {
    attempt: Attempt,
    times: u64,
}

impl Reader {
    /// Every attempt to connect after a decision, in the order of time for each user. An attempt begins with the IPv4
    /// address.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn attempts(&self, after: RowId) -> Result<Vec<Attempt>, Error> {
        let mut attempts = Vec::<Open>::new();
        let mut repeated: Option<RepeatedRefusal> = None;
        self.database.each(queries::ATTEMPTS, values! { after: after }, |row| {
            let stage: String = row.get(1)?;
            let attempt = Attempt {
                user: row.get(0)?,
                rule: row.get(3)?,
                refusal: row.get(4)?,
                allowed: row.get::<String>(2)? != "deny",
            };
            let times: u64 = row.get(5)?;
            if stage == ADDRESS {
                apply_repeated(&mut attempts, &mut repeated);
                let denied = !attempt.allowed;
                let again = if denied { times } else { 0 };
                for _ in 0..=again {
                    attempts.push(Open { attempt: attempt.clone(), stage: stage.clone(), done: denied });
                }
            } else if let Some(last) = attempts.last_mut().filter(|last| last.attempt.user == attempt.user) {
                if last.attempt.allowed && !last.done {
                    if !attempt.allowed {
                        repeated = Some(RepeatedRefusal { attempt: attempt.clone(), times });
                    }
                    *last = Open { attempt, stage, done: false };
                }
                last.done |= last.stage == LINK;
            }
            Ok(())
        })?;
        apply_repeated(&mut attempts, &mut repeated);
        Ok(attempts.into_iter().map(|open| open.attempt).collect())
    }
}

const ADDRESS: &str = "ipv4-address";
const LINK: &str = "link";

/// If only the address of an attempt was recorded, the attempt ended like the repeated refusal before it.
fn apply_repeated(attempts: &mut [Open], repeated: &mut Option<RepeatedRefusal>) {
    let Some(last) = attempts.last_mut() else { return };
    let Some(of) = repeated.as_mut().filter(|of| of.attempt.user == last.attempt.user && of.times > 0) else { return };
    if last.attempt.allowed && last.stage == ADDRESS {
        last.attempt.clone_from(&of.attempt);
        of.times -= 1;
    }
}

//! A record: an event with its decision, its answer and its effects.

use crate::callback::Took;
use crate::decision::{Answer, Decision};
use crate::effect::{Effect, SessionEnded};
use crate::event::Event;
use crate::now::{Id, Process, Stamp};
use serde::{Deserialize, Serialize};

/// What happened, what was decided, and what changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened.
    pub at: Stamp,
    /// Sixteen random bytes, of which the identifiers of its effects were made.
    pub id: Id,
    /// The instance it belongs to.
    pub instance: Id,
    /// The process that wrote it.
    pub process: Process,
    /// It could not be written when it happened, but was answered then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// The event.
    pub event: Event,
    /// The decision, if the event asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The answer.
    pub answer: Answer,
    /// The session that it is about, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
    /// The changes, in order.
    pub effects: Vec<Effect>,
    /// Calls that returned since this process's last record. The engine leaves it empty, and nothing depends on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub took: Vec<Took>,
}

impl Record {
    /// Must it survive a power cut? The accept is needed for the audit, the end for the bill.
    pub fn is_durable(&self) -> bool {
        match &self.event {
            Event::Connection(_) => self.answer == Answer::Accept,
            Event::Hangup(_) => self.effects.iter().any(|effect| matches!(effect, Effect::SessionEnded(_))),
            Event::InstanceStarted { .. }
            | Event::ProcessEnded { .. }
            | Event::Carried
            | Event::ReleaseAddress { .. }
            | Event::CloseSession { .. } => true,
            Event::Block(_) | Event::BeginBlock(_) | Event::EndBlock { .. } | Event::Forget { .. } => true,
            _ => false,
        }
    }

    /// The sessions that this record ended.
    pub fn ended(&self) -> impl Iterator<Item = &SessionEnded> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::SessionEnded(ended) => Some(ended),
            _ => None,
        })
    }
}

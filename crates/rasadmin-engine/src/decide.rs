//! What becomes of an event.
//!
//! An event *arrives* first: what it contradicts is ended (a port, handle or GUID that starts again had a session that
//! nobody hung up). Then the rules are asked, and it is *concluded*: what begins or ends by it. Of an event that had
//! waited the answer was given; it takes the first and the last step.

mod address;
pub(crate) mod admission;
mod again;
mod carried;
mod connection;
pub(crate) mod counts;
pub(crate) mod draft;
mod ends;
mod expiry;
pub mod facts;
mod link;
mod others;
mod revive;
mod search;
mod whose;

pub use carried::{Scope, decide_carried};

use crate::config::Config;
use crate::decision::{Answer, Decision};
use crate::effect::{ClosedBy, Effect};
use crate::event::{AddressEvent, ConnectionEvent, Event, LinkEvent};
use crate::now::{Id, Now, Process};
use crate::record::Record;
use crate::state::State;
use crate::{Name, Stage};
use draft::Draft;
use expiry::Subject;
use serde::{Deserialize, Serialize};

/// A session without a link is closed after this: milliseconds.
pub const SESSION_WAITS: u64 = 60 * 1000;

/// A lease that no connection took, and one whose session was hung up, ends after this: milliseconds.
pub const LEASE_WAITS: u64 = 5 * 60 * 1000;

/// Where an event is decided.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The configuration in force; the state's indexes serve it ([`State::derive`]).
    pub config: &'a Config,
    /// This server's name.
    pub server: &'a Name,
    /// The instance that lives.
    pub instance: Id,
    /// This process.
    pub process: Process,
    /// What the source of a rehearsal does not carry: of RRAS's own calls nothing.
    pub lacking: Lacking,
    /// The record of the decision cannot be written: then `when_unrecorded` says whether a connection may stand.
    pub unrecorded: bool,
}

impl<'a> Context<'a> {
    /// Of RRAS's own calls, which are recorded.
    pub const fn new(config: &'a Config, server: &'a Name, instance: Id, process: Process) -> Self {
        Self { config, server, instance, process, lacking: Lacking::NOTHING, unrecorded: false }
    }
}

/// Facts that a log does not tell: they stay unknown to the rules, neither invented nor absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Lacking {
    pub port: bool,
    pub tunnel: bool,
    pub source: bool,
    pub computer: bool,
    pub quarantine: bool,
    pub interface: bool,
}

impl Lacking {
    const NOTHING: Self =
        Self { port: false, tunnel: false, source: false, computer: false, quarantine: false, interface: false };
}

/// An event that could not be recorded when it happened, with what was answered then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waited {
    /// When it happened, and its share of chance.
    pub at: crate::now::Stamp,
    /// Sixteen random bytes.
    pub random: [u8; 16],
    /// What was told.
    pub event: Event,
    /// What was decided.
    pub decision: Option<Decision>,
    /// What was answered: it stands.
    pub answer: Answer,
}

/// An event that asks for an answer.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Asking<'a> {
    Address(&'a AddressEvent),
    Connection(&'a ConnectionEvent),
    Link(&'a LinkEvent),
    Reauthentication(&'a ConnectionEvent),
    EndpointChange(&'a ConnectionEvent),
}

impl<'a> Asking<'a> {
    /// None: it only tells.
    pub const fn of(event: &'a Event) -> Option<Self> {
        match event {
            Event::Address(event) => Some(Self::Address(event)),
            Event::Connection(event) => Some(Self::Connection(event)),
            Event::Link(event) => Some(Self::Link(event)),
            Event::Reauthentication(event) => Some(Self::Reauthentication(event)),
            Event::EndpointChange(event) => Some(Self::EndpointChange(event)),
            _ => None,
        }
    }

    fn event(self) -> Event {
        match self {
            Self::Address(event) => Event::Address(event.clone()),
            Self::Connection(event) => Event::Connection(event.clone()),
            Self::Link(event) => Event::Link(event.clone()),
            Self::Reauthentication(event) => Event::Reauthentication(event.clone()),
            Self::EndpointChange(event) => Event::EndpointChange(event.clone()),
        }
    }
}

/// Decides an event. Nothing is changed by it.
pub fn decide(state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
    if let Some(asking) = Asking::of(event) {
        return decide_asking(state, context, asking, now).0;
    }
    let mut draft = Draft::new(state, context, now, false);
    if !matches!(event, Event::InstanceStarted { .. }) {
        expiry::expire(&mut draft, &Subject::of(event));
    }
    told(&mut draft, event);
    record(draft, event.clone(), None, Answer::Nothing)
}

/// Decides an event that asks for an answer. Nothing is changed by it.
pub fn decide_asking(state: &State, context: &Context<'_>, asking: Asking<'_>, now: &Now) -> (Record, Decision) {
    let mut draft = Draft::new(state, context, now, false);
    let event = asking.event();
    expiry::expire(&mut draft, &Subject::of_asking(asking));
    let (decision, answer) = match asking {
        Asking::Address(event) => address::address(&mut draft, event),
        Asking::Connection(event) => connection::connection(&mut draft, event),
        Asking::Link(event) => link::link(&mut draft, event),
        Asking::Reauthentication(event) => again::again(&mut draft, event, Stage::Reauthentication),
        Asking::EndpointChange(event) => again::again(&mut draft, event, Stage::EndpointChange),
    };
    (record(draft, event, Some(decision.clone()), answer), decision)
}

/// The record of an event that had waited: its answer stands, and its effects touch only what began before it.
pub fn decide_late(state: &State, context: &Context<'_>, waited: &Waited) -> Record {
    let now = Now { at: waited.at, random: waited.random };
    let mut draft = Draft::new(state, context, &now, true);
    // As it did when it was answered: an address that was given then may be one whose lease had just ended.
    let subject = Asking::of(&waited.event).map_or_else(|| Subject::of(&waited.event), Subject::of_asking);
    expiry::expire(&mut draft, &subject);
    match &waited.event {
        Event::Address(event) => address::address_late(&mut draft, event, &waited.answer),
        Event::Connection(event) => connection::connection_late(&mut draft, event, &waited.answer),
        Event::Link(event) => link::link_late(&mut draft, event, &waited.answer),
        Event::Reauthentication(event) => again::again_late(&mut draft, event, Stage::Reauthentication),
        Event::EndpointChange(event) => again::again_late(&mut draft, event, Stage::EndpointChange),
        other => told(&mut draft, other),
    }
    record(draft, waited.event.clone(), waited.decision.clone(), waited.answer.clone())
}

/// What asks for no answer.
fn told(draft: &mut Draft<'_>, event: &Event) {
    match event {
        Event::LinkHangup(event) => ends::link_hangup(draft, event),
        Event::Hangup(event) => ends::hangup(draft, event),
        Event::Release(event) => ends::release(draft, event),
        Event::Repeated(all) => all.iter().for_each(|one| draft.add(Effect::RefusalRepeated(*one))),
        // [`decide_carried`] decides it.
        Event::Carried => {}
        Event::InstanceStarted { instance } => others::instance_started(draft, *instance),
        Event::ProcessEnded { process } => others::process_ended(draft, *process),
        Event::ConfigRead(read) => others::config_read(draft, read),
        Event::Lost { events } => draft.add(Effect::Lost { events: *events }),
        Event::ReleaseAddress { address, force } => others::release_address(draft, *address, *force),
        Event::CloseSession { session } => others::close_session(draft, *session),
        Event::Block(block) => draft.add(Effect::Blocked(block.clone())),
        Event::Look(seen) => others::look(draft, seen),
        Event::Elsewhere(all) => all.iter().for_each(|other| draft.add(Effect::Elsewhere(other.clone()))),
        Event::Forget { before, user, how } => others::forget(draft, *before, user.as_ref(), *how),
        Event::Address(_)
        | Event::Connection(_)
        | Event::Link(_)
        | Event::Reauthentication(_)
        | Event::EndpointChange(_) => {}
    }
}

fn record(draft: Draft<'_>, event: Event, decision: Option<Decision>, answer: Answer) -> Record {
    Record {
        at: draft.now.at,
        id: Id(u128::from_be_bytes(draft.now.random)),
        instance: draft.context.instance,
        process: draft.context.process,
        late: draft.late,
        event,
        decision,
        answer,
        session: draft.session,
        effects: draft.effects,
    }
}

/// Can a hangup of a session that was closed so still come?
pub(crate) const fn hangup_may_come(by: ClosedBy) -> bool {
    !matches!(by, ClosedBy::Hangup | ClosedBy::FirstLinkRejected | ClosedBy::InstanceEnded | ClosedBy::Administrator)
}

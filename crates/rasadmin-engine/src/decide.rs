//! Decides an event.
//!
//! Each event passes three steps. *Arrive* ends what the event contradicts: if a port, handle or GUID starts again,
//! the session that had it is over. *Ask* evaluates the rules. *Conclude* begins or ends what follows from the answer.
//! An event that is recorded late was already answered, so it passes the first and the last step only.

mod address;
mod administration;
pub(crate) mod admission;
mod carried;
mod connection;
pub(crate) mod counts;
pub(crate) mod draft;
mod expiry;
pub mod facts;
mod find_session;
mod hangup;
mod lifecycle;
mod link;
mod look;
mod overdue;
mod owner;
mod recheck;
mod release;
mod requester;
mod revive;
mod search;

pub use carried::{Scope, decide_carried};
pub use look::SURELY_LISTED;
pub use overdue::{Overdue, is_blocked, is_replaced, overdue};

use crate::config::Config;
use crate::decision::{Answer, Decision};
use crate::effect::Effect;
use crate::event::{AddressEvent, ConnectionEvent, Disconnect, Disconnecting, Enforcement, Event, LinkEvent, Look};
use crate::now::{Id, Now, Process};
use crate::record::Record;
use crate::state::State;
pub use crate::state::{LEASE_TIMEOUT, LINK_TIMEOUT};
use crate::{Name, Stage};
use draft::Draft;
use expiry::Subject;
use serde::{Deserialize, Serialize};

/// What a decision depends on besides the state and the event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The configuration in force. The state's indexes must have been derived from it ([`State::derive`]).
    pub config: &'a Config,
    /// This server's name.
    pub server: &'a Name,
    /// The current instance.
    pub instance: Id,
    /// This process.
    pub process: Process,
    /// The facts that the source of a simulation lacks. RRAS's own calls lack none.
    pub lacking: Lacking,
    /// The decision cannot be recorded. `when_unrecorded` then says whether a new connection is accepted.
    pub unrecorded: bool,
}

impl<'a> Context<'a> {
    /// The context of RRAS's own calls, which are recorded.
    pub const fn new(config: &'a Config, server: &'a Name, instance: Id, process: Process) -> Self {
        Self { config, server, instance, process, lacking: Lacking::NOTHING, unrecorded: false }
    }
}

/// Facts that the source of a simulation does not contain. To the rules they are not yet known, rather than absent.
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

/// An event that could not be recorded when it happened, with the answer that was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LateEvent {
    /// When it happened.
    pub at: crate::now::Stamp,
    /// Sixteen random bytes, from which its identifiers are made.
    pub random: [u8; 16],
    /// The event.
    pub event: Event,
    /// The decision, if the event asked for one.
    pub decision: Option<Decision>,
    /// The answer. It remains in force.
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
    /// The question that an event asks, or `None` if it asks for no answer.
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

/// Decides an event and changes nothing.
pub fn decide(state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
    if let Some(asking) = Asking::of(event) {
        return decide_asking(state, context, asking, now).0;
    }
    let mut draft = Draft::new(state, context, now, false);
    if !matches!(event, Event::InstanceStarted { .. }) {
        expiry::expire(&mut draft, &Subject::of(event));
    }
    decide_unanswered(&mut draft, event);
    record(draft, as_recorded(event), None, Answer::Nothing)
}

/// The event as a record keeps it: a look without its readings, which are the bulk of it, and which the effects have.
fn as_recorded(event: &Event) -> Event {
    match event {
        Event::Look(Look { begun, found, not_listed, .. }) => {
            let (read, found, not_listed) = (Vec::new(), found.clone(), not_listed.clone());
            Event::Look(Look { begun: *begun, read, found, not_listed })
        }
        other => other.clone(),
    }
}

/// Decides an event that asks for an answer, and changes nothing.
pub fn decide_asking(state: &State, context: &Context<'_>, asking: Asking<'_>, now: &Now) -> (Record, Decision) {
    let mut draft = Draft::new(state, context, now, false);
    let event = asking.event();
    expiry::expire(&mut draft, &Subject::of_asking(asking));
    let (decision, answer) = match asking {
        Asking::Address(event) => address::address(&mut draft, event),
        Asking::Connection(event) => connection::connection(&mut draft, event),
        Asking::Link(event) => link::link(&mut draft, event),
        Asking::Reauthentication(event) => recheck::recheck(&mut draft, event, Stage::Reauthentication),
        Asking::EndpointChange(event) => recheck::recheck(&mut draft, event, Stage::EndpointChange),
    };
    mark(&mut draft, Some(&decision));
    (record(draft, event, Some(decision.clone()), answer), decision)
}

/// Decides an event that could not be recorded when it happened. Its answer remains in force, and its effects touch
/// only what began before it.
pub fn decide_late(state: &State, context: &Context<'_>, waited: &LateEvent) -> Record {
    let now = Now { at: waited.at, random: waited.random };
    let mut draft = Draft::new(state, context, &now, true);
    // Expire leases as the answer did: the address that was given may have belonged to a lease that had just expired.
    let subject = Asking::of(&waited.event).map_or_else(|| Subject::of(&waited.event), Subject::of_asking);
    expiry::expire(&mut draft, &subject);
    match &waited.event {
        Event::Address(event) => address::address_late(&mut draft, event, &waited.answer),
        Event::Connection(event) => connection::connection_late(&mut draft, event, &waited.answer),
        Event::Link(event) => link::link_late(&mut draft, event, &waited.answer),
        Event::Reauthentication(event) => recheck::recheck_late(&mut draft, event, Stage::Reauthentication),
        Event::EndpointChange(event) => recheck::recheck_late(&mut draft, event, Stage::EndpointChange),
        other => decide_unanswered(&mut draft, other),
    }
    mark(&mut draft, waited.decision.as_ref());
    record(draft, waited.event.clone(), waited.decision.clone(), waited.answer.clone())
}

/// Marks the sessions that a newcomer replaces. The service disconnects them.
fn mark(draft: &mut Draft<'_>, decision: Option<&Decision>) {
    for &session in decision.iter().flat_map(|decision| &decision.replaces) {
        let (why, how) = (Disconnecting::Replaced, Enforcement::Marked);
        administration::decide_to_disconnect(draft, Disconnect { session, why, how, by: None });
    }
}

/// Decides an event that asks for no answer.
fn decide_unanswered(draft: &mut Draft<'_>, event: &Event) {
    match event {
        Event::LinkHangup(event) => hangup::link_hangup(draft, event),
        Event::Hangup(event) => hangup::hangup(draft, event),
        Event::Release(event) => release::release(draft, event),
        Event::Repeated(all) => all.iter().for_each(|one| draft.add(Effect::RefusalRepeated(*one))),
        // [`decide_carried`] decides this event.
        Event::Carried => {}
        Event::InstanceStarted { instance } => lifecycle::instance_started(draft, *instance),
        Event::ProcessEnded { process } => lifecycle::process_ended(draft, *process),
        Event::ConfigRead(read) => lifecycle::config_read(draft, read),
        Event::Lost { events } => draft.add(Effect::Lost { events: *events }),
        Event::ReleaseAddress { address, force, .. } => administration::release_address(draft, *address, *force),
        Event::CloseSession { session, .. } => administration::close_session(draft, *session),
        Event::Block(block) => draft.add(Effect::Blocked(block.clone())),
        Event::BeginBlock(asked) => administration::begin_block(draft, asked),
        Event::EndBlock { subject, .. } => draft.add(Effect::BlockEnded { subject: subject.clone() }),
        Event::Disconnect(asked) => administration::disconnect(draft, asked),
        Event::Look(look) => look::look(draft, look),
        Event::RemoteSessions(all) => all.iter().for_each(|other| draft.add(Effect::RemoteSession(other.clone()))),
        Event::Forget { before, user, how } => administration::forget(draft, *before, user.as_ref(), *how),
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
        took: Vec::new(),
    }
}

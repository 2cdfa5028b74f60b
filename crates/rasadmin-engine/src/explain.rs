//! Explains why a decision is, was or would be as it is. It runs the code that decides.

use crate::addresses::Address;
use crate::config::Config;
use crate::decide::draft::Draft;
use crate::decide::{Asking, admission, counts, decide_asking};
use crate::decision::{Answer, Decision, Given, OfferFault, Refusal};
use crate::effect::Usage;
use crate::event::{AddressEvent, ConnectionEvent, Event, LinkEvent, Offer};
use crate::now::{Id, Now, Process, Stamp};
use crate::rules::{Explained, GroupSet, RecordedCounts, WhenUnrecorded};
use crate::{Context, Facts, Family, InterfaceType, Name, Quarantine, Record, Stage, State, Tunnel};
use std::net::IpAddr;
use std::sync::Arc;

/// A connection to explain: who connects, how and when. `None` means absent.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Question {
    pub user: Name,
    /// The logon domain, as in the connection's event.
    pub domain: Name,
    pub at: Stamp,
    pub server: Name,
    pub port: Option<Name>,
    pub tunnel: Option<Tunnel>,
    pub source: Option<IpAddr>,
    pub computer: Option<Name>,
    pub quarantine: Option<Quarantine>,
    pub interface: Option<InterfaceType>,
    /// The address that RRAS would offer.
    pub offer: Option<std::net::Ipv4Addr>,
    /// Does RRAS also ask for an IPv6 interface identifier?
    pub ipv6: bool,
}

/// A stage, explained.
#[derive(Clone, Debug)]
pub struct StageExplained<'c> {
    /// The stage.
    pub stage: Stage,
    /// The known facts.
    pub facts: Facts,
    /// What was counted.
    pub counted: RecordedCounts,
    /// Do the rules allow it?
    pub allow: bool,
    /// It is allowed for now: a condition depends on a fact that is not yet known.
    pub for_now: bool,
    /// Is it accepted if the event cannot be recorded? `None` if that makes no difference at this stage.
    pub when_unrecorded: Option<WhenUnrecorded>,
    /// The rule that decides; `None` is the default.
    pub rule: Option<&'c str>,
    /// The reason given by the rule or the default.
    pub reason: Option<&'c str>,
    /// Every rule, with every condition.
    pub rules: Vec<Explained<'c>>,
    /// The address, at an address stage that is allowed.
    pub address: Option<AddressExplained>,
    /// Why the engine refuses, whatever the rules say. If an address stage has no address for another reason than a block,
    /// see `address` instead.
    pub refusal: Option<Refusal>,
    /// The user's oldest sessions that the decision marks to be disconnected, at the stage that accepts for good. Nothing
    /// disconnects them yet. Empty for a past decision, whose record in the journal has them.
    pub replaces: Vec<Id>,
}

/// The address that would be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressExplained {
    /// This address.
    Given(Given),
    /// Any offer of RRAS's own is kept, for this reason.
    Offer(String),
    /// None, for this reason: the connection ends.
    Refused(Refusal),
}

impl StageExplained<'_> {
    /// Does a block refuse it, before any rule?
    pub fn is_blocked(&self) -> bool {
        self.refusal.as_ref().is_some_and(Refusal::is_block)
    }

    /// Why the DLL itself refuses, whatever the rules say: a block, or no address.
    pub fn refused(&self) -> Option<&Refusal> {
        self.refusal.as_ref().or(match &self.address {
            Some(AddressExplained::Refused(refusal)) => Some(refusal),
            _ => None,
        })
    }

    /// Does the connection end here?
    pub fn ends(&self) -> bool {
        !self.allow || self.refused().is_some()
    }
}

/// Explains what would happen, stage by stage, up to the first stage that denies. It changes a copy of the state only.
pub fn explain<'c>(config: &'c Arc<Config>, state: &State, question: &Question) -> Vec<StageExplained<'c>> {
    explain_each(config, state, question, &[question.tunnel]).pop().unwrap_or_default()
}

/// The same with each of these tunnels instead of the question's. What they have in common is derived and decided once:
/// RRAS asks for addresses before it knows the tunnel, and its connection event says only whether it is IKEv2.
pub fn explain_each<'c>(
    config: &'c Arc<Config>,
    state: &State,
    question: &Question,
    tunnels: &[Option<Tunnel>],
) -> Vec<Vec<StageExplained<'c>>> {
    let mut state = state.clone();
    state.derive(config);
    let instance = state.instance().unwrap_or(Id(0));
    let context = Context::new(config, &question.server, instance, Process::default());
    let explaining = Explaining { config, context, at: question.at };
    let mut addresses = Reached { state, stages: Vec::new(), given: Vec::new(), ended: false };
    for mut event in address_events(question) {
        explaining.step(&mut addresses, &mut event);
    }
    // Without IKEv2, and with it.
    let mut connected = [None, None];
    let with = |&tunnel: &Option<Tunnel>| {
        let [without, with] = &mut connected;
        let connected = if tunnel == Some(Tunnel::Ikev2) { with } else { without };
        let connected = connected.get_or_insert_with(|| {
            let mut connected = addresses.clone();
            explaining.step(&mut connected, &mut connection_event(question, tunnel));
            connected
        });
        let link = explaining.explain(connected, &link_event(question, tunnel)).map(|(stage, _)| stage);
        connected.stages.iter().cloned().chain(link).collect()
    };
    tunnels.iter().map(with).collect()
}

/// What is the same for all stages of a question.
struct Explaining<'c, 'q> {
    config: &'c Arc<Config>,
    context: Context<'q>,
    at: Stamp,
}

/// How far a question is.
#[derive(Clone)]
struct Reached<'c> {
    state: State,
    stages: Vec<StageExplained<'c>>,
    given: Vec<Address>,
    ended: bool,
}

impl<'c> Explaining<'c, '_> {
    /// Explains the next stage, and goes on to the one after it. Does nothing if the connection has ended.
    fn step(&self, reached: &mut Reached<'c>, event: &mut Event) {
        if let Event::Connection(event) = event {
            event.addresses.clone_from(&reached.given);
        }
        let Some((stage, record)) = self.explain(reached, event) else { return };
        if let (Event::Address(event), Answer::Address(address)) = (event, &record.answer) {
            reached.given.push(Address { family: event.family, number: address.number });
        }
        reached.ended = stage.ends();
        reached.stages.push(stage);
        if !reached.ended {
            reached.state.apply(&record);
        }
    }

    /// Explains the next stage. None if the connection has ended.
    fn explain(&self, reached: &Reached<'c>, event: &Event) -> Option<(StageExplained<'c>, Record)> {
        let asking = Asking::of(event).filter(|_| !reached.ended)?;
        let (state, context) = (&reached.state, &self.context);
        // Each step has random bytes of its own: the second address is another lease.
        let step = u8::try_from(reached.stages.len()).unwrap_or(u8::MAX);
        let now = Now { at: self.at, random: [step; 16] };
        let (record, decision) = decide_asking(state, context, asking, &now);
        let counted = all_counted(state, context, &now, &decision);
        let mut stage = explain_stage(self.config, decision.stage, decision.facts.clone(), counted);
        match (event, &record.answer) {
            (Event::Address(_), Answer::Address(address)) => {
                stage.address = Some(AddressExplained::Given(address.clone()));
            }
            (Event::Address(_), _) if !decision.refusal.as_ref().is_some_and(Refusal::is_block) => {
                stage.address = decision.refusal.as_ref().map(refused);
            }
            _ => stage.refusal.clone_from(&decision.refusal),
        }
        stage.replaces.clone_from(&decision.replaces);
        Some((stage, record))
    }
}

/// If the question names no offer, explain says that the offer would be kept.
fn refused(refusal: &Refusal) -> AddressExplained {
    match refusal {
        Refusal::Offer { because, fault: OfferFault::Nothing } => AddressExplained::Offer(because.to_string()),
        refusal => AddressExplained::Refused(refusal.clone()),
    }
}

/// Counts everything that any rule asks for, so that the rules after the deciding one are explained too.
fn all_counted(state: &State, context: &Context<'_>, now: &Now, decision: &Decision) -> RecordedCounts {
    let draft = Draft::new(state, context, now, false);
    let needs = context.config.rules.needs();
    let known = counts::count(&draft, needs, decision.stage, &decision.facts, own(state, decision));
    RecordedCounts::new(needs, &known, &context.config.groups)
}

/// The question's own session, once it is connected.
fn own(state: &State, decision: &Decision) -> Option<Id> {
    let session = state.by_handle(HANDLE).filter(|_| decision.stage == Stage::Link);
    session.map(|session| session.id)
}

/// A handle that no connection has.
const HANDLE: u64 = u64::MAX;

fn port(question: &Question) -> Name {
    question.port.clone().unwrap_or_default()
}

fn address_events(question: &Question) -> Vec<Event> {
    let address = |family, offer| {
        Event::Address(AddressEvent { user: question.user.clone(), port: port(question), family, offer })
    };
    let offer = question.offer.map_or(Offer::Nothing, |offer| Offer::Number(offer.to_bits().into()));
    let mut events = vec![address(Family::Ipv4, offer)];
    if question.ipv6 {
        events.push(address(Family::Ipv6, Offer::Nothing));
    }
    events
}

fn connection_event(question: &Question, tunnel: Option<Tunnel>) -> Event {
    Event::Connection(ConnectionEvent {
        handle: HANDLE,
        guid: None,
        user: question.user.clone(),
        domain: question.domain.clone(),
        computer: question.computer.clone().unwrap_or_default(),
        source: question.source.map(|source| source.to_string()).unwrap_or_default(),
        interface: question.interface.unwrap_or(InterfaceType::Client),
        ikev2: Some(tunnel == Some(Tunnel::Ikev2)),
        quarantine: question.quarantine,
        usage: Usage::default(),
        addresses: Vec::new(),
        prefix: None,
    })
}

fn link_event(question: &Question, tunnel: Option<Tunnel>) -> Event {
    let (device, usage) = (Name::default(), Usage::default());
    Event::Link(LinkEvent { handle: HANDLE, port: port(question), device, tunnel, usage })
}

/// Explains a stage with the user's present groups.
fn explain_stage(config: &Config, stage: Stage, facts: Facts, counted: RecordedCounts) -> StageExplained<'_> {
    let groups = facts.user.known().map(|user| config.groups.of(user)).unwrap_or_default();
    explain_stage_in(config, stage, facts, &groups, counted)
}

fn explain_stage_in<'c>(
    config: &'c Config,
    stage: Stage,
    facts: Facts,
    groups: &GroupSet,
    counted: RecordedCounts,
) -> StageExplained<'c> {
    let counts = counted.counts(&config.groups);
    let ruling = config.rules.decide(stage, &facts, groups, &counts);
    let rules = config.rules.explain(stage, &facts, groups, &counts);
    StageExplained {
        stage,
        allow: ruling.allow,
        for_now: ruling.for_now,
        when_unrecorded: admission::when_unrecorded(config, stage, &ruling),
        rule: ruling.rule,
        reason: ruling.reason,
        rules,
        address: None,
        refusal: None,
        replaces: Vec::new(),
        facts,
        counted,
    }
}

/// Explains a past decision from what was recorded with it, under the configuration of its time. `groups` are the
/// names of the user's groups at that time.
pub fn explain_recorded<'c>(
    config: &'c Config,
    stage: Stage,
    facts: Facts,
    groups: &[String],
    counted: RecordedCounts,
) -> StageExplained<'c> {
    let groups = groups.iter().filter_map(|name| config.groups.id(name)).collect();
    explain_stage_in(config, stage, facts, &groups, counted)
}

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
use crate::{Context, Facts, Family, InterfaceType, Name, Quarantine, Stage, State, Tunnel};
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
#[derive(Debug)]
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
    /// Why the engine refuses, instead of the rules. If an address stage has no address for another reason than a block,
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
    let mut state = state.clone();
    state.derive(config);
    let instance = state.instance().unwrap_or(Id(0));
    let context = Context::new(config, &question.server, instance, Process::default());
    let mut stages = Vec::new();
    let mut given = Vec::new();
    for (step, event) in events(question).into_iter().enumerate() {
        let mut event = event;
        if let Event::Connection(event) = &mut event {
            event.addresses.clone_from(&given);
        }
        // Each step has random bytes of its own: the second address is another lease.
        let now = Now { at: question.at, random: [u8::try_from(step).unwrap_or(u8::MAX); 16] };
        let Some(asking) = Asking::of(&event) else { continue };
        let (record, decision) = decide_asking(&state, &context, asking, &now);
        let mut stage = explain_stage(
            config,
            decision.stage,
            decision.facts.clone(),
            all_counted(&state, &context, &now, &decision),
        );
        match (&event, &record.answer) {
            (Event::Address(event), Answer::Address(address)) => {
                given.push(Address { family: event.family, number: address.number });
                stage.address = Some(AddressExplained::Given(address.clone()));
            }
            (Event::Address(_), _) if !decision.refusal.as_ref().is_some_and(Refusal::is_block) => {
                stage.address = decision.refusal.as_ref().map(refused);
            }
            _ => stage.refusal.clone_from(&decision.refusal),
        }
        stage.replaces.clone_from(&decision.replaces);
        let ends = stage.ends();
        stages.push(stage);
        if ends {
            break;
        }
        state.apply(&record);
    }
    stages
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

fn events(question: &Question) -> Vec<Event> {
    let port = question.port.clone().unwrap_or_default();
    let address =
        |family, offer| Event::Address(AddressEvent { user: question.user.clone(), port: port.clone(), family, offer });
    let offer = question.offer.map_or(Offer::Nothing, |offer| Offer::Number(offer.to_bits().into()));
    let mut events = vec![address(Family::Ipv4, offer)];
    if question.ipv6 {
        events.push(address(Family::Ipv6, Offer::Nothing));
    }
    events.push(Event::Connection(ConnectionEvent {
        handle: HANDLE,
        guid: None,
        user: question.user.clone(),
        domain: question.domain.clone(),
        computer: question.computer.clone().unwrap_or_default(),
        source: question.source.map(|source| source.to_string()).unwrap_or_default(),
        interface: question.interface.unwrap_or(InterfaceType::Client),
        ikev2: Some(question.tunnel == Some(Tunnel::Ikev2)),
        quarantine: question.quarantine,
        usage: Usage::default(),
        addresses: Vec::new(),
        prefix: None,
    }));
    let device = Name::default();
    let (tunnel, usage) = (question.tunnel, Usage::default());
    events.push(Event::Link(LinkEvent { handle: HANDLE, port, device, tunnel, usage }));
    events
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

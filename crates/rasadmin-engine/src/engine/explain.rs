//! Why a decision is, would be, or was what it is: by the code that decides.

use super::address::{NoAddress, OfferFault, choose};
use super::counts::{self, pool_of};
use crate::addresses::Family;
use crate::config::Config;
use crate::event::{AddressEvent, Given};
use crate::ledger::report::Decided as Recorded;
use crate::ledger::{Away, AwayKind, Ledger, Millis};
use crate::pools::Tags;
use crate::record::Book;
use crate::rules::{Counted, Explained};
use crate::{Fact, Facts, InterfaceType, Name, Quarantine, Stage, Tunnel};
use rasadmin_policy::timestamp;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Who would come, how and when. What is None is absent.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Question {
    pub user: Name,
    /// The logon domain, as the connection's event has it.
    pub domain: Name,
    pub time: Millis,
    pub server: Name,
    pub port: Option<Name>,
    pub tunnel: Option<Tunnel>,
    pub source: Option<IpAddr>,
    pub computer: Option<Name>,
    pub quarantine: Option<Quarantine>,
    pub interface: Option<InterfaceType>,
    /// What RRAS would offer.
    pub offer: Option<std::net::Ipv4Addr>,
    /// Does an IPv6 call come too?
    pub ipv6: bool,
}

/// A stage, explained.
#[derive(Debug)]
pub struct StageExplained<'c> {
    /// Which.
    pub stage: Stage,
    /// What was known.
    pub facts: Facts,
    /// What the ledger said; None: it was away.
    pub counted: Option<Counted>,
    /// May it stand? The rules' answer.
    pub allow: bool,
    /// For now: a condition asks for what is not yet known.
    pub for_now: bool,
    /// The ledger was away, and the rule's own policy for that decided.
    pub ledger_away: bool,
    /// The rule that decides; None is the default.
    pub rule: Option<&'c str>,
    /// Its reason.
    pub reason: Option<&'c str>,
    /// Every rule, with every condition.
    pub rules: Vec<Explained<'c>>,
    /// At an address stage that is allowed: which address.
    pub address: Option<AddressExplained>,
}

/// Which address would be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressExplained {
    /// This one.
    Given(Given),
    /// RRAS's own offer, whatever it is: why.
    Offer(String),
    /// None: the connection ends.
    Refused(String),
}

/// Explains what would happen, stage by stage, to the first that denies. The ledger is asked in a transaction that is
/// rolled back: nothing is changed.
pub fn explain<'c>(
    config: &'c Config,
    ledger: &mut dyn Ledger,
    question: &Question,
) -> Result<Vec<StageExplained<'c>>, Away> {
    let mut stages = Vec::new();
    let mut tags = Tags::new(&config.addresses);
    let deadline = Instant::now() + Duration::from_secs(5);
    let done = ledger.transact(deadline, false, &mut |transaction| {
        stages.clear();
        let server = &question.server;
        let mut book = Book { ledger: transaction, config, server, instance: 0, tags: &mut tags, time: question.time };
        stages = in_book(config, &mut book, question)?;
        // So that it is rolled back.
        Err(Away { kind: AwayKind::Other, message: String::new() })
    });
    match done {
        Err(away) if !away.message.is_empty() => Err(away),
        _ => Ok(stages),
    }
}

fn in_book<'c>(config: &'c Config, book: &mut Book<'_>, question: &Question) -> Result<Vec<StageExplained<'c>>, Away> {
    let mut stages = Vec::new();
    let known = |stage| facts(config, question, stage);
    let families = [Some(Family::Ipv4), question.ipv6.then_some(Family::Ipv6)];
    for family in families.into_iter().flatten() {
        let stage = match family {
            Family::Ipv4 => Stage::Ipv4Address,
            Family::Ipv6 => Stage::Ipv6Address,
        };
        let mut answer = one(config, book, stage, known(stage))?;
        if answer.allow {
            answer.address = Some(address(config, book, question, family, &answer)?);
        }
        let ends = !answer.allow || matches!(answer.address, Some(AddressExplained::Refused(_)));
        stages.push(answer);
        if ends {
            return Ok(stages);
        }
    }
    for stage in [Stage::Connection, Stage::Link] {
        let answer = one(config, book, stage, known(stage))?;
        let ends = !answer.allow;
        stages.push(answer);
        if ends {
            break;
        }
    }
    Ok(stages)
}

/// What is known at a stage: an address call carries user and port alone, and no logon domain.
fn facts(config: &Config, question: &Question, stage: Stage) -> Facts {
    let address = matches!(stage, Stage::Ipv4Address | Stage::Ipv6Address);
    let user = config.domains.who(&question.user, (!address).then_some(&question.domain));
    let mut facts = Facts {
        time: timestamp(question.time),
        server: question.server.clone(),
        user,
        port: Fact::arrived(question.port.clone()),
        tunnel: Fact::NotYetKnown,
        source: Fact::NotYetKnown,
        computer: Fact::NotYetKnown,
        quarantine: Fact::NotYetKnown,
        interface: Fact::NotYetKnown,
    };
    if !address {
        facts.source = Fact::arrived(question.source);
        facts.computer = Fact::arrived(question.computer.clone());
        facts.quarantine = Fact::arrived(question.quarantine);
        facts.interface = Fact::arrived(question.interface);
        facts.tunnel = match question.tunnel {
            Some(Tunnel::Ikev2) => Fact::Known(Tunnel::Ikev2),
            _ if stage == Stage::Connection => Fact::NotYetKnown,
            tunnel => Fact::arrived(tunnel),
        };
    }
    facts
}

fn one<'c>(config: &'c Config, book: &mut Book<'_>, stage: Stage, facts: Facts) -> Result<StageExplained<'c>, Away> {
    // All that any rule could ask, so that the rules after the one that decides are told too.
    let needs = config.rules.needs();
    let known = counts::read(book, needs, &facts, None)?;
    Ok(told(config, stage, facts, Some(Counted::new(needs, &known, &config.groups))))
}

fn told(config: &Config, stage: Stage, facts: Facts, counted: Option<Counted>) -> StageExplained<'_> {
    let groups = facts.user.known().map(|user| config.groups.of(user)).unwrap_or_default();
    let known = counted.as_ref().map(|counted| counted.facts(&config.groups));
    let ruling = config.rules.decide(stage, &facts, &groups, known.as_ref());
    let rules = config.rules.explain(stage, &facts, &groups, known.as_ref());
    StageExplained {
        stage,
        allow: ruling.allow,
        for_now: ruling.for_now,
        ledger_away: ruling.ledger_away,
        rule: ruling.rule,
        reason: ruling.reason,
        rules,
        address: None,
        facts,
        counted,
    }
}

fn address(
    config: &Config,
    book: &mut Book<'_>,
    question: &Question,
    family: Family,
    answer: &StageExplained<'_>,
) -> Result<AddressExplained, Away> {
    let user = answer.facts.user.known();
    let groups = user.map(|user| config.groups.of(user)).unwrap_or_default();
    let known = answer.counted.as_ref().map(|counted| counted.facts(&config.groups));
    let ruling = config.rules.decide(answer.stage, &answer.facts, &groups, known.as_ref());
    let pool = pool_of(config, [ruling.pool, ruling.ipv6_pool], &groups, family);
    let offer = question.offer.filter(|_| family == Family::Ipv4);
    let event = AddressEvent {
        user: question.user.clone(),
        port: question.port.clone().unwrap_or_default(),
        family,
        number: offer.map(|offer| offer.to_bits().into()),
    };
    Ok(match choose(book, &event, user, pool)?.0 {
        Ok(given) => AddressExplained::Given(given),
        // Nobody said what RRAS would offer.
        Err(NoAddress::Offer { because, fault: OfferFault::None }) => AddressExplained::Offer(because),
        Err(why) => AddressExplained::Refused(why.to_string()),
    })
}

/// Explains a past decision from what was recorded with it, under the configuration of its time.
pub fn explain_again<'c>(config: &'c Config, recorded: &Recorded) -> StageExplained<'c> {
    told(config, recorded.stage, recorded.facts.clone(), recorded.counted.clone())
}

impl StageExplained<'_> {
    /// Is this what was recorded? A denial that the rules did not give is the engine's own (no address was left, the
    /// address was another user's): then what the rules said must have been to allow.
    pub fn agrees_with(&self, recorded: &Recorded) -> bool {
        let outcome = match (self.allow, self.for_now) {
            (true, true) => "allow for now",
            (true, false) => "allow",
            (false, _) => "deny",
        };
        let same = outcome == recorded.outcome
            && self.rule == recorded.rule.as_deref()
            && self.reason == recorded.reason.as_deref();
        same || (self.allow && recorded.is_denied() && recorded.reason.is_some())
    }

    /// The denial was the engine's own, and not the rules'.
    pub fn overruled(&self, recorded: &Recorded) -> bool {
        self.allow && recorded.is_denied()
    }
}

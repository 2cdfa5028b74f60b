//! Which address a user gets.

use super::counts::pool_of;
use super::{AddressAnswer, Decided, Inner, Now, refusal, refusals, why};
use crate::addresses::{Address, Family, PoolId};
use crate::config::file::{ReservationHeld, WhenExhausted};
use crate::event::{AddressEvent, Given, Record, What};
use crate::ledger::{Away, Decision, Origin};
use crate::pools;
use crate::record::Book;
use crate::rules::GroupSet;
use crate::{Fact, Facts, Identity, Stage};
use rasadmin_policy::timestamp;
use std::time::Instant;

/// Why no address is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAddress {
    /// The reservation is held, and the configuration wants nothing else then.
    ReservationHeld,
    /// The pool is exhausted: its name.
    Exhausted(String),
    /// RRAS's offer would be kept, but there is none, or it is not to be had.
    Offer {
        /// Why the offer would be kept.
        because: String,
        /// What is wrong with it.
        fault: OfferFault,
    },
}

/// Why RRAS's offer cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum OfferFault {
    None,
    Reserved,
    Held,
}

impl std::fmt::Display for NoAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReservationHeld => f.write_str("the reserved address is held by another session of the user"),
            Self::Exhausted(pool) => write!(f, "the pool `{pool}` is exhausted"),
            Self::Offer { because, fault } => {
                let fault = match fault {
                    OfferFault::None => "RRAS offers no address",
                    OfferFault::Reserved => "RRAS's offer is reserved for somebody",
                    OfferFault::Held => "RRAS's offer is held by a live lease",
                };
                write!(f, "{because}, and {fault}")
            }
        }
    }
}

/// What is given, or why nothing is.
pub(super) type Choice = Result<Given, NoAddress>;

fn stage(event: &AddressEvent) -> Stage {
    match event.family {
        Family::Ipv4 => Stage::Ipv4Address,
        Family::Ipv6 => Stage::Ipv6Address,
    }
}

impl Inner {
    fn address_facts(&self, event: &AddressEvent, user: Fact<Identity>, now: Now) -> (Facts, GroupSet) {
        let groups = user.known().map(|user| self.config.groups.of(user)).unwrap_or_default();
        let facts = Facts {
            time: timestamp(now.time),
            server: self.server.clone(),
            user,
            port: Fact::arrived(Some(event.port.clone()).filter(|port| !port.is_empty())),
            tunnel: Fact::NotYetKnown,
            source: Fact::NotYetKnown,
            computer: Fact::NotYetKnown,
            quarantine: Fact::NotYetKnown,
            interface: Fact::NotYetKnown,
        };
        (facts, groups)
    }

    pub(super) fn assign(&mut self, event: &AddressEvent, now: Now, deadline: Instant) -> AddressAnswer {
        let config = self.config.clone();
        let user = config.domains.who(&event.user, None);
        let (facts, groups) = self.address_facts(event, user, now);
        let mut answer = Err(String::new());
        let (mut refused, mut exhausted) = (None, None);
        let done = self.transact(now, deadline, false, &mut |book| {
            let assigned = assign(book, event, facts.clone(), &groups)?;
            answer = assigned.choice.map(|given| given.number);
            refused = refusal(&assigned.decision);
            let name = |pool: PoolId| config.addresses.pools[pool.0 as usize].name.clone();
            exhausted = assigned.dry.map(|pool| (name(pool), assigned.decision));
            Ok(())
        });
        if done.is_err() {
            return self.assign_alone(event, &facts, &groups, now);
        }
        match (&exhausted, &refused) {
            (Some((pool, decision)), _) => refusals::tell_exhausted(pool, decision, &event.user),
            (None, Some(decision)) => refusals::tell(decision, &event.user),
            (None, None) => {}
        }
        answer
    }

    /// While the ledger is away no address of ours is given: RRAS's offer is kept if the rules allow and it lies in none
    /// of our pools.
    fn assign_alone(&mut self, event: &AddressEvent, facts: &Facts, groups: &GroupSet, now: Now) -> AddressAnswer {
        let mut decided = self.decide_alone(stage(event), facts.clone(), groups, now);
        let plan = &self.config.addresses;
        let choice = match event.address() {
            _ if !decided.decision.allow => Err(why(&decided.decision)),
            None => Err("the ledger is away, and RRAS offers no address".to_owned()),
            Some(offer) if plan.is_pooled(offer) || plan.reserved.contains(&offer) => {
                Err("the ledger is away, and RRAS's offer lies in a pool or is reserved".to_owned())
            }
            Some(offer) => Ok(offer.number),
        };
        if let (Err(reason), true) = (&choice, decided.decision.allow) {
            decided.decision.allow = false;
            decided.decision.reason = Some(reason.clone());
            decided.decision.ledger_away = true;
        }
        if !decided.decision.allow {
            refusals::tell(&decided.decision, &event.user);
        }
        let given = choice.as_ref().ok().map(|&number| Given { number, origin: Origin::Offer, pool: None });
        self.spool(&Record {
            time: now.time,
            what: What::Address { event: event.clone(), given, decision: decided.decision },
        });
        choice
    }
}

/// What came of an address call.
pub(super) struct Assigned {
    /// What is given, or why nothing is.
    pub choice: Result<Given, String>,
    /// The decision; it denies where no address was to be had.
    pub decision: Decision,
    /// A pool that had nothing left.
    pub dry: Option<PoolId>,
    /// The rules allowed it, and no address was to be had.
    pub overruled: bool,
}

/// An address call, in its transaction: who asks, what the rules say, which address, and all of it recorded.
pub(super) fn assign(
    book: &mut Book<'_>,
    event: &AddressEvent,
    facts: Facts,
    groups: &GroupSet,
) -> Result<Assigned, Away> {
    let (user, session) = book.address_arrives(event)?;
    let Decided { mut decision, pools } = Decided::ask(book, stage(event), facts, groups, session)?;
    let (choice, dry) = if decision.allow {
        let pool = pool_of(book.config, pools, groups, event.family);
        let (choice, dry) = choose(book, event, user.as_ref(), pool)?;
        (choice.map_err(|why| why.to_string()), dry)
    } else {
        (Err(why(&decision)), None)
    };
    let mut overruled = false;
    if let (Err(reason), true) = (&choice, decision.allow) {
        (decision.allow, decision.reason, overruled) = (false, Some(reason.clone()), true);
    }
    book.address_concluded(event, user.as_ref(), session, choice.as_ref().ok(), &decision)?;
    Ok(Assigned { choice, decision, dry, overruled })
}

/// The reservation, then the pools, then RRAS's offer; and which pool had nothing left, if one was asked in vain.
pub(super) fn choose(
    book: &mut Book<'_>,
    event: &AddressEvent,
    user: Option<&Identity>,
    pool: Option<PoolId>,
) -> Result<(Choice, Option<PoolId>), Away> {
    let family = event.family;
    let plan = &book.config.addresses;
    if let Some(number) = user.and_then(|user| plan.reservation(user, book.server, family)) {
        if book.ledger.live_lease_at(book.server, Address { family, number })?.is_none() {
            return Ok((Ok(Given { number, origin: Origin::Reservation, pool: None }), None));
        }
        if plan.reservation_held == ReservationHeld::Refuse {
            return Ok((Err(NoAddress::ReservationHeld), None));
        }
    }
    let Some(id) = pool else { return Ok((keep_offer(book, event, "no pool serves the user")?, None)) };
    let found = pools::search(book.ledger, book.config, book.tags, book.server, id, user, book.time)?;
    if let Some(found) = found {
        return Ok((Ok(Given { number: found.number, origin: found.origin, pool: Some(found.pool) }), None));
    }
    let pool = &plan.pools[id.0 as usize];
    let exhausted = NoAddress::Exhausted(pool.name.clone());
    let choice = match pool.when_exhausted {
        WhenExhausted::Refuse => Err(exhausted),
        WhenExhausted::KeepOffer => keep_offer(book, event, &exhausted.to_string())?,
    };
    Ok((choice, Some(id)))
}

/// RRAS's own offer: unless there is none, it is somebody's reservation, or a live lease holds it.
fn keep_offer(book: &mut Book<'_>, event: &AddressEvent, because: &str) -> Result<Choice, Away> {
    let fault = |fault| Ok(Err(NoAddress::Offer { because: because.to_owned(), fault }));
    let Some(offer) = event.address() else { return fault(OfferFault::None) };
    if book.config.addresses.reserved.contains(&offer) {
        return fault(OfferFault::Reserved);
    }
    if let Some(lease) = book.ledger.live_lease_at(book.server, offer)?
        && !book.may_take_over(&lease, Origin::Offer)?
    {
        return fault(OfferFault::Held);
    }
    Ok(Ok(Given { number: offer.number, origin: Origin::Offer, pool: None }))
}

//! Deciding while nothing can be recorded or counted: the rules' own policy answers, and no address of ours is given.

use super::Here;
use super::address::offer_fault;
use super::admission::ask_without_counts;
use super::draft::Draft;
use super::facts::{of_address, of_connection, of_link};
use crate::decision::{Answer, Decision, Given, OfferFault, Refusal, address_stage};
use crate::effect::Origin;
use crate::event::{AddressEvent, Event, Offer};
use crate::now::Now;
use crate::state::State;
use crate::{Facts, Stage};
use rasadmin_policy::addresses::Address;

/// Decides without a state. `known` is what was known of a link's connection, if anything was. None: the event asks
/// nothing.
pub fn decide_alone(here: &Here<'_>, told: &Event, now: &Now, known: Option<&Facts>) -> Option<(Decision, Answer)> {
    let state = State::new();
    let draft = Draft::new(&state, here, now, false);
    let time = now.at.time;
    let (stage, facts) = match told {
        Event::Address(event) => (address_stage(event.family), of_address(here, event, time)),
        Event::Connection(event) => (Stage::Connection, of_connection(here, event, None, time)),
        Event::Link(event) => (Stage::Link, of_link(here, event, known.cloned(), time)),
        Event::Reauthentication(event) | Event::EndpointChange(event) => {
            let mut facts = of_connection(here, event, None, time);
            if let Some(known) = known {
                (facts.port, facts.tunnel) = (known.port.clone(), known.tunnel.clone());
            }
            let endpoint = matches!(told, Event::EndpointChange(_));
            (if endpoint { Stage::EndpointChange } else { Stage::Reauthentication }, facts)
        }
        _ => return None,
    };
    let mut decision = ask_without_counts(&draft, stage, facts);
    let mut answer = if decision.allow { Answer::Accept } else { Answer::Reject };
    if let (true, Event::Address(event)) = (decision.allow, told) {
        match keep(&draft, event) {
            Ok(kept) => answer = kept,
            Err(fault) => {
                (decision.allow, decision.for_now, decision.ledger_away) = (false, false, true);
                decision.reason = None;
                decision.refusal = Some(Refusal::LedgerAway { fault });
                answer = Answer::Reject;
            }
        }
    }
    Some((decision, answer))
}

/// RRAS's offer, if it lies in none of our pools: who holds what there nobody knows now.
fn keep(draft: &Draft<'_>, event: &AddressEvent) -> Result<Answer, OfferFault> {
    if let Offer::HighHalf(_) = event.offer {
        return Ok(Answer::AsOffered);
    }
    let number = offer_fault(draft, event)?;
    if draft.here.config.addresses.is_pooled(Address { family: event.family, number }) {
        return Err(OfferFault::Pooled);
    }
    Ok(Answer::Address(Given { number, origin: Origin::Offer, pool: None }))
}

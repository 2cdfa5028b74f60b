//! The outcome of a call: what it returned and what it recorded. Both must be as expected.

use super::call::{PREFIX, bytes, offered};
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::event::ConnectionEvent;
use rasadmin_engine::{Answer, Event, Now, Record};
use std::net::Ipv6Addr;

/// What a call returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// True for an accepting verdict or a status without an error; None for a function that returns nothing.
    pub good: Option<bool>,
    /// The address, if one was passed.
    pub address: Option<Vec<u8>>,
    /// notify_release of an address call.
    pub notify: Option<bool>,
}

/// The outcome of a call.
#[derive(Debug)]
pub struct CallOutcome {
    /// What the call returned.
    pub returned: Returned,
    /// What it recorded.
    pub records: Vec<Record>,
}

impl CallOutcome {
    /// Checks that the call was recorded as it was made and returned what was recorded. `decided` is the engine's
    /// result. A refusal that repeats within a minute and changes nothing is only counted; then this returns its
    /// answer.
    pub fn check(&self, event: &Event, now: &Now, decided: &Record) -> Result<Option<Answer>, String> {
        // The number of repetitions comes with a later call, before its own record.
        let own: Vec<_> = self.records.iter().filter(|record| !matches!(record.event, Event::Repeated(_))).collect();
        let plain = decided.answer == Answer::Reject && decided.effects.is_empty();
        let record = match own[..] {
            [record] => record,
            [] if plain && self.returned == returned(event, &Answer::Reject) => return Ok(Some(Answer::Reject)),
            _ => {
                let events: Vec<_> = own.iter().map(|record| &record.event).collect();
                return Err(format!("there was one event, and these were recorded: {events:?}"));
            }
        };
        if record.at != now.at || record.late {
            return Err(format!("it happened at {:?}, and was recorded at {:?}", now.at, record.at));
        }
        // Any call passes time.
        let time_alone = matches!(event, Event::Lost { events: 0 });
        let (meant, recorded) = (in_order(&carried(event)), in_order(&record.event));
        if recorded != meant && !time_alone {
            return Err(format!("this happened:\n  {meant:?}\nand this was recorded:\n  {recorded:?}"));
        }
        let expected = returned(&record.event, &record.answer);
        if self.returned != expected {
            let answer = &record.answer;
            return Err(format!(
                "{answer:?} was recorded, which is {expected:?}, and the call returned {:?}",
                self.returned
            ));
        }
        Ok(None)
    }
}

/// The event, as far as the structures can express it.
fn carried(event: &Event) -> Event {
    let mut event = event.clone();
    if let Some(connection) = connection(&mut event) {
        // The host also fills in the server's identifier, and makes frames of a thousand octets.
        if connection.addresses.iter().any(|address| address.family == Family::Ipv6) {
            connection.addresses.push(Address { family: Family::Ipv6, number: 1 });
            connection.prefix =
                Some(format!("{}/64", Ipv6Addr::from_bits(u128::from(u64::from_be_bytes(PREFIX)) << 64)));
        }
        let usage = &mut connection.usage;
        usage.input_packets = usage.input_octets.div_ceil(1000);
        usage.output_packets = usage.output_octets.div_ceil(1000);
    }
    event
}

/// The order of the addresses depends on the reading of the projection.
fn in_order(event: &Event) -> Event {
    let mut event = event.clone();
    if let Some(connection) = connection(&mut event) {
        connection.addresses.sort_by_key(|address| (address.family.index(), address.number));
    }
    event
}

fn connection(event: &mut Event) -> Option<&mut ConnectionEvent> {
    match event {
        Event::Connection(c) | Event::Hangup(c) | Event::Reauthentication(c) | Event::EndpointChange(c) => Some(c),
        _ => None,
    }
}

/// What the call of a recorded event must have returned.
fn returned(event: &Event, answer: &Answer) -> Returned {
    let good = !matches!(answer, Answer::Reject);
    match event {
        Event::Address(event) => {
            let offered = offered(event);
            let address = match answer {
                Answer::Address(given) => bytes(event.family, given.number.into()),
                _ => offered.clone(),
            };
            // The first half of RRAS's value stays.
            let kept = address.len().saturating_sub(8);
            let address = [&offered[..kept], &address[kept..]].concat();
            Returned { good: Some(good), address: Some(address), notify: Some(good) }
        }
        Event::Release(event) => {
            let address = event.address.map(|address| bytes(address.family, address.number.into()));
            Returned { good: None, address, notify: None }
        }
        Event::LinkHangup(_) | Event::Hangup(_) => Returned { good: None, address: None, notify: None },
        _ => Returned { good: Some(good), address: None, notify: None },
    }
}

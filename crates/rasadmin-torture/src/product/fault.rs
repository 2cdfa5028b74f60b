//! Faults for the control: the outcome of a call, or the journal, is spoilt on purpose.

use super::outcome::CallOutcome;
use super::service::Running;
use rasadmin_engine::{Event, Record};

/// What can be spoilt on purpose.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The verdict or the status.
    Verdict,
    /// The address.
    Address,
    /// notify_release.
    Notify,
    /// The record is missing.
    Record,
    /// The record is of another event.
    Event,
    /// The record has another time.
    Moment,
    /// The record has no effects.
    Effects,
    /// The journal has an additional record.
    Journal,
}

impl Fault {
    /// Every fault, with its description.
    pub const ALL: [(&str, Self); 8] = [
        ("the function returns another verdict", Self::Verdict),
        ("the function writes another address", Self::Address),
        ("notify_release is not what it should be", Self::Notify),
        ("an event is not recorded", Self::Record),
        ("a structure is read wrongly", Self::Event),
        ("the clock is read wrongly", Self::Moment),
        ("a record loses its effects", Self::Effects),
        ("the journal has a record of no call", Self::Journal),
    ];

    /// Spoils the outcome, or the journal.
    pub fn spoil(self, outcome: &mut CallOutcome, service: &Running) -> Result<(), String> {
        let CallOutcome { returned, records } = outcome;
        match (self, records.last_mut()) {
            (Self::Verdict, _) => returned.good = returned.good.map(|good| !good),
            (Self::Address, _) => returned.address.iter_mut().flatten().for_each(|byte| *byte = !*byte),
            (Self::Notify, _) => returned.notify = returned.notify.map(|notify| !notify),
            (Self::Record, _) => records.clear(),
            (Self::Event, Some(Record { event: Event::Link(link), .. })) => link.handle += 1,
            (Self::Moment, Some(record)) => record.at.mono.0 += 1,
            (Self::Effects, Some(record)) => record.effects.clear(),
            (Self::Journal, _) => service.append_something()?,
            _ => {}
        }
        Ok(())
    }
}

//! What the product was told of a connection, and what it must conclude of that.

use rasadmin_engine::{Id, Mono, Stamp};

/// A lease that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportedLease {
    /// The number.
    pub number: u64,
    /// When it was recorded as given: so it is told apart from other leases of the same address.
    pub at: Stamp,
    /// It is RRAS's offer, and no pool was asked.
    pub kept: bool,
    /// The product still holds it.
    pub alive: bool,
    /// As far as the product knows, another connection has been on its port.
    pub shared: bool,
    /// Its release was told.
    pub released: bool,
    /// The product has seen its connection with it.
    pub had: bool,
    /// When the product last saw some session with it.
    pub taken: Mono,
    /// It waited longer for its connection than a lease has to.
    pub overdue: bool,
}

/// How sure it is that a session lives in the product's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lives {
    /// It must.
    Must,
    /// It may have been closed: something that was told looked like its end.
    May,
    /// It must not.
    No,
}

/// Of one connection.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    /// Its session, once it was accepted on record.
    pub session: Option<Id>,
    /// When that was.
    pub began: Stamp,
    /// The links that stand, with the moment at which each was told.
    pub links: Vec<(usize, Stamp)>,
    /// When links waited in a process that could not write them: from their call until they were written.
    pub links_waited: Vec<(Mono, Mono)>,
    /// A first link was told.
    pub established: bool,
    /// Since when it has had none.
    pub unlinked: Stamp,
    /// Its hangup was told.
    pub hung: bool,
    /// Its first link was refused.
    pub refused: bool,
    /// Its port, handle or GUID was told to have started again, while its own end was not told.
    pub ghost: bool,
    /// It had no link for a minute.
    pub lapsed: bool,
    /// Its instance is over, or what was told of it is lost.
    pub over: bool,
    /// A returning client took its place.
    pub replaced: bool,
    /// Which connection that was, the last one.
    pub replaced_by: Option<usize>,
    /// What it was given, by family.
    pub leases: [Option<ReportedLease>; 2],
    /// Its endpoint.
    pub source: String,
    /// Something of it was lost, or will never be told.
    pub lost: bool,
    /// When it was first seen to be closed, or its end was told.
    pub closed: Option<Mono>,
    /// When its end was told.
    pub ended: Option<Mono>,
    /// Its use is counted in what its user has used.
    pub counted: bool,
}

impl Reported {
    /// Did a link of it stand at that moment which only one process knew of?
    pub fn link_waited_at(&self, at: Mono) -> bool {
        self.links_waited.iter().any(|&(since, until)| since < at && at < until)
    }

    /// Does its session live, by what was told?
    pub const fn lives(&self) -> Lives {
        if self.session.is_none() || self.hung || self.refused || self.over {
            Lives::No
        } else if self.ghost || self.lapsed {
            Lives::May
        } else {
            Lives::Must
        }
    }
}

/// What a closed session has used, as far as it is sure.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// At least and at most so many seconds.
    pub seconds: (u64, u64),
    /// At least and at most so many octets.
    pub octets: (u64, u64),
    /// When it stopped, by the time of day: milliseconds since 1970.
    pub stop: i64,
}

//! What was reported to the product about a connection, and what the product must conclude from that.

use crate::traffic::Readings;
use rasadmin_engine::{Id, Mono, Stamp};

/// A lease that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportedLease {
    /// The number.
    pub number: u64,
    /// When it was recorded as given. This distinguishes it from other leases of the same address.
    pub at: Stamp,
    /// It is RRAS's offer; no pool was asked.
    pub kept: bool,
    /// The product still holds it.
    pub alive: bool,
    /// As far as the product knows, another connection was on its port.
    pub shared: bool,
    /// Its release was reported.
    pub released: bool,
    /// The product has seen the connection with it.
    pub had: bool,
    /// When the product last saw some session with it.
    pub taken: Mono,
    /// It waited longer for its connection than a lease must.
    pub overdue: bool,
}

/// How certain it is that the product considers a session live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lives {
    /// It must be live.
    Must,
    /// It may have been closed: something that was reported looked like its end.
    May,
    /// It must not be live.
    No,
}

/// What was reported about one connection.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    /// Its session, once it was accepted on record.
    pub session: Option<Id>,
    /// When it was accepted.
    pub began: Stamp,
    /// The live links, each with the time at which it was reported.
    pub links: Vec<(usize, Stamp)>,
    /// When links waited in a process that could not write: from the call until they were written.
    pub links_waited: Vec<(Mono, Mono)>,
    /// A first link was reported.
    pub established: bool,
    /// Since when it has had no link.
    pub unlinked: Stamp,
    /// Its hangup was reported.
    pub hung: bool,
    /// Its first link was refused.
    pub refused: bool,
    /// Its port, handle or GUID started again, and its own end was not reported.
    pub superseded: bool,
    /// It had no link for a minute.
    pub lapsed: bool,
    /// Its instance is over, or what was reported about it is lost.
    pub over: bool,
    /// Two looks did not list it.
    pub missed: bool,
    /// A look found it: no accept was on record.
    pub adopted: bool,
    /// When a look made it live again.
    pub confirmed: Option<Mono>,
    /// When a call that names its GUID was recorded last.
    pub heard: Option<Mono>,
    /// A returning client replaced it.
    pub replaced: bool,
    /// When one did last.
    pub replaced_at: Mono,
    /// The last connection that replaced it.
    pub replaced_by: Option<usize>,
    /// The leases it was given, by family.
    pub leases: [Option<ReportedLease>; 2],
    /// Its endpoint.
    pub source: String,
    /// A notification of it was lost, or will never be reported.
    pub lost: bool,
    /// When it was first seen closed, or its end was reported.
    pub closed: Option<Mono>,
    /// When its end was reported.
    pub ended: Option<Mono>,
    /// Its use is included in its user's use.
    pub counted: bool,
    /// What looks have seen, until that is included.
    pub seen: Vec<Use>,
    /// The octets that looks have counted: the least and the most.
    pub octets: (u64, u64),
    /// The readings on record, while its session lives.
    pub readings: Option<Readings>,
}

impl Reported {
    /// Did it have a link at that time that only one process knew of?
    pub fn link_waited_at(&self, at: Mono) -> bool {
        self.links_waited.iter().any(|&(since, until)| since < at && at < until)
    }

    /// Its counters have counted so many octets in all, at least and at most. Returns how many more than before.
    pub fn octets_counted(&mut self, least: u64, most: u64) -> (u64, u64) {
        let (before, at_most) = self.octets;
        self.octets = (before.max(least), at_most.max(most));
        (least.saturating_sub(at_most), most.saturating_sub(before))
    }

    /// Its session was closed as one that never was: what looks have counted may not be on its user's account.
    pub fn seen_is_uncertain(&mut self) {
        self.octets.0 = 0;
        self.seen.iter_mut().for_each(|used| used.octets.0 = 0);
    }

    /// May its session have no link?
    pub fn may_have_no_link(&self) -> bool {
        (self.adopted && !self.established) || self.confirmed.is_some_and(|confirmed| confirmed >= self.unlinked.mono)
    }

    /// Is its session live, according to what was reported?
    pub const fn lives(&self) -> Lives {
        if self.session.is_none() || self.hung || self.refused || self.over {
            Lives::No
        } else if self.superseded || self.lapsed || self.missed {
            Lives::May
        } else {
            Lives::Must
        }
    }
}

/// The use of a closed session, as far as it is certain.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// The least and the most seconds.
    pub seconds: (u64, u64),
    /// The least and the most octets.
    pub octets: (u64, u64),
    /// When it stopped, by the time of day, in milliseconds since 1970.
    pub stop: i64,
}

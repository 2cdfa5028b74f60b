//! What was reported to the product about a connection, and what the product must conclude from that.

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
    /// A returning client replaced it.
    pub replaced: bool,
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
}

impl Reported {
    /// Did it have a link at that time that only one process knew of?
    pub fn link_waited_at(&self, at: Mono) -> bool {
        self.links_waited.iter().any(|&(since, until)| since < at && at < until)
    }

    /// Is its session live, according to what was reported?
    pub const fn lives(&self) -> Lives {
        if self.session.is_none() || self.hung || self.refused || self.over {
            Lives::No
        } else if self.superseded || self.lapsed {
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

//! Live sessions, and those that were closed without a hangup.

use super::table::Entry;
use crate::effect::{BlockSubject, ClosedBy, DayUse, SessionBegan};
use crate::now::{Id, Process, Stamp};
use crate::{Identity, InterfaceType, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::Address;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its identifier.
    pub id: Id,
    /// The user; `None` if the name was empty.
    pub user: Option<Identity>,
    /// The user's name as RRAS passed it.
    pub user_name: Name,
    /// hConnection.
    pub handle: u64,
    /// The connection's GUID.
    pub guid: Option<String>,
    /// The client's computer, as the client claims.
    pub computer: Name,
    /// The client's public address.
    pub source: String,
    /// The interface type.
    pub interface: InterfaceType,
    /// The quarantine state.
    pub quarantine: Option<Quarantine>,
    /// The tunnel.
    pub tunnel: Option<Tunnel>,
    /// The port of its first link, or of its lease.
    pub port: Option<Name>,
    /// The client's addresses as the projection shows them.
    pub projected: Vec<Address>,
    /// When it began.
    pub began: Stamp,
    /// When its first link came up.
    pub established: Option<Stamp>,
    /// Its live links.
    pub links: Vec<Link>,
    /// Since when it has had no link.
    pub unlinked: Stamp,
    /// Set if a returning client replaced it in the counts.
    pub replaced: Option<Replaced>,
    /// When the service saw it last among RRAS's connections.
    pub confirmed: Option<Stamp>,
    /// The process that accepted it.
    pub process: Process,
    /// The service found it; the DLL did not accept it.
    pub adopted: bool,
    /// Its use as reported so far.
    pub used: Vec<DayUse>,
}

/// A live link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The port.
    pub port: Name,
    /// When it began.
    pub began: Stamp,
}

/// Which session replaced another in the counts, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The newer session.
    pub by: Id,
    /// The time.
    pub at: Stamp,
}

/// A session that was closed, and whose hangup may still come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The session when it was closed.
    pub session: Session,
    /// The time of the record that closed it.
    pub closed: Stamp,
    /// The time at which it ended.
    pub stop: Stamp,
    /// The reason.
    pub by: ClosedBy,
}

impl Session {
    pub(crate) fn new(began: &SessionBegan) -> Self {
        Self {
            id: began.session,
            user: began.user.clone(),
            user_name: began.user_name.clone(),
            handle: began.handle,
            guid: began.guid.clone(),
            computer: began.computer.clone(),
            source: began.source.clone(),
            interface: began.interface,
            quarantine: began.quarantine,
            tunnel: began.tunnel,
            port: began.port.clone(),
            projected: began.projected.clone(),
            began: began.at,
            established: None,
            links: Vec::new(),
            unlinked: began.at,
            replaced: None,
            confirmed: None,
            process: began.process,
            adopted: began.adopted,
            used: Vec::new(),
        }
    }

    /// Would a block of this subject refuse its user, or the computer that it claims?
    pub fn is_of(&self, subject: &BlockSubject) -> bool {
        match subject {
            BlockSubject::User(user) => self.user.as_ref() == Some(user),
            BlockSubject::ClaimedComputer(name) => self.computer.folded() == *name,
        }
    }

    /// Does it count towards limits?
    pub const fn counts(&self) -> bool {
        self.replaced.is_none()
    }

    /// Does it have a live link on this port?
    pub fn has_link_on(&self, port: &Name) -> bool {
        self.links.iter().any(|link| link.port == *port)
    }

    /// Does it wait for a link, so that it is closed if none comes? An IKEv2 session may have none. RRAS may list a session
    /// although no link of it is on record.
    pub fn waits_for_link(&self) -> bool {
        let may_have_none = self.tunnel == Some(Tunnel::Ikev2) || self.adopted;
        let listed = self.confirmed.is_some_and(|confirmed| confirmed.mono >= self.unlinked.mono);
        self.links.is_empty() && !(may_have_none && self.established.is_none()) && !listed
    }

    /// Are its addresses unknown? An IKEv2 session may have no link, and may show no address.
    pub(super) fn may_have_any_address(&self) -> bool {
        self.tunnel == Some(Tunnel::Ikev2) && self.established.is_none() && self.projected.is_empty()
    }
}

impl Entry for Session {
    fn order(&self, other: &Self) -> Ordering {
        (self.began.mono, self.id).cmp(&(other.began.mono, other.id))
    }
}

impl Entry for Closed {
    fn order(&self, other: &Self) -> Ordering {
        (self.closed.mono, self.session.id).cmp(&(other.closed.mono, other.session.id))
    }
}

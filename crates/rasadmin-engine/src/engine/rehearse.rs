//! A rehearsal: what this configuration would make of sessions that others have had. By the code that decides, on a
//! ledger in memory.

use super::address::{Assigned, assign};
use super::connection::{connect, link};
use crate::addresses::{Address, Family};
use crate::config::Config;
use crate::config::file::Reconnect;
use crate::event::{AddressEvent, ConnectionEvent, Given, LinkEvent};
use crate::ledger::memory::Memory;
use crate::ledger::{Away, Decision, Id, Millis, Transaction, Usage};
use crate::pools::Tags;
use crate::record::Book;
use crate::{Fact, Facts, InterfaceType, Name, Quarantine, Tunnel};
use rasadmin_policy::timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// A session that begins. A fact that its source lacks is [`Fact::NotYetKnown`], and stays unknown to the rules.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Begin {
    /// What the caller calls it; unique among those that live.
    pub handle: u64,
    pub time: Millis,
    pub server: Name,
    pub user: Name,
    /// The logon domain; empty if it is not known.
    pub domain: Name,
    pub port: Fact<Name>,
    pub tunnel: Fact<Tunnel>,
    pub source: Fact<IpAddr>,
    pub computer: Fact<Name>,
    pub quarantine: Fact<Quarantine>,
    pub interface: Fact<InterfaceType>,
    /// Does it ask for an IPv6 interface identifier too?
    pub ipv6: bool,
}

/// What would become of it.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Would it stand? Then it lives until [`Rehearsal::end`].
    pub accepted: bool,
    /// The decision that ended it, or the last one.
    pub decision: Decision,
    /// The rules allowed it, and the engine refused: no address was to be had, or it was another user's.
    pub overruled: bool,
    /// Pools that had nothing left for it.
    pub dry: Vec<String>,
    /// What was given.
    pub given: Vec<Given>,
    /// Sessions that ended by it, since it came on their port.
    pub ended: Vec<u64>,
    /// The facts on which the answer rests, and which the source lacks: the fields of the rules' conditions.
    pub lacking: Vec<&'static str>,
}

/// A session that lives in the rehearsal.
#[derive(Debug)]
struct Living {
    server: Name,
    user: Name,
    domain: Name,
    port: Name,
    addresses: Vec<Address>,
}

/// A rehearsal. Times must not go back.
#[derive(Debug)]
pub struct Rehearsal {
    config: Arc<Config>,
    memory: Memory,
    /// Each server's.
    tags: HashMap<Name, Tags>,
    living: HashMap<u64, Living>,
    /// Who lives on a server's port.
    on_port: HashMap<(Name, Name), u64>,
    offers: u64,
}

/// RRAS's own offers in a rehearsal: a range of IPv4 that nobody has (240.0.0.0/4), so that they meet no pool.
const OFFERS: u64 = 0xf000_0000;

impl Rehearsal {
    /// Of a configuration.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            memory: Memory::default(),
            tags: HashMap::new(),
            living: HashMap::new(),
            on_port: HashMap::new(),
            offers: 0,
        }
    }

    /// How many sessions live.
    pub fn living(&self) -> usize {
        self.living.len()
    }

    /// A session begins: addresses, connection, first link. What fails is ended, as RRAS would.
    pub fn begin(&mut self, begin: &Begin) -> Result<Begun, Away> {
        let port = begin.port.known().map(|port| (begin.server.clone(), port.clone()));
        let before = port.as_ref().and_then(|port| self.on_port.get(port)).copied();
        let mut begun = self.try_begin(begin)?;
        // The engine has closed whoever was on that port, and nobody had hung up.
        if let Some(before) = before
            && self.memory.live_by_handle(&begin.server, before)?.is_none()
            && self.living.remove(&before).is_some()
        {
            begun.ended.push(before);
        }
        if let Some(port) = port.filter(|_| begun.accepted) {
            self.on_port.insert(port, begin.handle);
        }
        Ok(begun)
    }

    fn try_begin(&mut self, begin: &Begin) -> Result<Begun, Away> {
        // A port that the source does not name is one of its own.
        let port = begin.port.known().cloned().unwrap_or_else(|| Name::from_stored(format!("?{}", begin.handle)));
        let living = Living {
            server: begin.server.clone(),
            user: begin.user.clone(),
            domain: begin.domain.clone(),
            port,
            addresses: Vec::new(),
        };
        self.living.insert(begin.handle, living);
        let (mut given, mut dry) = (Vec::new(), Vec::new());
        for family in [Some(Family::Ipv4), begin.ipv6.then_some(Family::Ipv6)].into_iter().flatten() {
            let assigned = self.address(begin, family)?;
            let pools = &self.config.addresses.pools;
            dry.extend(assigned.dry.and_then(|pool| pools.get(pool.0 as usize)).map(|pool| pool.name.clone()));
            match assigned.choice {
                Ok(one) => {
                    if let Some(living) = self.living.get_mut(&begin.handle) {
                        living.addresses.push(Address { family, number: one.number });
                    }
                    given.push(one);
                }
                Err(_) => return self.refused(begin, assigned.decision, assigned.overruled, given, dry),
            }
        }
        let (decision, session) = self.connection(begin)?;
        if !decision.allow {
            // Where the rules had denied, their rule or the default's reason stands there.
            let overruled =
                decision.rule.is_none() && decision.reason.as_deref() != self.config.rules.default_action().1;
            return self.refused(begin, decision, overruled, given, dry);
        }
        let decision = self.link(begin, session)?;
        if !decision.allow {
            return self.refused(begin, decision, false, given, dry);
        }
        let lacking = self.lacking(begin, &decision);
        Ok(Begun { accepted: true, decision, overruled: false, dry, given, ended: Vec::new(), lacking })
    }

    /// It ends; one that does not live changes nothing.
    pub fn end(&mut self, handle: u64, time: Millis, usage: Usage) -> Result<(), Away> {
        let Some(living) = self.living.remove(&handle) else { return Ok(()) };
        let port = (living.server.clone(), living.port.clone());
        if self.on_port.get(&port) == Some(&handle) {
            self.on_port.remove(&port);
        }
        let link = link_event(handle, &living.port, &Fact::Absent, usage);
        let mut event = connection_event(handle, &living);
        event.usage = usage;
        self.in_book(&living.server, time, |book| {
            book.link_hangup(&link)?;
            book.hangup(&event)?;
            living.addresses.iter().try_for_each(|address| book.release(&address_event(&living, *address)))
        })
    }

    /// RRAS gives back what a failed attempt had; a session whose first link was rejected is closed already.
    fn refused(
        &mut self,
        begin: &Begin,
        decision: Decision,
        overruled: bool,
        given: Vec<Given>,
        dry: Vec<String>,
    ) -> Result<Begun, Away> {
        let lacking = self.lacking(begin, &decision);
        if let Some(living) = self.living.remove(&begin.handle) {
            self.in_book(&living.server, begin.time, |book| {
                living.addresses.iter().try_for_each(|address| book.release(&address_event(&living, *address)))
            })?;
        }
        Ok(Begun { accepted: false, decision, overruled, dry, given, ended: Vec::new(), lacking })
    }

    fn in_book<T>(
        &mut self,
        server: &Name,
        time: Millis,
        work: impl FnOnce(&mut Book<'_>) -> Result<T, Away>,
    ) -> Result<T, Away> {
        let config = self.config.clone();
        let tags = self.tags.entry(server.clone()).or_insert_with(|| Tags::new(&config.addresses));
        let mut book = Book { ledger: &mut self.memory, config: &config, server, instance: 0, tags, time };
        work(&mut book)
    }

    fn facts(&self, begin: &Begin, address: bool) -> Facts {
        let nobody = Name::default();
        let domain = if address { &nobody } else { &begin.domain };
        let later = |fact: bool| fact && !address;
        Facts {
            time: timestamp(begin.time),
            server: begin.server.clone(),
            user: Fact::arrived(self.config.domains.identity(&begin.user, domain)),
            port: begin.port.clone(),
            tunnel: Fact::NotYetKnown,
            source: if later(true) { begin.source.clone() } else { Fact::NotYetKnown },
            computer: if later(true) { begin.computer.clone() } else { Fact::NotYetKnown },
            quarantine: if later(true) { begin.quarantine.clone() } else { Fact::NotYetKnown },
            interface: if later(true) { begin.interface.clone() } else { Fact::NotYetKnown },
        }
    }

    fn address(&mut self, begin: &Begin, family: Family) -> Result<Assigned, Away> {
        let facts = self.facts(begin, true);
        let groups = facts.user.known().map(|user| self.config.groups.of(user)).unwrap_or_default();
        self.offers += 1;
        let number = match family {
            Family::Ipv4 => OFFERS + self.offers % 0x0fff_ffff,
            Family::Ipv6 => u64::MAX / 2 + self.offers,
        };
        let Some(living) = self.living.get(&begin.handle) else { return Err(gone()) };
        let event = address_event(living, Address { family, number });
        self.in_book(&begin.server, begin.time, |book| assign(book, &event, facts, &groups))
    }

    fn connection(&mut self, begin: &Begin) -> Result<(Decision, Option<Id>), Away> {
        let mut facts = self.facts(begin, false);
        if begin.tunnel == Fact::Known(Tunnel::Ikev2) {
            facts.tunnel = begin.tunnel.clone();
        }
        let groups = facts.user.known().map(|user| self.config.groups.of(user)).unwrap_or_default();
        let Some(living) = self.living.get(&begin.handle) else { return Err(gone()) };
        let mut event = connection_event(begin.handle, living);
        event.addresses.clone_from(&living.addresses);
        event.source = begin.source.known().map(ToString::to_string).unwrap_or_default();
        event.computer = begin.computer.known().cloned().unwrap_or_default();
        event.ikev2 = Some(begin.tunnel == Fact::Known(Tunnel::Ikev2));
        event.quarantine = begin.quarantine.known().copied();
        if let Fact::Known(interface) = begin.interface {
            event.interface = interface;
        }
        let (key, handle) = (begin.handle.to_string(), begin.handle);
        self.in_book(&begin.server, begin.time, |book| {
            let arrival = book.connection_arrives(&event)?;
            let decision = connect(book, &event, &arrival, &key, facts, &groups)?;
            let session = book.ledger.live_by_handle(book.server, handle)?.map(|session| session.id);
            Ok((decision, session))
        })
    }

    fn link(&mut self, begin: &Begin, session: Option<Id>) -> Result<Decision, Away> {
        let mut facts = self.facts(begin, false);
        facts.tunnel = begin.tunnel.clone();
        let Some(living) = self.living.get(&begin.handle) else { return Err(gone()) };
        let event = link_event(begin.handle, &living.port, &begin.tunnel, Usage::default());
        self.in_book(&begin.server, begin.time, |book| {
            let session = match session {
                Some(id) => book.ledger.live_by_id(id)?,
                None => book.link_arrives(&event)?,
            };
            link(book, &event, session.as_ref(), facts)
        })
    }

    fn lacking(&self, begin: &Begin, decision: &Decision) -> Vec<&'static str> {
        let lacks = |fact: bool, field| fact.then_some(field);
        let computer = lacks(begin.computer == Fact::NotYetKnown, "remote_computers");
        let source = lacks(begin.source == Fact::NotYetKnown, "source_networks");
        let rest = begin.tunnel == Fact::NotYetKnown
            || begin.port == Fact::NotYetKnown
            || begin.quarantine == Fact::NotYetKnown
            || begin.interface == Fact::NotYetKnown;
        // Nobody lacks what is known; and before the last stage it is no fault of the source's.
        let Some(counted) = decision.counted.as_ref().filter(|_| rest || computer.is_some() || source.is_some()) else {
            return Vec::new();
        };
        let counts_lack = match self.config.reconnect {
            Reconnect::SameComputer => computer,
            Reconnect::SameEndpoint => source,
            Reconnect::Strict => None,
        };
        // With nobody else connected there is nothing to replace.
        let others = counted.user_sessions.is_some_and(|count| count.max > 0)
            || counted.group_sessions.values().any(|count| count.max > 0);
        let facts = &decision.facts;
        let groups = facts.user.known().map(|user| self.config.groups.of(user)).unwrap_or_default();
        let ledger = counted.facts(&self.config.groups);
        self.config.rules.rests_on(decision.stage, facts, &groups, &ledger, counts_lack.filter(|_| others))
    }
}

/// Of a session that does not live: cannot be.
fn gone() -> Away {
    Away { kind: crate::ledger::AwayKind::Other, message: "a rehearsed session is not there".to_owned() }
}

fn address_event(living: &Living, address: Address) -> AddressEvent {
    AddressEvent {
        user: living.user.clone(),
        port: living.port.clone(),
        family: address.family,
        number: Some(address.number),
    }
}

fn connection_event(handle: u64, living: &Living) -> ConnectionEvent {
    ConnectionEvent {
        handle,
        guid: None,
        user: living.user.clone(),
        domain: living.domain.clone(),
        computer: Name::default(),
        source: String::new(),
        interface: InterfaceType::Client,
        ikev2: None,
        quarantine: None,
        usage: Usage::default(),
        addresses: Vec::new(),
        prefix: None,
    }
}

fn link_event(handle: u64, port: &Name, tunnel: &Fact<Tunnel>, usage: Usage) -> LinkEvent {
    LinkEvent { handle, port: port.clone(), device: Name::default(), tunnel: tunnel.known().copied(), usage }
}

//! The events of a scenario, held against what happened before them.

use crate::expect::Expectation;
use crate::farewell::Part;
use crate::fill::Tunnel;
use crate::pool::Pool;
use crate::readings::Ikev2Link;
use crate::scenario::control::Server;
use crate::scenario::line::Line;
use crate::scenario::settings::{self, Settings};
use crate::scenario::values::*;
use crate::scenario::{Connect, Event, Hangup, Scenario, What, expectation};
use crate::service::Processes;
use crate::session::Request;
use mprapi::abi::{ROUTER_IF_TYPE_CLIENT, ROUTER_IF_TYPE_FULL_ROUTER};
use std::collections::HashMap;

const VERBS: &str = "connect, link, unlink, reauthenticate, move, hangup, address, accept, deliver, clock, kill, restart, \
                     lock-journal, unlock-journal or replace";

/// What was read so far.
#[derive(Default)]
pub(super) struct Day {
    settings: Settings,
    server: Server,
    events: Vec<Event>,
    /// Hangups by `until`.
    ends: Vec<Event>,
    expectations: Vec<Expectation>,
    sessions: HashMap<String, Life>,
    /// The sessions of the latest event and of those that happen at once with it; none after what happens to the server.
    at_once: Vec<String>,
    last: u32,
}

/// A session, as far as the file says.
struct Life {
    tunnel: Tunnel,
    began: u32,
    /// When it ends.
    ends: Option<u32>,
    /// Was it asked about, or only given addresses?
    asked: bool,
    /// Does a call of its first link come at once?
    first_link: bool,
    /// Has a link of it ended?
    unlinked: bool,
}

impl Day {
    pub(super) fn line(&mut self, number: usize, line: Line<'_>) -> Result<(), String> {
        if line.first == "expect" {
            let known = |session: &str| self.sessions.contains_key(session);
            self.expectations.push(expectation::read(number, line, &known)?);
            return Ok(());
        }
        match self.settings.line(line)? {
            Some(line) => self.event(number, line),
            None if self.events.is_empty() => Ok(()),
            None => Err("settings stand before the first event".into()),
        }
    }

    fn event(&mut self, number: usize, mut line: Line<'_>) -> Result<(), String> {
        let with_previous = line.first == "&";
        let at = if with_previous { Some(self.last) } else { time(line.first) };
        let at = at.ok_or_else(|| {
            let (names, found) = (settings::NAMES, line.first);
            format!("expected a time like 08:30:00, or one of the settings {names}, or `expect`; found `{found}`")
        })?;
        if with_previous && self.at_once.is_empty() {
            return Err("`&` stands after an event of a session, with which this one happens at once".into());
        }
        if at < self.last {
            return Err(format!("{} is earlier than the event before it: events stand in order of time", line.first));
        }
        self.last = at;
        let verb = line.word(&format!("a verb: {VERBS}"))?;
        let (two, day) = (self.settings.two_processes, self.settings.begins.is_some());
        if let Some(what) = self.server.event(verb, &mut line, two, day)? {
            line.end()?;
            if with_previous {
                return Err(format!("`{verb}` happens alone: nothing happens at once with it"));
            }
            self.at_once.clear();
            if matches!(what, What::Kill(Processes::All) | What::Restart(Processes::All)) {
                self.end_all(at);
            }
            self.events.push(Event { at, line: number, session: String::new(), with_previous, what });
            return Ok(());
        }
        let session = line.word("the session's label")?.to_owned();
        if !with_previous {
            self.at_once.clear();
        } else if self.at_once.contains(&session) {
            return Err(format!(
                "`{session}` has an event at once with this one: what happens to a session has an order"
            ));
        }
        self.at_once.push(session.clone());
        let what = self.what(number, at, verb, &session, &mut line)?;
        line.end()?;
        self.server.must_be_up()?;
        self.events.push(Event { at, line: number, session, with_previous, what });
        Ok(())
    }

    fn what(&mut self, number: usize, at: u32, verb: &str, session: &str, line: &mut Line<'_>) -> Result<What, String> {
        Ok(match verb {
            "connect" => What::Connect(self.connect(number, at, session, line, true)?),
            "address" => What::Address(self.connect(number, at, session, line, false)?),
            "accept" => {
                let life = self.live(session, at)?;
                if life.asked {
                    return Err(format!("`{session}` was asked about already"));
                }
                life.asked = true;
                What::Accept
            }
            "link" => {
                let life = self.connected(session, at)?;
                if life.tunnel == Tunnel::Ikev2 && life.first_link {
                    return Err("an IKEv2 connection has one link: further links are for PPP".into());
                }
                life.first_link = true;
                What::Link(line.key("port").map(str::to_owned))
            }
            "unlink" => {
                self.connected(session, at)?.unlinked = true;
                let delivery = delivery(line)?;
                if [Part::Connection, Part::Release].into_iter().any(|part| delivery.times(part) != 1) {
                    return Err("an `unlink` tells of a link only: expected link".into());
                }
                What::Unlink { port: line.key("port").map(str::to_owned), times: delivery.times(Part::Link) }
            }
            "reauthenticate" => {
                let quarantine = quarantine(line.needed("quarantine")?)?;
                let after_end = line.flag("after-end");
                match self.sessions.get(session) {
                    Some(life) if after_end && life.ends.is_none_or(|ends| ends > at) => {
                        return Err(format!("`{session}` has not ended: leave out `after-end`"));
                    }
                    Some(_) if after_end => {}
                    _ => {
                        self.connected(session, at)?;
                    }
                }
                What::Reauthenticate { quarantine, after_end }
            }
            "move" => {
                if self.connected(session, at)?.tunnel != Tunnel::Ikev2 {
                    return Err("only IKEv2 clients move: other tunnels reconnect".into());
                }
                What::Move(ip(line.needed("to")?)?)
            }
            "hangup" => {
                let life = self.live(session, at)?;
                if life.ends.is_some() {
                    return Err(format!("`{session}` has an `until` already"));
                }
                if life.began == at {
                    return Err(format!("`{session}` connects in this second: hang up later"));
                }
                life.ends = Some(at);
                let duration = line.key("duration").map(|text| seconds("duration", text)).transpose()?;
                What::Hangup(Hangup { used: used(line)?, duration, delivery: delivery(line)? })
            }
            "deliver" => {
                let parts =
                    parts(line.word("what arrives: link, connection or release, or several like link,release")?)?;
                let life = self.known(session)?;
                let ended = life.ends.is_some_and(|ends| ends <= at);
                let link_ended = life.unlinked && parts == [Part::Link];
                if !ended && !link_ended {
                    return Err(format!("`{session}` has not ended: nothing of its end can arrive"));
                }
                What::Deliver(parts, line.key("port").map(str::to_owned))
            }
            other => return Err(format!("there is no verb `{other}`: expected {VERBS}")),
        })
    }

    /// Every session is gone.
    fn end_all(&mut self, at: u32) {
        for life in self.sessions.values_mut() {
            life.ends = Some(life.ends.map_or(at, |ends| ends.min(at)));
        }
    }

    fn known(&mut self, session: &str) -> Result<&mut Life, String> {
        self.sessions.get_mut(session).ok_or_else(|| format!("no session `{session}` has connected above"))
    }

    /// The session, which must not have ended before `at`.
    fn live(&mut self, session: &str, at: u32) -> Result<&mut Life, String> {
        let life = self.known(session)?;
        if life.ends.is_some_and(|ends| ends < at) {
            return Err(format!("the session `{session}` has ended before"));
        }
        Ok(life)
    }

    /// The session, which must also have been asked about.
    fn connected(&mut self, session: &str, at: u32) -> Result<&mut Life, String> {
        let life = self.live(session, at)?;
        if !life.asked {
            return Err(format!("`{session}` has its addresses only: `accept` it first"));
        }
        Ok(life)
    }

    fn connect(
        &mut self,
        number: usize,
        at: u32,
        session: &str,
        line: &mut Line<'_>,
        asked: bool,
    ) -> Result<Box<Connect>, String> {
        if self.sessions.contains_key(session) {
            return Err(format!("the session `{session}` has connected above: give each session a label of its own"));
        }
        let request = request(line)?;
        let not_called = self.settings.readings.ikev2_link == Ikev2Link::NotCalled;
        let first_link = request.first_link.unwrap_or(!(request.tunnel == Tunnel::Ikev2 && not_called));
        let other = |key: &str, label: &str| match self.sessions.contains_key(label) {
            true => Ok(label.to_owned()),
            false => Err(format!("`{key}={label}` names no session that has connected above")),
        };
        let (mut handle, mut handle_of, mut guid, mut guid_of) = (None, None, None, None);
        if let Some(text) = line.key("handle") {
            match text.parse() {
                Ok(number) => handle = Some(number),
                Err(_) => handle_of = Some(other("handle", text)?),
            }
        }
        match line.key("guid") {
            None => {}
            Some("none") => guid = Some([0; 16]),
            Some(label) => guid_of = Some(other("guid", label)?),
        }
        let ends = match line.key("until") {
            None => None,
            Some(text) => match time(text) {
                Some(until) if until > at => Some(until),
                Some(_) => return Err(format!("`until={text}` is not later than the connect")),
                None => return Err(format!("`until` must be a time like 17:30:00, not `{text}`")),
            },
        };
        let used = used(line)?.unwrap_or_default();
        if let Some(until) = ends {
            let duration = line.key("duration").map(|text| seconds("duration", text)).transpose()?;
            let what = What::Hangup(Hangup { used: None, duration, delivery: delivery(line)? });
            let session = session.to_owned();
            self.ends.push(Event { at: until, line: number, session, with_previous: false, what });
        }
        let (tunnel, began) = (request.tunnel, at);
        let life = Life { tunnel, began, ends, asked, first_link, unlinked: false };
        self.sessions.insert(session.to_owned(), life);
        let request = Request { handle, guid, ..request };
        Ok(Box::new(Connect { request, handle_of, guid_of, used }))
    }

    pub(super) fn finish(mut self, file: &str) -> Result<Scenario, String> {
        if self.events.is_empty() {
            return Err("the scenario has no event: expected lines like `08:30:00 connect alice user=CORP\\alice \
                        tunnel=sstp from=203.0.113.9 until=17:00:00`"
                .into());
        }
        let settings = self.settings;
        let (first, last) = settings.pool.ok_or("the setting `pool` is missing: RRAS needs addresses of its own")?;
        let server_address = settings.server_address.ok_or("the setting `server-address` is missing")?;
        // Hangups of a moment come first, so that what they free can be given again; but what happens at once stays
        // together. Otherwise the file's order stands: a hangup by `until` has its connect's place.
        let leads = self.events.iter().skip(1).map(|event| event.with_previous).chain([false]);
        let ranked = self.events.iter().zip(leads).map(|(event, leads)| {
            let alone = !event.with_previous && !leads;
            !(alone && matches!(event.what, What::Hangup(_)))
        });
        let mut events: Vec<(bool, Event)> =
            ranked.collect::<Vec<_>>().into_iter().zip(self.events.drain(..)).collect();
        events.extend(self.ends.drain(..).map(|end| (false, end)));
        events.sort_by_key(|(rank, event)| (event.at, *rank, event.line));
        Ok(Scenario {
            server: settings.server.unwrap_or_else(|| "VPN1".into()),
            pool: Pool::new(server_address, first, last, settings.ipv6_prefix),
            begins: settings.begins,
            two_processes: settings.two_processes,
            readings: settings.readings,
            events: events.into_iter().map(|(_, event)| event).collect(),
            expectations: self.expectations,
            file: file.to_owned(),
        })
    }
}

/// The client of a `connect` or `address`.
fn request(line: &mut Line<'_>) -> Result<Request, String> {
    let tunnel = tunnel(line.needed("tunnel")?)?;
    let mut request = Request::new(line.needed("user")?, tunnel);
    request.from = ip(line.needed("from")?)?;
    request.domain = match (line.key("domain"), request.user.split_once('\\')) {
        (Some(domain), _) => domain.to_owned(),
        (None, Some((domain, _))) => domain.to_owned(),
        (None, None) => String::new(),
    };
    request.address_user = line.key("address-user").map(str::to_owned);
    request.computer = line.key("computer").unwrap_or_default().to_owned();
    request.port = line.key("port").map(str::to_owned);
    request.ipv6 = line.flag("ipv6");
    request.pre_authentication = line.flag("pre-auth");
    request.first_link = line.flag("no-link").then_some(false);
    if request.pre_authentication && tunnel != Tunnel::Sstp {
        return Err("`pre-auth` is for SSTP only".into());
    }
    request.offer = line.key("offer").map(offer).transpose()?.unwrap_or_default();
    if let Some(text) = line.key("ipv6-offer") {
        request.ipv6_offer = identifier_offer(text)?;
        if !request.ipv6 {
            return Err("`ipv6-offer` is for a client that negotiates IPv6: add `ipv6`".into());
        }
    }
    request.interface_type = match line.key("interface") {
        None | Some("client") => ROUTER_IF_TYPE_CLIENT,
        Some("full-router") => ROUTER_IF_TYPE_FULL_ROUTER,
        Some(other) => {
            return Err(format!("there is no interface `{other}`: expected client or full-router"));
        }
    };
    if let Some(state) = line.key("quarantine") {
        request.quarantine = quarantine(state)?;
    }
    Ok(request)
}

//! Reads the lines of a scenario, and checks each event against those before it.

use crate::assumptions::Ikev2Link;
use crate::expectation::Expectation;
use crate::fill::Tunnel;
use crate::hangup_calls::HangupCall;
use crate::scenario::event::{Action, Connect, Event, Hangup};
use crate::scenario::expectation;
use crate::scenario::line::Line;
use crate::scenario::server_events::Server;
use crate::scenario::settings::{self, Settings};
use crate::scenario::values::*;
use crate::service::Processes;
use crate::session::Request;
use mprapi::abi::{ROUTER_IF_TYPE_CLIENT, ROUTER_IF_TYPE_FULL_ROUTER};
use std::collections::HashMap;

const VERBS: &str = "connect, link, unlink, reauthenticate, move, hangup, address, accept, deliver, clock, kill, restart, \
                     lock-journal, unlock-journal or replace";

/// What was read so far.
#[derive(Default)]
pub(super) struct Parser {
    settings: Settings,
    server: Server,
    events: Vec<Event>,
    /// The hangups that `until` names.
    ends: Vec<Event>,
    expectations: Vec<Expectation>,
    sessions: HashMap<String, SessionState>,
    /// The sessions of the latest event and of those that happen at once with it. Empty after an event of the server.
    at_once: Vec<String>,
    last: u32,
}

/// The state of a session, as the lines so far describe it.
struct SessionState {
    tunnel: Tunnel,
    began: u32,
    /// When it ends.
    ends: Option<u32>,
    /// Whether its connection was asked about. If not, it has its addresses only.
    connected: bool,
    /// Whether AcceptNewLink for its first link follows at once.
    first_link: bool,
    /// Whether one of its links has ended.
    unlinked: bool,
}

impl Parser {
    pub(super) fn line(&mut self, number: usize, line: Line<'_>) -> Result<(), String> {
        if line.first == "expect" {
            let known = |session: &str| self.sessions.contains_key(session);
            self.expectations.push(expectation::read(number, line, &known)?);
            return Ok(());
        }
        match self.settings.line(line)? {
            Some(line) => self.event(number, line),
            None if self.events.is_empty() => Ok(()),
            None => Err("settings must come before the first event".into()),
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
            return Err("`&` must follow an event of a session, with which this one happens at once".into());
        }
        if at < self.last {
            return Err(format!("{} is earlier than the event before it: events must be in order of time", line.first));
        }
        self.last = at;
        let verb = line.word(&format!("a verb: {VERBS}"))?;
        let (two, day) = (self.settings.two_processes, self.settings.begins.is_some());
        if let Some(action) = self.server.event(verb, &mut line, two, day)? {
            line.end()?;
            if with_previous {
                return Err(format!("`{verb}` happens alone: nothing happens at once with it"));
            }
            self.at_once.clear();
            if matches!(action, Action::Kill(Processes::All) | Action::Restart(Processes::All)) {
                self.end_all(at);
            }
            self.events.push(Event { at, line: number, session: String::new(), with_previous, action });
            return Ok(());
        }
        let session = line.word("the session's label")?.to_owned();
        if !with_previous {
            self.at_once.clear();
        } else if self.at_once.contains(&session) {
            return Err(format!(
                "`{session}` has an event at once with this one: the events of one session have an order"
            ));
        }
        self.at_once.push(session.clone());
        let action = self.action(number, at, verb, &session, &mut line)?;
        line.end()?;
        self.server.must_be_up()?;
        self.events.push(Event { at, line: number, session, with_previous, action });
        Ok(())
    }

    fn action(
        &mut self,
        number: usize,
        at: u32,
        verb: &str,
        session: &str,
        line: &mut Line<'_>,
    ) -> Result<Action, String> {
        Ok(match verb {
            "connect" => Action::Connect(self.connect(number, at, session, line, true)?),
            "address" => Action::Address(self.connect(number, at, session, line, false)?),
            "accept" => {
                let state = self.live(session, at)?;
                if state.connected {
                    return Err(format!("`{session}` was accepted already"));
                }
                state.connected = true;
                Action::Accept
            }
            "link" => {
                let state = self.connected(session, at)?;
                if state.tunnel == Tunnel::Ikev2 && state.first_link {
                    return Err("an IKEv2 connection has one link: further links are for PPP".into());
                }
                state.first_link = true;
                Action::Link(line.key("port").map(str::to_owned))
            }
            "unlink" => {
                self.connected(session, at)?.unlinked = true;
                let delivery = delivery(line)?;
                if [HangupCall::Connection, HangupCall::Release].into_iter().any(|call| delivery.times(call) != 1) {
                    return Err("`unlink` ends only a link: expected link".into());
                }
                Action::Unlink { port: line.key("port").map(str::to_owned), times: delivery.times(HangupCall::Link) }
            }
            "reauthenticate" => {
                let quarantine = quarantine(line.needed("quarantine")?)?;
                let after_end = line.flag("after-end");
                match self.sessions.get(session) {
                    Some(state) if after_end && state.ends.is_none_or(|ends| ends > at) => {
                        return Err(format!("`{session}` has not ended: leave out `after-end`"));
                    }
                    Some(_) if after_end => {}
                    _ => {
                        self.connected(session, at)?;
                    }
                }
                Action::Reauthenticate { quarantine, after_end }
            }
            "move" => {
                if self.connected(session, at)?.tunnel != Tunnel::Ikev2 {
                    return Err("only IKEv2 clients move: other tunnels reconnect".into());
                }
                Action::Move(ip(line.needed("to")?)?)
            }
            "vanish" => {
                self.connected(session, at)?;
                Action::Vanish
            }
            "hangup" => {
                let state = self.live(session, at)?;
                if state.ends.is_some() {
                    return Err(format!("`{session}` has an `until` already"));
                }
                if state.began == at {
                    return Err(format!("`{session}` connects in this second: hang up later"));
                }
                state.ends = Some(at);
                let duration = line.key("duration").map(|text| seconds("duration", text)).transpose()?;
                Action::Hangup(Hangup { traffic: traffic(line)?, duration, delivery: delivery(line)? })
            }
            "deliver" => {
                let calls = hangup_calls(
                    line.word("what arrives: link, connection or release, or several like link,release")?,
                )?;
                let state = self.known(session)?;
                let ended = state.ends.is_some_and(|ends| ends <= at);
                let link_ended = state.unlinked && calls == [HangupCall::Link];
                if !ended && !link_ended {
                    return Err(format!("`{session}` has not ended: nothing of its end can arrive"));
                }
                Action::Deliver(calls, line.key("port").map(str::to_owned))
            }
            other => return Err(format!("there is no verb `{other}`: expected {VERBS}")),
        })
    }

    /// Ends every session.
    fn end_all(&mut self, at: u32) {
        for state in self.sessions.values_mut() {
            state.ends = Some(state.ends.map_or(at, |ends| ends.min(at)));
        }
    }

    fn known(&mut self, session: &str) -> Result<&mut SessionState, String> {
        self.sessions.get_mut(session).ok_or_else(|| format!("no session `{session}` has connected above"))
    }

    /// The session. It must not have ended before `at`.
    fn live(&mut self, session: &str, at: u32) -> Result<&mut SessionState, String> {
        let state = self.known(session)?;
        if state.ends.is_some_and(|ends| ends < at) {
            return Err(format!("the session `{session}` has ended before"));
        }
        Ok(state)
    }

    /// The session. It must not have ended before `at`, and its connection must have been asked about.
    fn connected(&mut self, session: &str, at: u32) -> Result<&mut SessionState, String> {
        let state = self.live(session, at)?;
        if !state.connected {
            return Err(format!("`{session}` has its addresses only: `accept` it first"));
        }
        Ok(state)
    }

    fn connect(
        &mut self,
        number: usize,
        at: u32,
        session: &str,
        line: &mut Line<'_>,
        connected: bool,
    ) -> Result<Box<Connect>, String> {
        if self.sessions.contains_key(session) {
            return Err(format!("the session `{session}` has connected above: each session needs its own label"));
        }
        let request = request(line)?;
        let not_called = self.settings.assumptions.ikev2_link == Ikev2Link::NotCalled;
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
        let traffic = traffic(line)?.unwrap_or_default();
        if let Some(until) = ends {
            let duration = line.key("duration").map(|text| seconds("duration", text)).transpose()?;
            let action = Action::Hangup(Hangup { traffic: None, duration, delivery: delivery(line)? });
            let session = session.to_owned();
            self.ends.push(Event { at: until, line: number, session, with_previous: false, action });
        }
        let (tunnel, began) = (request.tunnel, at);
        let state = SessionState { tunnel, began, ends, connected, first_link, unlinked: false };
        self.sessions.insert(session.to_owned(), state);
        let request = Request { handle, guid, ..request };
        Ok(Box::new(Connect { request, handle_of, guid_of, traffic }))
    }

    /// What was read: the settings, the events in the order in which they happen, and the expectations.
    pub(super) fn finish(mut self) -> Result<(Settings, Vec<Event>, Vec<Expectation>), String> {
        if self.events.is_empty() {
            return Err("the scenario has no event: expected lines like `08:30:00 connect alice user=CORP\\alice \
                        tunnel=sstp from=203.0.113.9 until=17:00:00`"
                .into());
        }
        // Among events of one second, hangups come first, so that what they free can be used again; but events that happen
        // at once stay together. Otherwise the order of the file applies. A hangup by `until` is placed by its connect.
        let leads = self.events.iter().skip(1).map(|event| event.with_previous).chain([false]);
        let ranked = self.events.iter().zip(leads).map(|(event, leads)| {
            let alone = !event.with_previous && !leads;
            !(alone && matches!(event.action, Action::Hangup(_)))
        });
        let mut events: Vec<(bool, Event)> =
            ranked.collect::<Vec<_>>().into_iter().zip(self.events.drain(..)).collect();
        events.extend(self.ends.drain(..).map(|end| (false, end)));
        events.sort_by_key(|(rank, event)| (event.at, *rank, event.line));
        Ok((self.settings, events.into_iter().map(|(_, event)| event).collect(), self.expectations))
    }
}

/// Reads the client of a `connect` or `address`.
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

//! A day of users who come and go, as a text file: docs/scenario.md defines it.

mod line;

use crate::address::Offer;
use crate::fill::Tunnel;
use crate::pool::Pool;
use crate::session::Request;
use line::Line;
use mprapi::abi::*;
use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// What is wrong with a scenario, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// What was found, and what was expected.
    pub message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ScenarioError {}

/// Bytes used by a session, from the client's side: received from it, sent to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Bytes received from the client.
    pub received: u64,
    /// Bytes sent to the client.
    pub sent: u64,
}

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum What {
    /// It connects; with what it will have used at its end.
    Connect(Box<Request>, Use),
    /// A further link.
    Link,
    /// The last further link ends.
    Unlink,
    /// The quarantine state changes to this.
    Reauthenticate(i32),
    /// The client's endpoint changes to this.
    Move(String),
    /// It ends; with what it has used, if the line says so.
    Hangup(Option<Use>),
}

/// An event of the day.
#[derive(Clone, Debug)]
pub struct Event {
    /// Seconds since midnight.
    pub at: u32,
    /// The line it comes from.
    pub line: usize,
    /// The session's label.
    pub session: String,
    /// What happens.
    pub what: What,
}

/// A day.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The server's name.
    pub server: String,
    /// RRAS's own addresses.
    pub pool: Pool,
    /// When the day begins, in seconds since 1970, if the file says so: for DLLs whose answers depend on the time.
    pub begins: Option<i64>,
    /// What happens, in order of time.
    pub events: Vec<Event>,
}

impl Scenario {
    /// Reads a scenario file.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&file, &text),
            Err(e) => Err(ScenarioError { file, line: 0, message: format!("cannot read the scenario: {e}") }),
        }
    }

    /// Parses a scenario; `file` is the name for error messages.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let mut day = Day::default();
        for (number, line) in (1..).zip(text.lines()) {
            let at = |message| ScenarioError { file: file.to_owned(), line: number, message };
            if let Some(line) = Line::split(line).map_err(at)? {
                day.line(number, line).map_err(at)?;
            }
        }
        day.finish().map_err(|message| ScenarioError { file: file.to_owned(), line: 0, message })
    }
}

const DAY: u32 = 24 * 60 * 60;

#[derive(Default)]
struct Day {
    server: Option<String>,
    server_address: Option<Ipv4Addr>,
    pool: Option<(Ipv4Addr, Ipv4Addr)>,
    ipv6_prefix: [u8; 8],
    begins: Option<i64>,
    events: Vec<Event>,
    /// When each session ends, as far as the file says.
    sessions: HashMap<String, Life>,
    last: u32,
}

struct Life {
    tunnel: Tunnel,
    began: u32,
    ends: Option<u32>,
}

impl Day {
    fn line(&mut self, number: usize, line: Line<'_>) -> Result<(), String> {
        match line.first {
            "server" => self.server = Some(line.only("a name, like VPN1")?.to_owned()),
            "server-address" => self.server_address = Some(address(line.only("an IPv4 address")?)?),
            "pool" => {
                let range = "a range of IPv4 addresses, like 10.20.0.2-10.20.1.254";
                let (first, last) = line.only(range)?.split_once('-').ok_or_else(|| format!("expected {range}"))?;
                let range = (address(first)?, address(last)?);
                if range.0 > range.1 || u32::from(range.1) - u32::from(range.0) > 0xFF_FFFF {
                    return Err(format!("the pool {first}-{last} is empty or larger than a /8"));
                }
                self.pool = Some(range);
            }
            "ipv6-prefix" => self.ipv6_prefix = prefix(line.only("an IPv6 prefix, like 2001:db8:20::/64")?)?,
            "day" => {
                let expected = "when the day begins, like 2026-11-23T00:00:00+01:00";
                let text = line.only(expected)?;
                let begins = text.parse::<jiff::Timestamp>();
                self.begins =
                    Some(begins.map_err(|_| format!("`{text}` is no such time: expected {expected}"))?.as_second());
            }
            _ => return self.event(number, line),
        }
        if self.events.is_empty() { Ok(()) } else { Err("settings stand before the first event".into()) }
    }

    fn event(&mut self, number: usize, mut line: Line<'_>) -> Result<(), String> {
        let at = time(line.first).ok_or_else(|| {
            format!(
                "expected a time like 08:30:00, or one of the settings server, server-address, pool, ipv6-prefix and day; \
                 found `{}`",
                line.first
            )
        })?;
        if at < self.last {
            return Err(format!("{} is earlier than the event before it: events stand in order of time", line.first));
        }
        self.last = at;
        let verb = line.word("a verb: connect, link, unlink, reauthenticate, move or hangup")?;
        let session = line.word("the session's label")?.to_owned();
        let what = match verb {
            "connect" => self.connect(number, at, &session, &mut line)?,
            "link" => {
                if self.live(&session, at)?.tunnel == Tunnel::Ikev2 {
                    return Err("an IKEv2 connection has one link: further links are for PPP".into());
                }
                What::Link
            }
            "unlink" => {
                self.live(&session, at)?;
                What::Unlink
            }
            "reauthenticate" => {
                self.live(&session, at)?;
                What::Reauthenticate(quarantine(line.needed("quarantine")?)?)
            }
            "move" => {
                if self.live(&session, at)?.tunnel != Tunnel::Ikev2 {
                    return Err("only IKEv2 clients move: other tunnels reconnect".into());
                }
                What::Move(ip(line.needed("to")?)?)
            }
            "hangup" => {
                let life = self.live(&session, at)?;
                if life.ends.is_some() {
                    return Err(format!("`{session}` has an `until` already"));
                }
                if life.began == at {
                    return Err(format!("`{session}` connects in this second: hang up later"));
                }
                life.ends = Some(at);
                What::Hangup(used(&mut line)?)
            }
            other => {
                return Err(format!(
                    "there is no verb `{other}`: expected connect, link, unlink, reauthenticate, move or hangup"
                ));
            }
        };
        line.end()?;
        self.events.push(Event { at, line: number, session, what });
        Ok(())
    }

    /// The session, which must have connected and not ended before `at`.
    fn live(&mut self, session: &str, at: u32) -> Result<&mut Life, String> {
        match self.sessions.get_mut(session) {
            None => Err(format!("no session `{session}` has connected above")),
            Some(life) if life.ends.is_some_and(|ends| ends < at) => {
                Err(format!("the session `{session}` has ended before"))
            }
            Some(life) => Ok(life),
        }
    }

    fn connect(&mut self, number: usize, at: u32, session: &str, line: &mut Line<'_>) -> Result<What, String> {
        if self.sessions.contains_key(session) {
            return Err(format!("the session `{session}` has connected above: give each session a label of its own"));
        }
        let tunnel = tunnel(line.needed("tunnel")?)?;
        let mut request = Request::new(line.needed("user")?, tunnel);
        request.from = ip(line.needed("from")?)?;
        request.domain = match (line.key("domain"), request.user.split_once('\\')) {
            (Some(domain), _) => domain.to_owned(),
            (None, Some((domain, _))) => domain.to_owned(),
            (None, None) => String::new(),
        };
        request.computer = line.key("computer").unwrap_or_default().to_owned();
        request.ipv6 = line.flag("ipv6");
        request.pre_authentication = line.flag("pre-auth");
        if request.pre_authentication && tunnel != Tunnel::Sstp {
            return Err("`pre-auth` is for SSTP only".into());
        }
        request.offer = match line.key("offer") {
            None => Offer::FromPool,
            Some("none") => Offer::Nothing,
            Some(text) => Offer::This(address(text)?),
        };
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
            let what = What::Hangup(None);
            self.events.push(Event { at: until, line: number, session: session.to_owned(), what });
        }
        self.sessions.insert(session.to_owned(), Life { tunnel, began: at, ends });
        Ok(What::Connect(Box::new(request), used))
    }

    fn finish(mut self) -> Result<Scenario, String> {
        if self.events.is_empty() {
            return Err("the scenario has no event: expected lines like `08:30:00 connect alice user=CORP\\alice \
                        tunnel=sstp from=203.0.113.9 until=17:00:00`"
                .into());
        }
        let (first, last) = self.pool.ok_or("the setting `pool` is missing: RRAS needs addresses of its own")?;
        let server_address = self.server_address.ok_or("the setting `server-address` is missing")?;
        // A hangup by `until` stands where its connect stands: the sort is stable, so events of one moment keep the
        // file's order otherwise. Hangups of a moment come first, so that what they free can be given again.
        self.events.sort_by_key(|event| (event.at, !matches!(event.what, What::Hangup(_))));
        Ok(Scenario {
            server: self.server.unwrap_or_else(|| "VPN1".into()),
            pool: Pool::new(server_address, first, last, self.ipv6_prefix),
            begins: self.begins,
            events: self.events,
        })
    }
}

fn used(line: &mut Line<'_>) -> Result<Option<Use>, String> {
    let mut bytes = |key| line.key(key).map(|text| size(key, text)).transpose();
    let (received, sent) = (bytes("received")?, bytes("sent")?);
    Ok((received.is_some() || sent.is_some()).then(|| Use { received: received.unwrap_or(0), sent: sent.unwrap_or(0) }))
}

/// Bytes: a number, or one with K, M or G for 1024, 1024², 1024³.
fn size(key: &str, text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K')) => (&text[..at], 1 << 10),
        Some((at, 'M')) => (&text[..at], 1 << 20),
        Some((at, 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    number.ok_or_else(|| format!("`{key}` must be a number of bytes, like 1500000 or 20M, not `{text}`"))
}

fn time(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let mut next = |limit: u32| {
        let part = parts.next()?;
        let valid = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|&n| valid && n < limit)
    };
    let seconds = next(24)? * 3600 + next(60)? * 60 + next(60)?;
    (parts.next().is_none() && seconds < DAY).then_some(seconds)
}

fn address(text: &str) -> Result<Ipv4Addr, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is no IPv4 address: expected one like 10.20.0.1"))
}

fn ip(text: &str) -> Result<String, String> {
    let parsed = text.parse::<std::net::IpAddr>();
    parsed.map(|ip| ip.to_string()).map_err(|_| format!("`{text}` is no IP address: expected one like 203.0.113.9"))
}

fn prefix(text: &str) -> Result<[u8; 8], String> {
    let parsed = text.strip_suffix("/64").and_then(|prefix| prefix.parse::<Ipv6Addr>().ok());
    let octets = parsed.ok_or("expected an IPv6 prefix of 64 bits, like 2001:db8:20::/64")?.octets();
    let mut half = [0; 8];
    half.copy_from_slice(&octets[..8]);
    Ok(half)
}

fn tunnel(text: &str) -> Result<Tunnel, String> {
    Tunnel::ALL
        .into_iter()
        .find(|tunnel| tunnel.name().eq_ignore_ascii_case(text))
        .ok_or_else(|| format!("there is no tunnel `{text}`: expected sstp, ikev2, l2tp or pptp"))
}

fn quarantine(text: &str) -> Result<i32, String> {
    match text {
        "normal" => Ok(RAS_QUAR_STATE_NORMAL),
        "quarantine" => Ok(RAS_QUAR_STATE_QUARANTINE),
        "probation" => Ok(RAS_QUAR_STATE_PROBATION),
        "not-capable" => Ok(RAS_QUAR_STATE_NOT_CAPABLE),
        _ => {
            Err(format!("there is no quarantine state `{text}`: expected normal, quarantine, probation or not-capable"))
        }
    }
}

//! Exports NPS's DTS format: one `<Event>` for each record, a Start and a Stop for each session, in the order of time.

use super::{Export, time, was_established};
use crate::causes::cause_number;
use crate::logs::{escape, tunnel_number};
use jiff::tz::TimeZone;
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::Millis;
use rasadmin_policy::{Name, Tunnel};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

/// Acct-Status-Type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Start = 1,
    Stop = 2,
    Interim = 3,
}

/// The numbers of data_type in NPS.
#[derive(Clone, Copy)]
enum Type {
    Number = 0,
    Text = 1,
    Address = 3,
    Time = 4,
}

/// A session whose last record is still to be written.
struct Waiting {
    time: Millis,
    id: i64,
    status: Status,
    session: Box<SessionRow>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The heap returns the greatest, so the earliest is the greatest.
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time, other.id).cmp(&(self.time, self.id))
    }
}

/// Writes events.
pub struct Dts<W> {
    out: W,
    zone: TimeZone,
    waiting: BinaryHeap<Waiting>,
}

impl<W: Write> Dts<W> {
    /// `zone` is the time zone of the records' own times, which NPS writes in local time.
    pub fn new(out: W, zone: TimeZone) -> Self {
        Self { out, zone, waiting: BinaryHeap::new() }
    }

    /// Writes the records up to a time.
    fn until(&mut self, time: Millis) -> io::Result<()> {
        while self.waiting.peek().is_some_and(|waiting| waiting.time <= time) {
            if let Some(last) = self.waiting.pop() {
                self.event(&last.session, last.status, last.time)?;
            }
        }
        Ok(())
    }

    fn event(&mut self, s: &SessionRow, status: Status, at: Millis) -> io::Result<()> {
        let mut event = Event { text: String::with_capacity(2_048), escaped: false };
        let at = time(at);
        let local = at.to_zoned(self.zone.clone());
        event.add("Timestamp", Type::Time, &local.strftime("%m/%d/%Y %H:%M:%S.%3f").to_string());
        event.name("Computer-Name", &s.nas_identifier);
        event.add("Event-Source", Type::Text, "RAS");
        event.name("User-Name", &s.user_name);
        event.name("NAS-Identifier", &s.nas_identifier);
        event.number("NAS-Port-Type", 5);
        if let Some(port) = s.nas_port {
            event.number("NAS-Port", u64::from(port));
        }
        if let Some(port) = &s.nas_port_id {
            event.name("NAS-Port-Id", port);
        }
        event.add("Calling-Station-Id", Type::Text, &s.calling_station_id);
        if s.calling_station_id.parse::<IpAddr>().is_ok() {
            event.add("Tunnel-Client-Endpt", Type::Text, &s.calling_station_id);
        }
        event.add("Framed-IP-Address", Type::Address, s.framed_ip_address.as_deref().unwrap_or(""));
        event.add("Framed-Interface-Id", Type::Text, s.framed_interface_id.as_deref().unwrap_or(""));
        event.add("Framed-IPv6-Prefix", Type::Text, s.framed_ipv6_prefix.as_deref().unwrap_or(""));
        event.tunnel(s.tunnel_type.as_deref());
        event.number("Service-Type", 2);
        if !s.remote_computer.is_empty() {
            let name = Name::from_stored(format!("MSRAS-0-{}", s.remote_computer.as_str()));
            event.name("MS-RAS-Client-Name", &name);
        }
        if let Some(user) = s.user().filter(|user| !user.domain.is_empty()) {
            let name = Name::from_stored(format!("{}\\{}", user.domain.as_str(), user.name.as_str()));
            event.name("SAM-Account-Name", &name);
            event.name("Fully-Qualifed-User-Name", &name);
        }
        event.add("Event-Timestamp", Type::Time, &at.strftime("%m/%d/%Y %H:%M:%S").to_string());
        event.number("Acct-Status-Type", status as u64);
        event.number("Acct-Delay-Time", 0);
        event.add("Acct-Session-Id", Type::Text, &s.acct_session_id);
        event.add("Acct-Multi-Session-Id", Type::Text, &s.acct_session_id);
        event.number("Acct-Link-Count", u64::from(s.acct_link_count.max(1)));
        if status != Status::Start {
            event.used(s);
        }
        if status == Status::Stop
            && let Some(cause) = s.acct_terminate_cause.as_deref().and_then(cause_number)
        {
            event.number("Acct-Terminate-Cause", u64::from(cause));
        }
        event.number("Packet-Type", 4);
        event.number("Reason-Code", 0);
        // What NPS has no attribute for, so that an import of this has the same session.
        if status == Status::Stop && s.estimated {
            event.number("Rasadmin-Estimated", 1);
        }
        if event.escaped {
            event.number("Rasadmin-Escaped", 1);
        }
        write!(self.out, "<Event>{}</Event>\r\n", event.text)
    }
}

impl<W: Write> Export for Dts<W> {
    fn session(&mut self, session: SessionRow) -> io::Result<bool> {
        if !was_established(&session) {
            return Ok(false);
        }
        let start = session.acct_start_time;
        self.until(start)?;
        self.event(&session, Status::Start, start)?;
        let seen = session.last_seen.filter(|&seen| seen > start).map(|seen| (seen, Status::Interim));
        if let Some((time, status)) = session.acct_stop_time.map(|stop| (stop, Status::Stop)).or(seen) {
            self.waiting.push(Waiting { time, id: session.id, status, session: Box::new(session) });
        }
        Ok(true)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.until(Millis::MAX)?;
        self.out.flush()
    }
}

/// An event's elements.
struct Event {
    text: String,
    escaped: bool,
}

impl Event {
    /// Adds an element, unless its value is empty.
    fn add(&mut self, name: &str, data_type: Type, value: &str) {
        if value.is_empty() {
            return;
        }
        let _ = write!(self.text, "<{name} data_type=\"{}\">", data_type as u8); // To a String: cannot fail.
        for c in value.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                _ => self.text.push(c),
            }
        }
        let _ = write!(self.text, "</{name}>");
    }

    fn number(&mut self, name: &str, value: u64) {
        self.add(name, Type::Number, &value.to_string());
    }

    /// Adds a name. Characters that XML cannot carry are escaped.
    fn name(&mut self, element: &str, name: &Name) {
        let (text, escaped) = escape(name);
        self.escaped |= escaped;
        self.add(element, Type::Text, &text);
    }

    /// Adds the tunnel. Tunnel-Type is a number; no number for IKEv2 is known, so Connect-Info names it.
    fn tunnel(&mut self, name: Option<&str>) {
        let Some(name) = name else { return };
        let known = name.parse::<Tunnel>().ok();
        match known.map_or_else(|| name.parse().ok(), tunnel_number) {
            Some(number) => {
                self.number("Tunnel-Type", u64::from(number));
                self.number("Tunnel-Medium-Type", 1);
            }
            None => self.add("Connect-Info", Type::Text, name),
        }
        if known.is_some_and(|tunnel| tunnel != Tunnel::Ikev2) {
            self.number("Framed-Protocol", 1);
        }
    }

    /// Adds the usage: the low 32 bits of octets, and how often they wrapped. Exact octets have this also if they did
    /// not wrap: without it, nobody knows.
    fn used(&mut self, s: &SessionRow) {
        let exact = s.octets_are.as_deref() == Some("exact");
        let low = |octets: Option<u64>| octets.map(|octets| octets & 0xffff_ffff);
        let high = |octets: Option<u64>| octets.map(|octets| octets >> 32).filter(|&high| high > 0 || exact);
        let mut some = |name: &str, value: Option<u64>| {
            if let Some(value) = value {
                self.number(name, value);
            }
        };
        some("Acct-Session-Time", s.acct_session_time.or(s.seconds_seen()));
        some("Acct-Input-Octets", low(s.acct_input_octets));
        some("Acct-Output-Octets", low(s.acct_output_octets));
        some("Acct-Input-Gigawords", high(s.acct_input_octets));
        some("Acct-Output-Gigawords", high(s.acct_output_octets));
        some("Acct-Input-Packets", s.acct_input_packets);
        some("Acct-Output-Packets", s.acct_output_packets);
        some("Rasadmin-Lower-Bound", (s.octets_are.as_deref() == Some("lower bound")).then_some(1));
    }
}

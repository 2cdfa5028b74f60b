//! What a log has for the ledger, and which attribute says what.

use super::classes::Asked;
use super::detect::Format;
use super::record::{Record, TUNNELS};
use super::xml_names::unescape;
use crate::PastSession;
use rasadmin_ledger::imported::ImportedUsage;
use rasadmin_policy::{Fact, Millis, Name, Tunnel};
use std::net::IpAddr;

/// The most characters of a Calling-Station-Id that are kept, as many as RADIUS can carry.
const LONGEST_CALLING: usize = 253;

/// A session from a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSession {
    /// What all sources of past sessions have.
    pub past: PastSession,
    /// The format of the log.
    pub format: Format,
    /// Tunnel-Type, if it is an unknown number.
    pub tunnel_number: Option<u32>,
    /// Octets and frames until `last_seen`.
    pub usage: ImportedUsage,
    /// NAS-Port.
    pub nas_port: Option<u32>,
    /// Calling-Station-Id if it is not an address, such as a phone number: safe to print. Empty if there is none.
    pub calling: String,
    /// The connect time in seconds, from the log or from its times.
    pub seconds: u64,
    /// Was it passed on before without its end?
    pub continued: bool,
    /// Does the log have Gigawords? If so, no counter can have wrapped unnoticed.
    pub gigawords: bool,
    /// Does it say that the octets are a lower bound? Our own export does.
    pub lower_bound: bool,
    /// The IPv6 interface identifier, as the ledger writes it.
    pub interface_id: Option<String>,
    /// The IPv6 prefix.
    pub prefix: Option<String>,
}

impl LogSession {
    /// How many bytes its texts have.
    pub(super) fn text_bytes(&self) -> usize {
        let past = &self.past;
        let name = |fact: &Fact<Name>| fact.known().map_or(0, |name| name.as_str().len());
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let names = [&past.server, &past.user, &past.domain].map(|name| name.as_str().len()).iter().sum::<usize>();
        let others = past.key.len() + self.calling.len() + text(&self.interface_id) + text(&self.prefix);
        names + name(&past.port) + name(&past.computer) + others
    }
}

/// An attempt that NPS refused.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRefusal {
    /// What request and answer say, with the time of the answer as its start. It has no end.
    pub session: LogSession,
    /// Reason-Code: why NPS refused.
    pub reason_code: Option<u32>,
}

/// A restart of a server: Accounting-On or -Off. The sessions that were open in the log have ended with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRestart {
    /// The RRAS server.
    pub server: Name,
    /// When it restarted.
    pub time: Millis,
}

/// What a log has for the ledger.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum LogItem {
    Session(LogSession),
    Refusal(LogRefusal),
    Restart(LogRestart),
}

/// A name in a record, with the escapes for XML undone.
pub(super) fn name(record: &Record, text: &str) -> Name {
    if record.escaped { unescape(text) } else { Name::new(text) }
}

/// A session or an attempt of which only the server is known.
pub(super) fn new_session(record: &Record, start: Millis, format: Format) -> LogSession {
    let past = PastSession {
        key: String::new(),
        server: name(record, record.server()),
        user: Name::default(),
        domain: Name::default(),
        start,
        ended: None,
        last_seen: start,
        tunnel: Fact::NotYetKnown,
        port: Fact::NotYetKnown,
        source: Fact::NotYetKnown,
        computer: Fact::NotYetKnown,
        quarantine: Fact::NotYetKnown,
        interface: Fact::NotYetKnown,
        address: Fact::NotYetKnown,
        links: 1,
    };
    LogSession {
        past,
        format,
        tunnel_number: None,
        usage: ImportedUsage::default(),
        nas_port: None,
        calling: String::new(),
        seconds: 0,
        continued: false,
        gigawords: false,
        lower_bound: false,
        interface_id: None,
        prefix: None,
    }
}

/// The first text that is not empty.
pub(super) fn first(texts: [&str; 3]) -> &str {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or("")
}

/// Fills in what the record says and was not known before.
pub(super) fn describe(session: &mut LogSession, record: &Record, asked: Option<&Asked>) {
    let past = &mut session.past;
    past.links = past.links.max(record.link_count.unwrap_or(1).min(1_000));
    if past.server.is_empty() {
        past.server = name(record, record.server());
    }
    let qualified = record.fully_qualified_name.as_str();
    // `DOMAIN\user`: the account that NPS found for the name.
    let account = if qualified.contains('\\') { qualified } else { "" };
    let sam = first([&record.sam_account, asked.map_or("", |asked| &asked.sam_account), account]);
    if past.user.is_empty() {
        // `domain/folder/user`: without a domain controller's name for it.
        let canonical = qualified.rsplit_once('/').map_or("", |(_, user)| user);
        let user = first([&record.user_name, asked.map_or("", |asked| &asked.user), sam]);
        past.user = name(record, first([user, canonical, ""]));
    }
    if past.domain.is_empty() {
        let of_account = sam.split_once('\\').map_or("", |(domain, _)| domain);
        let domain = first([of_account, &record.chap_domain, asked.map_or("", |asked| &asked.chap_domain)]);
        past.domain = name(record, domain);
    }
    if past.tunnel.known().is_none() {
        match record.tunnel_type {
            Some(number) => match TUNNELS.iter().find(|&&(known, _)| known == number) {
                Some(&(_, tunnel)) => past.tunnel = Fact::Known(tunnel),
                None => session.tunnel_number = Some(number),
            },
            None => {
                let named = record.connect_info.parse::<Tunnel>();
                past.tunnel = named.map_or(Fact::NotYetKnown, Fact::Known);
            }
        }
    }
    if past.source.known().is_none() {
        let source =
            [&record.calling_station, &record.tunnel_client].into_iter().find_map(|text| text.trim().parse().ok());
        past.source = source.map_or(Fact::NotYetKnown, Fact::Known);
    }
    session.nas_port = session.nas_port.or(record.nas_port);
    if session.calling.is_empty() && record.calling_station.trim().parse::<IpAddr>().is_err() {
        let calling: String = record.calling_station.trim().chars().take(LONGEST_CALLING).collect();
        session.calling = rasadmin_text::printable(&calling).into_owned();
    }
    if past.address.known().is_none() {
        past.address = record.framed_ip_address.trim().parse().map_or(Fact::NotYetKnown, Fact::Known);
    }
    if past.port.known().is_none() && !record.nas_port_id.is_empty() {
        past.port = Fact::Known(name(record, &record.nas_port_id));
    }
    if past.computer.known().is_none() && !record.ras_client_name.is_empty() {
        past.computer = Fact::Known(name(record, client_name(&record.ras_client_name)));
    }
    let set = |field: &mut Option<String>, text: &str| {
        if field.is_none() && is_ipv6(text) {
            *field = Some(text.to_owned());
        }
    };
    set(&mut session.interface_id, &record.framed_interface_id);
    set(&mut session.prefix, &record.framed_ipv6_prefix);
    session.gigawords |= record.input_gigawords.is_some() || record.output_gigawords.is_some();
    session.lower_bound |= record.lower_bound;
}

/// Is it an IPv6 address, with or without a prefix length?
fn is_ipv6(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    address.parse::<std::net::Ipv6Addr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= 128)
}

/// Extracts the computer's name from MS-RAS-Client-Name, after `MSRAS-0-`.
fn client_name(text: &str) -> &str {
    let rest = text.strip_prefix("MSRAS-").and_then(|rest| rest.split_once('-'));
    rest.filter(|(digit, _)| digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit()).map_or(text, |(_, name)| name)
}

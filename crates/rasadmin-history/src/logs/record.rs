//! A record of a log, with the attributes that are used.

pub use super::attribute::Attribute;
use super::civil;
use super::fault::shown;
use super::key;
use super::octets::{self, Texts};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rasadmin_policy::Millis;
use rasadmin_policy::Tunnel;
use std::net::IpAddr;

/// The Tunnel-Type numbers that RRAS writes. 79617 is Microsoft's (vendor 311) value 1. No number for IKEv2 is known.
pub const TUNNELS: [(u32, Tunnel); 3] = [(1, Tunnel::Pptp), (3, Tunnel::L2tp), (79_617, Tunnel::Sstp)];

/// The RADIUS number of a tunnel, if it has one.
pub fn tunnel_number(tunnel: Tunnel) -> Option<u32> {
    TUNNELS.iter().find(|(_, known)| *known == tunnel).map(|&(number, _)| number)
}

/// The longest text of an attribute, in bytes. A RADIUS attribute has at most 253; as hexadecimal digits, or with each
/// byte as an escape for XML, it takes no more than this.
const LONGEST: usize = 2_048;

/// Why a record has no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// It has only its local time, and no time zone is known.
    ZoneMissing,
    /// What is wrong with the record.
    Fault(&'static str),
}

/// A record. If an attribute is missing, its text is empty, or its number is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Record {
    pub computer: String,
    pub service: String,
    /// The server's local time at which the record was written.
    pub logged: Option<DateTime>,
    /// Event-Timestamp, UTC.
    pub event: Option<Millis>,
    /// When it happened, UTC: the time of the event, or else of the record. Set by [`Record::settle`]; `None` if
    /// unknown.
    pub time: Option<Millis>,
    /// The second time that it can be, if its local time comes twice because the clocks go back. `time` is the first.
    pub again: Option<Millis>,
    /// Its local time does not exist, because the clocks go forward. `time` is as if they did so a little later.
    pub never: bool,
    pub packet_type: Option<u32>,
    pub user_name: String,
    pub sam_account: String,
    pub calling_station: String,
    pub framed_ip_address: String,
    pub framed_interface_id: String,
    pub framed_ipv6_prefix: String,
    pub nas_identifier: String,
    pub nas_ip_address: String,
    pub nas_port: Option<u32>,
    pub nas_port_id: String,
    pub nas_port_type: Option<u32>,
    pub client_ip_address: String,
    pub client_friendly_name: String,
    pub connect_info: String,
    pub class: String,
    /// Is `class` of NPS? Set with it.
    pub(super) class_is_of_nps: bool,
    pub status: Option<u32>,
    pub delay: Option<u32>,
    pub input_octets: Option<u64>,
    pub output_octets: Option<u64>,
    pub input_gigawords: Option<u32>,
    pub output_gigawords: Option<u32>,
    pub input_packets: Option<u64>,
    pub output_packets: Option<u64>,
    pub session_id: String,
    pub multi_session_id: String,
    pub link_count: Option<u32>,
    pub session_time: Option<u64>,
    pub terminate_cause: Option<u32>,
    pub tunnel_type: Option<u32>,
    pub tunnel_client: String,
    pub ras_vendor: Option<u32>,
    pub ras_client_name: String,
    pub chap_domain: String,
    pub fully_qualified_name: String,
    pub reason_code: Option<u32>,
    pub escaped: bool,
    pub estimated: bool,
    pub lower_bound: bool,
}

impl Record {
    /// Sets an attribute from its text. An empty text is ignored; a text instead of a number is a fault.
    pub fn set(&mut self, attribute: Attribute, text: &str) -> Result<(), String> {
        use Attribute as A;
        if text.is_empty() {
            return Ok(());
        }
        if text.len() > LONGEST && attribute != A::Other {
            let (name, long) = (attribute.name(), text.len());
            return Err(format!(
                "{name} has {long} bytes: a value has at most 253 in RADIUS, and at most {LONGEST} as a log writes it"
            ));
        }
        let number = |field: &mut Option<u32>| {
            *field = Some(text.trim().parse().map_err(|_| not_a_number(attribute, text))?);
            Ok(())
        };
        let large = |field: &mut Option<u64>| {
            *field = Some(text.trim().parse().map_err(|_| not_a_number(attribute, text))?);
            Ok(())
        };
        let flag = |field: &mut bool| {
            *field = text == "1";
            Ok(())
        };
        let field = match attribute {
            A::PacketType => return number(&mut self.packet_type),
            A::NasPort => return number(&mut self.nas_port),
            A::NasPortType => return number(&mut self.nas_port_type),
            A::AcctStatusType => return number(&mut self.status),
            A::AcctDelayTime => return number(&mut self.delay),
            A::AcctInputGigawords => return number(&mut self.input_gigawords),
            A::AcctOutputGigawords => return number(&mut self.output_gigawords),
            A::AcctLinkCount => return number(&mut self.link_count),
            A::AcctTerminateCause => return number(&mut self.terminate_cause),
            A::TunnelType => return number(&mut self.tunnel_type),
            A::ReasonCode => return number(&mut self.reason_code),
            A::AcctInputOctets => return large(&mut self.input_octets),
            A::AcctOutputOctets => return large(&mut self.output_octets),
            A::AcctInputPackets => return large(&mut self.input_packets),
            A::AcctOutputPackets => return large(&mut self.output_packets),
            A::AcctSessionTime => return large(&mut self.session_time),
            // If this is not a number, it tells nothing that is needed.
            A::MsRasVendor => {
                self.ras_vendor = text.trim().parse().ok();
                return Ok(());
            }
            A::EventTimestamp => {
                self.event = civil::event_timestamp(text);
                return Ok(());
            }
            A::Escaped => return flag(&mut self.escaped),
            A::Estimated => return flag(&mut self.estimated),
            A::LowerBound => return flag(&mut self.lower_bound),
            A::ComputerName => &mut self.computer,
            A::ServiceName => &mut self.service,
            A::UserName => &mut self.user_name,
            A::SamAccountName => &mut self.sam_account,
            A::CallingStationId => &mut self.calling_station,
            A::FramedIpAddress => &mut self.framed_ip_address,
            A::FramedInterfaceId => &mut self.framed_interface_id,
            A::FramedIpv6Prefix => &mut self.framed_ipv6_prefix,
            A::NasIdentifier => &mut self.nas_identifier,
            A::NasIpAddress => &mut self.nas_ip_address,
            A::NasPortId => &mut self.nas_port_id,
            A::ClientIpAddress => &mut self.client_ip_address,
            A::ClientFriendlyName => &mut self.client_friendly_name,
            A::ConnectInfo => &mut self.connect_info,
            // A policy of NPS can add its own beside NPS's.
            A::Class if self.class_is_of_nps && !is_of_nps(text) => return Ok(()),
            A::Class => {
                self.class_is_of_nps = is_of_nps(text);
                &mut self.class
            }
            A::AcctSessionId => &mut self.session_id,
            A::AcctMultiSessionId => &mut self.multi_session_id,
            A::TunnelClientEndpoint => &mut self.tunnel_client,
            A::MsRasClientName => &mut self.ras_client_name,
            A::MsChapDomain => &mut self.chap_domain,
            A::FullyQualifiedName => &mut self.fully_qualified_name,
            A::Other => return Ok(()),
        };
        field.clear();
        field.push_str(text);
        Ok(())
    }

    /// Sets an attribute from the hexadecimal digits of its octets.
    pub fn set_octets(&mut self, attribute: Attribute, digits: &str) -> Result<(), String> {
        let text = octets::text(attribute, digits);
        self.set(attribute, text.as_deref().unwrap_or(digits))
    }

    /// Sets an attribute from a value that may be written as `0x` and the hexadecimal digits of its octets.
    pub fn set_written(&mut self, attribute: Attribute, value: &str, texts: Texts) -> Result<(), String> {
        let text = octets::written(attribute, value, texts);
        self.set(attribute, text.as_deref().unwrap_or(value))
    }

    /// Sets the time at which it happened. Event-Timestamp is UTC. The record's own time is local, needs a time zone,
    /// and is later by Acct-Delay-Time.
    pub fn settle(&mut self, zone: Option<&TimeZone>) -> Result<(), Unsettled> {
        if let Some(event) = self.event {
            self.time = Some(civil::with_fraction(event, self.logged));
            return Ok(());
        }
        let none = Unsettled::Fault("it has no time: neither Event-Timestamp nor the record's own");
        let local = self.logged.ok_or(none)?;
        let zone = zone.ok_or(Unsettled::ZoneMissing)?;
        let delay = i64::from(self.delay.unwrap_or(0)) * 1000;
        self.time =
            Some(civil::utc(local, zone).ok_or(Unsettled::Fault("its time does not exist in this time zone"))? - delay);
        self.again = civil::utc_again(local, zone).map(|again| again - delay);
        self.never = civil::is_skipped(local, zone);
        Ok(())
    }

    /// The RRAS server. In RRAS's own records, the computer is the server. In NPS records, the computer is the NPS,
    /// and the server is the RADIUS client.
    pub fn server(&self) -> &str {
        let ras = self.service.eq_ignore_ascii_case("RAS");
        let client = [&self.client_friendly_name, &self.nas_ip_address, &self.client_ip_address];
        let last = if ras { [&self.computer, &self.computer, &self.computer] } else { client };
        let all = std::iter::once(&self.nas_identifier).chain(last).chain([&self.computer]);
        all.map(String::as_str).find(|name| !name.is_empty()).unwrap_or("")
    }

    /// Does it come from an RRAS server? An NPS also serves switches and wireless networks.
    pub fn is_of_rras(&self) -> bool {
        let virtual_or_dialled = self.nas_port_type.is_none_or(|kind| kind <= 14);
        virtual_or_dialled || self.service.eq_ignore_ascii_case("RAS") || self.ras_vendor == Some(311)
    }

    /// The Class, if it is of NPS, which gives each request its own. A policy can set one that is the same for many users.
    pub fn unique_class(&self) -> &str {
        if self.class_is_of_nps { &self.class } else { "" }
    }

    /// Does the record identify its session? Without NPS's Class, ids repeat after every restart of the server.
    pub fn is_unique(&self) -> bool {
        self.class_is_of_nps || key::uuid(self.id()).is_some()
    }

    /// The session's id: that of all its links, or else of the single link.
    pub fn id(&self) -> &str {
        if self.multi_session_id.is_empty() { &self.session_id } else { &self.multi_session_id }
    }
}

/// Is a Class of the form that NPS gives it: `311 1`, its address, when it was started, and a number?
fn is_of_nps(class: &str) -> bool {
    let mut words = class.split_ascii_whitespace();
    let mut next = |fits: fn(&str) -> bool| words.next().is_some_and(fits);
    let address = |word: &str| word.split('%').next().is_some_and(|address| address.parse::<IpAddr>().is_ok());
    let digits = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let time = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || b"/.-:".contains(&byte));
    let fits = next(|word| word == "311") && next(|word| word == "1") && next(address) && next(time) && next(time);
    fits && next(digits) && words.next().is_none()
}

fn not_a_number(attribute: Attribute, text: &str) -> String {
    format!("{} is {}, not a number", attribute.name(), shown(text))
}

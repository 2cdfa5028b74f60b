//! The DTS format: `<Event>` elements, each with one flat element per attribute; usually one event per line.
//!
//! The text may be damaged. An event ends at `</Event>` or where the next event begins, so a damaged event does not
//! affect others. A value ends at its own closing tag, so an unescaped `<` does no harm.

use super::civil;
use super::fault::{shown, torn};
use super::lines::{LONGEST, Line, Lines};
use super::octets::Texts;
use super::record::{Attribute, Record};
use Attribute as A;
use std::io;

/// The attributes of elements. Some names differ from RADIUS's, and some between versions of Windows.
fn attribute(name: &str) -> Attribute {
    match name {
        "Computer-Name" | "ComputerName" => A::ComputerName,
        "Event-Source" | "ServiceName" => A::ServiceName,
        "Packet-Type" => A::PacketType,
        "User-Name" => A::UserName,
        "SAM-Account-Name" => A::SamAccountName,
        "Calling-Station-Id" | "Calling-Station-ID" => A::CallingStationId,
        "Framed-IP-Address" => A::FramedIpAddress,
        "Framed-Interface-Id" => A::FramedInterfaceId,
        "Framed-IPv6-Prefix" => A::FramedIpv6Prefix,
        "NAS-Identifier" => A::NasIdentifier,
        "NAS-IP-Address" => A::NasIpAddress,
        "NAS-Port" => A::NasPort,
        "NAS-Port-Id" => A::NasPortId,
        "NAS-Port-Type" => A::NasPortType,
        "Client-IP-Address" => A::ClientIpAddress,
        "Client-Friendly-Name" => A::ClientFriendlyName,
        "Event-Timestamp" => A::EventTimestamp,
        "Connect-Info" => A::ConnectInfo,
        "Class" => A::Class,
        "Acct-Status-Type" => A::AcctStatusType,
        "Acct-Delay-Time" => A::AcctDelayTime,
        "Acct-Input-Octets" => A::AcctInputOctets,
        "Acct-Output-Octets" => A::AcctOutputOctets,
        "Acct-Input-Gigawords" => A::AcctInputGigawords,
        "Acct-Output-Gigawords" => A::AcctOutputGigawords,
        "Acct-Input-Packets" => A::AcctInputPackets,
        "Acct-Output-Packets" => A::AcctOutputPackets,
        "Acct-Session-Id" => A::AcctSessionId,
        "Acct-Multi-Session-Id" | "Acct-Multi-Ssn-Id" | "Acct-Multi-Ssn-ID" => A::AcctMultiSessionId,
        "Acct-Link-Count" => A::AcctLinkCount,
        "Acct-Session-Time" => A::AcctSessionTime,
        "Acct-Terminate-Cause" => A::AcctTerminateCause,
        "Tunnel-Type" => A::TunnelType,
        "Tunnel-Client-Endpt" | "Tunnel-Client-Endpoint" => A::TunnelClientEndpoint,
        "MS-RAS-Vendor" => A::MsRasVendor,
        "MS-RAS-Client-Name" => A::MsRasClientName,
        "MS-CHAP-Domain" => A::MsChapDomain,
        // NPS itself writes it without the second `i`.
        "Fully-Qualifed-User-Name" | "Fully-Qualified-User-Name" => A::FullyQualifiedName,
        "Reason-Code" => A::ReasonCode,
        "Rasadmin-Escaped" => A::Escaped,
        "Rasadmin-Estimated" => A::Estimated,
        "Rasadmin-Lower-Bound" => A::LowerBound,
        _ => A::Other,
    }
}

const START: &str = "<Event";
const END: &str = "</Event>";

/// Finds the events in a file's lines.
pub struct Events {
    lines: Lines,
    line: String,
    /// How much of the line was used.
    used: usize,
    /// The event that has begun, without its own tag, and its line.
    event: Option<(String, u64)>,
    /// The line of an event that had no end at the end of the file.
    unfinished: Option<u64>,
    /// Whether nothing more will be written to the file.
    finished: bool,
}

/// An event's content or a fault, with its line.
pub type Found = (u64, Result<String, String>);

impl Events {
    /// Reads from these lines.
    pub fn new(lines: Lines) -> Self {
        Self { lines, line: String::new(), used: 0, event: None, unfinished: None, finished: false }
    }

    /// Whether nothing more will be written to the file: then an event without its end is a fault.
    pub fn set_finished(&mut self, finished: bool) {
        self.finished = finished;
    }

    /// The line of the last event, if the file ends before it does: it may still be written.
    pub fn unfinished(&self) -> Option<u64> {
        self.unfinished
    }

    /// Returns the next event or fault; `None` at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<Found>> {
        loop {
            if self.used >= self.line.len() {
                match self.lines.next(&mut self.line)? {
                    None => {
                        self.line.clear();
                        let event = self.event.take().map(|(_, at)| at);
                        if let Some(at) = event.filter(|_| self.finished) {
                            return Ok(Some((at, Err("the event has no end".to_owned()))));
                        }
                        self.unfinished = event;
                        return Ok(None);
                    }
                    Some(Line::TooLong) => {
                        self.event = None;
                        return Ok(Some((self.lines.number(), Err("the line is longer than 1 MiB".to_owned()))));
                    }
                    Some(Line::Hole { at, size }) => {
                        let cut = self.event.take().map(|(event, _)| event);
                        return Ok(Some((self.lines.number(), Err(torn(cut.as_deref(), at, size)))));
                    }
                    Some(Line::Text { .. }) => self.used = 0,
                }
                // A line break within an event is space between elements, or part of a value.
                if let Some((event, _)) = &mut self.event
                    && !event.is_empty()
                {
                    event.push('\n');
                }
                if self.line.is_empty() {
                    continue;
                }
            }
            if let Some(found) = self.step() {
                return Ok(Some(found));
            }
        }
    }

    /// Uses a part of the line.
    fn step(&mut self) -> Option<Found> {
        let rest = &self.line[self.used..];
        let number = self.lines.number();
        let start = start(rest);
        let Some((event, at)) = &mut self.event else {
            let Some((before, after)) = start else {
                self.used = self.line.len();
                return outside(rest).map(|what| (number, Err(what)));
            };
            let fault = outside(&rest[..before]);
            self.used += after;
            self.event = Some((String::new(), number));
            return fault.map(|what| (number, Err(what)));
        };
        let at = *at;
        // Do not search beyond the beginning of the next event, so that each byte is looked at once.
        let until = start.map_or(rest.len(), |(before, _)| before);
        let end = rest[..until].find(END);
        if end.is_none()
            && let Some((before, _)) = start
        {
            // Another event begins before this one has ended.
            self.used += before;
            self.event = None;
            return Some((at, Err("the event has no end".to_owned())));
        }
        let text = &rest[..end.unwrap_or(rest.len())];
        if event.len() + text.len() > LONGEST {
            self.used = self.line.len();
            self.event = None;
            return Some((at, Err("the event is longer than 1 MiB".to_owned())));
        }
        event.push_str(text);
        match end {
            Some(end) => {
                self.used += end + END.len();
                self.event.take().map(|(event, at)| (at, Ok(event)))
            }
            None => {
                self.used = self.line.len();
                None
            }
        }
    }
}

/// The begin and end of an event's own tag; `<Event-Source>` is not one.
fn start(text: &str) -> Option<(usize, usize)> {
    // Otherwise, each of many beginnings would be searched to the end of the line.
    let text = &text[..=text.rfind('>')?];
    let tag = |at: usize| {
        let rest = &text[at + START.len()..];
        (rest.starts_with('>') || rest.starts_with([' ', '\t'])).then_some(())?;
        rest.find('>').map(|end| (at, at + START.len() + end + 1))
    };
    text.match_indices(START).find_map(|(at, _)| tag(at))
}

/// Checks the text between events: declarations, comments and a root element are ignored; other text is a fault.
fn outside(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !text.starts_with('<')).then(|| format!("{} is outside an event", shown(text)))
}

/// Parses an event's content into a record.
pub fn record(event: &str) -> Result<Record, String> {
    let mut record = Record::default();
    let mut rest = event.trim_start();
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            return Err(format!("{} is where an element is expected", shown(rest)));
        };
        if let Some(comment) = tag.strip_prefix("!--") {
            let end = comment.find("-->").ok_or("a comment has no end")?;
            rest = comment[end + 3..].trim_start();
            continue;
        }
        let name_end = tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(tag.len());
        let name = &tag[..name_end];
        let tag_end = tag.find('>').filter(|_| !name.is_empty());
        let tag_end = tag_end.ok_or_else(|| format!("{} is not an element", shown(rest)))?;
        let content = &tag[tag_end + 1..];
        if tag[..tag_end].ends_with('/') {
            rest = content.trim_start();
            continue;
        }
        let closing = format!("</{name}>");
        let end = content.find(&closing).ok_or_else(|| format!("the element {} has no end", shown(name)))?;
        value(&mut record, name, data_type(&tag[name_end..tag_end]), &content[..end])?;
        rest = content[end + closing.len()..].trim_start();
    }
    if record.packet_type.is_none() {
        return Err("it has no Packet-Type".to_owned());
    }
    Ok(record)
}

/// The value of `data_type` in the text after an element's name.
fn data_type(attributes: &str) -> Option<&str> {
    let (_, after) = attributes.split_once("data_type")?;
    let quoted = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = quoted.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    quoted[1..].split_once(quote).map(|(value, _)| value)
}

fn value(record: &mut Record, name: &str, data_type: Option<&str>, text: &str) -> Result<(), String> {
    let plain = text.trim().strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
    let unescaped;
    let text = match plain {
        Some(text) => text,
        None if text.contains('&') => {
            unescaped = unescape(text);
            &unescaped
        }
        None => text,
    };
    if name == "Timestamp" {
        record.logged = civil::stamp(text);
        return match record.logged {
            Some(_) => Ok(()),
            None => Err(format!("{} is not a date and time like `05/19/2014 15:21:44.008`", shown(text))),
        };
    }
    match data_type {
        Some("2") => record.set_octets(attribute(name), text),
        Some(_) => record.set(attribute(name), text),
        None => record.set_written(attribute(name), text, Texts::Quoted),
    }
}

/// Replaces XML's five named entities and its numeric ones. Anything else is taken literally, because not every log is
/// valid XML.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let entity = &rest[at + 1..];
        let end = entity.bytes().take(10).position(|byte| byte == b';');
        let character = end.and_then(|end| match &entity[..end] {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            number => {
                let number = number.strip_prefix('#')?;
                let hex = number.strip_prefix(['x', 'X']);
                hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
                    .and_then(char::from_u32)
            }
        });
        match (character, end) {
            (Some(character), Some(end)) => {
                out.push(character);
                rest = &entity[end + 1..];
            }
            _ => {
                out.push('&');
                rest = entity;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn all(text: &str) -> Vec<Found> {
        let mut events = Events::new(Lines::new(io::Cursor::new(text.as_bytes().to_vec())).unwrap());
        std::iter::from_fn(|| events.next().unwrap()).collect()
    }

    #[test]
    fn the_real_sample_is_read() {
        let sample = include_str!("../../tests/samples/nps-dts.log");
        let found = all(sample);
        let records: Vec<Record> = found.into_iter().map(|(_, event)| record(&event.unwrap()).unwrap()).collect();
        let types: Vec<_> = records.iter().filter_map(|r| r.packet_type).collect();
        assert_eq!(types, [1, 3, 11]);
        assert_eq!(records[1].sam_account, r"DOMAIN\ComputerName.domain.com");
        assert_eq!(records[0].logged.unwrap().to_string(), "2014-05-19T15:21:44.008");
        assert_eq!((records[0].service.as_str(), records[0].tunnel_type), ("IAS", Some(13)));
        assert!(!records[0].is_of_rras());
    }

    #[test]
    fn one_a_line_or_over_many_or_many_a_line_is_the_same() {
        let one = r#"<Event><User-Name data_type="1">a</User-Name><Packet-Type data_type="0">4</Packet-Type></Event>"#;
        let pretty = one.replace("><", ">\n  <");
        let both = format!("<?xml version='1.0'?>\n<Events>\n{one}{one}\n\n{pretty}\n<!-- -->\n</Events>\n");
        let found = all(&both);
        assert_eq!(found.iter().map(|&(line, _)| line).collect::<Vec<_>>(), [3, 3, 5]);
        for (_, event) in found {
            let r = record(&event.unwrap()).unwrap();
            assert_eq!((r.user_name.as_str(), r.packet_type), ("a", Some(4)));
        }
    }

    #[test]
    fn a_damaged_event_spoils_no_other() {
        let good = "<Event><Packet-Type>4</Packet-Type></Event>";
        let text = format!("garbage\n<Event><User-Name>a</User-Name>\n{good}\n<Event>x</Event>{good}\n<Event><A>");
        let found: Vec<_> = all(&text)
            .into_iter()
            .map(|(line, found)| (line, found.and_then(|event| record(&event).map(drop))))
            .collect();
        let expected = [
            (1, Err("`garbage` is outside an event".to_owned())),
            (2, Err("the event has no end".to_owned())),
            (3, Ok(())),
            (4, Err("`x` is where an element is expected".to_owned())),
            (4, Ok(())),
        ];
        assert_eq!(found, expected);
        // The last one may still be written.
        let mut events = Events::new(Lines::new(io::Cursor::new(text.into_bytes())).unwrap());
        while events.next().unwrap().is_some() {}
        assert_eq!(events.unfinished(), Some(5));
    }

    #[test]
    fn zeros_within_an_event_end_it_and_no_other() {
        let good = "<Event><Packet-Type>4</Packet-Type></Event>";
        let zeros = "\0".repeat(4_096);
        let found: Vec<_> = all(&format!("{good}{zeros}{good}\n<Event><User-Name>al{zeros}{good}\n"))
            .into_iter()
            .map(|(line, found)| (line, found.and_then(|event| record(&event).map(drop))))
            .collect();
        let torn = |what: &str, at| {
            let lost = "what was written there is lost, and what follows is read";
            Err(format!("{what}4096 zeros begin at byte {at}: {lost}"))
        };
        let cut = "`<User-Name>al` is cut off: ";
        assert_eq!(found, [(1, Ok(())), (1, torn("", 43)), (1, Ok(())), (2, torn(cut, 4_203)), (2, Ok(()))]);
    }

    #[test]
    fn octets_are_decoded_whatever_the_attribute() {
        let r = record(
            "<MS-CHAP-Domain data_type=\"2\">01434F52504E</MS-CHAP-Domain><MS-RAS-Client-Name data_type = '2'>\
             4D535241532D302D50432D31</MS-RAS-Client-Name><MS-RAS-Vendor data_type=\"2\">00000137</MS-RAS-Vendor>\
             <User-Name data_type=\"1\">0x4AC3BC</User-Name><Packet-Type data_type=\"0\">4</Packet-Type>",
        )
        .unwrap();
        assert_eq!((r.chap_domain.as_str(), r.ras_client_name.as_str()), ("CORPN", "MSRAS-0-PC-1"));
        assert_eq!((r.ras_vendor, r.user_name.as_str()), (Some(311), "0x4AC3BC"), "a text is a text");
    }

    #[test]
    fn values_are_unescaped_and_odd_ones_stand() {
        let user = |text: &str| {
            record(&format!("<User-Name>{text}</User-Name><Packet-Type>1</Packet-Type>")).unwrap().user_name
        };
        assert_eq!(user("a&amp;b&lt;&gt;&quot;&apos;&#65;&#x42;"), "a&b<>\"'AB");
        assert_eq!(user("R&D; a<b &nope; &#xd800;"), "R&D; a<b &nope; &#xd800;");
        assert_eq!(user("<![CDATA[a&amp;<b>]]>"), "a&amp;<b>");
        let empty = record("<User-Name/><Class data_type=\"1\" /><Packet-Type data_type='0'>2</Packet-Type>").unwrap();
        assert_eq!(empty, Record { packet_type: Some(2), ..Record::default() });
        assert_eq!(record("<Packet-Type>1").unwrap_err(), "the element `Packet-Type` has no end");
        assert_eq!(record("<User-Name>a</User-Name>").unwrap_err(), "it has no Packet-Type");
    }
}

//! The IAS (legacy) format: six fields, then pairs of an attribute's number and its value. Nothing is quoted.

use super::civil;
use super::fault::shown;
use super::octets::Texts;
use super::record::{Attribute, Record};
use Attribute as A;

/// The attributes of RADIUS's numbers, and of IAS's numbers from 4108 on.
fn attribute(number: u32) -> Attribute {
    match number {
        5 => A::NasPort,
        8 => A::FramedIpAddress,
        25 => A::Class,
        31 => A::CallingStationId,
        32 => A::NasIdentifier,
        40 => A::AcctStatusType,
        41 => A::AcctDelayTime,
        42 => A::AcctInputOctets,
        43 => A::AcctOutputOctets,
        44 => A::AcctSessionId,
        46 => A::AcctSessionTime,
        47 => A::AcctInputPackets,
        48 => A::AcctOutputPackets,
        49 => A::AcctTerminateCause,
        50 => A::AcctMultiSessionId,
        51 => A::AcctLinkCount,
        52 => A::AcctInputGigawords,
        53 => A::AcctOutputGigawords,
        55 => A::EventTimestamp,
        61 => A::NasPortType,
        64 => A::TunnelType,
        66 => A::TunnelClientEndpoint,
        77 => A::ConnectInfo,
        87 => A::NasPortId,
        96 => A::FramedInterfaceId,
        97 => A::FramedIpv6Prefix,
        4108 => A::ClientIpAddress,
        4120 => A::MsChapDomain,
        4128 => A::ClientFriendlyName,
        4129 => A::SamAccountName,
        4130 => A::FullyQualifiedName,
        4136 => A::PacketType,
        4142 => A::ReasonCode,
        4147 => A::MsRasVendor,
        4159 => A::MsRasClientName,
        _ => A::Other,
    }
}

/// Parses a line into a record.
pub fn record(line: &str) -> Result<Record, String> {
    let all: Vec<&str> = line.split(',').collect();
    // The user's name may contain commas, and ends where the date and the time follow.
    let date_at = (2..all.len().saturating_sub(3)).find(|&at| civil::date_time(all[at], all[at + 1]).is_some());
    let (before, after) = all.split_at(date_at.unwrap_or(2).min(all.len()));
    let ([nas, user @ ..], [date, time, service, computer, rest @ ..]) = (before, after) else {
        return Err(format!("it has {} of the 6 fields that a record begins with", all.len()));
    };
    let mut record = Record { logged: civil::date_time(date, time), ..Record::default() };
    if record.logged.is_none() {
        let found = format!("{} {}", date.trim(), time.trim());
        return Err(format!("{} is not a date and time like `02/09/2000 23:18:00`", shown(&found)));
    }
    record.set(A::NasIpAddress, nas.trim())?;
    record.set_written(A::UserName, user.join(",").trim(), Texts::AsOctets)?;
    record.set(A::ServiceName, service.trim())?;
    record.set(A::ComputerName, computer.trim())?;
    let mut fields = rest.iter().copied();
    let mut value: Option<(Attribute, String)> = None;
    while let Some(field) = fields.next() {
        match (field.trim().parse::<u32>(), &mut value) {
            (Ok(number), _) => {
                if let Some((attribute, text)) = value.take() {
                    record.set_written(attribute, text.trim(), Texts::AsOctets)?;
                }
                let text = fields.next().ok_or_else(|| format!("attribute {number} has no value"))?;
                value = Some((attribute(number), text.to_owned()));
            }
            // A text instead of a number: the value before it contained a comma.
            (Err(_), Some((_, text))) => {
                text.push(',');
                text.push_str(field);
            }
            (Err(_), None) => return Err(format!("{} is not an attribute number", shown(field))),
        }
    }
    if let Some((attribute, text)) = value.take() {
        record.set_written(attribute, text.trim(), Texts::AsOctets)?;
    }
    if record.packet_type.is_none() {
        return Err("it has no Packet-Type (4136)".to_owned());
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn microsofts_example_is_read() {
        let sample = include_str!("../../tests/samples/ias-legacy.log");
        let records: Vec<Record> = sample.lines().map(|line| record(line).unwrap()).collect();
        let [request, reject] = &records[..] else { panic!("{records:?}") };
        assert_eq!((request.packet_type, reject.packet_type), (Some(1), Some(3)));
        assert_eq!((request.user_name.as_str(), request.computer.as_str()), ("rajeshp", "RAJESHP2"));
        assert_eq!((request.nas_ip_address.as_str(), request.tunnel_type), ("172.31.230.187", Some(1)));
        assert_eq!((request.sam_account.as_str(), request.ras_vendor), (r"RAJESHP2\rajeshp", Some(311)));
    }

    #[test]
    fn strings_in_hexadecimal_are_decoded() {
        let line = "10.0.0.1,0x416C6963652C204A72,02/09/2000,23:18:00,IAS,S,4120,0x01434F5250,4159,0x4D535241532D302D50\
                    C384,25,0x333131,96,0x00000000A11C000E,4136,4";
        let r = record(line).unwrap();
        assert_eq!((r.user_name.as_str(), r.chap_domain.as_str()), ("Alice, Jr", "CORP"));
        assert_eq!((r.ras_client_name.as_str(), r.class.as_str()), ("MSRAS-0-P\u{c4}", "311"));
        assert_eq!(r.framed_interface_id, "::a11c:e");
    }

    #[test]
    fn a_comma_in_a_value_and_faults() {
        let head = "10.0.0.1,u,02/09/2000,23:18:00,IAS,S";
        let r = record(&format!("{head},4128,Paris, Rue 7,4136,4")).unwrap();
        assert_eq!((r.client_friendly_name.as_str(), r.packet_type), ("Paris, Rue 7", Some(4)));
        let r = record("10.0.0.1,Doe, John, Jr,02/09/2000,23:18:00,IAS,S,4136,4").unwrap();
        assert_eq!((r.user_name.as_str(), r.computer.as_str(), r.packet_type), ("Doe, John, Jr", "S", Some(4)));
        for (line, fault) in [
            ("a,b".to_owned(), "it has 2 of the 6 fields that a record begins with"),
            (
                "10.0.0.1,u,today,23:18:00,IAS,S,4136,4".to_owned(),
                "`today 23:18:00` is not a date and time like `02/09/2000 23:18:00`",
            ),
            (format!("{head},x,1"), "`x` is not an attribute number"),
            (format!("{head},4136"), "attribute 4136 has no value"),
            (head.to_owned(), "it has no Packet-Type (4136)"),
        ] {
            assert_eq!(record(&line).unwrap_err(), fault);
        }
    }
}

//! The settings of a scenario, which stand before its first event.

use crate::readings::{Reading, Readings};
use crate::scenario::line::Line;
use crate::scenario::values::{address, prefix};
use std::net::Ipv4Addr;

/// What they say.
#[derive(Default)]
pub(super) struct Settings {
    pub server: Option<String>,
    pub server_address: Option<Ipv4Addr>,
    pub pool: Option<(Ipv4Addr, Ipv4Addr)>,
    pub ipv6_prefix: [u8; 8],
    pub begins: Option<i64>,
    pub two_processes: bool,
    pub readings: Readings,
}

/// Their names, for messages.
pub(super) const NAMES: &str = "server, server-address, pool, ipv6-prefix, day, processes and reading";

impl Settings {
    /// Takes the line, or gives it back if it is no setting.
    pub(super) fn line<'a>(&mut self, line: Line<'a>) -> Result<Option<Line<'a>>, String> {
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
                    Some(begins.map_err(|_| format!("`{text}` is not a valid time: expected {expected}"))?.as_second());
            }
            "processes" => {
                self.two_processes = match line.only("how many: one or two")? {
                    "one" => false,
                    "two" => true,
                    other => return Err(format!("there cannot be `{other}` processes: expected one or two")),
                }
            }
            "reading" => self.reading(line)?,
            _ => return Ok(Some(line)),
        }
        Ok(None)
    }

    fn reading(&mut self, mut line: Line<'_>) -> Result<(), String> {
        let names: Vec<_> = Reading::ALL.iter().map(|reading| reading.name()).collect();
        let (name, value) =
            line.pair().ok_or_else(|| format!("expected NAME=VALUE; names are {}", names.join(", ")))?;
        let reading = Reading::ALL.iter().copied().find(|reading| reading.name() == name);
        let reading = reading.ok_or_else(|| format!("there is no reading `{name}`: they are {}", names.join(", ")))?;
        if !self.readings.set(reading, value) {
            return Err(format!("`{name}` cannot be `{value}`: expected {}", reading.values().join(" or ")));
        }
        line.end()
    }
}

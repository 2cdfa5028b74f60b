//! The settings of a scenario, which come before its first event.

use crate::assumptions::{Assumption, Assumptions};
use crate::pool::Pool;
use crate::scenario::line::Line;
use crate::scenario::values::{address, prefix};
use std::net::Ipv4Addr;

/// The settings that were read so far.
#[derive(Default)]
pub(super) struct Settings {
    pub server: Option<String>,
    pub server_address: Option<Ipv4Addr>,
    pub range: Option<(Ipv4Addr, Ipv4Addr)>,
    pub ipv6_prefix: [u8; 8],
    pub begins: Option<i64>,
    pub two_processes: bool,
    pub assumptions: Assumptions,
}

/// The names of the settings, for messages.
pub(super) const NAMES: &str = "server, server-address, pool, ipv6-prefix, day, processes and assume";

impl Settings {
    /// Reads the line. Returns it if it is not a setting.
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
                self.range = Some(range);
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
            "assume" => self.assume(line)?,
            _ => return Ok(Some(line)),
        }
        Ok(None)
    }

    /// RRAS's own addresses.
    pub(super) fn pool(&self) -> Result<Pool, String> {
        let (first, last) = self.range.ok_or("the setting `pool` is missing: RRAS needs addresses of its own")?;
        let server = self.server_address.ok_or("the setting `server-address` is missing")?;
        Ok(Pool::new(server, first, last, self.ipv6_prefix))
    }

    fn assume(&mut self, mut line: Line<'_>) -> Result<(), String> {
        let names: Vec<_> = Assumption::ALL.iter().map(|assumption| assumption.name()).collect();
        let (name, value) =
            line.pair().ok_or_else(|| format!("expected NAME=VALUE; names are {}", names.join(", ")))?;
        let assumption = Assumption::from_name(name);
        let assumption = assumption
            .ok_or_else(|| format!("there is no assumption `{name}`: expected one of {}", names.join(", ")))?;
        if !self.assumptions.set(assumption, value) {
            return Err(format!("`{name}` cannot be `{value}`: expected {}", assumption.values().join(" or ")));
        }
        line.end()
    }
}

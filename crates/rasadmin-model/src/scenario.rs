//! Writes a sequence as a scenario for `rasadmin host run` (docs/scenario.md), as far as that language can express it.
//!
//! A scenario has whole seconds, so two events at the same moment are put a second apart. Longer intervals remain.

use crate::people::PEOPLE;
use crate::rras::{Connection, Number, RRAS_END, device_name};
use crate::settings::{RRAS_POOL, SERVER_ADDRESS};
use crate::switches::{Projection, Switches};
use rasadmin_engine::addresses::Family;
use rasadmin_engine::event::Offer;
use rasadmin_policy::addresses::text::show;
use std::fmt::Write;

/// The lines of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Script {
    lines: Vec<String>,
    /// The second of the last line, and the moment in milliseconds that it stands for.
    second: u64,
    moment: u64,
    /// What the language cannot express.
    lacks: Option<&'static str>,
}

impl Script {
    /// Begins a scenario for a run with these switches.
    pub fn new(switches: &Switches) -> Self {
        let mut script = Self::default();
        let lacks = [
            (switches.overlap, "calls that overlap"),
            (switches.projection == Projection::Empty, "connections that do not show their addresses"),
            (switches.another_dll, "another admin DLL that rejects"),
            (switches.late_ipv6, "IPv6 that comes up late"),
            (switches.unavailable && switches.two_processes, "one of two processes that cannot write"),
        ];
        script.lacks = lacks.into_iter().find(|(on, _)| *on).map(|(_, what)| what);
        let (server, first) = (show(SERVER_ADDRESS, Family::Ipv4), show(RRAS_POOL, Family::Ipv4));
        let head = format!("server VPN1\nserver-address {server}\npool {first}-{}", show(RRAS_END, Family::Ipv4));
        let two = if switches.two_processes { "two" } else { "one" };
        let link = if switches.ikev2_links { "called" } else { "not-called" };
        let more = format!("day 2026-03-02T08:00:00Z\nprocesses {two}\nassume ikev2-link={link}");
        script.lines.push(format!("{head}\n{more}"));
        script
    }

    /// Notes that the language cannot express this.
    pub fn cannot(&mut self, what: &'static str) {
        self.lacks = self.lacks.or(Some(what));
    }

    /// Adds a line at a moment of the monotonic clock.
    pub fn line(&mut self, mono: u64, text: &str) {
        if self.moment == 0 {
            self.moment = mono;
        }
        let seconds = mono.saturating_sub(self.moment) / 1000;
        // The rest of a second counts for the next line.
        self.moment += seconds * 1000;
        self.second += seconds.max(1);
        let (hours, minutes) = (self.second / 3600, self.second / 60 % 60);
        self.lines.push(format!("{hours:02}:{minutes:02}:{:02} {text}", self.second % 60));
    }

    /// Adds the address call of an attempt.
    pub fn address(&mut self, mono: u64, of: Number, c: &Connection, offer: Offer) {
        if c.held.iter().any(Option::is_some) {
            // The other protocol's call is on the same line.
            return;
        }
        let mut text = format!("address c{of} user=\"{}\" tunnel={}", c.spelling.late, c.tunnel.name().to_lowercase());
        let mut add = |key: &str, value: &str| {
            if !value.is_empty() {
                let _ = write!(text, " {key}=\"{value}\""); // To a String: cannot fail.
            }
        };
        add("address-user", &c.spelling.early.to_string());
        add("domain", &c.spelling.logon_domain.to_string());
        add("from", &c.device.source);
        add("computer", &c.device.computer.to_string());
        add("port", &crate::rras::port_name(c.port).to_string());
        match offer {
            Offer::Number(number) if c.wants.first() == Some(&Family::Ipv4) => {
                add("offer", &show(number, Family::Ipv4))
            }
            Offer::Nothing => add("offer", "none"),
            _ => self.lacks = self.lacks.or(Some("IPv6 alone")),
        }
        let ipv6 = if c.wants.contains(&Family::Ipv6) { " ipv6" } else { "" };
        self.line(mono, &format!("{text} handle={} no-link{ipv6}", c.handle));
    }

    /// The scenario, or why there is none.
    pub fn text(&self) -> String {
        match self.lacks {
            None => self.lines.join("\n"),
            Some(what) => format!("no scenario: the language has no words for {what}; replay the seed"),
        }
    }
}

/// A connection in a trace.
pub fn named(of: Number, c: &Connection) -> String {
    let person = PEOPLE[c.person];
    format!("#{of} {}\\{} ({}, {})", person.domain, person.name, device_name(c.tunnel), c.device.source)
}

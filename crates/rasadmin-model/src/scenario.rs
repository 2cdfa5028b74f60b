//! A sequence as a scenario for `rasadmin host run` (docs/scenario.md), where that language has words for it.
//!
//! The scenario has whole seconds, so two events at one moment are put a second apart; what lies further apart stays so.

use crate::people::PEOPLE;
use crate::rras::{Connection, Number, RRAS_END, device_name};
use crate::settings::{RRAS_POOL, SERVER_ADDRESS};
use crate::switches::{Projection, Switches};
use rasadmin_engine::addresses::Family;
use rasadmin_engine::event::Offer;
use rasadmin_policy::addresses::parse::show;
use std::fmt::Write;

/// Lines as they happen.
#[derive(Clone, Debug, Default)]
pub struct Script {
    lines: Vec<String>,
    /// The last line's second, and the moment in milliseconds that it stands for.
    second: u64,
    moment: u64,
    /// What the language has no words for.
    lacks: Option<&'static str>,
}

impl Script {
    /// Of a run with these switches.
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

    /// The language has no words for this.
    pub fn cannot(&mut self, what: &'static str) {
        self.lacks = self.lacks.or(Some(what));
    }

    /// One line, at a moment of the monotonic clock.
    pub fn line(&mut self, mono: u64, text: &str) {
        if self.moment == 0 {
            self.moment = mono;
        }
        let seconds = mono.saturating_sub(self.moment) / 1000;
        // What is left of a second is not lost: it counts for the next line.
        self.moment += seconds * 1000;
        self.second += seconds.max(1);
        let (hours, minutes) = (self.second / 3600, self.second / 60 % 60);
        self.lines.push(format!("{hours:02}:{minutes:02}:{:02} {text}", self.second % 60));
    }

    /// The addresses of an attempt are asked for.
    pub fn address(&mut self, mono: u64, of: Number, c: &Connection, offer: Offer) {
        if c.held.iter().any(Option::is_some) {
            // The other protocol's call stands in the same line.
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

    /// All of it, or why it cannot be one.
    pub fn text(&self) -> String {
        match self.lacks {
            None => self.lines.join("\n"),
            Some(what) => format!("no scenario: the language has no words for {what}; replay the seed"),
        }
    }
}

/// What a trace calls somebody.
pub fn named(of: Number, c: &Connection) -> String {
    let who = PEOPLE[c.who];
    format!("#{of} {}\\{} ({}, {})", who.domain, who.name, device_name(c.tunnel), c.device.source)
}

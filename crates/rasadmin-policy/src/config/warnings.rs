//! Warnings about valid configurations: what they say is probably not what their writer meant.
//!
//! They are made from the text when somebody asks for them. A DLL never does.

mod addresses;
mod always;
mod domains;
mod lists;
mod paths;
mod rules;
mod wider;

use super::file::{File, Reconnect, WhenUnrecorded};
use super::{Config, ConfigErrors, Disconnect, DisconnectMode, Mistake, read};
use jiff::Timestamp;
use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Range;

/// What an administrator should know about a valid configuration, at its positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warnings(ConfigErrors);

impl Warnings {
    /// The listed warnings, at most twenty.
    pub fn list(&self) -> &[Mistake] {
        self.0.mistakes()
    }

    /// How many more there are than [`Warnings::list`] lists.
    pub fn more(&self) -> usize {
        self.0.more()
    }

    /// All of them, for a terminal of this width. `None`: sentences are not wrapped.
    pub fn fitted(&self, width: Option<usize>) -> String {
        self.0.labelled("warning: ", width)
    }

    /// The position of a warning: line and column, both from 1.
    pub fn position(&self, warning: &Mistake) -> (usize, usize) {
        self.0.position(warning)
    }
}

impl fmt::Display for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fitted(None))
    }
}

/// What is known of the computer on which the warnings are made.
#[derive(Clone, Copy)]
pub struct Computer<'a> {
    /// The time.
    pub now: Timestamp,
    /// RRAS's own pool of IPv4 addresses (ranges, both ends included), as far as it is known.
    pub rras: &'a [(Ipv4Addr, Ipv4Addr)],
    /// Is a drive, by its letter, on the network?
    pub is_network_drive: &'a dyn Fn(char) -> bool,
}

/// The file that is looked at, with what it was compiled to.
struct Looking<'a> {
    config: &'a Config,
    file: &'a File,
    read: &'a read::Read<'a>,
    computer: &'a Computer<'a>,
    found: Vec<Mistake>,
}

impl Looking<'_> {
    fn warn(&mut self, span: Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.found.push(Mistake::at(span, what, help));
    }
}

impl Config {
    /// The warnings about this configuration.
    pub fn warnings(&self, computer: &Computer<'_>) -> Warnings {
        let text = read::unmarked(&self.bundle.text);
        let read = read::read(text);
        let mut found = Vec::new();
        if let Some(file) = &read.file {
            let mut looking = Looking { config: self, file, read: &read, computer, found };
            looking.claimed();
            looking.unrecorded();
            looking.rules();
            looking.lists();
            looking.live();
            looking.domains();
            looking.addresses();
            looking.paths();
            looking.drives();
            found = looking.found;
        }
        Warnings(ConfigErrors::new(&self.bundle.file.display().to_string(), text, found))
    }
}

impl Looking<'_> {
    /// Rules count sessions, and a new session replaces an old one with the same computer name. But that name is only
    /// what the client claims.
    fn claimed(&mut self) {
        let counting = self.file.rules.iter().map(|rule| rule.get_ref()).find_map(|rule| {
            let user = rule.user_sessions.as_ref().map(|at| at.span());
            user.or(rule.max_user_sessions.as_ref().map(|at| at.span()))
                .or(rule.group_sessions.as_ref().map(|at| at.span()))
        });
        let Some(counting) = counting.filter(|_| self.config.reconnect == Reconnect::SameComputer) else { return };
        let span = self.read.position(&["limits", "reconnect"]).unwrap_or(counting);
        self.warn(
            span,
            "limits.reconnect = \"same-computer\" trusts the computer name that a client sends: a user who gives two \
             devices the same name can have a session on each",
            "\"same-endpoint\" and \"strict\" do not rely on it",
        );
    }

    /// Rules about live sessions that nothing carries out.
    fn live(&mut self) {
        let rules = self.file.rules.iter().map(|rule| rule.get_ref());
        let late = rules.clone().filter(|rule| !rule.ends_live_sessions());
        for (rule, time) in late.filter_map(|rule| Some((rule, rule.session_time.as_ref()?))) {
            let what = format!(
                "the rule `{}` asks how long a session has lasted, but does not hold for live sessions: RRAS asks it only \
                 when a client authenticates again, or gets another link",
                rule.name.get_ref()
            );
            self.warn(time.span(), what, "write disconnect_active = true beside it");
        }
        let Disconnect { enabled, mode } = self.config.service.disconnect;
        let Some((rule, active)) = rules
            .filter_map(|rule| Some((rule, rule.disconnect_active.as_ref().filter(|active| *active.get_ref())?)))
            .next()
        else {
            return;
        };
        let name = rule.name.get_ref();
        if !enabled {
            let what = format!("the rule `{name}` is to end live sessions, but `[service.disconnect]` is not enabled");
            self.warn(active.span(), what, "write enabled = true there, or leave `disconnect_active` out");
        } else if mode == DisconnectMode::Report {
            let what = format!("sessions that the rule `{name}` ends are only reported, and stay connected");
            let help = "when the report is as you want it (`rasadmin disconnect list`), write mode = \"enforce\" into \
                        [service.disconnect]";
            self.warn(active.span(), what, help);
        }
    }

    /// Users whom the rules allow are denied while the journal cannot be written: all of them, or those of some rules.
    fn unrecorded(&mut self) {
        let config = self.config;
        let denies = |own: Option<WhenUnrecorded>| own.unwrap_or(config.when_unrecorded) == WhenUnrecorded::Deny;
        if !config.rules.let_in().any(denies) {
            return;
        }
        let by_default = config.when_unrecorded == WhenUnrecorded::Deny;
        let own = self.file.rules.iter().filter_map(|rule| rule.get_ref().when_unrecorded.as_ref());
        let own = own.filter(|when| *when.get_ref() == WhenUnrecorded::Deny).map(|when| when.span()).next();
        let all = self.read.position(&["journal", "when_unrecorded"]).filter(|_| by_default);
        let effect =
            if by_default { "new connections are denied" } else { "the users of the rules that set it are denied" };
        self.warn(
            all.or(own).unwrap_or(0..0),
            format!("when_unrecorded = \"deny\": while the journal cannot be written, {effect}"),
            "a full disk is enough, also for your own remote access; existing sessions continue",
        );
    }
}

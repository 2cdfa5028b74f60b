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
use super::{Config, ConfigErrors, Mistake, read};
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

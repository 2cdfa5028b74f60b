//! Lists in files of their own: members of groups, networks, computers, reservations. Their lines are compiled one by
//! one, because lists can be long.

use super::file::{At, File};
use super::reservations::{Columns, Reservations};
use crate::Domains;
use crate::rules::{Fault, GroupsBuilder, NamePattern, networks};
use ipnet::IpNet;
use std::collections::HashMap;

/// The limit for the networks or computers of a file. A longer list would cost RRAS too much time to sort.
const MAX: usize = 100_000;

/// What the lines of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lines {
    /// `members_file`: users of the group that was begun last.
    Members,
    /// `source_networks_file`.
    Networks,
    /// `computers_file`.
    Computers,
    /// `reservations_file`.
    Reservations,
}

impl Lines {
    /// The file in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Members => "members file",
            Self::Networks => "file of networks",
            Self::Computers => "file of computers",
            Self::Reservations => "file of reservations",
        }
    }

    /// The least cost of a line, in octets. A reservation is compared with the others by its user and its address.
    pub const fn cost(self) -> usize {
        match self {
            Self::Members | Self::Networks | Self::Computers => 16,
            Self::Reservations => 128,
        }
    }

    /// How to correct a file that is too large.
    pub const fn too_large(self) -> &'static str {
        match self {
            Self::Members => "split the list over several groups, each with its own members_file",
            Self::Networks | Self::Computers => "split the list over several rules, each with its own file",
            Self::Reservations => "leave out the reservations that nobody needs",
        }
    }
}

/// A file with a list.
#[derive(Clone, Debug)]
pub(super) struct ListFile {
    pub path: At<String>,
    pub lines: Lines,
}

/// The files that a configuration names, besides the members files of groups: each once for each use.
pub(super) fn of(file: &File) -> Vec<ListFile> {
    let mut all: Vec<ListFile> = Vec::new();
    let mut add = |path: &Option<At<String>>, lines| {
        let Some(path) = path else { return };
        if !all.iter().any(|other| other.lines == lines && other.path.get_ref() == path.get_ref()) {
            all.push(ListFile { path: path.clone(), lines });
        }
    };
    for rule in file.rules.iter().map(At::get_ref) {
        add(&rule.source_networks_file, Lines::Networks);
        add(&rule.computers_file, Lines::Computers);
    }
    add(&file.addresses.reservations_file, Lines::Reservations);
    all
}

/// All places that name a file.
pub(super) fn named(file: &File) -> impl Iterator<Item = (&At<String>, Lines)> {
    let members = file.groups.values().filter_map(|group| Some((group.members_file.as_ref()?, Lines::Members)));
    let rules = file.rules.iter().map(At::get_ref);
    let of_rules = rules.flat_map(|rule| {
        let networks = rule.source_networks_file.as_ref().map(|path| (path, Lines::Networks));
        networks.into_iter().chain(rule.computers_file.as_ref().map(|path| (path, Lines::Computers)))
    });
    let reservations = file.addresses.reservations_file.as_ref().map(|path| (path, Lines::Reservations));
    members.chain(of_rules).chain(reservations)
}

/// What was compiled from lists so far.
#[derive(Debug, Default)]
pub struct Lists {
    pub(super) groups: GroupsBuilder,
    pub(super) reservations: Reservations,
    /// By the files' names.
    networks: HashMap<String, Vec<IpNet>>,
    computers: HashMap<String, Vec<NamePattern>>,
    columns: Columns,
}

impl Lists {
    /// The networks of a file.
    pub fn networks(&self, file: &str) -> &[IpNet] {
        self.networks.get(file).map_or(&[], Vec::as_slice)
    }

    /// The computers of a file.
    pub fn computers(&self, file: &str) -> &[NamePattern] {
        self.computers.get(file).map_or(&[], Vec::as_slice)
    }

    /// Compiles a line of a file.
    pub(super) fn line(&mut self, file: &ListFile, line: &str, domains: &Domains) -> Result<(), Fault> {
        let text = line.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(());
        }
        match file.lines {
            Lines::Members => self.groups.member(text, domains),
            Lines::Networks => {
                // Published lists of networks have their comments after a semicolon.
                let text = text.split(';').next().unwrap_or_default().trim();
                if text.is_empty() { Ok(()) } else { push(&mut self.networks, file, networks::parse(text)?) }
            }
            Lines::Computers => push(&mut self.computers, file, NamePattern::parse(text)?),
            Lines::Reservations => self.reservations.line(text, &mut self.columns, domains),
        }
    }
}

fn push<T>(lists: &mut HashMap<String, Vec<T>>, file: &ListFile, entry: T) -> Result<(), Fault> {
    let list = lists.entry(file.path.get_ref().clone()).or_default();
    if list.len() >= MAX {
        return Err((format!("there are more than {MAX} lines"), file.lines.too_large().to_owned()));
    }
    list.push(entry);
    Ok(())
}

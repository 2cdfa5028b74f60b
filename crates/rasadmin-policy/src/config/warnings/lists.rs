//! Lists that name nobody, or not whom their writer meant.

use super::Looking;
use crate::config::file::At;
use crate::config::list_files::{self, Lines};
use crate::config::read;
use crate::{Domains, Name};

/// What separates the entries of lists elsewhere.
const SEPARATORS: [char; 2] = [',', ';'];

impl Looking<'_> {
    pub(super) fn lists(&mut self) {
        let file = self.file;
        for (name, group) in &file.groups {
            self.users(&group.users);
            if let Some(members) = &group.members_file {
                self.members(name, group.users.is_empty(), members);
            } else if group.users.is_empty() {
                let help = "write users = [...], or remove the group";
                self.warn(name.span(), format!("nobody is in the group `{}`", name.get_ref()), help);
            }
        }
        let mut warned = Vec::new();
        for (path, lines) in list_files::named(file).filter(|(_, lines)| *lines != Lines::Members) {
            if self.has_nothing(Some(path)) && !warned.contains(&path.get_ref()) {
                warned.push(path.get_ref());
                let what = format!("the {} `{}` has no entry", lines.name(), path.get_ref());
                self.warn(path.span(), what, "write one entry per line, or leave the file out");
            }
        }
        for rule in file.rules.iter().map(At::get_ref) {
            for list in [&rule.users, &rule.not_users].into_iter().flatten() {
                self.users(list.get_ref());
            }
            for list in [&rule.ports, &rule.servers, &rule.remote_computers].into_iter().flatten() {
                self.names(list.get_ref());
            }
        }
        for reservation in &file.reservations {
            self.users(std::slice::from_ref(&reservation.get_ref().user));
        }
        for name in file.groups.keys().chain(file.pools.keys()) {
            if name.get_ref().contains(SEPARATORS) {
                let what = format!("the name `{}` has a comma or a semicolon", name.get_ref());
                self.warn(name.span(), what, "lists separate names by them: use another character");
            }
        }
    }

    /// Does a file have no entry?
    pub(super) fn has_nothing(&self, file: Option<&At<String>>) -> bool {
        let text = file.and_then(|file| self.config.bundle.lists.get(file.get_ref()));
        text.is_some_and(|text| entries(text).next().is_none())
    }

    /// Is nobody in a group?
    pub(super) fn is_empty(&self, group: &str) -> bool {
        let group = self.file.groups.iter().find(|(name, _)| name.get_ref() == group).map(|(_, group)| group);
        group.is_some_and(|group| {
            let no_members = group.members_file.is_none() || self.has_nothing(group.members_file.as_ref());
            group.users.is_empty() && no_members
        })
    }

    fn users(&mut self, users: &[At<String>]) {
        for user in users {
            let text = user.get_ref();
            if let Some(help) = split_up(text) {
                self.warn(user.span(), format!("`{text}` is one user's name"), help);
            } else if let Some((domain, name)) = text.split_once('/')
                && !self.is_domain(domain)
            {
                let what =
                    format!("`{text}` is the user `{name}` of a domain `{domain}`, which [domains] does not list");
                self.warn(user.span(), what, format!("write ['{domain}', '{name}'] for two users, or list the domain"));
            }
        }
    }

    fn is_domain(&self, text: &str) -> bool {
        let folded = |text: &str| Domains::folded(Name::new(text));
        let listed = self.file.domains.iter().flat_map(|(domain, others)| std::iter::once(domain).chain(others));
        let known = listed.chain(&self.file.default_domain).map(|name| name.get_ref().as_str());
        ["host", "."].into_iter().chain(known).any(|known| folded(known) == folded(text))
    }

    /// Names of ports, servers and computers. None of them has a domain.
    fn names(&mut self, names: &[At<String>]) {
        for name in names {
            let text = name.get_ref();
            if let Some(help) = split_up(text) {
                self.warn(name.span(), format!("`{text}` is one name"), help);
            } else if let Some((_, last)) = text.rsplit_once(['/', '\\']) {
                let what = format!("`{text}` matches nothing: such names have no domain");
                self.warn(name.span(), what, format!("write '{last}'"));
            }
        }
    }

    fn members(&mut self, group: &At<String>, no_others: bool, file: &At<String>) {
        let name = file.get_ref();
        let Some(text) = self.config.bundle.lists.get(name) else { return };
        let mut users = entries(text).peekable();
        if no_others && users.peek().is_none() {
            let what = format!("nobody is in the group `{}`: the file `{name}` names no user", group.get_ref());
            self.warn(file.span(), what, "add users, one per line, or remove the group");
        }
        let lines: Vec<u32> = users.filter(|(_, user)| user.contains(SEPARATORS)).map(|(line, _)| line).collect();
        if let Some(line) = lines.first() {
            let more = match lines.len() - 1 {
                0 => String::new(),
                1 => ", and in one more line".to_owned(),
                more => format!(", and in {more} more lines"),
            };
            let what = format!("{name}:{line}: the user's name has a comma or a semicolon{more}");
            self.warn(file.span(), what, "write one user per line");
        }
    }
}

/// The entries of a file, each with the number of its line.
fn entries(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let lines = (1..).zip(read::unmarked(text).lines());
    let entries = lines.map(|(line, text)| (line, text.split('#').next().unwrap_or_default().trim()));
    entries.filter(|(_, entry)| !entry.is_empty() && !entry.starts_with(';'))
}

/// How to write what looks like several names in one text.
fn split_up(text: &str) -> Option<String> {
    if !text.contains(SEPARATORS) {
        return None;
    }
    let names = text.split(SEPARATORS).map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    Some(format!("write each name in quotes of its own: [{}]", names.join(", ")))
}

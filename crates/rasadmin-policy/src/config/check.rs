//! Checks that need the whole configuration.

use super::file::{Action, At, File};
use super::paths::JOURNAL;
use super::{Mistake, list_files};
use crate::{Domains, Name};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn domains(raw: &File, mistakes: &mut Vec<Mistake>) -> Domains {
    let mut means: HashMap<Name, &str> = HashMap::new();
    for (domain, others) in &raw.domains {
        for name in std::iter::once(domain).chain(others) {
            let text = name.get_ref();
            if text.trim().is_empty() || text.contains(['\\', '@', '/']) {
                let what = format!("`{text}` is not a valid domain name");
                mistakes.push(Mistake::at(name.span(), what, "write a NetBIOS name, a DNS name or a UPN suffix"));
            }
            let before = means.insert(Domains::folded(Name::new(text)), domain.get_ref());
            let same = |other: &str| Domains::folded(Name::new(other)) == Domains::folded(Name::new(domain.get_ref()));
            if let Some(other) = before.filter(|other| !same(other)) {
                let what = format!("`{text}` already means the domain `{other}`");
                mistakes.push(Mistake::at(name.span(), what, "a name can mean one domain only"));
            }
        }
    }
    if let Some(default) = raw.default_domain.as_ref()
        && (default.get_ref().trim().is_empty() || default.get_ref().contains(['\\', '@', '/']))
    {
        let what = format!("`{}` is not a valid domain name", default.get_ref());
        mistakes.push(Mistake::at(default.span(), what, "write a NetBIOS name, a DNS name or a UPN suffix"));
    }
    let names = |others: &Vec<At<String>>| others.iter().map(|other| other.get_ref().clone()).collect::<Vec<_>>();
    let lists: Vec<(&str, Vec<String>)> =
        raw.domains.iter().map(|(domain, others)| (domain.get_ref().as_str(), names(others))).collect();
    let default = raw.default_domain.as_ref().map(|name| name.get_ref().as_str());
    Domains::new(lists.iter().map(|(domain, others)| (*domain, &others[..])), default)
}

/// Requires a time zone if a rule has hours, dates or periods. A guessed zone would shift office hours.
pub(super) fn require_time_zone(raw: &File, mistakes: &mut Vec<Mistake>) {
    if raw.time_zone.is_some() {
        return;
    }
    for rule in raw.rules.iter().map(At::get_ref) {
        let needs = [
            rule.hours.as_ref().map(At::span),
            rule.dates.as_ref().map(At::span),
            rule.connect_time.as_ref().map(At::span),
            rule.octets.as_ref().map(At::span),
        ];
        if let Some(span) = needs.into_iter().flatten().next() {
            let what = format!("the rule `{}` needs a time zone", rule.name.get_ref());
            mistakes.push(Mistake::at(
                span,
                what,
                "write time_zone = \"Europe/Berlin\" (an IANA name) at the file's beginning",
            ));
        }
    }
}

/// Reports a rule without conditions that is not the last one: it always decides, so the rules after it never do.
pub(super) fn reachable(raw: &File, mistakes: &mut Vec<Mistake>) {
    for (at, rule) in raw.rules.iter().map(At::get_ref).enumerate() {
        if rule.users.is_none() && rule.conditions_besides_users() == 0 && at + 1 < raw.rules.len() {
            let effect = match rule.action {
                Action::Allow => "it allows everyone",
                Action::Deny => "it locks everybody out",
            };
            let name = rule.name.get_ref();
            let what = format!("the rule `{name}` has no condition: {effect}, and no rule below it is reached");
            mistakes.push(Mistake::at(
                rule.name.span(),
                what,
                "give it a condition, or put what it decides into [default]",
            ));
        }
    }
}

pub(super) fn ledger(raw: &File, folder: &Path, mistakes: &mut Vec<Mistake>) -> PathBuf {
    let what = StoragePath { what: "ledger", key: "ledger.path", absent: "rasadmin.db" };
    what.resolve(raw.ledger.path.as_ref(), folder, mistakes)
}

pub(super) fn journal(raw: &File, folder: &Path, mistakes: &mut Vec<Mistake>) -> PathBuf {
    let what = StoragePath { what: "journal", key: "journal.folder", absent: JOURNAL };
    what.resolve(raw.journal.folder.as_ref(), folder, mistakes)
}

/// A path on a disk of this computer.
struct StoragePath {
    what: &'static str,
    key: &'static str,
    /// Its name beside the configuration, if the file does not name a path.
    absent: &'static str,
}

impl StoragePath {
    fn resolve(&self, named: Option<&At<String>>, folder: &Path, mistakes: &mut Vec<Mistake>) -> PathBuf {
        let Self { what, key, absent } = self;
        let Some(path) = named else {
            let path = folder.join(absent);
            if on_network(&path) {
                let what =
                    format!("the {what} would be on a network drive, beside this file: file locks do not work there");
                mistakes.push(Mistake::at(0..0, what, format!("write {key} = ... with a folder on this computer")));
            }
            return path;
        };
        let text = path.get_ref();
        let help = format!("leave `{key}` out for `{absent}` beside this file");
        if let Some(mistake) = self::path(path, &format!("the {what}'s path"), &help) {
            mistakes.push(mistake);
        } else if on_network(Path::new(text)) || on_network(&folder.join(text)) {
            let what = format!("the {what} cannot be on a network drive: file locks do not work there");
            mistakes.push(Mistake::at(path.span(), what, "name a folder on this computer"));
        }
        folder.join(text)
    }
}

/// The mistake of a path that is empty or has control characters. `name` is what the path is called, `instead` what to
/// do instead of leaving it empty.
pub(super) fn path(path: &At<String>, name: &str, instead: &str) -> Option<Mistake> {
    let text = path.get_ref();
    if text.trim().is_empty() {
        return Some(Mistake::at(path.span(), format!("{name} is empty"), instead));
    }
    let control = text.chars().any(char::is_control);
    control
        .then(|| Mistake::at(path.span(), format!("{name} has control characters"), "write the path in single quotes"))
}

/// Reports lists in files on a network drive: RRAS would have to wait if the drive cannot be reached. Returns those
/// that must not be read.
pub(super) fn network_lists(raw: &File, folder: &Path, mistakes: &mut Vec<Mistake>) -> HashSet<String> {
    let mut elsewhere = HashSet::new();
    for (file, lines) in list_files::named(raw) {
        if on_network(Path::new(file.get_ref())) || on_network(&folder.join(file.get_ref())) {
            let what = format!("a {} cannot be on a network drive: RRAS would have to wait for it", lines.name());
            mistakes.push(Mistake::at(file.span(), what, "copy it into a folder on this computer"));
            elsewhere.insert(file.get_ref().clone());
        }
    }
    elsewhere
}

/// Checks the server's name. A DNS label has at most 63 characters, the name of a Windows computer at most 15.
pub(super) fn server(raw: &File, mistakes: &mut Vec<Mistake>) {
    const LONGEST: usize = 63;
    let Some(name) = &raw.server.name else { return };
    let text = name.get_ref();
    let help = "leave `name` out for the computer's own";
    if text.trim().is_empty() {
        mistakes.push(Mistake::at(name.span(), "the server's name is empty", help));
    } else if text.chars().any(char::is_control) {
        mistakes.push(Mistake::at(name.span(), "the server's name has control characters", help));
    } else if text.encode_utf16().count() > LONGEST {
        let what = format!("the server's name is longer than {LONGEST} characters");
        mistakes.push(Mistake::at(name.span(), what, help));
    }
}

/// A path that begins with two slashes of either kind is on a server, unless it is the long form of a drive's path:
/// `\\?\C:\...`.
fn on_network(path: &Path) -> bool {
    let path = path.to_string_lossy().replace('/', r"\");
    let drive = |rest: &str| rest.get(1..2) == Some(":");
    match path.strip_prefix(r"\\?\").or_else(|| path.strip_prefix(r"\\.\")) {
        Some(rest) => !drive(rest),
        None => path.starts_with(r"\\"),
    }
}

pub(super) fn deadline(raw: &File, mistakes: &mut Vec<Mistake>) -> Duration {
    let Some(deadline) = &raw.journal.deadline_ms else { return Duration::from_secs(2) };
    let ms = *deadline.get_ref();
    if !(100..=10_000).contains(&ms) {
        let what = format!("`deadline_ms` is {ms}, outside the range 100 to 10000");
        mistakes.push(Mistake::at(
            deadline.span(),
            what,
            "write a number of milliseconds within it, or leave it out for 2000",
        ));
    }
    Duration::from_millis(ms.into())
}

//! From the file's types to a configuration that is valid, or everything that is wrong with it.

use super::file::{At, File};
use super::{Bundle, Config, ConfigErrors, Mistake, pools, read, zone};
use crate::rules::{Context, Groups, Rules};
use crate::{Domains, Name};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A members file is refused beyond this many bytes.
pub const LARGEST: u64 = 16 * 1024 * 1024;

/// Reads, checks and compiles. `members` gives the text of a members file, as it is named in the file; `folder` is what
/// relative paths are relative to; `file` is its name for messages.
pub fn parse(
    file: &str,
    text: &str,
    folder: &Path,
    members: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Config, ConfigErrors> {
    let given = text;
    // Windows' editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let errors = |mistakes| ConfigErrors::new(file, text, mistakes);
    let mut read = read::read(text);
    let Some(raw) = read.file.take() else { return Err(errors(read.mistakes)) };
    let mut mistakes = Vec::new();
    let domains = domains(&raw, &mut mistakes);
    let zone = raw.time_zone.as_ref().and_then(|name| match zone::zone(name.get_ref()) {
        Ok(zone) => Some(zone),
        Err((what, help)) => {
            mistakes.push(Mistake::at(name.span(), what, help));
            None
        }
    });
    let mut bundle = Bundle { file: file.into(), text: given.to_owned(), members: BTreeMap::new() };
    let lines = members_lines(&raw, members, &mut bundle, &mut mistakes);
    let (mut groups, faults) = Groups::compile(&raw.groups, &lines, &domains);
    mistakes.extend(faults);
    let pool = |name: &str| pools::id(&raw, name);
    // Unknown ones are reported with the plan, which knows the families too.
    let _ = groups.resolve_pools(&pool);
    let context = Context { groups: &groups, domains: &domains, zone: zone.as_ref(), pools: &pool };
    let (rules, faults) = Rules::compile(&raw.rules, &raw.default, &context);
    mistakes.extend(faults);
    let (addresses, faults) = pools::plan(&raw, &domains);
    mistakes.extend(faults);
    zone_is_there(&raw, &mut mistakes);
    reachable(&raw, &mut mistakes);
    let ledger = ledger(&raw, folder, &mut mistakes);
    let deadline = deadline(&raw, &mut mistakes);
    let server = raw.server.name.as_ref();
    if let Some(name) = server.filter(|name| name.get_ref().trim().is_empty()) {
        mistakes.push(Mistake::at(
            name.span(),
            "the server's name is empty",
            "leave `name` out for the computer's own",
        ));
    }
    mistakes.retain(|mistake| !read.follows(mistake));
    mistakes.append(&mut read.mistakes);
    if !mistakes.is_empty() {
        return Err(errors(mistakes));
    }
    Ok(Config {
        hash: bundle.hash(),
        bundle,
        server: server.map(|name| Name::new(name.get_ref())),
        domains,
        groups,
        rules,
        addresses,
        reconnect: raw.limits.reconnect,
        zone: zone.unwrap_or(TimeZone::UTC),
        ledger,
        durability: raw.ledger.durability,
        deadline,
    })
}

fn domains(raw: &File, mistakes: &mut Vec<Mistake>) -> Domains {
    let mut means: HashMap<Name, &str> = HashMap::new();
    for (domain, others) in &raw.domains {
        for name in std::iter::once(domain).chain(others) {
            let text = name.get_ref();
            if text.trim().is_empty() || text.contains(['\\', '@', '/']) {
                let what = format!("`{text}` is no domain's name");
                mistakes.push(Mistake::at(name.span(), what, "write a NetBIOS name, a DNS name or a UPN suffix"));
            }
            let before = means.insert(Domains::folded(Name::new(text)), domain.get_ref());
            let same = |other: &str| Domains::folded(Name::new(other)) == Domains::folded(Name::new(domain.get_ref()));
            if let Some(other) = before.filter(|other| !same(other)) {
                let what = format!("`{text}` means the domain `{other}` already");
                mistakes.push(Mistake::at(name.span(), what, "a name can mean one domain only"));
            }
        }
    }
    if let Some(default) = raw.default_domain.as_ref()
        && (default.get_ref().trim().is_empty() || default.get_ref().contains(['\\', '@', '/']))
    {
        let what = format!("`{}` is no domain's name", default.get_ref());
        mistakes.push(Mistake::at(default.span(), what, "write a NetBIOS name, a DNS name or a UPN suffix"));
    }
    let names = |others: &Vec<At<String>>| others.iter().map(|other| other.get_ref().clone()).collect::<Vec<_>>();
    let lists: Vec<(&str, Vec<String>)> =
        raw.domains.iter().map(|(domain, others)| (domain.get_ref().as_str(), names(others))).collect();
    let default = raw.default_domain.as_ref().map(|name| name.get_ref().as_str());
    Domains::new(lists.iter().map(|(domain, others)| (*domain, &others[..])), default)
}

fn members_lines(
    raw: &File,
    members: &mut dyn FnMut(&str) -> Result<String, String>,
    bundle: &mut Bundle,
    mistakes: &mut Vec<Mistake>,
) -> HashMap<String, Vec<(u32, String)>> {
    let mut all = HashMap::new();
    for (name, group) in &raw.groups {
        let Some(file) = &group.members_file else { continue };
        match members(file.get_ref()) {
            Err(why) => {
                mistakes.push(Mistake::at(file.span(), why, "the path is relative to the configuration's folder"))
            }
            Ok(text) => {
                let lines = (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(&text).lines());
                let lines =
                    lines.map(|(number, line)| (number, line.split('#').next().unwrap_or("").trim().to_owned()));
                all.insert(name.get_ref().clone(), lines.filter(|(_, line)| !line.is_empty()).collect());
                bundle.members.insert(file.get_ref().clone(), text);
            }
        }
    }
    all
}

/// Hours and periods mean a zone; guessing one would move office hours by hours.
fn zone_is_there(raw: &File, mistakes: &mut Vec<Mistake>) {
    if raw.time_zone.is_some() {
        return;
    }
    for rule in raw.rules.iter().map(At::get_ref) {
        let needs = [
            rule.hours.as_ref().map(At::span),
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

/// A rule without any condition decides everything: what stands after it never does.
fn reachable(raw: &File, mistakes: &mut Vec<Mistake>) {
    for (at, rule) in raw.rules.iter().map(At::get_ref).enumerate() {
        let conditions = [
            rule.users.is_some(),
            rule.groups.is_some(),
            rule.tunnels.is_some(),
            rule.source_networks.is_some(),
            rule.hours.is_some(),
            rule.servers.is_some(),
            rule.ports.is_some(),
            rule.remote_computers.is_some(),
            rule.quarantine.is_some(),
            rule.interface_types.is_some(),
            rule.user_sessions.is_some(),
            rule.group_sessions.is_some(),
            rule.connect_time.is_some(),
            rule.octets.is_some(),
        ];
        if !conditions.contains(&true) && at + 1 < raw.rules.len() {
            let what =
                format!("the rule `{}` has no condition, so no rule after it is ever reached", rule.name.get_ref());
            mistakes.push(Mistake::at(
                rule.name.span(),
                what,
                "give it a condition, or put what it decides into [default]",
            ));
        }
    }
}

fn ledger(raw: &File, folder: &Path, mistakes: &mut Vec<Mistake>) -> PathBuf {
    let Some(path) = &raw.ledger.path else {
        let path = folder.join("rasadmin.db");
        if on_network(&path) {
            let what = "the ledger would be on a network drive, beside this file: its locks do not hold there";
            mistakes.push(Mistake::at(0..0, what, "write ledger.path = ... with a folder of this computer"));
        }
        return path;
    };
    let text = path.get_ref();
    if text.trim().is_empty() {
        mistakes.push(Mistake::at(
            path.span(),
            "the ledger's path is empty",
            "leave `path` out for rasadmin.db beside this file",
        ));
    } else if on_network(Path::new(text)) || on_network(&folder.join(text)) {
        let what = "the ledger cannot be on a network drive: its locks do not hold there";
        mistakes.push(Mistake::at(path.span(), what, "name a folder of this computer"));
    }
    folder.join(text)
}

/// A path of two slashes of either kind is a server's, unless it is the long form of a drive's: `\\?\C:\...`.
fn on_network(path: &Path) -> bool {
    let path = path.to_string_lossy().replace('/', r"\");
    let drive = |rest: &str| rest.get(1..2) == Some(":");
    match path.strip_prefix(r"\\?\").or_else(|| path.strip_prefix(r"\\.\")) {
        Some(rest) => !drive(rest),
        None => path.starts_with(r"\\"),
    }
}

fn deadline(raw: &File, mistakes: &mut Vec<Mistake>) -> Duration {
    let Some(deadline) = &raw.ledger.deadline_ms else { return Duration::from_secs(2) };
    let ms = *deadline.get_ref();
    if !(100..=10_000).contains(&ms) {
        let what = format!("{ms} milliseconds is no deadline that a user would wait for, or that a disk could keep");
        mistakes.push(Mistake::at(deadline.span(), what, "it can be 100 to 10000; 2000 is usual"));
    }
    Duration::from_millis(ms.into())
}

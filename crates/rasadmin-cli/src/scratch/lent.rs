//! A rehearsal uses the rules of a configuration: a copy of it and of its files with lists, with its own journal and
//! ledger.
//!
//! The copy names other files than the original: the journal, the ledger and the lists are all beside the copy.
//! So it works wherever the folder is, and no file that it names belongs to the original.

use crate::context::not_valid;
use crate::error::{CommandError, Kind, Result};
use rasadmin_host::scratch::Scratch;
use rasadmin_policy::config;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The files that the copy names instead of the original's: the keys that lead there, and the name.
const OWN: [(&[&str], &str); 4] = [
    (&["journal", "folder"], "journal"),
    (&["ledger", "path"], "rasadmin.db"),
    (&["service", "retention", "backups"], "backups"),
    (&["service", "metrics", "file"], "metrics.prom"),
];

/// The keys that name a file with a list.
const LISTS: [&str; 4] = ["members_file", "source_networks_file", "computers_file", "reservations_file"];

/// Copies the configuration and its files with lists into the scratch folder.
pub fn copy_rules(file: &Path, scratch: &Scratch) -> Result<()> {
    if !file.is_file() {
        let missing = format!("{}: this configuration does not exist: check the path", file.display());
        return Err(CommandError::new(Kind::Configuration, missing));
    }
    let lends = config::load(file).map_err(not_valid)?.bundle;
    let names: BTreeMap<&str, String> =
        (1..).zip(lends.lists.keys()).map(|(n, name)| (name.as_str(), format!("members-{n}.txt"))).collect();
    let write = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).map_err(|e| CommandError::file(&path, e))
    };
    for (name, text) in &lends.lists {
        write(&names[name.as_str()], text)?;
    }
    write("rasadmin.toml", &renamed(&lends.text, &names))
}

/// The text with journal and ledger beside it, and lists under their new names.
fn renamed(text: &str, lists: &BTreeMap<&str, String>) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, _) = DeTable::parse_recoverable(text);
    let mut places: Vec<(Range<usize>, &str)> = Vec::new();
    for (keys, own) in OWN {
        places.extend(value(table.get_ref(), keys).map(|path| (path.span(), own)));
    }
    table.get_ref().values().for_each(|value| named(value, lists, &mut places));
    // From the end, so that what lies before keeps its place.
    places.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = text.to_owned();
    for (span, name) in places {
        text.replace_range(span, &format!("\"{name}\""));
    }
    text
}

/// Finds the names of lists in a value, however deep.
fn named<'n>(
    value: &Spanned<DeValue<'_>>,
    lists: &'n BTreeMap<&str, String>,
    places: &mut Vec<(Range<usize>, &'n str)>,
) {
    match value.get_ref() {
        DeValue::Table(table) => {
            for (key, value) in table.iter() {
                match value.get_ref().as_str().and_then(|name| lists.get(name)) {
                    Some(new) if LISTS.contains(&key.get_ref().as_ref()) => places.push((value.span(), new)),
                    _ => named(value, lists, places),
                }
            }
        }
        DeValue::Array(array) => array.iter().for_each(|value| named(value, lists, places)),
        _ => {}
    }
}

/// The value to which keys lead, from one table to the next.
fn value<'a, 'i>(table: &'a DeTable<'i>, keys: &[&str]) -> Option<&'a Spanned<DeValue<'i>>> {
    let (key, rest) = keys.split_first()?;
    let (_, found) = table.iter().find(|(name, _)| name.get_ref() == key)?;
    if rest.is_empty() { Some(found) } else { value(found.get_ref().as_table()?, rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal_ledger_and_lists_are_the_copys_however_they_are_written() {
        let lists = BTreeMap::from([("../staff.txt", "members-1.txt".to_owned())]);
        let cases = [
            (
                "[ledger]\npath = 'D:\\real\\vpn.db'   # the real one\n[journal]\nfolder = 'D:\\real'\n",
                "[ledger]\npath = \"rasadmin.db\"   # the real one\n[journal]\nfolder = \"journal\"\n",
            ),
            ("ledger.path = \"/var/x.db\"\ntime_zone = \"UTC\"", "ledger.path = \"rasadmin.db\"\ntime_zone = \"UTC\""),
            (
                "journal = { folder = \"\"\"x\"\"\", deadline_ms = 100 }",
                "journal = { folder = \"journal\", deadline_ms = 100 }",
            ),
            (
                "\u{feff}[groups]\na = { members_file = \"../staff.txt\" }\n[groups.b]\nmembers_file = '../staff.txt'",
                "[groups]\na = { members_file = \"members-1.txt\" }\n[groups.b]\nmembers_file = \"members-1.txt\"",
            ),
            (
                "[addresses]\nreservations_file = '../staff.txt'\n[[rules]]\nname = '../staff.txt'\n\
                 source_networks_file = '../staff.txt'\n[[rules]]\ncomputers_file = '../staff.txt'\n",
                "[addresses]\nreservations_file = \"members-1.txt\"\n[[rules]]\nname = '../staff.txt'\n\
                 source_networks_file = \"members-1.txt\"\n[[rules]]\ncomputers_file = \"members-1.txt\"\n",
            ),
            (
                "[service.retention]\nkeep = 3\nbackups = 'E:\\backups'\n[service.metrics]\nfile = 'E:\\a.prom'",
                "[service.retention]\nkeep = 3\nbackups = \"backups\"\n[service.metrics]\nfile = \"metrics.prom\"",
            ),
            ("default.action = \"allow\"\n", "default.action = \"allow\"\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(renamed(text, &lists), expected);
        }
    }
}

//! The ledger: whether it is damaged, how far it is behind the journal, and whether both agree.

use super::facts::{Facts, Mark, rfc3339};
use super::recorded::Recorded;
use crate::format::records;
use crate::times;
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::{Error, sqlite};
use rasadmin_policy::config::Config;
use schemars::JsonSchema;
use serde::Serialize;

/// Ledgers up to this size, in bytes, are checked for damage. Larger ones take minutes, and the check holds a read
/// snapshot.
const CHECKED_UP_TO: u64 = 256 * 1024 * 1024;

/// The ledger. If it cannot be read, it has only `file` and `error`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Ledger {
    Unreadable(Unreadable),
    Readable(Readable),
}

/// A ledger that cannot be read.
#[derive(Serialize, JsonSchema)]
pub struct Unreadable {
    /// The path of its file.
    file: String,
    /// Why it cannot be read.
    error: String,
}

/// A ledger that can be read.
#[derive(Serialize, JsonSchema)]
pub struct Readable {
    /// The path of its file.
    file: String,
    /// The version of the ledger's tables.
    version: i64,
    /// The version of SQLite, and how it stores the ledger.
    platform: String,
    /// The size of the file, in bytes.
    bytes: u64,
    /// Damaged pages, as text; empty if there are none; null if the file is too large to be checked here.
    faults: Option<Vec<String>>,
    /// How many of the journal's records the ledger does not have yet.
    behind: u64,
    /// When the journal was last brought into it: UTC, as RFC 3339 writes it; null if it never was.
    brought_at: Option<String>,
    /// Where the ledger and the journal disagree, as text.
    differences: Vec<String>,
}

/// Whether the ledger is complete and undamaged. `None`: it does not exist.
pub fn check(facts: &mut Facts, config: &Config, recorded: &Recorded) -> Option<Ledger> {
    let path = &config.ledger;
    let file = path.display().to_string();
    if !path.exists() {
        facts.add(Mark::Note, "ledger", format!("{file}: the first command that reads it makes it"));
        return None;
    }
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let read = || -> Result<_, Error> {
        let reader = Reader::open(path)?;
        let platform = reader.platform()?;
        let checked = if size <= CHECKED_UP_TO { Some(reader.quick_check()?) } else { None };
        let differ = match &recorded.present {
            Some(present) if recorded.behind == 0 => reader.differences(&present.state)?,
            _ => Vec::new(),
        };
        Ok((platform, checked, differ))
    };
    let (platform, checked, differ) = match read() {
        Ok(read) => read,
        Err(e) => {
            facts.add(Mark::Attention, "ledger", e.to_string());
            return Some(Ledger::Unreadable(Unreadable { file, error: e.to_string() }));
        }
    };
    let version = sqlite::VERSION;
    let mib = size.div_ceil(1024 * 1024);
    let text = format!("{file}, version {version}, {platform}, {mib} MiB");
    match &checked {
        Some(faults) if !faults.is_empty() => {
            facts.add(
                Mark::Attention,
                "ledger",
                format!("{text}: it is damaged; `rasadmin ledger check` says what to do\n{}", faults.join("\n")),
            );
        }
        Some(_) => facts.add(Mark::Ok, "ledger", format!("{text}: no page is damaged")),
        None => {
            facts.add(Mark::Ok, "ledger", format!("{text}: too large to be checked here; run `rasadmin ledger check`"))
        }
    }
    if let Some(at) = recorded.brought_at {
        let at = times::show(at, &config.zone);
        match recorded.behind {
            0 => facts.add(Mark::Ok, "up to date", format!("the ledger has every record, as of {at}")),
            behind => {
                let what = format!("as of {at}; the next command brings in {}", records(behind));
                facts.add(Mark::Note, "up to date", what);
            }
        }
    } else if recorded.behind > 0 {
        let what = format!("nothing yet; the next command brings in {}", records(recorded.behind));
        facts.add(Mark::Note, "up to date", what);
    }
    if !differ.is_empty() {
        let what = format!(
            "the ledger does not agree with the journal: move it away, and the next command makes a new one\n{}",
            differ.join("\n")
        );
        facts.add(Mark::Attention, "ledger", what);
    }
    Some(Ledger::Readable(Readable {
        file,
        version,
        platform,
        bytes: size,
        faults: checked,
        behind: recorded.behind,
        brought_at: recorded.brought_at.map(rfc3339),
        differences: differ,
    }))
}

//! The ledger: whether it is damaged, how far behind the journal it is, and whether both agree.

use super::facts::{Facts, Mark, time};
use super::recorded::Recorded;
use crate::output::records;
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::{Error, sqlite};
use rasadmin_policy::config::Config;
use serde_json::json;

/// Ledgers up to this size are checked for damage: larger ones take minutes, and the check holds a read snapshot.
const CHECKED_UP_TO: u64 = 256 * 1024 * 1024;

/// Says it.
pub fn ledger(facts: &mut Facts, config: &Config, recorded: &Recorded) {
    let path = &config.ledger;
    if !path.exists() {
        let what = format!("{}: the first command that reads it makes it", path.display());
        facts.add(Mark::Note, "ledger", what);
        return;
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
            facts.data.insert("ledger".into(), json!({ "file": path, "error": e.to_string() }));
            return;
        }
    };
    let version = sqlite::VERSION;
    let mib = size.div_ceil(1024 * 1024);
    let text = format!("{}, version {version}, {platform}, {mib} MiB", path.display());
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
        let at = time(at);
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
    facts.data.insert(
        "ledger".into(),
        json!({
            "file": path, "version": version, "platform": platform, "bytes": size, "faults": checked,
            "behind": recorded.behind, "brought_at": recorded.brought_at.map(time), "differences": differ,
        }),
    );
}

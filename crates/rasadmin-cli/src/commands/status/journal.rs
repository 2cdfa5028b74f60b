//! The journal: its folder, its last record, its size, and the free space on its disk.

use super::facts::{Facts, Mark, rfc3339};
use super::recorded::Recorded;
use crate::format::{count, grouped, records};
use crate::present::warnings;
use crate::times;
use rasadmin_journal::{Error, Follower, inventory};
use rasadmin_policy::config::Config;
use rasadmin_system::disk;
use schemars::JsonSchema;
use serde::Serialize;

/// If the records are not brought into a ledger, the journal loses its oldest ones beyond this size, in bytes.
const LIMIT: u64 = 2 << 30;

/// The journal. Without records it has only `folder` and `records`; if it cannot be read, `folder` and `error`.
#[derive(Default, Serialize, JsonSchema)]
pub struct Journal {
    /// The path of its folder.
    folder: String,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The journal's identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<String>,
    /// The number of the last record.
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    /// The time of RRAS's last call that was recorded: UTC, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    /// How many segment files it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<usize>,
    /// The size of its segment files, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// The number of the last record in the newest usable checkpoint; 0 without a checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<u64>,
}

/// How far the journal is, and whether it is complete.
pub fn check(facts: &mut Facts, config: &Config, recorded: &Recorded) -> Journal {
    let folder = config.journal.display();
    let journal = Journal { folder: folder.to_string(), ..Journal::default() };
    if let Some(why) = &recorded.unreadable {
        facts.add(Mark::Attention, "journal", format!("{folder}: it cannot be read: {why}"));
        return Journal { error: Some(why.clone()), ..journal };
    }
    let Some(present) = &recorded.present else {
        facts.add(Mark::Note, "journal", format!("{folder}: RRAS makes it when it starts with the DLL"));
        return Journal { records: Some(0), ..journal };
    };
    let segments = inventory::take(&config.journal).unwrap_or_default();
    let number = present.position.number;
    let last = present.state.last().map(|last| last.time);
    let ago =
        last.map(|last| format!(", RRAS's last call {} ago", times::between(last, times::now()))).unwrap_or_default();
    let files = count(segments.segments.len(), "file");
    let length = times::octets(segments.length());
    facts.add(Mark::Ok, "journal", format!("{folder}: {}{ago}; {files}, {length}", records(number)));
    let after = number.saturating_sub(present.checkpoint);
    match present.checkpoint {
        0 => facts.add(Mark::Note, "checkpoint", "there is none yet: the DLL reads the whole journal when RRAS starts"),
        at => facts.add(Mark::Ok, "checkpoint", format!("at record {}; after it: {}", grouped(at), records(after))),
    }
    for warning in warnings(&present.missing) {
        facts.add(Mark::Attention, "journal", warning);
    }
    if present.missing.records == 0 && is_before_damage(config).unwrap_or(false) {
        let what =
            format!("what follows record {} cannot be read; `rasadmin journal check` says what to do", grouped(number));
        facts.add(Mark::Attention, "journal", what);
    }
    for notice in &present.notices {
        facts.add(Mark::Note, "checkpoint", notice.to_string());
    }
    for (path, why) in &segments.unusable {
        let what = format!("{} cannot be used: {why}; `rasadmin journal check` says what to do", path.display());
        facts.add(Mark::Attention, "journal", what);
    }
    if segments.length() > LIMIT / 2 {
        let what = format!(
            "it takes {length}; beyond {} its oldest records are deleted, even if no ledger has them: run `rasadmin \
             ledger update` daily",
            times::octets(LIMIT)
        );
        facts.add(Mark::Attention, "journal", what);
    }
    Journal {
        journal: Some(present.position.journal.to_string()),
        records: Some(number),
        last: last.map(rfc3339),
        files: Some(segments.segments.len()),
        bytes: Some(segments.length()),
        checkpoint: Some(present.checkpoint),
        ..journal
    }
}

/// The free space on the disk, if the folder exists.
pub fn free_bytes(facts: &mut Facts, config: &Config) -> Option<u64> {
    let free = disk::free_bytes(&config.journal).ok()?;
    if free < disk::LOW {
        let what = format!(
            "only {} are free on the disk of {}; when it is full, events wait in memory: make room, or put the journal \
             on another disk (`[journal] folder`)",
            times::octets(free),
            config.journal.display()
        );
        facts.add(Mark::Attention, "disk", what);
    }
    Some(free)
}

fn is_before_damage(config: &Config) -> Result<bool, Error> {
    let Some(mut follower) = Follower::open(&config.journal)? else { return Ok(false) };
    follower.read(|_| ())?;
    Ok(follower.is_before_damage())
}

//! The journal: where it is, how far it is, how long, and how much room its disk has.

use super::facts::{Facts, Mark, time};
use super::recorded::Recorded;
use crate::output::{count, grouped, records};
use crate::present::lacks;
use crate::times;
use rasadmin_journal::{Error, Follower, inventory};
use rasadmin_policy::config::Config;
use rasadmin_system::disk;
use serde_json::json;

/// A journal that nobody brings into a ledger loses its oldest records beyond this: bytes.
const LIMIT: u64 = 2 << 30;

/// Says it.
pub fn journal(facts: &mut Facts, config: &Config, recorded: &Recorded) {
    room(facts, config);
    let folder = config.journal.display();
    if let Some(why) = &recorded.unreadable {
        facts.add(Mark::Attention, "journal", format!("{folder}: it cannot be read: {why}"));
        facts.data.insert("journal".into(), json!({ "folder": config.journal, "error": why }));
        return;
    }
    let Some(present) = &recorded.present else {
        facts.add(Mark::Note, "journal", format!("{folder}: RRAS makes it when it starts with the DLL"));
        facts.data.insert("journal".into(), json!({ "folder": config.journal, "records": 0 }));
        return;
    };
    let segments = inventory::take(&config.journal).unwrap_or_default();
    let number = present.position.number;
    let last = present.state.last().map(|last| last.time);
    let ago = last.map(|last| format!(", the last {} ago", times::between(last, times::now()))).unwrap_or_default();
    let files = count(segments.segments.len(), "file");
    let length = times::octets(segments.length());
    facts.add(Mark::Ok, "journal", format!("{folder}: {}{ago}; {files}, {length}", records(number)));
    let after = number.saturating_sub(present.checkpoint);
    match present.checkpoint {
        0 => facts.add(Mark::Note, "checkpoint", "there is none yet: a start reads the journal from its beginning"),
        at => facts.add(Mark::Ok, "checkpoint", format!("at record {}; after it: {}", grouped(at), records(after))),
    }
    for lack in lacks(&present.missing) {
        facts.add(Mark::Attention, "journal", lack);
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
            "it takes {length}; beyond {} its oldest records are deleted, even if no ledger has them: run `rasadmin ledger \
             update` daily",
            times::octets(LIMIT)
        );
        facts.add(Mark::Attention, "journal", what);
    }
    facts.data.insert(
        "journal".into(),
        json!({
            "folder": config.journal, "journal": present.position.journal.to_string(), "records": number,
            "last": last.map(time), "files": segments.segments.len(), "bytes": segments.length(),
            "checkpoint": present.checkpoint,
        }),
    );
}

/// Of the disk, if the folder is there.
fn room(facts: &mut Facts, config: &Config) {
    let Ok(free) = disk::free_bytes(&config.journal) else { return };
    facts.data.insert("free_bytes".into(), free.into());
    if free < disk::LOW {
        let what = format!(
            "only {} are free on the disk of {}; when it is full, events wait in memory: make room, or put the journal \
             on another disk (`[journal] folder`)",
            times::octets(free),
            config.journal.display()
        );
        facts.add(Mark::Attention, "disk", what);
    }
}

fn is_before_damage(config: &Config) -> Result<bool, Error> {
    let Some(mut follower) = Follower::open(&config.journal)? else { return Ok(false) };
    follower.read(|_| ())?;
    Ok(follower.is_before_damage())
}

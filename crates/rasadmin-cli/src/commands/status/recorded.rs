//! What the journal and the ledger know about the server. `status` only reads: it brings nothing into the ledger.

use rasadmin_engine::effect::Effect;
use rasadmin_engine::{Millis, Name, Record};
use rasadmin_journal::{Error, Follower, Item, Position};
use rasadmin_ledger::report::{ConfigLoad, LastInstance, Reader};
use rasadmin_policy::config::Config;
use rasadmin_recorder::present::{self, Present};

/// Journal and ledger together.
pub struct Recorded {
    /// What is in force according to the journal; `None` if it has no records.
    pub present: Option<Present>,
    /// Why the journal cannot be read.
    pub unreadable: Option<String>,
    /// The last instance of this server, then those of the other servers that the ledger knows.
    pub instances: Vec<LastInstance>,
    /// How many records the ledger does not have yet.
    pub behind: u64,
    /// When the ledger was last brought up to date.
    pub brought_at: Option<Millis>,
}

/// Reads both.
pub fn read(config: &Config) -> Recorded {
    let reader = Reader::open(&config.ledger).ok();
    let mut instances = reader.as_ref().and_then(|reader| reader.instances().ok()).unwrap_or_default();
    let brought = reader.as_ref().and_then(|reader| reader.journal_cursors().ok()).unwrap_or_default();
    let mut recorded = Recorded { present: None, unreadable: None, instances: Vec::new(), behind: 0, brought_at: None };
    match present::read(&config.journal) {
        Ok(present) => recorded.present = present,
        Err(e) => recorded.unreadable = Some(e.to_string()),
    }
    if let Some(present) = &recorded.present {
        let own = brought.iter().find(|of| of.position.is_some_and(|place| place.journal == present.position.journal));
        recorded.brought_at = own.map(|own| own.brought_at);
        let server = present.state.server().clone();
        let known = instances.iter().position(|last| last.server.folded() == server.folded());
        let known = known.map(|at| instances.remove(at));
        match newer(config, own.and_then(|own| own.position), known, &server) {
            Ok((last, behind)) => {
                recorded.behind = behind;
                recorded.instances.extend(last);
            }
            Err(e) => recorded.unreadable = Some(e.to_string()),
        }
        if let Some(last) = recorded.instances.first_mut() {
            last.open_sessions = present.state.live_count() as u64;
        }
    }
    recorded.instances.extend(instances);
    recorded
}

/// The last instance as the ledger has it, updated by the records that the ledger does not have; and their number.
fn newer(
    config: &Config,
    place: Option<Position>,
    mut last: Option<LastInstance>,
    server: &Name,
) -> Result<(Option<LastInstance>, u64), Error> {
    let Some(mut follower) = Follower::open(&config.journal)? else { return Ok((last, 0)) };
    let fits = place.map(|place| follower.start_at(&place)).transpose()?.unwrap_or(false);
    if !fits {
        last = None;
    }
    let mut behind = 0;
    follower.read(|item| {
        if let Item::Record(record) = item {
            behind += 1;
            if let Ok(decoded) = rasadmin_recorder::decode(record.payload) {
                apply(&mut last, &decoded.record, server);
            }
        }
    })?;
    Ok((last, behind))
}

/// Updates the instance by a record.
fn apply(last: &mut Option<LastInstance>, record: &Record, server: &Name) {
    let time = record.at.time;
    for effect in &record.effects {
        match effect {
            Effect::InstanceBegan(began) => {
                let events_lost = last.as_ref().map_or(0, |last| last.events_lost);
                *last = Some(LastInstance {
                    server: began.server.clone(),
                    token: began.instance.to_string(),
                    started: began.at.time,
                    last_activity: time,
                    loaded: None,
                    open_sessions: 0,
                    events_lost,
                });
            }
            Effect::ConfigRead(read) => {
                let loaded = ConfigLoad {
                    time,
                    server: server.clone(),
                    version: read.version.clone(),
                    config: read.hash.clone(),
                    fault: read.fault.clone(),
                };
                if let Some(last) = last {
                    last.loaded = Some(loaded);
                }
            }
            Effect::Lost { events } => {
                if let Some(last) = last {
                    last.events_lost += events;
                }
            }
            _ => {}
        }
    }
    if let Some(last) = last.as_mut().filter(|_| record.event.is_of_rras()) {
        last.last_activity = last.last_activity.max(time);
    }
}

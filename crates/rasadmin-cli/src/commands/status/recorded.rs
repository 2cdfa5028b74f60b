//! What the journal and the ledger know about the server. `status` only reads: it brings nothing into the ledger.

use rasadmin_engine::effect::{Effect, Origin};
use rasadmin_engine::{Millis, Name, Record};
use rasadmin_journal::{Error, Follower, Item, Position};
use rasadmin_ledger::report::{ConfigLoad, LastInstance, PoolUse, Reader, Refused};
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
    /// Today's refusals by their cause, of every server that the ledger knows; the most frequent first.
    pub refused: Vec<Refused>,
    /// How many addresses of each pool are held, by server.
    pub held: Vec<(Name, String, u8, u64)>,
}

/// Reads both. `today` is when this day began.
pub fn read(config: &Config, today: Millis) -> Recorded {
    let reader = Reader::open(&config.ledger).ok();
    let mut instances = reader.as_ref().and_then(|reader| reader.instances().ok()).unwrap_or_default();
    let brought = reader.as_ref().and_then(|reader| reader.journal_cursors().ok()).unwrap_or_default();
    let refused = reader.as_ref().and_then(|reader| reader.refused(today, Millis::MAX).ok()).unwrap_or_default();
    let held = reader.as_ref().and_then(|reader| reader.pool_use().ok()).unwrap_or_default();
    let mut recorded =
        Recorded { present: None, unreadable: None, instances: Vec::new(), behind: 0, brought_at: None, refused, held };
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
        let mut newer = Newer { server: &server, today, last: known, refused: std::mem::take(&mut recorded.refused) };
        match newer.read(config, own.and_then(|own| own.position)) {
            Ok(behind) => recorded.behind = behind,
            Err(e) => recorded.unreadable = Some(e.to_string()),
        }
        recorded.instances.extend(newer.last);
        recorded.refused = newer.refused;
        recorded.refused.sort_by_key(|refused| std::cmp::Reverse(refused.times));
        // The journal knows better than the ledger what is held on its own server.
        recorded.held.retain(|(of, ..)| of.folded() != server.folded());
        let given = present.state.leases().filter(|lease| lease.origin != Origin::Offer).map(|lease| lease.address);
        recorded.held.extend(PoolUse::count(&config.addresses.pools, &server, given));
        if let Some(last) = recorded.instances.first_mut() {
            last.open_sessions = present.state.live_count() as u64;
        }
    }
    recorded.instances.extend(instances);
    recorded
}

/// What the ledger has, updated by the records that it does not have yet.
struct Newer<'s> {
    server: &'s Name,
    today: Millis,
    /// The last instance.
    last: Option<LastInstance>,
    /// Today's refusals.
    refused: Vec<Refused>,
}

impl Newer<'_> {
    /// Reads the records after a place. Returns their number.
    fn read(&mut self, config: &Config, place: Option<Position>) -> Result<u64, Error> {
        let Some(mut follower) = Follower::open(&config.journal)? else { return Ok(0) };
        let fits = place.map(|place| follower.start_at(&place)).transpose()?.unwrap_or(false);
        if !fits {
            // The ledger is of another journal: this one is read from its beginning.
            self.last = None;
            self.refused.clear();
        }
        let mut behind = 0;
        follower.read(|item| {
            if let Item::Record(record) = item {
                behind += 1;
                if let Ok(decoded) = rasadmin_recorder::decode(record.payload) {
                    self.apply(&decoded.record);
                }
            }
        })?;
        Ok(behind)
    }

    fn apply(&mut self, record: &Record) {
        let time = record.at.time;
        for effect in &record.effects {
            match effect {
                Effect::InstanceBegan(began) => {
                    let events_lost = self.last.as_ref().map_or(0, |last| last.events_lost);
                    self.last = Some(LastInstance {
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
                        server: self.server.clone(),
                        version: read.version.clone(),
                        config: read.hash.clone(),
                        fault: read.fault.clone(),
                    };
                    if let Some(last) = &mut self.last {
                        last.loaded = Some(loaded);
                    }
                }
                Effect::Lost { events } => {
                    if let Some(last) = &mut self.last {
                        last.events_lost += events;
                    }
                }
                _ => {}
            }
        }
        if let Some(decision) = record.decision.as_ref().filter(|decision| decision.time >= self.today) {
            Refused::add(&mut self.refused, decision);
        }
        if let Some(last) = self.last.as_mut().filter(|_| record.event.is_of_rras()) {
            last.last_activity = last.last_activity.max(time);
        }
    }
}

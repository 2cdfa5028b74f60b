//! How the parts of this server are: the DLL, the service, the journal, the ledger, the configuration.

mod card;

use super::attention::Attention;
use crate::source::Source;
pub use card::card;
use rasadmin_answers::show::grouped;
use rasadmin_ledger::report::{JournalCursor, LastInstance, Reader, rfc3339_or_null};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use rasadmin_service::state::{FollowReport, Report, State};
use schemars::JsonSchema;
use serde::Serialize;

/// What the ledger knows about them.
pub struct Recorded {
    instance: Option<LastInstance>,
    cursor: Option<JournalCursor>,
}

/// How the parts of the server are.
#[derive(Serialize, JsonSchema)]
pub struct Health {
    /// rasadmin.dll.
    dll: DllHealth,
    /// The rasadmin service.
    service: ServiceHealth,
    /// The journal.
    journal: JournalHealth,
    /// The ledger.
    ledger: LedgerHealth,
    /// The configuration.
    configuration: ConfigurationHealth,
}

/// How rasadmin.dll is, as the ledger and the service know it.
#[derive(Serialize, JsonSchema)]
struct DllHealth {
    /// Whether it is well. Null: that cannot be told without the service.
    well: Option<bool>,
    /// Its version. Null if the ledger does not know it.
    version: Option<String>,
    /// Whether Remote Access runs. Null: the service, or its duty `monitor`, does not say.
    remote_access_runs: Option<bool>,
    /// When it started: RFC 3339, UTC. Null if it has recorded nothing yet.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    started: Option<Millis>,
    /// When its last event in the ledger happened: RFC 3339, UTC. Null if it has recorded nothing yet.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    last_event: Option<Millis>,
    /// How many events were lost before they could be recorded. Null if it has recorded nothing yet.
    events_lost: Option<u64>,
}

/// How the rasadmin service is.
#[derive(Serialize, JsonSchema)]
struct ServiceHealth {
    /// Whether it answers, and all its duties work.
    well: bool,
    /// Its version. Null if it does not answer.
    version: Option<String>,
    /// When it started: RFC 3339, UTC. Null if it does not answer.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    started: Option<Millis>,
    /// Its duties that are switched on. Empty if it does not answer.
    duties: Vec<DutyHealth>,
}

/// How a duty of the service is.
#[derive(Serialize, JsonSchema)]
struct DutyHealth {
    /// Its name, as in the configuration: `follow`, `monitor` and so on.
    duty: &'static str,
    /// Whether it works. If not, `attention` says why.
    works: bool,
}

/// How the journal is, as the service knows it.
#[derive(Serialize, JsonSchema)]
struct JournalHealth {
    /// Whether the service follows it. Null: the service does not answer, or its duty `follow` is switched off.
    well: Option<bool>,
    /// The number of the last record that the ledger has. Null if there is none, or if `well` is null.
    record: Option<u64>,
    /// How many records the ledger lacks. Null if `well` is null.
    behind: Option<u64>,
    /// Its folder.
    folder: String,
}

/// How the ledger is.
#[derive(Serialize, JsonSchema)]
struct LedgerHealth {
    /// Whether it has something of this server. Null: without the service, it may be out of date.
    well: Option<bool>,
    /// When it was last brought up to date: RFC 3339, UTC. Null if it has nothing of this server yet.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    brought_at: Option<Millis>,
    /// Its file.
    file: String,
}

/// How the configuration's file is.
#[derive(Serialize, JsonSchema)]
struct ConfigurationHealth {
    /// Whether it is valid. If not, the last good configuration is in force.
    well: bool,
    /// How many rules are in force.
    rules: u64,
    /// The file.
    file: String,
}

impl Recorded {
    /// Asks the ledger about this server; if the configuration does not name it, about the one that was last active.
    pub fn read(reader: &Reader, config: &Config) -> Result<Self, rasadmin_ledger::Error> {
        let here = config.server.as_ref().map(|name| name.folded());
        let is_here = |name: &rasadmin_policy::Name| here.as_ref().is_none_or(|here| *here == name.folded());
        let instances = reader.instances()?.into_iter().filter(|one| is_here(&one.server));
        let cursors = reader.journal_cursors()?.into_iter().filter(|one| is_here(&one.server));
        Ok(Self {
            instance: instances.max_by_key(|one| one.last_activity),
            cursor: cursors.max_by_key(|one| one.brought_at),
        })
    }

    /// What needs attention.
    pub fn attention(&self) -> Vec<Attention> {
        let Some(instance) = &self.instance else { return Vec::new() };
        // The fault may have a line of the file, which viewers may not see.
        let fault = instance.loaded.as_ref().is_some_and(|loaded| loaded.fault.is_some()).then(|| {
            Attention::new(
                "the DLL keeps an earlier configuration, because the file was broken",
                "run `rasadmin config check`, and mend the file",
            )
        });
        let lost = (instance.events_lost > 0).then(|| {
            let what = format!("{} events were lost before they could be recorded", grouped(instance.events_lost));
            Attention::new(what, "`rasadmin status` says when; look at the free space on the journal's disk")
        });
        fault.into_iter().chain(lost).collect()
    }
}

impl Health {
    /// `service`: what the rasadmin service has answered.
    pub fn of(source: &Source, service: Option<&State>, recorded: &Recorded) -> Self {
        let config = source.config();
        let (file, fault) = source.config_fault();
        Self {
            dll: DllHealth::of(service, recorded.instance.as_ref()),
            service: ServiceHealth::of(service),
            journal: JournalHealth::of(service, config.journal.display().to_string()),
            ledger: LedgerHealth {
                well: service.map(|_| recorded.cursor.is_some()),
                brought_at: recorded.cursor.as_ref().map(|cursor| cursor.brought_at),
                file: config.ledger.display().to_string(),
            },
            configuration: ConfigurationHealth {
                well: fault.is_none(),
                rules: config.rules.len() as u64,
                file: file.display().to_string(),
            },
        }
    }
}

impl DllHealth {
    fn of(service: Option<&State>, instance: Option<&LastInstance>) -> Self {
        let remote_access_runs = service.and_then(State::monitor).map(|monitor| monitor.running);
        let has_all = instance.is_some_and(|one| one.events_lost == 0);
        Self {
            well: if has_all { service.map(|_| remote_access_runs != Some(false)) } else { Some(false) },
            version: instance.and_then(|one| one.loaded.as_ref()).map(|loaded| loaded.version.clone()),
            remote_access_runs,
            started: instance.map(|one| one.started),
            last_event: instance.map(|one| one.last_activity),
            events_lost: instance.map(|one| one.events_lost),
        }
    }
}

impl ServiceHealth {
    fn of(service: Option<&State>) -> Self {
        let duties = service.iter().flat_map(|state| &state.duties);
        let duties: Vec<_> =
            duties.map(|duty| DutyHealth { duty: duty.report.duty().name(), works: duty.fault.is_none() }).collect();
        Self {
            well: service.is_some() && duties.iter().all(|duty| duty.works),
            version: service.map(|state| state.version.clone()),
            started: service.map(|state| state.started),
            duties,
        }
    }
}

impl JournalHealth {
    fn of(service: Option<&State>, folder: String) -> Self {
        let follow = service.and_then(|state| {
            state.duties.iter().find_map(|duty| match &duty.report {
                Report::Follow(follow) => Some((follow, duty.fault.is_none())),
                _ => None,
            })
        });
        let report: Option<&FollowReport> = follow.map(|(report, _)| report);
        Self {
            well: follow.map(|(_, works)| works),
            record: report.and_then(|report| report.record),
            behind: report.map(|report| report.behind),
            folder,
        }
    }
}

#[cfg(test)]
mod tests;

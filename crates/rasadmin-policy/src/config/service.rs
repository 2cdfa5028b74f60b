//! What the rasadmin service does, and how.

use super::file::{self, At};
use super::hours::time;
use super::{Mistake, check};
use crate::rules::amounts;
use crate::shorten::shortened;
use jiff::civil::Time;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The duties of the rasadmin service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Does the file have a table `[service]`? Then somebody expects the service to run.
    pub configured: bool,
    /// Does it bring records into the ledger as they come?
    pub follow: bool,
    /// Does it look at RRAS's connections?
    pub monitor: bool,
    /// Does it disconnect sessions, and which?
    pub disconnect: Disconnect,
    /// Does it keep journal and ledger short, and how?
    pub retention: Retention,
    /// Does it answer the commands of administrators over its pipe?
    pub pipe: bool,
    /// May the account of the dashboard, `NT SERVICE\rasadmin-net`, change something over the pipe for its users?
    pub dashboard_changes: bool,
    /// Does it count for a monitoring system, and where?
    pub metrics: Metrics,
}

/// Which sessions are disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// Does the service do this?
    pub enabled: bool,
    /// What happens to those that rules deny.
    pub mode: DisconnectMode,
}

/// What happens to live sessions that rules deny.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DisconnectMode {
    /// They are reported, and stay connected.
    #[default]
    Report,
    /// They are disconnected.
    Enforce,
}

impl DisconnectMode {
    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Enforce => "enforce",
        }
    }
}

/// What is counted for a monitoring system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Does the service do this?
    pub enabled: bool,
    /// The file that it writes, absolute; None: none.
    pub file: Option<PathBuf>,
}

/// How journal and ledger are kept short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Does the service do this?
    pub enabled: bool,
    /// When it runs each day, in the configuration's time zone.
    pub at: Time,
    /// How long the ledger keeps decisions; None is forever.
    pub decisions: Option<Duration>,
    /// How long the ledger keeps sessions after their end; None is forever.
    pub sessions: Option<Duration>,
    /// How long the journal's segments stay after every ledger has read them; None is forever.
    pub segments: Option<Duration>,
    /// The folder of the backups.
    pub backups: PathBuf,
    /// How many backups are kept; 0 makes none.
    pub keep: u32,
}

const DAY: u64 = 24 * 60 * 60;

/// A hundred years: longer is `forever`.
const LONGEST: u64 = 36_525 * DAY;

/// The most backups.
const MOST: u32 = 1_000;

/// Compiles the table. `folder` is the configuration's, `ledger` the ledger's file.
pub(super) fn service(raw: &file::File, folder: &Path, ledger: &Path, mistakes: &mut Vec<Mistake>) -> Service {
    let of = raw.service.as_ref();
    let default = file::Retention::default();
    let retention = of.map_or(&default, |service| &service.retention);
    let mut age = |text: &Option<At<String>>, days: u64| match text {
        None => Some(Duration::from_secs(days * DAY)),
        Some(text) => kept_for(text, mistakes),
    };
    let (decisions, sessions) = (age(&retention.decisions, 90), age(&retention.sessions, 400));
    let segments = age(&retention.segments, 7);
    Service {
        configured: of.is_some(),
        follow: of.and_then(|service| service.follow.enabled).unwrap_or(true),
        monitor: of.and_then(|service| service.monitor.enabled).unwrap_or(true),
        disconnect: Disconnect {
            enabled: of.and_then(|service| service.disconnect.enabled).unwrap_or(true),
            mode: of.and_then(|service| service.disconnect.mode).unwrap_or_default(),
        },
        retention: Retention {
            enabled: retention.enabled.unwrap_or(true),
            at: at(retention.at.as_ref(), mistakes),
            decisions,
            sessions,
            segments,
            backups: backups(retention.backups.as_ref(), folder, ledger, mistakes),
            keep: keep(retention.keep.as_ref(), mistakes),
        },
        pipe: of.and_then(|service| service.pipe.enabled).unwrap_or(true),
        dashboard_changes: of.and_then(|service| service.pipe.dashboard_changes).unwrap_or(false),
        metrics: metrics(of.map(|service| &service.metrics), folder, mistakes),
    }
}

fn kept_for(text: &At<String>, mistakes: &mut Vec<Mistake>) -> Option<Duration> {
    let written = text.get_ref().trim();
    if written.eq_ignore_ascii_case("forever") {
        return None;
    }
    let shown = shortened(written);
    let fault = match amounts::duration(written) {
        Ok(seconds) if (DAY..=LONGEST).contains(&seconds) => return Some(Duration::from_secs(seconds)),
        Ok(seconds) if seconds > LONGEST => format!("`{shown}` is more than a hundred years"),
        Ok(_) => format!("`{shown}` is less than a day"),
        Err(_) => format!("`{shown}` is not a valid time to keep something"),
    };
    mistakes.push(Mistake::at(text.span(), fault, "write a number of days, like `90d`, or `forever`"));
    None
}

fn at(text: Option<&At<String>>, mistakes: &mut Vec<Mistake>) -> Time {
    /// The last minute of a day.
    const LAST: u16 = 23 * 60 + 59;
    let minute = text.map_or(Ok(3 * 60), |text| {
        time(text.get_ref(), LAST).map_err(|(what, help)| Mistake::at(text.span(), what, help))
    });
    match minute {
        Ok(minute) => {
            let part = |number: u16| i8::try_from(number).unwrap_or(0); // At most 59.
            Time::new(part(minute / 60), part(minute % 60), 0, 0).unwrap_or_default()
        }
        Err(mistake) => {
            mistakes.push(mistake);
            Time::midnight()
        }
    }
}

fn backups(named: Option<&At<String>>, folder: &Path, ledger: &Path, mistakes: &mut Vec<Mistake>) -> PathBuf {
    let Some(path) = named else { return ledger.parent().unwrap_or(folder).join("backups") };
    let help = "leave `backups` out for the folder `backups` beside the ledger, or write keep = 0 for none";
    mistakes.extend(check::path(path, "the path of the backups", help));
    folder.join(path.get_ref())
}

fn metrics(raw: Option<&file::Metrics>, folder: &Path, mistakes: &mut Vec<Mistake>) -> Metrics {
    let enabled = raw.and_then(|metrics| metrics.enabled).unwrap_or(true);
    let Some(named) = raw.and_then(|metrics| metrics.file.as_ref()) else { return Metrics { enabled, file: None } };
    mistakes.extend(check::path(named, "the path of the metrics", "leave `file` out for no file"));
    let file = folder.join(named.get_ref());
    if !named.get_ref().trim().is_empty() && file.extension().is_none_or(|extension| extension != "prom") {
        let what = "the file of the metrics does not end with `.prom`, so no collector reads it";
        mistakes.push(Mistake::at(named.span(), what, "write a name like `rasadmin.prom`"));
    }
    Metrics { enabled, file: Some(file) }
}

fn keep(number: Option<&At<u32>>, mistakes: &mut Vec<Mistake>) -> u32 {
    let Some(number) = number else { return 7 };
    let keep = *number.get_ref();
    if keep > MOST {
        let what = format!("`keep` is {keep}, and at most {MOST} backups are kept");
        mistakes.push(Mistake::at(number.span(), what, format!("write {MOST} or less")));
    }
    keep
}

//! Which ledger a command works on, and whose names and clocks hold.

use clap::Args;
use jiff::tz::TimeZone;
use rasadmin_engine::ledger::Millis;
use rasadmin_engine::{Domains, config, parse_time};
use std::path::PathBuf;

/// The ledger, by the configuration or by itself
#[derive(Args)]
pub struct Chosen {
    /// The configuration: its ledger, domains and time zone; without it and --ledger, that of this server
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The ledger; without --config no names of domains are known, and a bare name has none
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// The zone of local times, as IANA names it, like Europe/Berlin; else the configuration's
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

/// What was chosen.
pub struct Place {
    /// The ledger's file.
    pub ledger: PathBuf,
    /// Who is meant by a name.
    pub domains: Domains,
    /// The zone, if one was named.
    pub zone: Option<TimeZone>,
}

impl Chosen {
    /// Reads the configuration, if there is to be one.
    pub fn place(&self) -> Result<Place, String> {
        let zone = self.time_zone.as_deref().map(config::time_zone).transpose()?;
        let path = match (&self.config, &self.ledger) {
            (Some(path), _) => path.clone(),
            (None, Some(ledger)) => {
                return Ok(Place { ledger: ledger.clone(), domains: Domains::default(), zone });
            }
            (None, None) => config::find(&rasadmin_system::places::config_places(None))
                .map_err(|e| format!("{e}; or name --ledger"))?,
        };
        let config = config::load(&path).map_err(|e| e.to_string())?;
        let zone = zone.or_else(|| config.named_zone().cloned());
        Ok(Place { ledger: self.ledger.clone().unwrap_or(config.ledger), domains: config.domains, zone })
    }
}

impl Place {
    /// A time as people type it: RFC 3339, or a day, which begins at midnight in the zone (UTC if none is named).
    pub fn time(&self, option: &str, text: &str) -> Result<Millis, String> {
        let day = || {
            let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
            text.parse::<jiff::civil::Date>().ok()?.to_zoned(zone).ok().map(|t| t.timestamp().as_millisecond())
        };
        parse_time(text).or_else(day).ok_or_else(|| {
            let shown = rasadmin_engine::Name::new(text);
            format!(
                "{option}: `{shown}` is no time; write a day like 2026-11-01, or a time like 2026-11-01T08:00:00+01:00"
            )
        })
    }
}

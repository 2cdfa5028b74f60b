//! `retention`: once a day it deletes what is too old, checks the ledger, backs it up, and looks how fast the disks
//! fill. Once an hour it deletes old segments of the journal.
//!
//! Each part is done once after each due time, and the report says when. So a run that fails or is interrupted goes on
//! with what is missing, and a service that did not run at the due time catches up when it starts.

mod backup;
mod disks;
mod schedule;

use crate::duty::{Duty, Fault, Turn};
use crate::settings::Settings;
use crate::state::{Report, RetentionReport};
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::upkeep::Upkeep;
use rasadmin_ledger::{ErrorKind, Expiry, Keep};
use rasadmin_messages::Message;
use rasadmin_policy::Millis;
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::period_dates;
use rasadmin_recorder::upkeep;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// The longest time between two looks at the clock, because somebody may set it.
const EVERY: Duration = Duration::from_secs(60);

/// The time between two looks for old segments.
const SEGMENTS: Duration = Duration::from_secs(60 * 60);

/// The pause between two deletions, in which others write.
const PAUSE: Duration = Duration::from_millis(20);

/// The duty.
pub struct Retention {
    settings: Arc<Settings>,
    /// When old segments were last looked for.
    segments: Option<Instant>,
    report: RetentionReport,
}

/// A part of the daily run.
type Part = fn(&mut Retention, &Turn<'_>) -> Result<(), Fault>;

impl Retention {
    /// Continues with the report of the duty before it.
    pub fn new(settings: Arc<Settings>, last: Option<Report>) -> Self {
        let report = match last {
            Some(Report::Retention(report)) => report,
            _ => RetentionReport::default(),
        };
        Self { settings, segments: None, report }
    }

    /// Deletes the journal's segments that every ledger has had for long enough.
    fn old_segments(&mut self, turn: &Turn<'_>) -> Result<(), Fault> {
        if self.segments.is_some_and(|last| last.elapsed() < SEGMENTS) {
            return Ok(());
        }
        let Some(age) = self.settings.service.retention.segments else { return Ok(()) };
        let before = UNIX_EPOCH + Duration::from_millis(turn.now.max(0).unsigned_abs()).saturating_sub(age);
        let gone = upkeep::delete_old(&self.settings.journal, before)?;
        self.segments = Some(Instant::now());
        if !gone.is_empty() {
            self.report.segments += gone.len() as u64;
            turn.log.line(&format!("retention: {} old files of the journal deleted", gone.len()));
        }
        Ok(())
    }

    /// Deletes what the ledger need not keep.
    fn delete(&mut self, turn: &Turn<'_>) -> Result<(), Fault> {
        let mut ledger = Upkeep::open(&self.settings.ledger)?;
        let mut expiry = Expiry::new(self.keep(turn.now));
        while ledger.expire_some(&mut expiry)? {
            if turn.stop.wait(PAUSE) {
                return Ok(());
            }
        }
        self.report.deleted_at = Some(turn.now);
        self.report.deleted = expiry.counts().into();
        let deleted = self.report.deleted;
        turn.log.line(&format!(
            "retention: deleted from the ledger: sessions {}, leases {}, decisions {}, others {}",
            deleted.sessions, deleted.leases, deleted.decisions, deleted.others
        ));
        Ok(())
    }

    fn keep(&self, now: Millis) -> Keep {
        let of = &self.settings.service.retention;
        let before = |age: Duration| now.saturating_sub(Millis::try_from(age.as_millis()).unwrap_or(Millis::MAX));
        let (decisions, sessions) = (of.decisions.map(before), of.sessions.map(before));
        let day = |period, time| {
            let time = jiff::Timestamp::from_millisecond(time).unwrap_or_default();
            period_dates(period, time, &self.settings.zone).0
        };
        // The periods that quotas count now stay whole, and so does the day up to which sessions are deleted.
        let first = [day(Period::Week, now), day(Period::Month, now), day(Period::Day, sessions.unwrap_or(now))];
        Keep { decisions, sessions, first_day: first.into_iter().min().unwrap_or_default() }
    }

    /// Looks for damaged pages.
    fn check(&mut self, turn: &Turn<'_>) -> Result<(), Fault> {
        let damage = match Reader::open(&self.settings.ledger).and_then(|ledger| ledger.quick_check()) {
            // The damage may be where not even the check can read.
            Err(error) if error.kind == ErrorKind::Corrupt => vec![error.to_string()],
            checked => checked?,
        };
        self.report.checked_at = Some(turn.now);
        if !damage.is_empty() {
            let ledger = self.settings.ledger.display();
            turn.log.emit(&Message::LedgerDamaged { ledger: &ledger, faults: &damage.join("; ") });
        }
        self.report.damage = damage;
        Ok(())
    }

    /// Copies the ledger. A damaged one is not copied, because the copy would push out a good one.
    fn back_up(&mut self, turn: &Turn<'_>) -> Result<(), Fault> {
        if self.report.damage.is_empty() && self.settings.service.retention.keep > 0 {
            let path = backup::make(&self.settings, turn.now)?;
            turn.log.line("retention: the ledger is backed up");
            self.report.backup = Some(path.display().to_string());
        }
        self.report.backed_up_at = Some(turn.now);
        Ok(())
    }

    /// Looks how fast the disks fill.
    fn disks(&mut self, turn: &Turn<'_>) {
        let disks = disks::look(&self.settings, turn.now);
        for (now, days) in disks::filling(&self.report.disks, &disks) {
            let days = match days {
                0 => "a day".to_owned(),
                days => format!("{} days", days + 1),
            };
            let message = Message::DiskFills { folder: &now.folder, free: &(now.free >> 20), days: &days };
            turn.log.emit(&message);
        }
        self.report.disks = disks;
    }

    fn daily(&mut self, turn: &Turn<'_>) -> Result<(), Fault> {
        let since = schedule::last(turn.now, self.settings.service.retention.at, &self.settings.zone);
        let due = |done: Option<Millis>| done.is_none_or(|done| done < since || done > turn.now);
        let RetentionReport { deleted_at, checked_at, backed_up_at, .. } = self.report;
        // Once a day, however often a backup is tried: two looks close together say nothing about a day.
        if due(self.report.disks.first().map(|disk| disk.time)) {
            self.disks(turn);
        }
        let parts: [(Option<Millis>, Part); 3] =
            [(deleted_at, Self::delete), (checked_at, Self::check), (backed_up_at, Self::back_up)];
        let mut faults = Vec::new();
        for (_, part) in parts.into_iter().filter(|(done, _)| due(*done)) {
            if turn.stop.is_requested() {
                break;
            }
            faults.extend(part(self, turn).err());
        }
        faults.into_iter().next().map_or(Ok(()), Err)
    }
}

impl Duty for Retention {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        let next = schedule::next(turn.now, self.settings.service.retention.at, &self.settings.zone);
        self.report.next = Some(next);
        // Without a ledger there is nothing to do yet.
        let daily = if self.settings.ledger.exists() { self.daily(turn) } else { Ok(()) };
        let segments = self.old_segments(turn);
        daily.and(segments)?;
        Ok(Duration::from_millis(next.saturating_sub(turn.now).max(1_000).unsigned_abs()).min(EVERY))
    }

    fn report(&self) -> Report {
        Report::Retention(self.report.clone())
    }
}

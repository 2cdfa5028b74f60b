//! `metrics`: counts for a monitoring system.
//!
//! What is counted comes from the journal's records, which are read without its lock, as `follow` reads them. So nothing
//! waits for the ledger, and nothing that retention deletes makes a counter fall. docs/metrics.md lists the names.

mod collector;
mod exposition;
mod families;
mod file;
mod histogram;
mod tally;

pub use collector::Collector;

use crate::board::Board;
use crate::duty::{Duty, DutyStart, Fault, Turn};
use crate::settings::Settings;
use crate::state::{MetricsReport, Report};
use rasadmin_policy::Millis;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The time between two looks at the journal. A request looks too.
const EVERY: Duration = Duration::from_secs(1);

/// The time between two files.
const FILE_EVERY: Millis = 15_000;

/// The duty.
pub struct Metrics {
    file: Option<PathBuf>,
    collector: Arc<Collector>,
    board: Arc<Board>,
    report: MetricsReport,
}

impl Metrics {
    /// With a collector that others may ask too.
    pub fn new(settings: &Settings, collector: Arc<Collector>, start: DutyStart) -> Self {
        let file = settings.service.metrics.file.clone();
        let report = MetricsReport { file: file.as_ref().map(|file| file.display().to_string()), written: None };
        Self { file, collector, board: start.board, report }
    }
}

impl Duty for Metrics {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        let due = |written: Millis| !(0..FILE_EVERY).contains(&turn.now.saturating_sub(written));
        match &self.file {
            Some(file) if self.report.written.is_none_or(due) => {
                let text = self.collector.text(&self.board.state(), turn.now)?;
                file::write(file, &text)?;
                self.report.written = Some(turn.now);
            }
            _ => self.collector.look(&self.board.state(), turn.now)?,
        }
        Ok(EVERY)
    }

    fn report(&self) -> Report {
        Report::Metrics(self.report.clone())
    }
}

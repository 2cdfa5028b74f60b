//! The candidates that were tried lately, so that one can be changed and tried again.

use crate::fault::Fault;
use crate::pages::asked;
use jiff::tz::TimeZone;
use rasadmin_pipe::Request;
use rasadmin_policy::Millis;
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many are kept, of at most 64 KiB each.
const MOST: usize = 16;

/// Thirty days, in milliseconds.
pub const MONTH: Millis = 30 * 86_400_000;

/// A candidate, and the time that it is tried on, as the form has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Candidate {
    /// Its text.
    pub configuration: String,
    /// Attempts from this time on.
    pub since: String,
    /// Attempts before this time.
    pub until: String,
}

impl Candidate {
    /// A text, and the last thirty days.
    pub fn of_last_month(configuration: String, now: Millis, zone: &TimeZone) -> Self {
        let since = asked::moment_text(now.saturating_sub(MONTH), zone);
        Self { configuration, since, until: String::new() }
    }

    /// Browsers send line ends with CR. They count for the longest request.
    pub fn normal(self) -> Self {
        Self { configuration: self.configuration.replace("\r\n", "\n"), ..self }
    }

    /// The request to the service.
    ///
    /// # Errors
    /// If the text is empty, or if a time is not valid.
    pub fn request(&self, zone: &TimeZone) -> Result<Request, Fault> {
        if self.configuration.trim().is_empty() {
            let remedy = "write one, or choose Reset to begin with the configuration in force";
            return Err(Fault::bad_request("the candidate is empty", remedy));
        }
        let time = |text: &str| asked::given(text).map(|text| asked::moment(text, zone)).transpose();
        let (since, until) = (time(&self.since)?, time(&self.until)?);
        Ok(Request::Simulate { configuration: self.configuration.clone(), since, until })
    }
}

/// The latest candidates, by the number of their simulation.
#[derive(Debug, Default)]
pub struct Candidates(Mutex<VecDeque<(u64, Candidate)>>);

impl Candidates {
    /// Keeps one. An old one makes room for it.
    pub fn keep(&self, number: u64, candidate: Candidate) {
        let mut all = self.all();
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back((number, candidate));
    }

    /// The candidate of a simulation.
    pub fn find(&self, number: u64) -> Option<Candidate> {
        self.all().iter().find(|(of, _)| *of == number).map(|(_, candidate)| candidate.clone())
    }

    /// The number of the latest simulation that was begun here.
    pub fn latest(&self) -> Option<u64> {
        self.all().back().map(|(number, _)| *number)
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<(u64, Candidate)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_candidates_are_kept() {
        let candidates = Candidates::default();
        for number in 0..=MOST as u64 {
            candidates.keep(number, Candidate { configuration: number.to_string(), ..Candidate::default() });
        }
        assert_eq!((candidates.find(0), candidates.latest()), (None, Some(MOST as u64)));
        assert_eq!(candidates.find(1).map(|kept| kept.configuration), Some("1".to_owned()));
        assert_eq!(candidates.all().len(), MOST);
    }

    #[test]
    fn a_candidate_is_tried_on_the_last_thirty_days_without_the_line_ends_of_browsers() {
        let candidate =
            Candidate::of_last_month("a\r\nb".to_owned(), 1_795_444_200_000 + MONTH, &TimeZone::UTC).normal();
        let configuration = "a\nb".to_owned();
        let expected = Request::Simulate { configuration, since: Some(1_795_444_200_000), until: None };
        assert_eq!(candidate.request(&TimeZone::UTC), Ok(expected));
        let wrong = Candidate { until: "soon".to_owned(), ..candidate };
        assert!(wrong.request(&TimeZone::UTC).is_err_and(|fault| fault.what.contains("`soon` is not a time")));
    }
}

//! Today's sessions, counted.

use crate::chart::{self, OverTime, Series};
use jiff::tz::TimeZone;
use maud::Markup;
use rasadmin_answers::show;
use rasadmin_ledger::report::{Reader, SessionRow};
use rasadmin_policy::Millis;
use std::collections::BTreeMap;

/// The time between two counts.
const EVERY: Millis = 10 * 60 * 1000;

/// The tunnels in the order of the chart. What has no tunnel yet is `other`.
const TUNNELS: [&str; 5] = ["IKEv2", "SSTP", "L2TP", "PPTP", "other"];

/// Today until now.
#[derive(Debug, Default, PartialEq)]
pub struct Day {
    midnight: Millis,
    /// How many sessions are live now, began, and have ended.
    pub live: u64,
    pub began: u64,
    pub ended: u64,
    /// The most that were live at one of the counts, or now.
    pub most: u64,
    /// Octets of the sessions that have ended.
    pub input_octets: u64,
    pub output_octets: u64,
    /// For each tunnel, how many sessions were live at each count.
    counts: BTreeMap<&'static str, Vec<u64>>,
}

/// When the day of a time began.
pub fn midnight(now: Millis, zone: &TimeZone) -> Millis {
    let today = zone.to_datetime(show::at(now)).date();
    zone.to_zoned(today.to_datetime(jiff::civil::Time::midnight()))
        .map_or(now, |zoned| zoned.timestamp().as_millisecond())
}

impl Day {
    /// Reads the sessions of the day.
    pub fn read(reader: &Reader, midnight: Millis, now: Millis) -> Result<Self, rasadmin_ledger::Error> {
        let mut day = Self { midnight, ..Self::default() };
        reader
            .each_summed_in(midnight, now.saturating_add(1), &mut |_, _| {}, &mut |session| day.add(&session, now))?;
        day.most = (0..day.len(now)).map(|at| day.total(at)).max().unwrap_or(0).max(day.live);
        Ok(day)
    }

    fn len(&self, now: Millis) -> usize {
        usize::try_from((now - self.midnight) / EVERY + 1).unwrap_or(0)
    }

    fn total(&self, at: usize) -> u64 {
        self.counts.values().filter_map(|counts| counts.get(at)).sum()
    }

    fn add(&mut self, session: &SessionRow, now: Millis) {
        self.began += u64::from(session.acct_start_time >= self.midnight);
        if session.is_live() {
            self.live += 1;
        } else {
            self.ended += 1;
            self.input_octets = self.input_octets.saturating_add(session.acct_input_octets.unwrap_or(0));
            self.output_octets = self.output_octets.saturating_add(session.acct_output_octets.unwrap_or(0));
        }
        let tunnel = session.tunnel_type.as_deref();
        let tunnel = TUNNELS.into_iter().find(|known| Some(*known) == tunnel).unwrap_or("other");
        let length = self.len(now);
        let counts = self.counts.entry(tunnel).or_insert_with(|| vec![0; length]);
        // It is live at a count that is not before its start, and before its end.
        let index = |time: Millis| usize::try_from(((time - self.midnight).max(0) + EVERY - 1) / EVERY).unwrap_or(0);
        let end = if session.is_live() { length } else { index(session.connected_until(now)) };
        counts.iter_mut().take(end).skip(index(session.acct_start_time)).for_each(|count| *count += 1);
    }

    /// When the sessions were counted.
    pub fn times(&self, now: Millis) -> Vec<Millis> {
        (0..self.len(now)).map(|at| self.midnight + at as Millis * EVERY).collect()
    }

    /// The tunnels that there were, in the order of the chart, and how many sessions were live at each time.
    pub fn by_tunnel(&self) -> impl Iterator<Item = (&'static str, &Vec<u64>)> {
        TUNNELS.into_iter().filter_map(|tunnel| Some((tunnel, self.counts.get(tunnel)?)))
    }

    /// The chart of the day.
    pub fn chart(&self, now: Millis, zone: &TimeZone) -> Markup {
        let times = self.times(now);
        let of_tunnel =
            |(tunnel, counts): (&str, &Vec<u64>)| Series { name: tunnel.to_owned(), counts: counts.clone() };
        let series: Vec<_> = self.by_tunnel().map(of_tunnel).collect();
        chart::over_time(&OverTime {
            title: "Connected today",
            unit: "connected",
            times: &times,
            series: &series,
            until: self.midnight + 24 * 60 * 60 * 1000,
            zone,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_counts_from_its_start_to_its_end() {
        let minutes = |minutes: Millis| minutes * 60_000;
        let session = |start, stop| SessionRow {
            acct_start_time: start,
            acct_stop_time: stop,
            tunnel_type: Some("SSTP".into()),
            acct_input_octets: Some(7),
            ..SessionRow::default()
        };
        let (mut day, now) = (Day::default(), minutes(45));
        day.add(&session(minutes(-10), Some(minutes(10))), now);
        day.add(&session(minutes(10), Some(minutes(31))), now);
        day.add(&session(minutes(31), None), now);
        // Between two counts.
        day.add(&session(minutes(41), Some(minutes(42))), now);
        assert_eq!(day.counts["SSTP"], [1, 1, 1, 1, 1]);
        assert_eq!((day.live, day.began, day.ended, day.input_octets), (1, 3, 3, 21));
    }
}

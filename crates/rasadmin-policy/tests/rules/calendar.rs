//! Hours on the wall clock, and days, weeks and months, across changes of the clocks.

use crate::world::*;
use jiff::Timestamp;
use proptest::prelude::*;
use rasadmin_policy::config::file::Period;
use rasadmin_policy::config::parse;
use rasadmin_policy::rules::period::MAX_DAYS;
use rasadmin_policy::rules::{days_between, period_dates, period_start};
use rasadmin_policy::{Facts, Stage};
use std::path::Path;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Which of these moments lie within hours (in Berlin).
fn hold(hours: &str, cases: &[(&str, bool)]) {
    let world = rule(&format!("action = 'allow'\nhours = [{hours}]"));
    for (moment, yes) in cases {
        assert_eq!(world.allows(&Facts { time: time(moment), ..full() }), *yes, "{hours}: {moment}");
    }
}

#[test]
fn hours_begin_with_their_first_minute_and_end_before_their_last() {
    // 2026-03-25 is a Wednesday; Berlin is an hour ahead.
    hold(
        "{ days = ['mon-fri'], from = '08:00', to = '18:00' }",
        &[
            ("2026-03-25T06:59:59Z", false),
            ("2026-03-25T07:00:00Z", true),
            ("2026-03-25T16:59:59.999Z", true),
            ("2026-03-25T17:00:00Z", false),
            ("2026-03-28T09:00:00Z", false),
        ],
    );
    hold(
        "{ from = '12:00' }, { days = ['wed'], to = '8:00' }",
        &[
            ("2026-03-25T06:59:00Z", true),
            ("2026-03-25T07:00:00Z", false),
            ("2026-03-25T22:59:59Z", true),
            ("2026-03-26T01:00:00Z", false),
        ],
    );
    hold("{}", &[("2026-03-25T06:59:00Z", true)]);
}

/// As a table, as text, or as a list of either: the same hours.
#[test]
fn hours_have_several_shapes() {
    let hours = |written: &str| {
        let text = format!(
            "default.action = 'deny'\ntime_zone = 'Europe/Berlin'\n[[rules]]\nname = 'r'\naction = 'allow'\nhours = {written}\n"
        );
        let config = parse("f", &text, Path::new("/f"), &mut |_| Err("none".into()));
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        let explained = config.rules.explain(Stage::Link, &full(), &Default::default(), &Default::default());
        explained[0].conditions[0].asked.to_owned()
    };
    for written in [
        "[{ days = ['mon-fri'], from = '08:00', to = '18:00' }]",
        "{ days = ['mon-fri'], from = '08:00', to = '18:00' }",
        "{ days = 'mon-fri', from = '08:00', to = '18:00' }",
        "'mon-fri 08:00-18:00'",
        "'mon-fri 08:00 - 18:00'",
        "['mon-fri 08:00-18:00']",
    ] {
        assert_eq!(hours(written), "mon-fri 08:00-18:00", "{written}");
    }
    assert_eq!(hours("'sat+sun'"), "sat+sun 00:00-24:00");
    assert_eq!(hours("'22:00-06:00'"), "22:00-06:00");
    assert_eq!(hours("{ days = 'mon, tue' }"), "mon+tue 00:00-24:00");
    // What an explanation shows can be written so.
    let both = "['sat 09:00-12:00', { days = ['mon-thu', 'fri'], to = '18:00' }]";
    assert_eq!(hours(both), "sat 09:00-12:00, mon-thu+fri 00:00-18:00");
}

#[test]
fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    hold(
        "{ days = ['FRI'], from = '22:00', to = '06:00' }",
        &[
            ("2026-03-20T20:59:00Z", false),
            ("2026-03-20T21:00:00Z", true),
            ("2026-03-21T04:59:00Z", true),
            ("2026-03-21T05:00:00Z", false),
            // Friday's own early hours are Thursday's night.
            ("2026-03-20T04:00:00Z", false),
            ("2026-03-21T22:00:00Z", false),
        ],
    );
    // Sunday's night is in Monday.
    hold(
        "{ days = ['sun'], from = '22:00', to = '06:00' }",
        &[("2026-03-23T04:00:00Z", true), ("2026-03-22T04:00:00Z", false)],
    );
    hold(
        "{ days = ['fri-mon'], to = '24:00' }",
        &[
            ("2026-03-20T12:00:00Z", true),
            ("2026-03-22T12:00:00Z", true),
            ("2026-03-23T22:59:00Z", true),
            ("2026-03-23T23:00:00Z", false),
            ("2026-03-19T12:00:00Z", false),
        ],
    );
    hold(
        "{ days = ['mon'], from = '18:00', to = '00:00' }",
        &[("2026-03-23T22:59:00Z", true), ("2026-03-23T23:00:00Z", false)],
    );
}

#[test]
fn hours_are_what_the_clock_on_the_wall_shows() {
    // On 2026-03-29 Berlin's clocks go from 02:00 to 03:00 (01:00Z): 02:30 is never shown.
    hold(
        "{ from = '02:00', to = '03:00' }",
        &[("2026-03-29T00:59:59Z", false), ("2026-03-29T01:00:00Z", false), ("2026-03-28T01:30:00Z", true)],
    );
    hold(
        "{ days = ['sat'], from = '22:00', to = '06:00' }",
        &[
            ("2026-03-29T03:59:59Z", true), // 05:59: the night has seven hours.
            ("2026-03-29T04:00:00Z", false),
        ],
    );
    // On 2026-10-25 they go back from 03:00 to 02:00 (01:00Z): 02:30 is shown twice.
    hold(
        "{ from = '02:00', to = '03:00' }",
        &[
            ("2026-10-24T23:59:59Z", false),
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T02:00:00Z", false),
        ],
    );
}

fn days(start: &str, stop: &str, name: &str) -> Vec<(String, u64)> {
    days_between(time(start), time(stop), &zone(name)).collect()
}

fn list(days: &[(&str, u64)]) -> Vec<(String, u64)> {
    days.iter().map(|&(date, seconds)| (date.to_owned(), seconds)).collect()
}

#[test]
fn time_is_split_at_midnight() {
    let berlin = "Europe/Berlin";
    assert_eq!(
        days("2026-03-25T22:00:00Z", "2026-03-26T00:00:00Z", berlin),
        list(&[("2026-03-25", 3_600), ("2026-03-26", 3_600)])
    );
    // A day of 23 hours, and one of 25.
    assert_eq!(
        days("2026-03-28T22:00:00Z", "2026-03-29T23:00:00Z", berlin),
        list(&[("2026-03-28", 3_600), ("2026-03-29", 23 * 3_600), ("2026-03-30", 3_600)])
    );
    assert_eq!(days("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", berlin), list(&[("2026-10-25", 25 * 3_600)]));
    // Midnights that did not exist.
    assert_eq!(
        days("2018-11-04T02:00:00Z", "2018-11-04T04:00:00Z", "America/Sao_Paulo"),
        list(&[("2018-11-03", 3_600), ("2018-11-04", 3_600)])
    );
    assert_eq!(
        days("2026-04-23T21:00:00Z", "2026-04-23T23:00:00Z", "Africa/Cairo"),
        list(&[("2026-04-23", 3_600), ("2026-04-24", 3_600)])
    );
    // A whole day that did not exist: Samoa went over the date line.
    assert_eq!(
        days("2011-12-30T09:00:00Z", "2011-12-30T11:00:00Z", "Pacific/Apia"),
        list(&[("2011-12-29", 3_600), ("2011-12-31", 3_600)])
    );
    // Clocks that went back over midnight, at 00:01: the day that has begun goes on.
    assert_eq!(
        days("2006-10-29T02:00:00Z", "2006-10-29T04:00:00Z", "America/St_Johns"),
        list(&[("2006-10-28", 1_800), ("2006-10-29", 5_400)])
    );
}

#[test]
fn odd_spans_are_bounded() {
    let utc = "UTC";
    assert!(days("2026-03-25T22:00:00Z", "2026-03-25T22:00:00Z", utc).is_empty());
    assert!(days("2026-03-25T22:00:00Z", "2026-03-25T21:00:00Z", utc).is_empty());
    assert!(days("2026-03-25T22:00:00.1Z", "2026-03-25T22:00:00.9Z", utc).is_empty());
    let ages: Vec<_> = days_between(Timestamp::MIN, time("2026-03-25T00:00:00Z"), &zone(utc)).collect();
    assert_eq!(ages.len() as i64, MAX_DAYS);
    assert_eq!(ages.last().unwrap(), &("2026-03-24".to_owned(), 86_400));
    let berlin = zone("Europe/Berlin");
    for (start, stop) in [(Timestamp::MIN, Timestamp::MAX), (Timestamp::MIN, Timestamp::MIN)] {
        assert!(days_between(start, stop, &berlin).count() as i64 <= MAX_DAYS + 1);
    }
    for end in [Timestamp::MIN, Timestamp::MAX] {
        for period in [Period::Day, Period::Week, Period::Month] {
            assert!(period_start(period, end, &berlin) <= end);
            let (first, last) = period_dates(period, end, &berlin);
            assert!(!first.is_empty() && !last.is_empty());
        }
    }
}

#[test]
fn periods_begin_with_the_calendar() {
    let berlin = zone("Europe/Berlin");
    for (period, at, start, first, last) in [
        (Period::Day, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29", "2026-03-29"),
        (Period::Day, "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30", "2026-03-30"),
        (Period::Week, "2026-03-29T21:59:59Z", "2026-03-22T23:00:00Z", "2026-03-23", "2026-03-29"),
        (Period::Week, "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30", "2026-04-05"),
        (Period::Week, "2026-01-01T12:00:00Z", "2025-12-28T23:00:00Z", "2025-12-29", "2026-01-04"),
        (Period::Month, "2026-03-31T21:59:59Z", "2026-02-28T23:00:00Z", "2026-03-01", "2026-03-31"),
        (Period::Month, "2026-03-31T22:00:00Z", "2026-03-31T22:00:00Z", "2026-04-01", "2026-04-30"),
        (Period::Month, "2028-02-29T12:00:00Z", "2028-01-31T23:00:00Z", "2028-02-01", "2028-02-29"),
    ] {
        assert_eq!(period_start(period, time(at), &berlin), time(start), "{period:?} {at}");
        assert_eq!(period_dates(period, time(at), &berlin), (first.to_owned(), last.to_owned()), "{period:?} {at}");
    }
    // This midnight did not exist: the day began at 01:00.
    let sao_paulo = zone("America/Sao_Paulo");
    assert_eq!(period_start(Period::Day, time("2018-11-04T12:00:00Z"), &sao_paulo), time("2018-11-04T03:00:00Z"));
}

proptest! {
    #[test]
    fn no_second_is_lost_and_the_pieces_agree_with_the_periods(
        name in proptest::sample::select(&[
            "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu",
            "Australia/Lord_Howe", "America/Havana", "UTC",
        ][..]),
        start in 0..2_200_000_000_i64,
        length in 0..(40 * 86_400_i64),
    ) {
        let zone = zone(name);
        let at = |second| Timestamp::from_second(second).unwrap();
        let days: Vec<_> = days_between(at(start), at(start + length), &zone).collect();
        prop_assert_eq!(days.iter().map(|(_, seconds)| *seconds).sum::<u64>(), length as u64);
        prop_assert!(days.is_sorted_by(|a, b| a.0 < b.0));
        let mut now = start;
        for (number, (date, seconds)) in days.iter().enumerate() {
            for moment in [now, now + *seconds as i64 - 1] {
                let (first, last) = period_dates(Period::Day, at(moment), &zone);
                prop_assert!(&first == date && &last == date, "{} {} {}", first, last, date);
            }
            if number > 0 {
                prop_assert_eq!(period_start(Period::Day, at(now), &zone), at(now));
            }
            for period in [Period::Day, Period::Week, Period::Month] {
                let begin = period_start(period, at(now), &zone);
                prop_assert!(begin <= at(now));
                prop_assert_eq!(period_dates(period, begin, &zone), period_dates(period, at(now), &zone));
                let before = begin.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
                prop_assert!(period_dates(period, before, &zone).1 < period_dates(period, begin, &zone).0);
            }
            now += *seconds as i64;
        }
    }
}

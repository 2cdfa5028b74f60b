//! Hours that come twice, and counters that begin again.
#![allow(clippy::unwrap_used)]

mod support;

use support::{CLASS, accounting, at, line, read, session};

const SECOND: i64 = 1_000;

/// A line of 2024-10-27 in London: from one to two o'clock comes twice.
fn autumn(status: &str, time: &str, seconds: &str) -> String {
    line(&[
        (at::PACKET, "4"),
        (at::STATUS, status),
        (at::ID, "7"),
        (at::CLASS, CLASS),
        (2, "10/27/2024"),
        (3, time),
        (at::SECONDS, seconds),
    ]) + "\r\n"
}

#[test]
fn a_stop_in_the_hour_that_comes_twice_is_placed_by_its_seconds() {
    // 00:30 in summer time is 23:30 UTC.
    let start = 1_729_985_400_000;
    for (stop, seconds, after) in [
        ("01:15:00", "2700", 2_700),
        ("01:15:00", "6300", 6_300),
        ("02:15:00", "9900", 9_900),
        ("00:45:00", "900", 900),
    ] {
        let text = autumn("1", "00:30:00", "") + &autumn("2", stop, seconds);
        let (all, summary) = read(&[text.as_bytes()], Some("Europe/London")).unwrap();
        assert_eq!((all.len(), summary.malformed), (1, 0), "{:?}", summary.faults);
        let ended = all[0].past.ended.unwrap();
        assert_eq!((all[0].past.start, ended.stop, ended.usage.seconds), (start, start + after * SECOND, after as u64));
    }
}

#[test]
fn a_start_in_the_hour_that_comes_twice_is_placed_by_the_stop() {
    // The Start's time, the Stop's and its seconds; then what they are in UTC.
    for (from, to, seconds, start, stop) in [
        ("01:40:00", "02:10:00", "1800", "2024-10-27T01:40:00Z", "2024-10-27T02:10:00Z"),
        ("01:40:00", "02:10:00", "5400", "2024-10-27T00:40:00Z", "2024-10-27T02:10:00Z"),
        ("01:40:00", "01:50:00", "600", "2024-10-27T00:40:00Z", "2024-10-27T00:50:00Z"),
        // Without seconds the end is not before the beginning.
        ("01:45:00", "01:15:00", "", "2024-10-27T00:45:00Z", "2024-10-27T01:15:00Z"),
    ] {
        let text = autumn("1", from, "") + &autumn("2", to, seconds);
        let (all, _) = read(&[text.as_bytes()], Some("Europe/London")).unwrap();
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let ended = all[0].past.ended.unwrap();
        assert_eq!((all[0].past.start, ended.stop), (at(start), at(stop)), "{from} {to} {seconds}");
        assert_eq!(ended.usage.seconds * 1000, (at(stop) - at(start)) as u64);
    }
}

#[test]
fn a_counter_of_32_bits_that_begins_again_goes_on() {
    let used = |seconds: &'static str, input: &'static str| [(at::SECONDS, seconds), (at::IN, input), (at::OUT, "0")];
    let octets = |records: &[String]| session(records).usage.input_octets.unwrap();
    let start = accounting("1", "7", 0, &[]);
    let interim = |second, seconds, input| accounting("3", "7", second, &used(seconds, input));
    let stop = accounting("2", "7", 900, &used("900", "100"));
    let records = [start.clone(), interim(300, "300", "4000000000"), interim(600, "600", "4100000000"), stop.clone()];
    assert_eq!(octets(&records), (1 << 32) + 100);
    // Twice.
    let records =
        [start.clone(), interim(300, "300", "4000000000"), interim(400, "400", "5"), interim(500, "500", "3"), stop];
    assert_eq!(octets(&records), (2 << 32) + 100);
    // One that comes late is not a counter that begins again.
    let late =
        [start, interim(600, "600", "500"), interim(700, "300", "200"), accounting("2", "7", 900, &used("900", "900"))];
    assert_eq!(octets(&late), 900);
}

//! The end of a log, and the holes in it: what is read, what is left, and what is said of it.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_history::logs::{self, LogSession, Reading, Summary, Unreadable, UnreadableKind};
use support::{accounting, at, line, read};

const DAY: i64 = 86_400;

fn stop(id: &str, second: i64) -> String {
    accounting("2", id, second, &[(at::SECONDS, "60"), (at::IN, "5")])
}

/// The record as a server that writes fewer fields has it.
fn short(record: &str) -> String {
    record.splitn(61, ',').take(60).collect::<Vec<_>>().join(",")
}

fn ids(sessions: &[LogSession]) -> usize {
    sessions.iter().filter(|session| session.past.ended.is_some()).count()
}

fn said(summary: &Summary) -> (Vec<String>, Vec<String>) {
    let texts = |faults: &[logs::Fault]| faults.iter().map(ToString::to_string).map(|text| name_on(&text)).collect();
    (texts(&summary.faults), texts(&summary.unfinished))
}

/// From the file's name on.
fn name_on(text: &str) -> String {
    text[text.find("IN").unwrap()..].to_owned()
}

#[test]
fn what_comes_after_zeros_is_read() {
    let first = [accounting("1", "7", 0, &[]), short(&stop("7", 60))].join("\r\n") + "\r\n";
    let rest: String = (8..1_000).map(|id| stop(&id.to_string(), id * 10) + "\r\n").collect();
    // The zeros end in another buffer than they begin in.
    for size in [4_096, 400_000] {
        let zeros = vec![0; size];
        let (all, summary) = read(&[&[first.as_bytes(), &zeros, rest.as_bytes()].concat()], None).unwrap();
        assert_eq!((ids(&all), summary.counts.records), (993, 994));
        let lost = format!(
            "IN0.log:3: {size} zeros begin at byte {}: what was written there is lost, and what follows is read",
            first.len()
        );
        assert_eq!(said(&summary), (vec![lost], vec![]));
        // Within a line, which is then no record. The one after it is.
        let cut = &first[..first.len() - 40];
        let (all, summary) = read(&[&[cut.as_bytes(), &zeros, rest.as_bytes()].concat()], None).unwrap();
        assert_eq!((ids(&all), summary.counts.records), (992, 993));
        let (faults, unfinished) = said(&summary);
        assert_eq!((faults.len(), unfinished.len()), (1, 0));
        let place = format!(" is cut off: {size} zeros begin at byte {}: ", cut.len());
        assert!(faults[0].starts_with("IN0.log:2: `") && faults[0].contains(&place), "{faults:?}");
    }
}

#[test]
fn a_log_that_begins_with_zeros_is_not_called_empty() {
    let text = accounting("1", "7", 0, &[]) + "\r\n";
    let (all, summary) = read(&[&[&[0; 100_000][..], text.as_bytes()].concat()], None).unwrap();
    assert_eq!((all.len(), summary.malformed), (1, 1));
    let refused = read(&[&[&[0; 300_000][..], text.as_bytes()].concat()], None).unwrap_err();
    let what = "it begins with 256 KiB of zeros, so its format cannot be recognised: remove the zeros";
    assert!(refused.to_string().contains(what), "{refused}");
}

#[test]
fn a_log_that_is_all_zeros_is_empty() {
    let text = accounting("1", "7", 0, &[]) + "\r\n";
    for size in [100, 1 << 18, 1_000_000] {
        let (all, summary) = read(&[&vec![0; size][..], text.as_bytes()], None).unwrap();
        assert_eq!((all.len(), summary.malformed, summary.skipped.len()), (1, 0, 0), "{size}");
        assert_eq!(summary.files.len(), 2);
    }
}

/// A log that its server has left behind: what its last line lacks never comes.
#[test]
fn the_last_line_is_a_record_if_the_server_went_on_in_another_log() {
    let start = accounting("1", "7", 0, &[]) + "\r\n";
    let next_day = stop("8", DAY) + "\r\n";
    let both = |last: &str, next: &str| {
        let (all, summary) = read(&[(start.clone() + last).as_bytes(), next.as_bytes()], None).unwrap();
        (ids(&all), said(&summary))
    };
    let nothing = (vec![], vec![]);
    let shorter = short(&stop("7", 60)) + "\r\n";
    assert_eq!(both(&shorter, &next_day), (2, nothing.clone()));
    assert_eq!(both(&stop("7", 60), &next_day), (2, nothing), "without its line end, but whole");
    // The log of another server says nothing about it, nor does an earlier one.
    let left = "IN0.log:2: the last line has 60 fields, and the one before it 66: it may still be written, so it is left \
                for the next import";
    let other = next_day.replace("VPN1", "VPN2");
    assert_eq!(both(&shorter, &other), (1, (vec![], vec![left.to_owned()])));
    assert_eq!(both(&shorter, &(stop("8", -DAY) + "\r\n")), (1, (vec![], vec![left.to_owned()])));
    // Nor does a log that began before this one ended.
    let long = [&start[..], &stop("9", 2 * DAY), "\r\n", &shorter].concat();
    let (_, summary) = read(&[long.as_bytes(), next_day.as_bytes()], None).unwrap();
    assert_eq!(said(&summary), (vec![], vec![left.replace(":2:", ":3:")]));
    // What is cut off stays so.
    let cut = "IN0.log:2: it is cut off: it has no line end, and its server went on in another log";
    assert_eq!(both(shorter.trim_end(), &next_day), (1, (vec![cut.to_owned()], vec![])));
    let ias =
        |status: u32, time: i64| format!("10.0.0.1,u,06/18/2024,14:45:48,RAS,VPN1,40,{status},44,7,55,{time},4136,4");
    let logs = [format!("{}\r\n{}", ias(1, support::T), ias(2, support::T + 60)), ias(1, support::T + DAY) + "\r\n"];
    let (_, summary) = read(&[logs[0].as_bytes(), logs[1].as_bytes()], None).unwrap();
    assert_eq!(said(&summary).0, [cut]);
    let event = |time: i64| {
        format!(
            "<Event><Computer-Name>VPN1</Computer-Name><Event-Timestamp>{time}</Event-Timestamp><Acct-Status-Type>1\
             </Acct-Status-Type><Acct-Session-Id>7</Acct-Session-Id><Packet-Type>4</Packet-Type></Event>\r\n"
        )
    };
    let logs = [event(support::T) + "<Event><Packet-Type>", event(support::T + DAY)];
    let (_, summary) = read(&[logs[0].as_bytes(), logs[1].as_bytes()], None).unwrap();
    assert_eq!(said(&summary), (vec!["IN0.log:2: the event has no end".to_owned()], vec![]));
}

/// Whatever is read before it.
#[test]
fn a_time_zone_that_only_the_end_of_a_log_needs_is_missed_before_anything_is_imported() {
    let with_times: String = (0..12_000).map(|id| stop(&id.to_string(), id) + "\r\n").collect();
    let local = line(&[(at::PACKET, "4"), (at::STATUS, "1"), (at::ID, "7")]) + "\r\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("IN.log");
    std::fs::write(&file, with_times + &local).unwrap();
    let mut items = 0;
    let refused = logs::read(&[file], Reading::default(), &mut |_, _| {}, &mut |_| {
        items += 1;
        Ok::<_, Unreadable>(())
    });
    assert_eq!((refused.unwrap_err().kind, items), (UnreadableKind::TimeZoneMissing, 0));
}

//! Whatever is in a file: no panic, no endless loop, no more sessions than records.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use rasadmin_history::logs::{self, LogItem, Reading, Unreadable};
use std::cell::Cell;
use support::{T, accounting, at, read};

fn looked_at(bytes: &[u8]) {
    // A file of another kind is an error, and nothing more is asked of it.
    if let Ok((sessions, summary)) = read(&[bytes], Some("Europe/Berlin")) {
        assert!(sessions.len() as u64 + summary.counts.rejects <= summary.counts.records);
        assert!(summary.faults.len() as u64 <= summary.malformed);
        let control = |c: char| c.is_control();
        assert!(!summary.faults.iter().any(|fault| fault.what.contains(control)), "{:?}", summary.faults);
    }
}

/// Real lines and made ones, of every format.
fn samples() -> Vec<Vec<u8>> {
    let own = [
        accounting("1", "7", 0, &[(at::MULTI, "117"), (at::LINKS, "2")]),
        accounting("1", "8", 5, &[(at::MULTI, "117"), (at::LINKS, "2")]),
        accounting("2", "7", 60, &[(at::MULTI, "117"), (at::SECONDS, "60"), (at::IN, "5")]),
        accounting("7", "", 90, &[]),
    ];
    let own = own.join("\n");
    let utf_16: Vec<u8> = [0xfeff].into_iter().chain(own.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let texts = [
        include_str!("samples/rras-odbc.log"),
        include_str!("samples/nps-dts.log"),
        include_str!("samples/ias-legacy.log"),
        &own,
    ];
    texts.into_iter().map(|text| text.as_bytes().to_vec()).chain([utf_16]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes: Vec<u8>) {
        looked_at(&bytes);
        looked_at(&[b"<Event>", &bytes[..]].concat());
        looked_at(&[b"\"S\",\"RAS\",06/18/2024,14:45:48,4,", &bytes[..]].concat());
        looked_at(&[b"10.0.0.1,u,02/09/2000,23:18:00,IAS,S,", &bytes[..]].concat());
    }

    #[test]
    fn damaged_samples(which in 0..5usize, cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<Vec<u8>>()), 1..6)) {
        let mut bytes = samples().swap_remove(which);
        for (from, length, new) in cuts {
            let from = from.index(bytes.len() + 1);
            let to = (from + length.index(20)).min(bytes.len());
            bytes.splice(from..to, new.into_iter().take(8));
        }
        looked_at(&bytes);
    }

    #[test]
    fn what_looks_like_xml(text in r#"(<Event>|</Event>|<Event |<Event-Source>|<Packet-Type>4</Packet-Type>|<A/>|<!--|-->|<!\[CDATA\[|&#x|&amp;|\n|>|<|"|x){0,40}"#) {
        looked_at(text.as_bytes());
    }

    #[test]
    fn numbers_of_every_size(numbers in prop::collection::vec(any::<u64>(), 8)) {
        let text: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let places = [at::SECONDS, at::IN, at::OUT, at::IN_PACKETS, at::LINKS, at::CAUSE, at::TUNNEL, at::DELAY];
        let more: Vec<_> = places.iter().copied().zip(text.iter().map(String::as_str)).collect();
        looked_at(accounting("2", "7", 0, &more).as_bytes());
        // Those that fit: 32 bits.
        let small: Vec<String> = numbers.iter().map(|n| (n >> 32).to_string()).collect();
        let more: Vec<_> = places.iter().copied().zip(small.iter().map(String::as_str)).collect();
        let text = accounting("2", "7", 0, &more) + "\n";
        let (sessions, _) = read(&[text.as_bytes()], None).unwrap();
        prop_assert!(sessions[0].past.start <= sessions[0].past.last_seen);
    }
}

/// Looking for the end of each of many beginnings would take minutes.
#[test]
fn many_beginnings_without_an_end() {
    for piece in ["<Event ", "<Event>", "<A>", "<!--", "\"", "&#x"] {
        let text = "<Event>".to_owned() + &piece.repeat(900_000 / piece.len());
        looked_at(text.as_bytes());
        looked_at(format!("<Event><Packet-Type>4</Packet-Type></Event>\n{text}\n").as_bytes());
    }
    looked_at("<Event>\n".repeat(100_000).as_bytes());
    looked_at("\"".repeat(900_000).as_bytes());
}

/// A log in which nobody ever leaves: memory does not grow with it, and what comes later still belongs to its session.
#[test]
fn more_open_sessions_than_there_is_room_for() {
    const ALL: usize = 30_000;
    let long = "x".repeat(1_000);
    let start = |id: usize| accounting("1", &id.to_string(), id as i64, &[(at::USER, &long)]);
    let stop = accounting("2", "0", 600_000, &[(at::SECONDS, "600000")]);
    let log: Vec<String> = (0..ALL).map(start).chain([stop]).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("IN.log");
    std::fs::write(&path, log.join("\r\n") + "\r\n").unwrap();
    let (records, mut sessions) = (Cell::new(0), Vec::new());
    logs::read(&[path], Reading::default(), &mut |_, _| records.set(records.get() + 1), &mut |item| {
        if let LogItem::Session(session) = item {
            sessions.push((records.get(), session));
        }
        Ok::<_, Unreadable>(())
    })
    .unwrap();
    let until_the_end = sessions.iter().filter(|(records, _)| *records == log.len()).count();
    assert!((1_000..15_000).contains(&until_the_end), "{until_the_end} were open");
    // The first was passed on early, and its Stop makes a session of the same key.
    let first: Vec<_> = sessions.iter().filter(|(_, one)| one.past.start == T * 1_000).map(|(_, one)| one).collect();
    assert_eq!((sessions.len(), first.len(), &first[0].past.key), (ALL + 1, 2, &first[1].past.key));
    assert!(first[0].past.ended.is_none() && first[1].past.ended.is_some());
}

/// A session of very many links, names longer than RADIUS allows, restarts without end.
#[test]
fn what_only_a_damaged_log_has_is_bounded() {
    let links: Vec<String> =
        (0..3_000).map(|id| accounting("1", &id.to_string(), id, &[(at::MULTI, "117"), (at::LINKS, "2")])).collect();
    let (sessions, summary) = read(&[(links.join("\n") + "\n").as_bytes()], None).unwrap();
    assert_eq!((sessions.len(), sessions[0].past.links, summary.malformed), (1, 1_000, 2_000));
    assert!(summary.faults[0].what.contains("more than 1000 links"), "{:?}", summary.faults[0]);

    let long = accounting("1", "7", 0, &[(at::USER, &"x".repeat(100_000))]) + "\n";
    let (sessions, summary) = read(&[long.as_bytes()], None).unwrap();
    assert_eq!((sessions.len(), summary.malformed), (0, 1));
    let long = "User-Name has 100000 bytes: a value has at most 253 in RADIUS, and at most 2048 as a log writes it";
    assert_eq!(summary.faults[0].what, long);

    let servers: Vec<String> = (0..30_000)
        .flat_map(|n| {
            let name = format!("VPN{n}");
            ["1", "7"].map(|status| accounting(status, "7", n, &[(at::NAS, &name)]))
        })
        .collect();
    let (sessions, summary) = read(&[(servers.join("\n") + "\n").as_bytes()], None).unwrap();
    assert_eq!((sessions.len(), summary.malformed), (30_000, 0));
    assert!(sessions.iter().all(|one| one.past.ended.is_some()));
}

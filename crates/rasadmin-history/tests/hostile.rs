//! Whatever is in a file: no panic, no endless loop, no more sessions than records.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use support::{accounting, at, read};

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

//! What a log says, and how it becomes sessions: sentence by sentence of docs/logs.md.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_history::logs::{self, Reading, Unreadable, UnreadableKind};
use rasadmin_policy::{Fact, Tunnel};
use support::{CLASS, T, accounting, at, line, read, refusals, session, sessions};

const SECOND: i64 = 1_000;

#[test]
fn the_real_record_of_an_sstp_session() {
    let sample = include_str!("samples/rras-odbc.log").lines().next().unwrap();
    let one = session(&[sample.to_owned()]);
    let past = &one.past;
    assert_eq!((past.server.as_str(), past.user.as_str(), past.domain.as_str()), ("CPU123", "myusername", "WGADOMAIN"));
    // Its own time is 14:45:48, an hour later: that is the server's local time.
    assert_eq!((past.start, past.last_seen, past.ended), (T * SECOND, T * SECOND, None));
    assert_eq!((past.tunnel.known(), past.links), (Some(&Tunnel::Sstp), 1));
    assert_eq!(past.source.known().unwrap().to_string(), "80.90.100.110");
    assert_eq!(past.address.known().unwrap().to_string(), "192.168.180.52");
    assert_eq!(past.computer.known().unwrap().as_str(), "CPU123");
    // A log has the port's number only, and nothing of these.
    assert_eq!(
        (&past.port, &past.quarantine, &past.interface),
        (&Fact::NotYetKnown, &Fact::NotYetKnown, &Fact::NotYetKnown)
    );
}

#[test]
fn requests_and_answers_are_no_sessions() {
    let texts = [
        include_str!("samples/rras-odbc.log"),
        include_str!("samples/nps-dts.log"),
        include_str!("samples/ias-legacy.log"),
    ];
    let (found, summary) = read(&texts.map(str::as_bytes), Some("Europe/Berlin")).unwrap();
    assert_eq!((found.len(), summary.malformed), (1, 0), "{:?}", summary.faults);
    let counts = summary.counts;
    // One Access-Reject is of a wireless network.
    assert_eq!((counts.records, counts.accepts, counts.rejects, counts.elsewhere, counts.others), (8, 1, 1, 1, 4));
    // The oldest is read first, whatever the order in which they are named.
    let formats: Vec<_> = summary.files.iter().map(|file| file.format.unwrap().name()).collect();
    assert_eq!(formats, ["ias", "dts", "odbc"]);
}

#[test]
fn start_interim_and_stop_are_a_session() {
    let one = session(&[
        accounting("1", "7", 0, &[(at::TUNNEL, "3"), (at::ADDRESS, "10.8.0.5"), (at::CALLING, "203.0.113.9")]),
        accounting("3", "7", 60, &[(at::SECONDS, "60"), (at::IN, "5"), (at::OUT, "6")]),
        accounting(
            "2",
            "7",
            100,
            &[
                (at::SECONDS, "99"),
                (at::IN, "1000"),
                (at::OUT, "2000"),
                (at::IN_PACKETS, "10"),
                (at::OUT_PACKETS, "20"),
                (at::CAUSE, "1"),
            ],
        ),
    ]);
    let ended = one.past.ended.unwrap();
    assert_eq!((one.past.start, ended.stop), (T * SECOND, (T + 100) * SECOND));
    assert_eq!((ended.usage.seconds, ended.usage.input_octets, ended.usage.output_octets), (99, 1000, 2000));
    assert_eq!((ended.usage.input_packets, ended.usage.output_packets), (10, 20));
    assert_eq!((ended.cause, ended.estimated, one.past.tunnel.known()), (Some(1), false, Some(&Tunnel::L2tp)));
}

#[test]
fn a_stop_without_a_start_began_its_time_before() {
    let one = session(&[accounting("2", "7", 3_600, &[(at::SECONDS, "3600")])]);
    assert_eq!((one.past.start, one.past.ended.unwrap().stop), (T * SECOND, (T + 3_600) * SECOND));
}

#[test]
fn a_start_without_a_stop_has_no_end_but_was_seen() {
    let one = session(&[accounting("1", "7", 0, &[]), accounting("3", "7", 60, &[(at::IN, "5"), (at::OUT, "6")])]);
    assert_eq!((one.past.ended, one.past.last_seen), (None, (T + 60) * SECOND));
    assert_eq!((one.usage.input_octets, one.seconds), (Some(5), 60));
}

#[test]
fn the_key_is_server_class_and_id_because_ids_restart() {
    let other_class = "311 1 192.168.180.2 06/18/2024 09:00:00 3";
    let (all, _) = sessions(&[
        accounting("1", "7", 0, &[]),
        accounting("1", "7", 10, &[(at::CLASS, other_class)]),
        accounting("1", "7", 20, &[(at::NAS, "VPN2"), (0, "VPN2")]),
        accounting("2", "7", 30, &[(at::CLASS, other_class), (at::SECONDS, "20")]),
    ]);
    let mut keys: Vec<_> = all.iter().map(|one| &one.past.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((all.len(), keys.len()), (3, 3));
    assert_eq!(all[0].past.start, (T + 10) * SECOND, "the one that ended: {all:?}");
}

#[test]
fn without_a_class_a_start_at_another_time_is_another_session() {
    let bare =
        |status, second, more: &[(usize, &str)]| accounting(status, "7", second, &[&[(at::CLASS, "")], more].concat());
    let (all, summary) = sessions(&[
        bare("1", 0, &[]),
        bare("1", 1, &[]),
        bare("1", 5_000, &[]),
        bare("2", 5_060, &[(at::SECONDS, "60")]),
    ]);
    assert_eq!(all.len(), 2);
    assert_eq!(summary.counts.repeated, 1, "the second Start is the first, repeated");
    assert_eq!((all[0].past.ended, all[0].past.start), (None, T * SECOND));
    assert_eq!(all[1].past.start, (T + 5_000) * SECOND);
    assert_ne!(all[0].past.key, all[1].past.key);
    // Also without its Stop it has all that its Start says.
    let (all, _) = sessions(&[bare("1", 0, &[]), bare("1", 5_000, &[(at::TUNNEL, "3")])]);
    let second = &all[1].past;
    assert_eq!(
        (second.user.as_str(), second.tunnel.known(), second.start),
        ("alice", Some(&Tunnel::L2tp), (T + 5_000) * SECOND)
    );
}

#[test]
fn the_links_of_a_session_are_one_session() {
    // One record per link. The session is Acct-Multi-Ssn-ID, and each link has a Class of its own.
    let second_class = "311 1 192.168.180.2 06/15/2024 17:41:37 170";
    let link = |status, id, second, count, more: &[(usize, &str)]| {
        accounting(status, id, second, &[&[(at::MULTI, "117"), (at::LINKS, count)], more].concat())
    };
    let lines = [
        link("1", "168", 0, "1", &[]),
        link("1", "169", 5, "2", &[(at::CLASS, second_class)]),
        link("2", "168", 100, "2", &[(at::SECONDS, "100"), (at::IN, "10"), (at::OUT, "20")]),
        link("2", "169", 200, "2", &[(at::CLASS, second_class), (at::SECONDS, "195"), (at::IN, "1"), (at::OUT, "2")]),
        link("2", "169", 200, "2", &[(at::CLASS, second_class), (at::SECONDS, "195")]),
    ];
    let (all, summary) = sessions(&lines);
    assert_eq!((all.len(), summary.counts.repeated), (1, 1), "{all:?}");
    let ended = all[0].past.ended.unwrap();
    assert_eq!((all[0].past.links, ended.stop, ended.usage.seconds), (2, (T + 200) * SECOND, 200));
    assert_eq!((ended.usage.input_octets, ended.usage.output_octets), (11, 22));
    let one_link = session(&lines[..1]);
    assert_eq!((one_link.past.key, one_link.past.links), (all[0].past.key.clone(), 1));
}

#[test]
fn what_is_repeated_or_out_of_order_changes_nothing() {
    let lines = [
        accounting("1", "7", 0, &[]),
        accounting("1", "7", 0, &[(at::DELAY, "5")]),
        accounting("2", "7", 100, &[(at::SECONDS, "100")]),
        accounting("2", "7", 100, &[(at::SECONDS, "100"), (at::DELAY, "3")]),
        accounting("1", "7", 0, &[(at::DELAY, "9")]),
    ];
    let (all, summary) = sessions(&lines);
    assert_eq!((all.len(), summary.counts.repeated), (1, 3));
    // The Stop comes before its Start: two files were named in the wrong order, say.
    let turned = session(&[lines[2].clone(), lines[0].clone()]);
    assert_eq!(turned, all[0]);
}

#[test]
fn the_user_may_be_known_by_the_class_only() {
    let request = line(&[(at::PACKET, "1"), (at::USER, r"CORP\bob"), (at::CLASS, CLASS)]);
    let accept = line(&[(at::PACKET, "2"), (at::CLASS, CLASS)]);
    let one = session(&[request, accept, accounting("1", "7", 0, &[(at::USER, "")])]);
    assert_eq!(one.past.user.as_str(), r"CORP\bob");
    let dts = "<Event><Timestamp data_type=\"4\">06/18/2024 13:45:48.000</Timestamp><Computer-Name>VPN1</Computer-Name>\
               <Event-Source>RAS</Event-Source><SAM-Account-Name>CORP\\carol</SAM-Account-Name>\
               <Event-Timestamp>1718718348</Event-Timestamp><Acct-Status-Type>1</Acct-Status-Type>\
               <Acct-Session-Id>7</Acct-Session-Id><Packet-Type>4</Packet-Type></Event>";
    let one = session(&[dts.to_owned()]);
    assert_eq!((one.past.user.as_str(), one.past.domain.as_str()), (r"CORP\carol", "CORP"));
}

#[test]
fn only_what_was_admitted_is_a_session() {
    let event = T.to_string();
    let reject = line(&[(at::PACKET, "3"), (at::USER, "alice"), (at::CLASS, CLASS), (at::EVENT, &event)]);
    let (all, summary) = sessions(&[reject, accounting("1", "7", 0, &[])]);
    assert_eq!((all.len(), summary.counts.rejects, summary.counts.not_admitted), (0, 1, 1));
}

#[test]
fn a_reject_is_a_refused_attempt_with_what_its_request_says() {
    let request = "<Event><Timestamp data_type=\"4\">06/18/2024 14:45:48.008</Timestamp><Computer-Name data_type=\"1\">NPS1\
                   </Computer-Name><Event-Source data_type=\"1\">IAS</Event-Source><User-Name data_type=\"1\">alice\
                   </User-Name><Calling-Station-Id data_type=\"1\">203.0.113.9</Calling-Station-Id>\
                   <NAS-Identifier data_type=\"1\">VPN1</NAS-Identifier><NAS-Port-Type data_type=\"0\">5</NAS-Port-Type>\
                   <Tunnel-Type data_type=\"0\">79617</Tunnel-Type><MS-RAS-Client-Name data_type=\"1\">MSRAS-0-PC1\
                   </MS-RAS-Client-Name><Class data_type=\"1\">311 1 10.1.2.42 05/16/2014 02:17:48 7</Class>\
                   <Packet-Type data_type=\"0\">1</Packet-Type><Reason-Code data_type=\"0\">0</Reason-Code></Event>";
    let reject = "<Event><Timestamp data_type=\"4\">06/18/2024 14:45:49.008</Timestamp><Computer-Name data_type=\"1\">NPS1\
                  </Computer-Name><Event-Source data_type=\"1\">IAS</Event-Source>\
                  <SAM-Account-Name data_type=\"1\">CORP\\alice</SAM-Account-Name><Client-Friendly-Name data_type=\"1\">the vpn\
                  </Client-Friendly-Name><Class data_type=\"1\">311 1 10.1.2.42 05/16/2014 02:17:48 7</Class>\
                  <Packet-Type data_type=\"0\">3</Packet-Type><Reason-Code data_type=\"0\">16</Reason-Code></Event>";
    // The log repeats it, as when two files overlap.
    let (all, summary) = refusals(&format!("{request}\n{reject}\n{reject}\n"));
    assert_eq!((all.len(), summary.counts.rejects, summary.counts.repeated), (1, 1, 1), "{all:?}");
    let past = &all[0].session.past;
    assert_eq!((past.user.as_str(), past.domain.as_str(), past.server.as_str()), ("alice", "CORP", "VPN1"));
    assert_eq!((past.start, all[0].reason_code), ((T + 1) * SECOND + 8, Some(16)));
    assert_eq!((past.tunnel.known(), past.computer.known().unwrap().as_str()), (Some(&Tunnel::Sstp), "PC1"));
    assert_eq!(past.source.known().unwrap().to_string(), "203.0.113.9");
    // Its key is always the same.
    assert_eq!(refusals(&format!("{request}\n{reject}\n")).0[0].session.past.key, past.key);
}

#[test]
fn a_reject_without_a_class_follows_its_request() {
    let nps = |fields: &[(usize, &str)]| {
        line(&[&[(0, "\"NPS1\""), (1, "\"IAS\""), (at::NAS, ""), (at::FRIENDLY, "vpn")], fields].concat())
    };
    let request = nps(&[(at::PACKET, "1"), (at::USER, "bob"), (at::CALLING, "203.0.113.7"), (at::NAS, "VPN2")]);
    let reject = nps(&[(at::PACKET, "3"), (at::QUALIFIED, "corp.example/Users/Bob B"), (at::REASON, "65")]);
    let (all, _) = refusals(&format!("{request}\r\n{reject}\r\n"));
    let past = &all[0].session.past;
    assert_eq!((past.user.as_str(), past.server.as_str(), all[0].reason_code), ("bob", "VPN2", Some(65)));
    assert_eq!(past.source.known().unwrap().to_string(), "203.0.113.7");
    // Without its request it has what it says itself.
    let (all, _) = refusals(&format!("{reject}\r\n"));
    let past = &all[0].session.past;
    assert_eq!((past.user.as_str(), past.server.as_str()), ("Bob B", "vpn"));
    // Of a wireless network it is none of ours, although only the request says so.
    let wireless = nps(&[(at::PACKET, "1"), (at::USER, "bob"), (at::PORT_TYPE, "19")]);
    let (all, summary) = refusals(&format!("{wireless}\r\n{reject}\r\n"));
    assert_eq!((all.len(), summary.counts.elsewhere), (0, 1));
    // The request of another user says nothing about it.
    let other = nps(&[(at::PACKET, "3"), (at::USER, "carol")]);
    let (all, _) = refusals(&format!("{request}\r\n{other}\r\n"));
    assert_eq!((all[0].session.past.user.as_str(), &all[0].session.past.source), ("carol", &Fact::NotYetKnown));
}

#[test]
fn microsofts_example_of_a_reject_in_the_ias_format() {
    let (all, summary) = refusals(include_str!("samples/ias-legacy.log"));
    let past = &all[0].session.past;
    assert_eq!((all.len(), summary.counts.rejects, all[0].reason_code), (1, 1, Some(16)));
    assert_eq!((past.user.as_str(), past.domain.as_str()), ("rajeshp", "RAJESHP2"));
    assert_eq!(
        (past.tunnel.known(), past.source.known().unwrap().to_string().as_str()),
        (Some(&Tunnel::Pptp), "172.31.225.108")
    );
}

#[test]
fn an_access_challenge_is_normal() {
    let challenge = line(&[(at::PACKET, "11"), (at::CLASS, CLASS)]);
    let (all, summary) = sessions(&[challenge, accounting("1", "7", 0, &[])]);
    assert_eq!((all.len(), summary.counts.others), (1, 1));
}

#[test]
fn switches_and_wireless_networks_are_elsewhere() {
    let wireless = accounting("1", "7", 0, &[(at::PORT_TYPE, "19"), (1, "IAS"), (at::TUNNEL, "13")]);
    let (all, summary) = sessions(&[wireless]);
    assert_eq!((all.len(), summary.counts.elsewhere), (0, 1));
}

#[test]
fn the_server_is_the_radius_client_where_an_nps_writes() {
    let server = |more: &[(usize, &str)]| {
        let mut fields = vec![(0, "\"NPS\""), (1, "\"IAS\""), (at::NAS, "")];
        fields.extend(more);
        session(&[accounting("1", "7", 0, &fields)]).past.server.as_str().to_owned()
    };
    assert_eq!(server(&[(at::NAS, "VPN3"), (at::FRIENDLY, "the vpn")]), "VPN3");
    assert_eq!(server(&[(at::FRIENDLY, "the vpn"), (at::NAS_IP, "10.0.0.1")]), "the vpn");
    assert_eq!(server(&[(at::NAS_IP, "10.0.0.1")]), "10.0.0.1");
    assert_eq!(server(&[]), "NPS");
}

#[test]
fn times_are_utc_or_need_a_zone() {
    let local = line(&[(at::PACKET, "4"), (at::STATUS, "1"), (at::ID, "7"), (at::DELAY, "48")]) + "\r\n";
    let refused = read(&[local.as_bytes()], None).unwrap_err();
    assert_eq!(refused.kind, UnreadableKind::TimeZoneMissing);
    assert!(refused.to_string().contains("IN0.log: line 1 has only its server's local time"), "{refused}");
    // Before anything is imported, and once.
    let mixed = (0..50).map(|n| accounting("1", &n.to_string(), n, &[]) + "\r\n").collect::<String>() + &local;
    let mut items = 0;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("IN.log");
    std::fs::write(&file, mixed).unwrap();
    let refused = logs::read(&[file], Reading::default(), &mut |_, _| {}, &mut |_| {
        items += 1;
        Ok::<_, Unreadable>(())
    });
    assert_eq!((refused.unwrap_err().kind, items), (UnreadableKind::TimeZoneMissing, 0));
    // Requests need no time, so they need no zone.
    let request = line(&[(at::PACKET, "1"), (at::USER, "alice")]) + "\r\n";
    assert_eq!(read(&[request.as_bytes()], None).unwrap().1.counts.others, 1);
    let (all, _) = read(&[local.as_bytes()], Some("Europe/London")).unwrap();
    // 14:45:48 in summer is 13:45:48 UTC, and it was sent 48 seconds late.
    assert_eq!(all[0].past.start, (T - 48) * SECOND);
}

#[test]
fn a_tunnel_that_is_not_known_stays_a_number() {
    let one = session(&[accounting("1", "7", 0, &[(at::TUNNEL, "13")])]);
    assert_eq!((&one.past.tunnel, one.tunnel_number), (&Fact::NotYetKnown, Some(13)));
    for (number, tunnel) in [("1", Tunnel::Pptp), ("3", Tunnel::L2tp), ("79617", Tunnel::Sstp)] {
        assert_eq!(session(&[accounting("1", "7", 0, &[(at::TUNNEL, number)])]).past.tunnel, Fact::Known(tunnel));
    }
}

#[test]
fn short_records_are_records() {
    let whole = accounting("1", "7", 0, &[]);
    let fields: Vec<&str> = whole.split(',').collect();
    for length in [60, 36] {
        assert_eq!(session(&[fields[..length].join(",")]).past.user.as_str(), "alice");
    }
    assert_eq!(session(&[format!("{whole},,,what comes later")]).past.user.as_str(), "alice");
}

#[test]
fn a_malformed_line_is_counted_shown_and_passed_over() {
    let lines = [
        accounting("1", "7", 0, &[]),
        "\"VPN1\",\"RAS\",06/18/2024,14:45:48,4,\"a\u{1b}[31mlong".to_owned() + &"x".repeat(100),
        String::new(),
        accounting("2", "7", 100, &[(at::SECONDS, "many")]),
        accounting("2", "7", 100, &[(at::SECONDS, "100")]),
        accounting("1", "", 100, &[]),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (all, summary) = read(&[text.as_bytes()], None).unwrap();
    assert!(all[0].past.ended.is_some() && all.len() == 1);
    let faults: Vec<String> = summary.faults.iter().map(|f| format!("{}: {}", f.line, f.what)).collect();
    assert_eq!(
        faults,
        [
            "2: field 6: its quote is not closed",
            "4: Acct-Session-Time is `many`, not a number",
            "6: accounting without Acct-Session-Id"
        ]
    );
    assert_eq!(summary.malformed, 3);
}

#[test]
fn hostile_text_is_shown_short_and_without_control_characters() {
    let text = format!("<Event>\u{1b}]0;{}</Event>\n<Event><Packet-Type>4</Packet-Type></Event>", "x".repeat(500));
    let (_, summary) = read(&[text.as_bytes()], None).unwrap();
    let shown = summary.faults[0].to_string();
    assert!(shown.contains(r"\u{1b}]0;xxx") && shown.len() < 250 && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn every_encoding_is_read() {
    let text = accounting("1", "7", 0, &[(at::USER, "J\u{fc}rgen")]) + "\r\n";
    let utf_16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let ansi: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for bytes in [text.as_bytes(), &utf_16, &ansi] {
        let (all, _) = read(&[bytes], None).unwrap();
        assert_eq!(all[0].past.user.as_str(), "J\u{fc}rgen");
    }
}

#[test]
fn a_session_over_two_files_is_one_in_whatever_order_they_are_named() {
    let first = accounting("1", "7", 0, &[]) + "\n";
    let second = accounting("2", "7", 90_000, &[(at::SECONDS, "90000")]) + "\n";
    let (turned, _) = read(&[second.as_bytes(), first.as_bytes()], None).unwrap();
    assert_eq!(turned, [session(&[first, second])]);
}

#[test]
fn the_same_session_in_two_formats_has_one_key() {
    let odbc = session(&[accounting("1", "7", 0, &[])]);
    let dts = format!(
        "<Event>\n <Timestamp data_type=\"4\">06/18/2024 14:45:48.017</Timestamp>\n <Computer-Name data_type=\"1\">VPN1\
         </Computer-Name><Event-Source data_type=\"1\">RAS</Event-Source><User-Name data_type=\"1\">alice</User-Name>\n\
         <Class data_type=\"1\">{CLASS}</Class><Acct-Session-Id data_type=\"1\">7</Acct-Session-Id>\
         <Event-Timestamp data_type=\"4\">06/18/2024 13:45:48</Event-Timestamp>\
         <Acct-Status-Type data_type=\"0\">1</Acct-Status-Type><Packet-Type data_type=\"0\">4</Packet-Type>\n</Event>"
    );
    let dts = session(&[dts]);
    assert_eq!(odbc.past.key, dts.past.key);
    assert_eq!(dts.past.start, odbc.past.start + 17, "the fraction of the second is taken too");
}

#[test]
fn octets_beyond_four_gigabytes() {
    let dts = "<Event><Timestamp>06/18/2024 14:45:48.000</Timestamp><Computer-Name>VPN1</Computer-Name>\
               <Event-Source>RAS</Event-Source><Event-Timestamp>1718718348</Event-Timestamp>\
               <Acct-Status-Type>2</Acct-Status-Type><Acct-Session-Id>7</Acct-Session-Id>\
               <Acct-Input-Octets>5</Acct-Input-Octets><Acct-Input-Gigawords>2</Acct-Input-Gigawords>\
               <Acct-Output-Octets>6</Acct-Output-Octets><Packet-Type>4</Packet-Type></Event>";
    let one = session(&[dts.to_owned()]);
    let usage = one.past.ended.unwrap().usage;
    assert_eq!((usage.input_octets, usage.output_octets, one.gigawords), ((2 << 32) + 5, 6, true));
}

#[test]
fn what_is_no_log_is_said_to_be_none() {
    let wrong = read(&[b"time,user\n1,2\n"], None).unwrap_err().to_string();
    assert!(wrong.contains("IN0.log: it is not a log of RRAS or NPS"), "{wrong}");
    let (all, summary) = read(&[b"", b"\r\n\r\n", &[0; 70_000]], None).unwrap();
    assert!(all.is_empty() && summary.files.iter().all(|file| file.format.is_none()));
}

#[test]
fn the_ias_format_has_sessions_too() {
    let head = "10.0.0.1,CORP\\alice,06/18/2024,14:45:48,RAS,VPN1";
    let common = format!("25,{CLASS},32,VPN1,44,7,61,5,64,3,8,10.8.0.5,31,203.0.113.9,4136,4");
    let start = format!("{head},40,1,55,{T},{common}");
    let stop = format!("{head},40,2,55,{},46,60,42,10,43,20,49,1,{common}", T + 60);
    let one = session(&[start, stop]);
    assert_eq!(one.past.key, session(&[accounting("1", "7", 0, &[])]).past.key);
    let ended = one.past.ended.unwrap();
    assert_eq!((ended.stop, ended.usage.input_octets, ended.cause), ((T + 60) * SECOND, 10, Some(1)));
    assert_eq!((one.past.user.as_str(), one.past.tunnel.known()), (r"CORP\alice", Some(&Tunnel::L2tp)));
}

#[test]
fn the_domain_is_read_where_it_is_in_hexadecimal() {
    let dts = "<Event><Timestamp data_type=\"4\">06/18/2024 14:45:48.000</Timestamp><Computer-Name data_type=\"1\">VPN1\
               </Computer-Name><Event-Source data_type=\"1\">RAS</Event-Source><User-Name data_type=\"1\">alice</User-Name>\
               <MS-CHAP-Domain data_type=\"2\">01434F52504E</MS-CHAP-Domain><MS-RAS-Client-Name data_type=\"2\">\
               4D535241532D302D50432D3100</MS-RAS-Client-Name><Event-Timestamp data_type=\"4\">06/18/2024 13:45:48\
               </Event-Timestamp><Acct-Status-Type data_type=\"0\">1</Acct-Status-Type><Acct-Session-Id data_type=\"1\">7\
               </Acct-Session-Id><Packet-Type data_type=\"0\">4</Packet-Type></Event>";
    let one = session(&[dts.to_owned()]);
    assert_eq!((one.past.user.as_str(), one.past.domain.as_str()), ("alice", "CORPN"));
    assert_eq!(one.past.computer.known().unwrap().as_str(), "PC-1");
    let ias = format!("10.0.0.1,alice,06/18/2024,14:45:48,RAS,VPN1,40,1,55,{T},44,7,61,5,4120,0x01434F52504E,4136,4");
    assert_eq!(session(&[ias]).past.domain.as_str(), "CORPN");
}

#[test]
fn the_last_line_of_a_log_that_is_still_written_is_left() {
    let start = accounting("1", "7", 0, &[]);
    let stop = accounting("2", "7", 648, &[(at::SECONDS, "648"), (at::IN, "5")]);
    // Every place at which the Stop may have been cut off: with and without the space that Windows reserved.
    for cut in 1..stop.len() {
        for after in [&[][..], &[0; 100]] {
            let text = [format!("{start}\r\n{}", &stop[..cut]).as_bytes(), after].concat();
            let (all, summary) = read(&[&text], None).unwrap();
            assert_eq!((all.len(), all[0].past.ended, summary.malformed), (1, None, 0), "{cut}");
            let left = summary.unfinished[0].to_string();
            assert!(left.contains("IN0.log:2: the last line has no line end: it may still be written"), "{left}");
        }
    }
    // A line end, but fewer fields than its neighbours have: a tool has ended the line.
    let cut = &stop[..stop.find(",648,").unwrap() + 2];
    let (all, summary) = read(&[format!("{start}\r\n{cut}\r\n").as_bytes()], None).unwrap();
    assert_eq!((all[0].past.ended, summary.malformed, summary.counts.records), (None, 0, 1));
    let left = &summary.unfinished[0].what;
    assert!(left.starts_with("the last line has 38 fields, and the one before it 66: it may still"), "{left}");
    // In the middle of a log such a line is a record: other lines of other servers are longer.
    let (_, summary) = read(&[format!("{start}\r\n{cut}\r\n{start}\r\n").as_bytes()], None).unwrap();
    assert!(summary.unfinished.is_empty());
    // With its line end it is there.
    let (all, summary) = read(&[format!("{start}\r\n{stop}\r\n").as_bytes()], None).unwrap();
    assert_eq!((all[0].seconds, summary.unfinished.len()), (648, 0));
}

#[test]
fn the_last_event_of_a_log_that_is_still_written_is_left() {
    let event = |status, time: i64| {
        format!(
            "<Event><Computer-Name>VPN1</Computer-Name><Event-Source>RAS</Event-Source><Event-Timestamp>{time}\
             </Event-Timestamp><Acct-Status-Type>{status}</Acct-Status-Type><Acct-Session-Id>7</Acct-Session-Id>\
             <Packet-Type>4</Packet-Type></Event>"
        )
    };
    let (start, stop) = (event(1, T), event(2, T + 60));
    let cut = &stop[..stop.len() - 3];
    let (all, summary) = read(&[format!("{start}\r\n{cut}").as_bytes()], None).unwrap();
    assert_eq!((all[0].past.ended, summary.malformed), (None, 0));
    assert!(summary.unfinished[0].to_string().contains("IN0.log:2: the last event has no end"), "{summary:?}");
    // An event ends at its own end, also without a line end.
    let (all, summary) = read(&[format!("{start}\r\n{stop}").as_bytes()], None).unwrap();
    assert!(all[0].past.ended.is_some() && summary.unfinished.is_empty());
}

#[test]
fn other_ends_of_lines_and_texts_are_read() {
    let (start, stop) = (accounting("1", "7", 0, &[]), accounting("2", "7", 60, &[(at::SECONDS, "60")]));
    for text in [
        format!("{start}\r{stop}\r"),
        format!("{start}\n{stop}\x1a"),
        format!("{start}\r\n{stop}\r\n\x1a"),
        format!("{start}\r\n\x1a{stop}\r\n"),
    ] {
        let (all, summary) = read(&[text.as_bytes()], None).unwrap();
        assert_eq!((all.len(), summary.malformed, summary.unfinished.len()), (1, 0, 0), "{text:?}");
        assert!(all[0].past.ended.is_some(), "{text:?}");
    }
}

#[test]
fn what_a_record_does_not_say_stays_unknown() {
    let one = session(&[accounting("2", "7", 60, &[(at::SECONDS, "60"), (at::IN, "1000"), (at::IN_PACKETS, "3")])]);
    let usage = one.usage;
    assert_eq!(
        (usage.input_octets, usage.output_octets, usage.input_packets, usage.output_packets),
        (Some(1000), None, Some(3), None)
    );
    // A Stop that says less than the Interim-Update before it takes nothing back.
    let one = session(&[
        accounting("1", "7", 0, &[]),
        accounting("3", "7", 30, &[(at::IN, "10"), (at::OUT, "20")]),
        accounting("2", "7", 60, &[(at::IN, "15")]),
    ]);
    assert_eq!((one.usage.input_octets, one.usage.output_octets), (Some(15), Some(20)));
}

#[test]
fn the_ports_number_and_a_phone_number_are_kept() {
    let one = session(&[accounting("1", "7", 0, &[(at::PORT, "9"), (at::CALLING, "+49 30 123\u{202e}456")])]);
    assert_eq!((one.nas_port, &one.past.port, &one.past.source), (Some(9), &Fact::NotYetKnown, &Fact::NotYetKnown));
    assert!(one.calling.starts_with("+49 30 123") && !one.calling.contains('\u{202e}'), "{}", one.calling);
    let row = rasadmin_history::import::imported(&one, &rasadmin_policy::Domains::new([], None));
    assert_eq!((row.calling, row.nas_port), (one.calling, Some(9)));
    // The address of the tunnel says more, if there is one.
    let endpoint = [(at::CALLING, "+49301234"), (at::ENDPOINT, "203.0.113.9")];
    let one = session(&[accounting("1", "7", 0, &endpoint)]);
    let row = rasadmin_history::import::imported(&one, &rasadmin_policy::Domains::new([], None));
    assert_eq!(row.calling, "203.0.113.9");
}

#[test]
fn an_absurd_session_time_is_not_believed() {
    let absurd = [(at::SECONDS, "4294967295"), (at::IN, "5"), (at::OUT, "5")];
    // With a Start: from Start to Stop.
    let one = session(&[accounting("1", "7", 0, &[]), accounting("2", "7", 60, &absurd)]);
    assert_eq!((one.seconds, one.past.ended.unwrap().usage.seconds, one.past.start), (60, 60, T * SECOND));
    // Without one, nothing says when it began.
    let one = session(&[accounting("2", "7", 60, &absurd)]);
    assert_eq!((one.seconds, one.past.start), (0, (T + 60) * SECOND));
    // Longer than the time since its Start by more than a late Start explains.
    let one = session(&[accounting("1", "7", 0, &[]), accounting("2", "7", 60, &[(at::SECONDS, "90000")])]);
    assert_eq!(one.seconds, 60);
    let one = session(&[accounting("1", "7", 0, &[]), accounting("2", "7", 60, &[(at::SECONDS, "70")])]);
    assert_eq!(one.seconds, 70);
}

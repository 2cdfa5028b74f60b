//! Records that come late, twice, cut off or not at all, and which session they belong to.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_history::logs::{LogSession, Summary};
use support::{CLASS, T, accounting, at, line, read, refusals, session, sessions};

const SECOND: i64 = 1_000;
const DAY: i64 = 86_400;

/// Accounting-On (7) or -Off (8).
fn restart(status: &str, second: i64, server: &str) -> String {
    let event = (T + second).to_string();
    line(&[(at::PACKET, "4"), (at::STATUS, status), (at::EVENT, &event), (at::NAS, server), (0, server)])
}

/// A record without a Class that NPS made.
fn bare(status: &str, second: i64, more: &[(usize, &str)]) -> String {
    accounting(status, "7", second, &[&[(at::CLASS, "")], more].concat())
}

/// Starts and ends, in seconds after T.
fn times(sessions: &[LogSession]) -> Vec<(i64, Option<i64>)> {
    let second = |time: i64| time / SECOND - T;
    sessions.iter().map(|one| (second(one.past.start), one.past.ended.map(|ended| second(ended.stop)))).collect()
}

#[test]
fn a_restart_ends_every_session_of_its_server() {
    let start = |id: &str, second, server| accounting("1", id, second, &[(at::NAS, server), (0, server)]);
    // Accounting-On: it was gone before, and each session ended at some time between its last sign and now.
    for status in ["7", "8"] {
        let (all, _) = sessions(&[
            start("7", 0, "VPN1"),
            start("8", 50, "VPN1"),
            start("9", 60, "VPN2"),
            restart(status, 500, "vpn1"),
        ]);
        let ends: Vec<_> = all
            .iter()
            .map(|one| (one.past.server.as_str(), one.seconds, one.past.ended.map(|e| (e.stop, e.cause, e.estimated))))
            .collect();
        let end = Some(((T + 500) * SECOND, Some(11), true));
        assert_eq!(ends, [("VPN1", 500, end), ("VPN1", 450, end), ("VPN2", 0, None)]);
    }
    // Only the first says when.
    let one = session(&[start("7", 0, "VPN1"), restart("8", 500, "VPN1"), restart("7", 900, "VPN1")]);
    assert_eq!(one.past.ended.unwrap().stop, (T + 500) * SECOND);
    // A session that began later, although its record comes before, is another server life's.
    let (all, _) = sessions(&[start("7", 0, "VPN1"), start("8", 600, "VPN1"), restart("7", 500, "VPN1")]);
    assert_eq!(times(&all), [(0, Some(500)), (600, None)]);
    // A Stop says it better, soon after or much later.
    for late in [0, 7_200] {
        let stop = accounting("2", "7", 499, &[(at::SECONDS, "499")]);
        let other = start("9", 500 + late, "VPN2");
        let (all, summary) = sessions(&[start("7", 0, "VPN1"), restart("8", 500, "VPN1"), other, stop]);
        let ended = all.iter().rfind(|one| one.past.server.as_str() == "VPN1").unwrap().past.ended.unwrap();
        assert_eq!((ended.stop, ended.estimated), ((T + 499) * SECOND, false));
        assert_eq!((summary.counts.sessions, summary.counts.without_end), (2, 1), "the other one has no end");
    }
    // Ids restart with the server: a Start after it is another session, a Start of before is the same one, repeated.
    let (all, _) = sessions(&[bare("1", 0, &[]), restart("8", 500, "VPN1"), bare("1", 501, &[])]);
    assert_eq!(times(&all), [(0, Some(500)), (501, None)]);
    let (all, summary) = sessions(&[start("7", 0, "VPN1"), restart("8", 500, "VPN1"), start("7", 0, "VPN1")]);
    assert_eq!((all.len(), summary.counts.repeated), (1, 1));
}

#[test]
fn a_restart_ends_a_session_whose_start_comes_after_it() {
    let start = |second| accounting("1", "7", second, &[]);
    let (early, late) = (restart("7", 600, "VPN1"), restart("7", 4_200, "vpn1"));
    // The first restart after its start ended it.
    assert_eq!(times(&[session(&[early.clone(), start(0), late])]), [(0, Some(600))]);
    let (all, summary) = sessions(&[early.clone(), start(0)]);
    assert_eq!((times(&all), summary.counts.without_end), (vec![(0, Some(600))], 0));
    // In the same second, the order of the records is that of the events.
    assert_eq!(times(&[session(&[early.clone(), start(600)])]), [(600, None)]);
    // It was seen after that restart; it has a Stop; the restart is another server's.
    let update = accounting("3", "7", 700, &[]);
    assert_eq!(times(&[session(&[early.clone(), start(0), update.clone()])]), [(0, None)]);
    assert_eq!(times(&[session(&[start(0), early.clone(), update])]), [(0, None)], "the same, in another order");
    let stop = accounting("2", "7", 300, &[(at::SECONDS, "300")]);
    assert_eq!(times(&[session(&[early, start(0), stop])]), [(0, Some(300))]);
    assert_eq!(times(&[session(&[restart("7", 600, "VPN2"), start(0)])]), [(0, None)]);
}

#[test]
fn the_longer_of_two_stops_is_the_sessions() {
    let start = accounting("1", "7", 0, &[]);
    let stop = |more: &[(usize, &str)]| accounting("2", "7", 648, more);
    // What a copy of the log has that was made while its last line was written.
    let short = stop(&[(at::IN, "5"), (at::SECONDS, "6")]);
    let none = stop(&[(at::IN, "5")]);
    let whole = stop(&[(at::IN, "5000"), (at::OUT, "70"), (at::SECONDS, "648"), (at::CAUSE, "1")]);
    let told = |all: &[LogSession]| {
        let ended = all[0].past.ended.unwrap();
        (all.len(), all[0].seconds, all[0].usage.input_octets, all[0].usage.output_octets, ended.cause)
    };
    for lines in [
        [&start, &short, &whole],
        [&start, &whole, &short],
        [&start, &none, &whole],
        [&start, &whole, &none],
        [&whole, &start, &short],
        [&short, &whole, &start],
    ] {
        let (all, summary) = sessions(&lines.map(String::clone));
        assert_eq!(told(&all), (1, 648, Some(5_000), Some(70), Some(1)), "{lines:?}");
        assert_eq!(times(&all), [(0, Some(648))]);
        assert_eq!(summary.counts.sessions, 1);
    }
    // In two files.
    let text = |lines: &[&String]| lines.iter().map(|line| format!("{line}\r\n")).collect::<String>();
    let (copy, log) = (text(&[&start, &short]), text(&[&start, &whole]));
    let (all, _) = read(&[copy.as_bytes(), log.as_bytes()], None).unwrap();
    assert_eq!(told(&all), (1, 648, Some(5_000), Some(70), Some(1)));
    // Without its Start, it began when the longer one says.
    assert_eq!(times(&[session(&[short, whole])]), [(0, Some(648))]);
}

#[test]
fn a_start_after_its_stop_says_what_it_knows() {
    let knows = [(at::ADDRESS, "10.8.0.5"), (at::TUNNEL, "3"), (at::CALLING, "203.0.113.9")];
    for class in [CLASS, "", "VPN"] {
        let of = [(at::CLASS, class)];
        let stop = accounting("2", "7", 100, &[&of[..], &[(at::SECONDS, "97")]].concat());
        let start = accounting("1", "7", 0, &[&of[..], &knows].concat());
        let turned = session(&[stop.clone(), start.clone()]);
        assert_eq!(turned, session(&[start, stop]), "{class}");
        assert_eq!(turned.past.address.known().unwrap().to_string(), "10.8.0.5");
        assert_eq!((turned.past.start, turned.seconds), (T * SECOND, 97));
    }
}

#[test]
fn links_whose_starts_are_in_another_log_are_one_session() {
    let other = "311 1 192.168.180.2 06/15/2024 17:41:37 170";
    let stop = |id, second, seconds, more: &[(usize, &str)]| {
        let common = [(at::MULTI, "117"), (at::LINKS, "2"), (at::SECONDS, seconds), (at::IN, "10")];
        accounting("2", id, second, &[&common, more].concat())
    };
    // Hours after each other.
    let lines = [stop("168", 100, "100", &[]), stop("169", 9_000, "8995", &[(at::CLASS, other)])];
    let one = session(&lines);
    assert_eq!((one.past.links, one.usage.input_octets, one.seconds), (2, Some(20), 9_000));
    assert_eq!(times(std::slice::from_ref(&one)), [(0, Some(9_000))]);
    // A link that is only counted: the session ended with the other one.
    assert_eq!(times(&[session(&lines[..1])]), [(0, Some(100))]);
}

#[test]
fn a_class_that_a_policy_sets_identifies_nothing() {
    // Ids restart with the server: two sessions, although Class and id are the same.
    let fixed = [(at::CLASS, "VPN")];
    let stop = |second, seconds: &'static str| accounting("2", "7", second, &[fixed[0], (at::SECONDS, seconds)]);
    let start = |second| accounting("1", "7", second, &fixed);
    let (all, _) = sessions(&[start(0), stop(60, "60"), start(DAY), stop(DAY + 90, "90")]);
    assert_eq!(times(&all), [(0, Some(60)), (DAY, Some(DAY + 90))]);
    assert_ne!(all[0].past.key, all[1].past.key);
    // A refused attempt of one user says nothing about another one.
    let event = T.to_string();
    let packet = |kind, user| line(&[(at::PACKET, kind), (at::USER, user), fixed[0], (at::EVENT, &event)]);
    let (all, summary) = sessions(&[packet("1", "mallory"), packet("3", "mallory"), start(1), stop(61, "60")]);
    assert_eq!((all[0].past.user.as_str(), summary.counts.not_admitted, summary.counts.rejects), ("alice", 0, 1));
    // Beside NPS's own, that one counts, in either order.
    let event = |classes: [&str; 2]| {
        let [first, second] = classes;
        format!(
            "<Event><Computer-Name>VPN1</Computer-Name><Event-Source>RAS</Event-Source><Event-Timestamp>{T}</Event-Timestamp>\
             <Class>{first}</Class><Class>{second}</Class><Acct-Status-Type>1</Acct-Status-Type>\
             <Acct-Session-Id>7</Acct-Session-Id><Packet-Type>4</Packet-Type></Event>"
        )
    };
    let keys = [["VPN", CLASS], [CLASS, "VPN"]].map(|classes| session(&[event(classes)]).past.key);
    assert_eq!(keys, [0; 2].map(|_| session(&[accounting("1", "7", 0, &[])]).past.key));
}

#[test]
fn an_id_that_comes_again_without_a_class_is_another_session() {
    let stop = |second, seconds: &'static str| bare("2", second, &[(at::SECONDS, seconds)]);
    // Its own Start is lost; the one that is known is days older.
    let (all, _) = sessions(&[bare("1", 0, &[]), stop(5 * DAY, "60")]);
    assert_eq!(times(&all), [(0, None), (5 * DAY - 60, Some(5 * DAY))]);
    // The session before has ended, days before or a moment before.
    for second in [5 * DAY, 200] {
        let (all, summary) = sessions(&[bare("1", 0, &[]), stop(60, "60"), stop(second, "60")]);
        assert_eq!(times(&all), [(0, Some(60)), (second - 60, Some(second))]);
        assert_eq!(summary.counts.repeated, 0);
    }
    // Interim-Updates of a long session, and its Stop, fit its Start.
    let interim = |second: i64| bare("3", second, &[(at::SECONDS, &second.to_string())]);
    let (all, _) = sessions(&[bare("1", 0, &[]), interim(DAY), interim(2 * DAY), stop(3 * DAY, "259200")]);
    assert_eq!(times(&all), [(0, Some(3 * DAY))]);
    // What is repeated later than that is repeated.
    let (all, summary) =
        sessions(&[bare("1", 0, &[]), stop(60, "60"), interim(DAY), stop(60, "60"), bare("1", 0, &[])]);
    assert_eq!((all.len(), summary.counts.repeated), (2, 2), "{:?}", times(&all));
}

#[test]
fn a_session_whose_end_came_after_all_is_not_continued_again() {
    let of = |status, user, second: i64, seconds| {
        bare(status, second, &[&[(at::USER, user)][..], &[(at::SECONDS, seconds)]].concat())
    };
    let start = |user, second| bare("1", second, &[(at::USER, user)]);
    let mut lines = vec![
        start("alice", 0),
        // Alice's session is passed on without its end.
        start("bob", 600),
        of("2", "bob", 1_200, "600"),
        of("2", "alice", 1_260, "1260"),
        restart("7", 2_000, "VPN2"),
    ];
    let (all, summary) = sessions(&lines);
    assert_eq!(times(&all), [(0, None), (600, Some(1_200)), (0, Some(1_260))]);
    assert_eq!((summary.counts.sessions, summary.counts.without_end), (2, 0));
    lines.push(of("2", "alice", 2_100, "700"));
    let (all, summary) = sessions(&lines);
    assert_eq!(times(&all[3..]), [(1_400, Some(2_100))]);
    assert_ne!(all[3].past.key, all[0].past.key, "it is a session of its own");
    assert_eq!((summary.counts.sessions, summary.counts.without_end), (3, 0));
    // Its seconds lead to the same start.
    *lines.last_mut().unwrap() = of("2", "alice", 2_100, "2100");
    let (all, summary) = sessions(&lines);
    assert_eq!((times(&all[3..]), all[3].continued), (vec![(0, Some(2_100))], false));
    assert_eq!((summary.counts.sessions, summary.counts.without_end), (3, 0));
}

#[test]
fn records_of_different_users_or_addresses_are_never_one_session() {
    let of = |user, address| [(at::USER, user), (at::ADDRESS, address)];
    let start = bare("1", 0, &of(r"CORP\w1", "10.8.0.1"));
    let stop =
        |user, address: &'static str| bare("2", 2_400, &[&of(user, address)[..], &[(at::SECONDS, "1200")]].concat());
    for other in [(r"CORP\w2", "10.8.0.2"), (r"CORP\w2", "10.8.0.1"), (r"PARTNER\w1", ""), (r"CORP\w1", "10.8.0.2")] {
        let (all, summary) = sessions(&[start.clone(), stop(other.0, other.1)]);
        assert_eq!(times(&all), [(0, None), (1_200, Some(2_400))], "{other:?}");
        assert_eq!((summary.counts.sessions, summary.counts.without_end), (2, 1));
        assert_ne!(all[0].past.key, all[1].past.key);
    }
    // What a record does not say, or says in another way, contradicts nothing.
    for same in [(r"corp\W1", "10.8.0.1"), ("w1", ""), ("w1@corp.example", "0.0.0.0"), ("", "255.255.255.254")] {
        assert_eq!(times(&[session(&[start.clone(), stop(same.0, same.1)])]), [(0, Some(2_400))], "{same:?}");
    }
    // A further link of another user, with a Class of its own.
    let class = "311 1 192.168.180.2 06/15/2024 17:41:37 170";
    let link = |id, user, class| {
        accounting("1", id, 5, &[(at::MULTI, "117"), (at::LINKS, "2"), (at::USER, user), (at::CLASS, class)])
    };
    let first = link("168", "alice", CLASS);
    let (all, _) = sessions(&[first.clone(), link("169", "bob", class)]);
    assert_eq!(all.len(), 2);
    assert_eq!(session(&[first, link("169", "ALICE", class)]).past.links, 2);
}

#[test]
fn attempts_of_the_same_second_are_told_apart_by_their_requests() {
    let packet = |kind, client, more: &[(usize, &str)]| {
        let of_nps = [(0, "\"NPS1\""), (1, "\"IAS\""), (at::NAS, ""), (at::FRIENDLY, client), (at::PACKET, kind)];
        line(&[&of_nps[..], more].concat()) + "\r\n"
    };
    let request = |client, user| packet("1", client, &[(at::USER, user)]);
    let reject = |client| packet("3", client, &[(at::REASON, "16")]);
    let both = request("vpn1", "x1") + &request("vpn2", "x2") + &reject("vpn1") + &reject("vpn2");
    let (all, summary) = refusals(&both);
    let told = |at: usize| (all[at].session.past.user.as_str(), all[at].session.past.server.as_str());
    assert_eq!((all.len(), told(0), told(1)), (2, ("x1", "vpn1"), ("x2", "vpn2")));
    assert_eq!((summary.counts.rejects, summary.counts.repeated), (2, 0));
    assert_ne!(all[0].session.past.key, all[1].session.past.key);
    // The same user at two servers.
    let twice = request("vpn1", "x1") + &request("vpn2", "x1") + &reject("vpn1") + &reject("vpn2");
    assert_eq!(refusals(&twice).0.len(), 2);
    // Two files overlap; an answer comes twice.
    for again in [both.clone(), reject("vpn1")] {
        let (repeated, summary) = refusals(&(both.clone() + &again));
        assert_eq!(
            repeated.iter().map(|one| &one.session.past.key).collect::<Vec<_>>(),
            all.iter().map(|one| &one.session.past.key).collect::<Vec<_>>()
        );
        assert!(summary.counts.repeated > 0);
    }
}

/// A request (1) or a refusal (3) without a Class. Only the request has the user's public address.
fn packet(kind: &str, client: &str, second: i64, user: &str) -> String {
    let (event, calling) = ((T + second).to_string(), if kind == "1" { "203.0.113.9" } else { "" });
    let of_nps = [(0, "\"NPS1\""), (1, "\"IAS\""), (at::NAS, ""), (at::FRIENDLY, client), (at::PACKET, kind)];
    let more = [(at::USER, user), (at::EVENT, &event), (at::REASON, "16"), (at::CALLING, calling)];
    line(&[&of_nps[..], &more].concat()) + "\r\n"
}

#[test]
fn a_request_waits_some_minutes_for_its_answer() {
    for (second, user) in [(299, "alice"), (301, "")] {
        let (all, _) = refusals(&(packet("1", "vpn1", 0, "alice") + &packet("3", "vpn1", second, "")));
        assert_eq!(all[0].session.past.user.as_str(), user, "after {second} seconds");
    }
    // One that was never answered does not stand in the way of the next.
    let lost = packet("1", "vpn1", 0, "alice");
    let (all, _) = refusals(&(lost + &packet("1", "vpn1", 900, "bob") + &packet("3", "vpn1", 901, "")));
    assert_eq!(all[0].session.past.user.as_str(), "bob");
}

#[test]
fn requests_without_an_answer_take_no_more_than_their_room() {
    let long = "x".repeat(1_900);
    let one = |kind, at: usize| packet(kind, &format!("vpn{}", at / 16), 0, &format!("u{at}{long}"));
    let requests: String = (0..4_800).map(|at| one("1", at)).collect();
    let answers = [0, 4_799].map(|at| one("3", at)).concat();
    let (all, _) = refusals(&(requests + &answers));
    let known: Vec<_> = all.iter().map(|one| one.session.past.source.known().is_some()).collect();
    assert_eq!(known, [false, true], "the oldest makes room");
}

/// What is read of a log in which so many sessions are open that the first ones are passed on without their end.
fn crowded(class: impl Fn(usize) -> String, last: &str) -> (Vec<LogSession>, Summary) {
    let long = "x".repeat(1_900);
    let start = |id: usize| accounting("1", &id.to_string(), id as i64, &[(at::USER, &long), (at::CLASS, &class(id))]);
    let text: String = (0..6_000).map(|id| start(id) + "\r\n").collect();
    read(&[(text + last + "\r\n").as_bytes()], None).unwrap()
}

#[test]
fn a_session_that_had_no_room_is_counted_once() {
    let of_nps = |id: usize| format!("311 1 192.168.180.2 06/15/2024 17:41:37 {id}");
    for class in [&of_nps as &dyn Fn(usize) -> String, &|_| "VPN".to_owned()] {
        // The start that the Stop's seconds show is not exactly that of the Start.
        let user = (at::USER, "");
        let stop = accounting("2", "5", 20_000, &[(at::SECONDS, "19994"), (at::CLASS, &class(5)), user]);
        let (all, summary) = crowded(class, &stop);
        assert_eq!((summary.counts.sessions, summary.counts.without_end, all.len()), (6_000, 5_999, 6_001));
        let of_it: Vec<_> = all.iter().filter(|one| one.past.start == (T + 5) * SECOND).collect();
        assert_eq!((of_it.len(), &of_it[0].past.key), (2, &of_it[1].past.key));
        assert_eq!(of_it.iter().map(|one| one.continued).collect::<Vec<_>>(), [false, true]);
        // A repeated Start is not another session.
        let again = accounting("1", "5", 5, &[(at::CLASS, &class(5)), user]);
        let (all, summary) = crowded(class, &again);
        assert_eq!((all.len(), summary.counts.sessions, summary.counts.repeated), (6_000, 6_000, 1));
    }
}

#![allow(clippy::unwrap_used)]
use super::rank::{Rank, Ranks};
use super::*;
use rasadmin_policy::Name;

fn key(id: RowId, name: &str, start: Millis, stop: Option<Millis>, octets: Option<u64>) -> SessionKey {
    let user = (!name.is_empty()).then(|| (Name::new("CORP"), Name::new(name)));
    SessionKey { id, user, start, stop, octets: [octets; 2], live: stop.is_none().then(|| id.to_string()) }
}

/// The numbers of sessions in an order. The third is connected, the fifth has no name and no octets.
fn numbers(word: &str) -> String {
    let (order, seen) = (Order::of(word).unwrap(), Seen::new());
    let ranks = Ranks { order, seen: &seen, now: 100 };
    let mut keys = [
        key(1, "BOB", 10, Some(30), Some(5)),
        key(2, "ALICE", 20, Some(90), Some(9)),
        key(3, "BOB", 25, None, Some(7)),
        key(4, "CAROL", 40, Some(45), Some(7)),
        key(5, "", 50, Some(52), None),
    ];
    keys.sort_by_cached_key(|key| ranks.of(key));
    keys.iter().map(|key| key.id.to_string()).collect()
}

#[test]
fn each_order_goes_both_ways_and_what_is_not_known_comes_last() {
    assert_eq!([numbers("began"), numbers("-began")], ["54321", "12345"]);
    assert_eq!([numbers("user"), numbers("-user")], ["21345", "43125"], "the one without a name is last");
    assert_eq!([numbers("ended"), numbers("-ended")], ["32541", "14523"], "who is connected has not ended");
    assert_eq!([numbers("duration"), numbers("-duration")], ["32145", "54123"]);
    assert_eq!([numbers("received"), numbers("-received")], ["24315", "13425"], "of equals the latest, or the first");
}

#[test]
fn octets_of_a_live_session_are_those_that_the_service_saw() {
    let live = |octets| LiveSession { session: rasadmin_engine::Id(7), octets, exact: true, heard: Some(3) };
    let seen = Seen::from([("3".to_owned(), live([800, 900]))]);
    let value = |by| {
        Ranks { order: Order { by, is_turned: false }, seen: &seen, now: 100 }.value(&key(3, "A", 1, None, Some(7)))
    };
    assert_eq!([By::Received, By::Sent, By::Heard].map(value), [800, 900, 3]);
    let past =
        Ranks { order: Order::of("sent").unwrap(), seen: &seen, now: 100 }.value(&key(3, "A", 1, Some(9), Some(7)));
    assert_eq!(past, 7);
}

/// The numbers of the sessions that come after a page that ended with this cursor.
fn after(ranks: &Ranks<'_>, keys: &[SessionKey], cursor: i64, id: RowId) -> Vec<RowId> {
    let mut keys = keys.to_vec();
    keys.sort_by_cached_key(|key| ranks.of(key));
    let first = ranks.after(&keys, cursor, id).unwrap();
    keys[first..].iter().map(|key| key.id).collect()
}

#[test]
fn a_page_goes_on_where_the_session_was_whose_value_changed_meanwhile() {
    let seen = Seen::new();
    let ranks = |word, now| Ranks { order: Order::of(word).unwrap(), seen: &seen, now };
    let mut keys: Vec<_> = (1..=4).map(|id| key(id, "BOB", 10 * id, None, Some(100 * id.unsigned_abs()))).collect();
    // The page ended with the second one of 4, 3, 2, 1, which then got more than the first one has, or less than the last.
    for octets in [5, 9_000] {
        keys[2].octets = [Some(octets); 2];
        let left: Vec<_> = after(&ranks("sent", 100), &keys, 300, 3).into_iter().filter(|id| *id != 3).collect();
        assert_eq!(left, [2, 1]);
    }
    // What was connected when the page was shown has ended: it came before those that had ended.
    keys[3].stop = Some(60);
    keys[2].stop = Some(50);
    assert_eq!(after(&ranks("ended", 100), &keys, Millis::MAX, 3), [2, 1, 4, 3]);
}

#[test]
fn those_who_are_connected_grow_older_together_between_two_pages() {
    let seen = Seen::new();
    let ranks = |word, now| Ranks { order: Order::of(word).unwrap(), seen: &seen, now };
    let mut keys: Vec<_> = (1..=4).map(|id| key(id, "BOB", 10 * id, None, None)).collect();
    let cursor = ranks("duration", 100).cursor(&keys[1]);
    assert_eq!(after(&ranks("duration", 5_000), &keys, cursor, 2), [3, 4]);
    assert_eq!(after(&ranks("-duration", 5_000), &keys, cursor, 2), [1]);
    // Its end moved it down, behind those who stay connected.
    keys[1].stop = Some(101);
    assert_eq!(after(&ranks("duration", 5_000), &keys, cursor, 2), [3, 4, 2]);
    // A list of those who are connected has lost it.
    keys.remove(1);
    assert_eq!(after(&ranks("duration", 5_000), &keys, cursor, 2), [3, 4]);
}

#[test]
fn a_word_says_the_order_and_its_direction() {
    for word in ["user", "-user", "-began", "ended", "-duration", "sent"] {
        assert_eq!(Order::of(word).unwrap().word(), word);
    }
    assert_eq!((Order::of(" ").unwrap().word(), Order::of("began").unwrap()), (String::new(), Order::default()));
    let fault = Order::of("--sent").unwrap_err();
    assert!(fault.what.contains("there is no order `--sent`") && fault.remedy.contains("`duration`"), "{fault}");
    let ascending = |word: &str| Order::of(word).unwrap().is_ascending();
    assert_eq!(["began", "-began", "user", "-user"].map(ascending), [false, true, true, false]);
    let next = |from: &str, word: &str| Order::of(from).unwrap().next(word).map(Order::word);
    assert_eq!(next("", "user"), Some("user".to_owned()));
    assert_eq!(next("user", "user"), Some("-user".to_owned()));
    assert_eq!(next("-user", "user"), Some("user".to_owned()));
    assert_eq!((next("user", "began"), next("", "computer")), (Some(String::new()), None));
}

#[test]
fn an_index_serves_only_what_it_has() {
    let whole = SessionSearch { after: Some((7, 9)), ..SessionSearch::default() };
    let serves =
        |search: &SessionSearch| ["-began", "user", "ended"].map(|word| has_index(search, Order::of(word).unwrap()));
    assert_eq!(serves(&whole), [true, true, false]);
    let filter = Filter { since: Some(7), limit: Some(51), ..Filter::default() };
    assert_eq!(serves(&SessionSearch { filter, ..whole.clone() }), [true, false, false]);
    assert_eq!(serves(&SessionSearch { name: Some(Name::new("a")), ..whole.clone() }), [false; 3]);
    assert_eq!(serves(&SessionSearch { live: true, ..whole }), [false; 3]);
    assert!(Rank::Value(i64::MAX, 0) < Rank::Unknown(std::cmp::Reverse((0, 0))));
}

#![allow(clippy::unwrap_used)]
use super::failures::{FORGOTTEN, MOST};
use super::*;

const HERE: &str = "127.0.0.1";

fn second(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// Attempts as often as possible, from `at` on.
fn made(attempts: &Attempts, name: &str, from: &str, start: Instant, seconds: u64) -> usize {
    let from = from.parse().unwrap();
    (0..seconds * 10)
        .filter(|tick| attempts.begin(name, from, start + Duration::from_millis(tick * 100)).is_ok())
        .count()
}

#[test]
fn the_pauses_of_a_name_grow_up_to_a_minute() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    let from = HERE.parse().unwrap();
    for _ in 0..5 {
        assert_eq!(attempts.begin("alice", from, start).ok().unwrap().pause, Duration::ZERO);
    }
    assert_eq!(attempts.begin("alice", from, start).ok().unwrap().pause, second(1), "the sixth");
    assert_eq!(attempts.begin("ALICE", from, start).err(), Some(second(1)), "the same name");
    assert!(attempts.begin("bob", from, start).is_ok(), "another name");
    assert_eq!(attempts.begin("alice", from, start + second(1)).ok().unwrap().pause, second(2));
    let mut now = start + second(1);
    for _ in 0..20 {
        now += attempts.begin("alice", from, now).err().unwrap();
        let pause = attempts.begin("alice", from, now).ok().unwrap().pause;
        assert!(pause <= second(60));
    }
    assert_eq!(attempts.begin("alice", from, now).err(), Some(second(60)));
    assert!(attempts.begin("alice", from, now + FORGOTTEN).is_ok());
    assert_eq!(attempts.begin("alice", from, now + FORGOTTEN).ok().unwrap().pause, Duration::ZERO, "forgotten");
}

#[test]
fn a_success_forgets_the_names_failures_and_no_others() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    let from: IpAddr = "10.0.0.1".parse().unwrap();
    for _ in 0..5 {
        let _ = attempts.begin("alice", from, start);
    }
    let attempt = attempts.begin("alice", from, start).ok().unwrap();
    attempts.succeeded(attempt);
    assert!(attempts.begin("alice", from, start).is_ok());
    // Every second attempt is a login of the attacker's own account.
    let mut tried = 0;
    for number in 0..100 {
        tried += usize::from(attempts.begin(&format!("user{number}"), from, start).is_ok());
        if let Ok(own) = attempts.begin("mallory", from, start) {
            attempts.succeeded(own);
        }
    }
    assert!(tried <= 20, "{tried}");
}

#[test]
fn one_stranger_stops_nobody_else() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    for number in 0..3_000 {
        let name = format!("user{number}");
        let _ = attempts.begin(&name, "10.0.0.1".parse().unwrap(), start + Duration::from_millis(number));
    }
    let other = "10.0.0.2".parse().unwrap();
    assert!(attempts.begin("alice", other, start + second(3)).is_ok());
    // They have as many addresses of their own network as they like.
    let mut tried = 0;
    for number in 0..200 {
        let from = format!("fd00::{number:x}").parse().unwrap();
        tried += usize::from(attempts.begin(&format!("name{number}"), from, start + second(3)).is_ok());
    }
    assert!(tried <= 21, "{tried}");
}

/// One who tries the name as often as they may, for `seconds`.
fn attacked(attempts: &Attempts, name: &str, networks: u8, start: Instant, seconds: u64) -> usize {
    let at = |tick: u64| start + Duration::from_millis(tick * 100);
    (0..seconds * 10)
        .flat_map(|tick| (0..networks).map(move |network| (tick, IpAddr::from([10, 0, network, 1]))))
        .filter(|(tick, from)| attempts.begin(name, *from, at(*tick)).is_ok())
        .count()
}

#[test]
fn a_stranger_who_tries_a_name_delays_only_their_own_network() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    let tried = attacked(&attempts, "alice", 1, start, 3_600);
    assert!(tried < 50, "{tried}");
    let end = start + second(3_600);
    assert!(attempts.begin("alice", "10.0.0.1".parse().unwrap(), end).is_err());
    assert!(attempts.begin("alice", "10.9.0.1".parse().unwrap(), end).is_ok(), "a new browser of the owner");
    // IPv6: the network, however many addresses it has.
    for number in 0..1_000 {
        let from = format!("fd00::{number:x}").parse().unwrap();
        let _ = attempts.begin("bob", from, start + Duration::from_millis(number));
    }
    assert!(attempts.begin("bob", "10.9.0.1".parse().unwrap(), start + second(1)).is_ok());
}

#[test]
fn many_strangers_delay_other_new_browsers_but_no_known_one() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    let tried = attacked(&attempts, "alice", 200, start, 600);
    assert!(tried < 60, "{tried}");
    let (end, own) = (start + second(600), "10.9.0.1".parse().unwrap());
    assert!(attempts.begin("alice", own, end).is_err(), "a new browser waits");
    let known = attempts.begin_of_device("a token", end).ok().unwrap();
    assert_eq!(known.pause, Duration::ZERO, "from any network");
    attempts.succeeded(known);
    assert!(attempts.begin("alice", own, end).is_err(), "its login helps no stranger");
}

/// They begin with their free attempts, and then try as often as each network may: for six hours.
#[test]
fn many_networks_together_try_a_name_about_once_a_minute() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    let tried = |attempts: &Attempts, name: &str, hour: u64| {
        (hour * 360..(hour + 6) * 360)
            .flat_map(|tick| (0..50).map(move |network| (tick, IpAddr::from([10, 0, network, 1]))))
            .filter(|(tick, from)| attempts.begin(name, *from, start + second(tick * 10)).is_ok())
            .count()
    };
    let first = tried(&attempts, "alice", 0);
    assert!((100..=100 + 6 * 60 + 1).contains(&first), "{first}");
    let known = attempts.begin_of_device("a token", start + second(6 * 3_600)).ok().unwrap();
    assert_eq!(known.pause, Duration::ZERO, "a known browser does not wait");
    // A pause between bursts gains nothing.
    let later = tried(&attempts, "alice", 7);
    assert!(later <= 60 + 6 * 60 + 1, "{later}");
}

#[test]
fn a_login_takes_nothing_from_the_names_share() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    for number in 0..500 {
        let from = IpAddr::from([10, 3, (number >> 8) as u8, number as u8]);
        let attempt = attempts.begin("alice", from, start).ok().unwrap();
        attempts.succeeded(attempt);
    }
}

#[test]
fn an_ipv6_site_is_one_network() {
    let of = |address: &str| network(address.parse().unwrap());
    assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:ffff::9"));
    assert_ne!(of("2001:db8:1::3"), of("2001:db8:2::3"));
    assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    assert_eq!(of("::1"), None);
}

#[test]
fn a_known_browser_is_limited_on_its_own() {
    let (attempts, start, from) = (Attempts::default(), Instant::now(), HERE.parse().unwrap());
    let begin = |device: &str| attempts.begin_of_device(device, start);
    assert_eq!((0..100).filter(|_| begin("one").is_ok()).count(), 6);
    let other = begin("other").ok().unwrap();
    attempts.succeeded(other);
    assert_eq!(begin("one").err(), Some(second(1)), "the login of another browser forgives nothing");
    assert!(attempts.begin("alice", from, start).is_ok(), "nor does it delay others");
    let again = attempts.begin_of_device("one", start + second(1)).ok().unwrap();
    attempts.succeeded(again);
    assert!(attempts.begin_of_device("one", start + second(1)).is_ok());
}

#[test]
fn all_together_are_limited_too() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    let tried = (0..36_000_u64).filter(|number| {
        let from = IpAddr::from([10, 1, (number >> 8) as u8, *number as u8]);
        attempts.begin(&format!("user{number}"), from, start + Duration::from_millis(number * 10)).is_ok()
    });
    let tried = tried.count();
    assert!((300..500).contains(&tried), "one each second, and a hundred more: {tried}");
}

#[test]
fn the_memory_is_bounded() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    assert!(made(&attempts, "alice", HERE, start, 60) >= 8);
    let mut now = start + second(60);
    for number in 0..5_000 {
        now += Duration::from_millis(1_001);
        // The pause of all ends after a second. The failures of the account are forgotten after a quarter of an hour.
        if number % 60 == 0 {
            let _ = attempts.begin("alice", HERE.parse().unwrap(), now);
            now += Duration::from_millis(1_001);
        }
        let from = IpAddr::from([10, 2, (number >> 8) as u8, number as u8]);
        let _ = attempts.begin(&format!("{number}{}", "x".repeat(1_000)), from, now);
    }
    let counted = attempts.lock();
    assert!(counted.pairs.len() <= MOST && counted.names.len() <= MOST && counted.networks.len() <= MOST);
    assert!(counted.shares.len() <= MOST);
    assert!(counted.pairs[&(token::hash("alice"), None)].count > 20);
}

#[test]
fn made_up_names_do_not_push_out_the_attacked_account() {
    let (mut all, start) = (HashMap::new(), Instant::now());
    (0..10).for_each(|_| {
        add(&mut all, 0, start);
    });
    (1..5_000).for_each(|name| {
        add(&mut all, name, start + second(1));
    });
    assert_eq!((all.len(), all.get(&0).map(|of| of.count)), (MOST, Some(10)));
}

#[test]
fn lines_about_links_are_limited() {
    let (attempts, start) = (Attempts::default(), Instant::now());
    let told = (0..1_000).filter(|_| attempts.may_tell_of_link(start)).count();
    assert_eq!(told, 21);
    assert!(attempts.may_tell_of_link(start + second(1)));
}

#[test]
fn a_hostile_name_is_one_short_line() {
    assert_eq!(shown("alice"), "alice");
    // A program that reads the log finds the name between backticks.
    assert_eq!(shown("anna` from 203.0.113.5: x"), "anna\\u{60} from 203.0.113.5: x");
    assert_eq!(shown("a\nb\u{1b}[2J\u{202e}"), "a\\nb\\u{1b}[2J\\u{202e}");
    assert_eq!(shown(&"é".repeat(1_000)), "é".repeat(64) + "…");
}

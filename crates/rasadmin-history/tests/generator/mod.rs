//! A month of a thousand users, made from a seed, with what a configuration of fifty rules must say of every session:
//! worked out by plain reasoning of its own, without the engine's rules, calendar, counts or pools.

use rasadmin_engine::effect::Usage;
use rasadmin_history::simulate::Attempt;
use rasadmin_history::{Ended, PastSession};
use rasadmin_policy::Millis;
use rasadmin_policy::{Fact, InterfaceType, Name, Quarantine, Tunnel};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

pub const USERS: usize = 1000;
const GROUPS: usize = 20;
/// 2026-10-01 00:00 in Berlin.
const BEGIN: i64 = 1_790_805_600;
const DAYS: i64 = 31;
/// 2026-10-25 01:00 UTC: the clocks go back, from two hours before UTC to one.
const CHANGE: i64 = 1_792_890_000;
/// Addresses of every pool but the first, and of the first, which is too small.
const LARGE: usize = 250;
const SMALL: usize = 22;

/// A session, plainly.
#[derive(Clone, Debug)]
pub struct Plain {
    pub user: usize,
    pub start: i64,
    pub stop: i64,
    pub tunnel: Tunnel,
    pub source: Ipv4Addr,
    pub computer: String,
    pub octets: u64,
}

/// What must become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Allowed(String),
    Denied(String),
    NoAddress,
}

/// Numbers from a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Fifty rules.
pub fn config() -> String {
    let mut out = String::from(
        "time_zone = \"Europe/Berlin\"\ndefault_domain = \"CORP\"\nserver.name = \"VPN1\"\nlimits.reconnect = \"strict\"\n\
         default.action = \"deny\"\n",
    );
    for group in 0..GROUPS {
        let users: Vec<_> =
            (0..USERS).filter(|user| user % GROUPS == group).map(|user| format!("\"u{user}\"")).collect();
        let _ = writeln!(out, "[groups.g{group}]\nusers = [{}]", users.join(", "));
    }
    for pool in 0..10 {
        let size = if pool == 0 { SMALL } else { LARGE };
        let _ = writeln!(out, "[pools.p{pool}]\naddresses = [\"10.{pool}.0.1-10.{pool}.0.{size}\"]");
    }
    let mut rules = 0;
    let mut rule = |name: String, rest: String| {
        rules += 1;
        let _ = writeln!(out, "[[rules]]\nname = \"{name}\"\n{rest}");
    };
    rule("no PPTP".into(), "action = \"deny\"\ntunnels = [\"PPTP\"]".into());
    for k in 0..10 {
        rule(format!("network {k}"), format!("action = \"deny\"\nsource_networks = [\"198.18.{k}.0/24\"]"));
    }
    for k in 0..10 {
        let hours = "hours = [{ from = \"20:00\", to = \"06:00\" }]";
        rule(format!("night of {k}"), format!("action = \"deny\"\ngroups = [\"g{k}\"]\n{hours}"));
    }
    for k in 0..5 {
        rule(format!("kiosk {k}"), format!("action = \"deny\"\nremote_computers = [\"KIOSK-{k}-*\"]"));
    }
    for k in 10..15 {
        let limit = "user_sessions = { at_least = 1 }";
        rule(format!("one of {k}"), format!("action = \"deny\"\ngroups = [\"g{k}\"]\n{limit}"));
    }
    for k in 15..20 {
        let limit = "connect_time = { per = \"day\", at_least = \"4h\" }";
        rule(format!("day of {k}"), format!("action = \"deny\"\ngroups = [\"g{k}\"]\n{limit}"));
    }
    for (k, per) in [(0, "week"), (1, "week"), (2, "month")] {
        let limit = format!("octets = {{ per = \"{per}\", at_least = \"{} GB\" }}", limit_of(k) / 1_000_000_000);
        rule(format!("octets of {k}"), format!("action = \"deny\"\ngroups = [\"g{k}\"]\n{limit}"));
    }
    for pool in 0..10 {
        let groups = format!("groups = [\"g{}\", \"g{}\"]", 2 * pool, 2 * pool + 1);
        rule(format!("pool {pool}"), format!("action = \"allow\"\n{groups}\npool = \"p{pool}\""));
    }
    rule("nobody is left".into(), "action = \"deny\"\nusers = [\"*\"]".into());
    assert_eq!(rules, 50);
    out
}

/// Sessions in the order of their start; times are whole seconds, and no two begin at once.
pub fn sessions(number: usize, seed: u64) -> Vec<Plain> {
    let mut random = Random(seed);
    let mut starts = std::collections::BTreeSet::new();
    let seconds = u64::try_from(DAYS * 86_400).expect("positive");
    while starts.len() < number {
        starts.insert(BEGIN + random.below(seconds).cast_signed());
    }
    let one = |start: i64| {
        let user = usize::try_from(random.below(USERS as u64)).expect("small");
        let tunnel = match random.below(100) {
            0..50 => Tunnel::Sstp,
            50..80 => Tunnel::Ikev2,
            80..95 => Tunnel::L2tp,
            _ => Tunnel::Pptp,
        };
        let host = u8::try_from(random.below(254) + 1).expect("small");
        let source = match random.below(100) {
            0..3 => Ipv4Addr::new(198, 18, u8::try_from(random.below(12)).expect("small"), host),
            _ => Ipv4Addr::new(203, 0, 113, host),
        };
        let computer = match random.below(100) {
            0..2 => format!("Kiosk-{}-7", random.below(7)),
            2..20 => String::new(),
            _ => format!("PC-{user}"),
        };
        let length = 60 + random.below(3 * 3600).cast_signed();
        Plain { user, start, stop: start + length, tunnel, source, computer, octets: random.below(2_000_000_000) }
    };
    starts.into_iter().map(one).collect()
}

impl Plain {
    pub fn attempt(&self) -> Attempt {
        let usage = Usage {
            seconds: (self.stop - self.start).cast_unsigned(),
            input_octets: self.octets / 3,
            output_octets: self.octets - self.octets / 3,
            ..Usage::default()
        };
        Attempt::accepted(PastSession {
            key: format!("{}", self.start),
            server: Name::new("VPN1"),
            user: Name::new(&format!("U{}", self.user)),
            domain: Name::new("CORP"),
            start: self.start * 1000,
            ended: Some(Ended { stop: self.stop * 1000, usage, cause: None, estimated: false }),
            last_seen: self.stop * 1000,
            tunnel: Fact::Known(self.tunnel),
            port: Fact::NotYetKnown,
            source: Fact::Known(IpAddr::V4(self.source)),
            computer: Fact::arrived(Some(Name::new(&self.computer)).filter(|name| !name.is_empty())),
            quarantine: Fact::Known(Quarantine::Normal),
            interface: Fact::Known(InterfaceType::Client),
            address: Fact::NotYetKnown,
            links: 1,
        })
    }
}

/// Seconds since midnight, and days since the month began, on Berlin's clocks.
fn clock(time: i64) -> (i64, i64) {
    let local = time - BEGIN - if time >= CHANGE { 3600 } else { 0 };
    (local.rem_euclid(86_400), local.div_euclid(86_400))
}

/// When a day of the month begins.
fn midnight(day: i64) -> i64 {
    BEGIN + day * 86_400 + if day >= 25 { 3600 } else { 0 }
}

const fn limit_of(group: usize) -> u64 {
    match group {
        0 => 20_000_000_000,
        1 => 30_000_000_000,
        _ => 100_000_000_000,
    }
}

/// What the fifty rules say of each session, in order; sessions that are denied never were.
pub fn answers(sessions: &[Plain]) -> Vec<Answer> {
    let mut stood: Vec<Vec<usize>> = vec![Vec::new(); USERS];
    let mut pools: Vec<Vec<i64>> = vec![Vec::new(); 10];
    let mut answers = Vec::with_capacity(sessions.len());
    for (at, session) in sessions.iter().enumerate() {
        let answer = answer(session, &stood[session.user], sessions, &mut pools);
        if let Answer::Allowed(_) = answer {
            stood[session.user].push(at);
            pools[session.user % GROUPS / 2].push(session.stop);
        }
        answers.push(answer);
    }
    answers
}

fn answer(session: &Plain, stood: &[usize], sessions: &[Plain], pools: &mut [Vec<i64>]) -> Answer {
    let (now, group) = (session.start, session.user % GROUPS);
    let denied = |rule: String| Answer::Denied(rule);
    let past = || stood.iter().map(|&at| &sessions[at]);
    // What is known when the address is asked for: user and time.
    let (second, day) = clock(now);
    if group < 10 && !(6 * 3600..20 * 3600).contains(&second) {
        return denied(format!("night of {group}"));
    }
    if (10..15).contains(&group) && past().any(|other| other.stop > now) {
        return denied(format!("one of {group}"));
    }
    let today = |other: &Plain| (other.stop.min(now) - other.start.max(midnight(day))).max(0);
    if group >= 15 && past().map(today).sum::<i64>() >= 4 * 3600 {
        return denied(format!("day of {group}"));
    }
    // 2026-10-01 is a Thursday: the first Monday is the 5th.
    let week = |day: i64| (day + 3).div_euclid(7);
    let same = |other: &&Plain| match group {
        0 | 1 => week(clock(other.stop).1) == week(day),
        _ => clock(other.stop).1 < DAYS,
    };
    if group < 3
        && past().filter(|other| other.stop <= now).filter(same).map(|o| o.octets).sum::<u64>() >= limit_of(group)
    {
        return denied(format!("octets of {group}"));
    }
    // The address.
    let pool = group / 2;
    pools[pool].retain(|stop| *stop > now);
    if pools[pool].len() >= if pool == 0 { SMALL } else { LARGE } {
        return Answer::NoAddress;
    }
    // What the connection tells; of IKEv2 the tunnel too.
    let [a, b, network, _] = session.source.octets();
    if (a, b) == (198, 18) && network < 10 {
        return denied(format!("network {network}"));
    }
    for k in 0..5 {
        if session.computer.to_uppercase().starts_with(&format!("KIOSK-{k}-")) {
            return denied(format!("kiosk {k}"));
        }
    }
    if session.tunnel == Tunnel::Pptp {
        return denied("no PPTP".to_owned());
    }
    Answer::Allowed(format!("pool {pool}"))
}

/// The times between which the month lies, for a report.
#[allow(dead_code)]
pub fn month() -> (Millis, Millis) {
    (BEGIN * 1000, midnight(DAYS) * 1000)
}

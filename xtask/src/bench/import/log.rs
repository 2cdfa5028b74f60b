//! A log of many sessions in the database-compatible format, in the order of time, as a large VPN server writes it. It is
//! always the same.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// 2024-06-18 00:00:00 UTC.
const BEGIN: u64 = 1_718_668_800;
/// How many users there are.
const USERS: u64 = 5_000;
/// How many addresses the pool has.
const ADDRESSES: u64 = 8_000;

/// Marsaglia's xorshift: enough to spread users and times.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A session whose Stop is still to be written. They are in the order of their ends.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Connected {
    stop: u64,
    number: u64,
    user: u64,
    address: u64,
    seconds: u64,
}

/// Writes a Start and a Stop for each session.
pub fn write(path: &Path, sessions: u64) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut random, mut connected, mut now) = (Random(0x2545_f491_4f6c_dd1d), BinaryHeap::new(), BEGIN);
    for number in 0..sessions {
        now += random.below(5);
        while connected.peek().is_some_and(|Reverse(first): &Reverse<Connected>| first.stop <= now) {
            if let Some(Reverse(over)) = connected.pop() {
                stop(&mut out, &over, &mut random)?;
            }
        }
        // Most sessions are short; a tenth lasts a working day.
        let seconds = if random.below(10) == 0 { 28_800 } else { 1_800 } + random.below(1_800);
        let (user, address) = (random.below(USERS), number % ADDRESSES);
        let session = Connected { stop: now + seconds, number, user, address, seconds };
        record(&mut out, &session, now, 1, [",,", ",,,"])?;
        connected.push(Reverse(session));
    }
    while let Some(Reverse(over)) = connected.pop() {
        stop(&mut out, &over, &mut random)?;
    }
    out.flush()
}

fn stop(out: &mut impl Write, session: &Connected, random: &mut Random) -> io::Result<()> {
    let (input, output) = (random.below(1 << 28), random.below(1 << 30));
    let octets = format!(",{input},{output}");
    let counts = format!("{},{},{},1", session.seconds, input / 900, output / 1_100);
    record(out, session, session.stop, 2, [&octets, &counts])
}

/// A line. `octets` is from Acct-Delay-Time on, `counts` is from Acct-Session-Time on.
fn record(out: &mut impl Write, session: &Connected, at: u64, status: u8, rest: [&str; 2]) -> io::Result<()> {
    let [octets, counts] = rest;
    let Connected { number, user, address, .. } = session;
    let (day, second) = ((at - BEGIN) / 86_400, (at - BEGIN) % 86_400);
    let (month, day, year) = date(day);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let (high, low) = (address / 250, address % 250 + 2);
    writeln!(
        out,
        "\"VPN1\",\"RAS\",{month:02}/{day:02}/{year},{hour:02}:{minute:02}:{second:02},4,\"CORP\\user{user:04}\",,\
         \"192.0.2.4\",\"198.51.{}.{}\",,\"10.8.{high}.{low}\",\"VPN1\",\"192.0.2.4\",{},,\"192.0.2.4\",\"VPN1\",{at},,5,,1,2\
         ,,,0,\"311 1 192.0.2.4 06/17/2024 17:41:37 {number}\",,1800,,,{status},{octets},\"{number}\",3,{counts},\"{}\",1,,79617,1,\
         \"198.51.{}.{}\",\"192.0.2.4\",,,,,,,\"VPN1\",311,,\"0x01434F5250\",0,,\"Microsoft Routing and Remote Access Service \
         Policy\",1,,,\"MSRAS-0-PC{user:04}\",\"MSRASV5.20\"\r",
        user / 250,
        user % 250,
        number % 128,
        number,
        user / 250,
        user % 250,
    )
}

/// The date some days after the beginning, as the log writes it: month, day, year.
fn date(days: u64) -> (u64, u64, u64) {
    let (mut year, mut month, mut day) = (2024, 6, 18 + days);
    loop {
        let leap = year % 4 == 0;
        let length = match month {
            2 => 28 + u64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if day <= length {
            return (month, day, year);
        }
        day -= length;
        (month, year) = if month == 12 { (1, year + 1) } else { (month + 1, year) };
    }
}

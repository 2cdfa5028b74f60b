//! How times and amounts look, wherever people read them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rasadmin_policy::Millis;

/// The nearest time that the calendar has.
pub fn at(time: Millis) -> Timestamp {
    Timestamp::from_millisecond(time).unwrap_or(if time < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// `2026-11-23 09:00:00`.
pub fn time(time: Millis, zone: &TimeZone) -> String {
    zone.to_datetime(at(time)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `45s`, `5m 10s`, `9h 05m`, `2d 03h`.
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// From one time to another, as [`duration`]; nothing if the clock went back.
pub fn between(start: Millis, stop: Millis) -> String {
    let span = SignedDuration::from_millis(stop.saturating_sub(start).max(0));
    duration(u64::try_from(span.as_secs()).unwrap_or(0))
}

/// `512 B`, `1.5 KiB`, `2.0 GiB`.
pub fn octets(octets: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if octets < 1024 {
        return format!("{octets} B");
    }
    let mut value = octets as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A number with its thousands apart: `1,204`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

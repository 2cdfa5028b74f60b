//! Amounts of time and of octets as text.

use super::Fault;

const DURATION: &str = "write days, hours, minutes and seconds in this order: `8h`, `90m`, `1h 30m`, `2d`, `45s`";
const OCTETS: &str = "write `100 GiB`, `500 MB` (500,000,000) or a plain number of octets";

/// Parses a duration into seconds: `8h`, `90m`, `1h 30m`, `2d`, `45s`.
pub(crate) fn duration(text: &str) -> Result<u64, Fault> {
    let fault = |what: &str| (format!("`{text}` {what}"), DURATION.to_owned());
    let units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    let (mut rest, mut next, mut total) = (text.trim(), 0, 0_u64);
    if rest.is_empty() {
        return Err(("the amount of time is empty".to_owned(), DURATION.to_owned()));
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let Some(unit) = after.chars().next().filter(|_| digits > 0) else {
            return Err(fault(if digits > 0 { "lacks a unit" } else { "is not a valid amount of time" }));
        };
        let place = units.iter().skip(next).position(|&(letter, _)| letter == unit.to_ascii_lowercase());
        let place = place.ok_or_else(|| fault("is not a valid amount of time"))? + next;
        let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(units[place].1));
        total = seconds.and_then(|s| total.checked_add(s)).ok_or_else(|| fault("is too large"))?;
        next = place + 1;
        rest = after[unit.len_utf8()..].trim_start();
    }
    // SQLite's integers are signed.
    if total > i64::MAX as u64 { Err(fault("is too large")) } else { Ok(total) }
}

/// Parses an amount of octets: `100 GiB`, `500 MB`, `1.5 GiB`, `1048576`.
pub(crate) fn octets(text: &str) -> Result<u64, Fault> {
    let fault = |what: &str| (format!("`{text}` {what}"), OCTETS.to_owned());
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(("the amount of octets is empty".to_owned(), OCTETS.to_owned()));
    }
    let (number, unit) =
        trimmed.split_at(trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len()));
    let unit = unit.trim_start().to_ascii_lowercase();
    let scale: u128 = match unit.as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "pb" => 1_000_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        "pib" => 1 << 50,
        _ => return Err(fault("is not a valid amount of octets")),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(fault("is not a valid amount of octets"));
    }
    if scale == 1 && number.contains('.') {
        return Err(fault("is not a whole number of octets"));
    }
    if fraction.len() > 9 {
        return Err(fault("has more than nine digits after its point"));
    }
    let parsed = whole.parse::<u64>().ok().zip(fraction.parse::<u128>().ok());
    let (whole, part) = parsed.ok_or_else(|| fault("is too large"))?;
    // At most 2^64 * 2^50 and 10^9 * 2^50, so 128 bits are enough. A fraction of an octet is dropped.
    let total = u128::from(whole) * scale + part * scale / 10_u128.pow(fraction.len() as u32);
    i64::try_from(total).map(i64::unsigned_abs).map_err(|_| fault("is too large"))
}

/// Formats octets, rounded down: `1023 octets`, `1.5 GiB`.
pub(super) fn write_octets(octets: u64) -> String {
    let units = [("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, shift)| octets >> shift > 0) {
        Some((unit, shift)) => {
            let tenths = (u128::from(octets) * 10) >> shift;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{octets} octets"),
    }
}

/// Formats a duration.
pub(super) fn write_duration(seconds: u64) -> String {
    let parts = [(seconds / 86_400, 'd'), (seconds / 3_600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn time_is_read_as_people_write_it() {
        for (text, seconds) in [
            ("8h", 28_800),
            ("90m", 5_400),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("2d", 172_800),
            ("45 s", 45),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(seconds), "{text}");
        }
        for text in ["", " ", "8", "h", "8x", "30m 1h", "1h 1h", "1.5h", "-1h", "8hé", "é", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration("300000000000000d").is_err() && duration("9223372036854775808s").is_err());
        assert_eq!(
            ["0s", "1h 30m", "2d", "1d 2h 3m 4s"].map(|t| write_duration(duration(t).unwrap())).join("|"),
            "0s|1h 30m|2d|1d 2h 3m 4s"
        );
    }

    #[test]
    fn octets_are_written_as_people_do() {
        let all = [0, 1023, 1024, 1_610_612_736, (1 << 30) - 1, u64::MAX].map(write_octets);
        assert_eq!(all, ["0 octets", "1023 octets", "1.0 KiB", "1.5 GiB", "1023.9 MiB", "16383.9 PiB"]);
    }

    #[test]
    fn octets_are_read_as_people_write_them() {
        for (text, number) in [
            ("100 GiB", 107_374_182_400),
            ("500 MB", 500_000_000),
            ("1048576", 1_048_576),
            ("1.5 GiB", 1_610_612_736),
            ("1kb", 1_000),
            ("0", 0),
            ("7 B", 7),
            ("2.5 kB", 2_500),
        ] {
            assert_eq!(octets(text), Ok(number), "{text}");
        }
        for text in [
            "",
            "GiB",
            "1.5",
            "1. GiB",
            ".5 GiB",
            "1.2.3 GiB",
            "-1",
            "1 XB",
            "1 G",
            "9000000 TiB",
            "9999999999999999999999",
        ] {
            assert!(octets(text).is_err(), "{text}");
        }
        assert_eq!(octets("8 PiB"), Ok(8 << 50));
        assert!(octets("8192 PiB").is_err() && octets("18446744073709551615 PiB").is_err());
    }
}

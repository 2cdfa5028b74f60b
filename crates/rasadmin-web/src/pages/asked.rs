//! What a page is asked for: its query.

use crate::attempts::shown;
use crate::fault::Fault;
use crate::parts::encoded;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use rasadmin_ledger::RowId;
use rasadmin_policy::Millis;
use rasadmin_text::printable;

/// What a page is asked for, as its handler gets it.
pub type Asked<T> = Result<Query<T>, QueryRejection>;

/// The query. One that no form of ours sends is a fault: a name that comes twice, or bytes that are no text.
///
/// # Errors
/// If it is not valid.
pub fn query<T>(asked: Asked<T>) -> Result<T, Fault> {
    let not_valid = |rejection: QueryRejection| {
        let why = rejection.body_text();
        let what = format!("the address of this page is not valid: {}", printable(&why));
        Fault::bad_request(what, "go to the page by its name above, and fill in its form again")
    };
    asked.map(|Query(query)| query).map_err(not_valid)
}

/// The value of a field. A form sends its empty fields too: nothing was asked with them.
pub fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// The word that was asked for, or the first if none was.
///
/// # Errors
/// If it is none of these words.
pub fn word<'w, T: Copy>(what: &str, asked: &str, words: &'w [(&'w str, T)]) -> Result<(&'w str, T), Fault> {
    let named = || words.iter().filter(|(word, _)| !word.is_empty());
    let all = || named().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let not_valid =
        || Fault::bad_request(format!("there is no {what} `{}`", shown(asked)), format!("choose one of {}", all()));
    match given(asked) {
        None => words.first().copied().ok_or_else(not_valid),
        Some(asked) => words.iter().find(|(word, _)| *word == asked).copied().ok_or_else(not_valid),
    }
}

/// A time of the zone, as an input of the type `datetime-local` has it: `2026-11-23T14:30`. Of an hour that comes twice, the
/// first is meant.
///
/// # Errors
/// If it is not one.
pub fn moment(text: &str, zone: &TimeZone) -> Result<Millis, Fault> {
    let not_a_time = || {
        let what = format!("`{}` is not a time", shown(text));
        Fault::bad_request(what, "write one like 2026-11-23T14:30, or leave it out")
    };
    let time: DateTime = text.parse().map_err(|_| not_a_time())?;
    let found = zone.to_ambiguous_timestamp(time);
    if matches!(found.offset(), AmbiguousOffset::Gap { .. }) {
        let zone = zone.iana_name().unwrap_or("the time zone");
        let what = format!("{time} does not exist: the clocks in {zone} go forward then");
        return Err(Fault::bad_request(what, "write a time one hour later"));
    }
    found.compatible().map(|time| time.as_millisecond()).map_err(|_| not_a_time())
}

/// A time as such an input has it.
pub fn moment_text(time: Millis, zone: &TimeZone) -> String {
    zone.to_datetime(rasadmin_answers::show::at(time)).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// A row of a list that begins with the latest, in an address: `1795424400000-241`.
pub fn row_text((time, id): (Millis, RowId)) -> String {
    format!("{time}-{id}")
}

/// The row after which a page of a list begins. None if it is the first page.
///
/// # Errors
/// If no row is written like this.
pub fn row(text: &str) -> Result<Option<(Millis, RowId)>, Fault> {
    let Some(text) = given(text) else { return Ok(None) };
    let parsed = text.rsplit_once('-').and_then(|(time, id)| Some((time.parse().ok()?, id.parse().ok()?)));
    let no_row = || Fault::bad_request("the address does not say where the page begins", "begin with the first page");
    parsed.map(Some).ok_or_else(no_row)
}

/// An address with a query of these fields. Fields without a value are left out.
pub fn address(path: &str, fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let fields: Vec<_> = fields.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if fields.is_empty() { path.to_owned() } else { format!("{path}?{}", fields.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_for_is_not_in_the_address() {
        assert_eq!(
            address("/users", &[("q", ""), ("sort", "last"), ("after", "7:A\\B&c")]),
            "/users?sort=last&after=7%3AA%5CB%26c"
        );
        assert_eq!(address("/users", &[("q", "")]), "/users");
    }

    #[test]
    fn a_word_is_one_of_those_that_the_page_knows() {
        let words = [("user", 1), ("live", 2)];
        assert_eq!(word("order", " ", &words), Ok(("user", 1)));
        assert_eq!(word("order", "live", &words), Ok(("live", 2)));
        let fault = word("order", "size\u{7}", &words).expect_err("it is not a word");
        assert_eq!(fault.to_string(), "there is no order `size\\u{7}`; choose one of `user`, `live`");
    }

    #[test]
    fn a_page_begins_after_a_row() {
        assert_eq!(row(&row_text((1_795_424_400_000, 241))), Ok(Some((1_795_424_400_000, 241))));
        assert_eq!(row(&row_text((-7, 9))), Ok(Some((-7, 9))));
        assert_eq!(row(" "), Ok(None));
        for not in ["7", "x-7", "7-x", "99999999999999999999-1"] {
            assert!(row(not).is_err(), "{not}");
        }
    }

    #[test]
    fn a_moment_is_one_of_the_zone() {
        // In Berlin, the clocks go forward on 2026-03-29 at 02:00, and back on 2026-10-25 at 03:00.
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a time zone");
        let at = |text: &str| moment(text, &berlin);
        // 14:30 in Berlin is 13:30 UTC; browsers leave seconds out if they are zero.
        assert_eq!(at("2026-11-23T14:30"), Ok(1_795_440_600_000));
        assert_eq!(at("2026-11-23T14:30:01"), Ok(1_795_440_601_000));
        assert_eq!(at("2026-10-25T02:30"), Ok(1_792_888_200_000), "of the hour that comes twice, the first");
        assert_eq!(moment_text(1_795_440_600_000, &berlin), "2026-11-23T14:30");
        for (text, says) in [
            ("yesterday", "`yesterday` is not a time; write one like 2026-11-23T14:30, or leave it out"),
            ("9999-12-31T23:59", "is not a time"),
            ("2026-03-29T02:30", "does not exist"),
        ] {
            let fault = at(text).expect_err(says);
            assert!(fault.to_string().contains(says), "{fault}");
        }
    }
}

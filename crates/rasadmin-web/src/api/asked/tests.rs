#![allow(clippy::unwrap_used)]
use super::*;

static KNOWN: [Parameter; 4] = [path("session", Kind::Session, "The session."), USER, LIMIT, SINCE];

fn read(query: &str) -> Result<Asked, String> {
    Asked::read(&KNOWN, [("session", "241")].into_iter(), query).map_err(|fault| fault.to_string())
}

#[test]
fn parameters_have_their_values() {
    let asked = read("user=CORP%5Cal+ice%21&limit=7&since=2026-11-23T08:00:00%2B01:00").unwrap();
    assert_eq!(asked.text("user"), Some("CORP\\al ice!"));
    assert_eq!((asked.limit(), asked.time("since")), (7, Some(1_795_417_200_000)));
    assert_eq!(asked.needed("session"), "241");
    assert_eq!(read("").unwrap().limit(), USUAL);
}

#[test]
fn what_is_not_known_or_comes_twice_is_refused() {
    for (query, says) in [
        ("usr=alice", "there is no parameter `usr`; use `user`, `limit`, `since`"),
        ("session=241", "there is no parameter `session`"),
        ("user=a&user=a", "the parameter `user` comes twice; send it once"),
        ("user", "`` is not a valid `user`"),
        ("limit=0", "`0` is not a valid `limit`; write a number from 1 to 1000"),
        ("limit=1001", "`1001` is not a valid `limit`"),
        ("limit=%2b7", "`+7` is not a valid `limit`"),
        ("since=yesterday", "`yesterday` is not a valid `since`; write a time of RFC 3339"),
        ("user=%ff", "the query is not encoded as it should be"),
        ("user=%4", "the query is not encoded as it should be"),
        ("user=%+1", "the query is not encoded as it should be"),
        ("%1b[2J=1", "there is no parameter `\\u{1b}[2J`"),
    ] {
        let fault = read(query).unwrap_err();
        assert!(fault.starts_with(says), "{query}: {fault}");
    }
    let missing = Asked::read(&KNOWN, std::iter::empty(), "").unwrap_err().to_string();
    assert!(missing.starts_with("the parameter `session` is missing"), "{missing}");
}

#[test]
fn a_value_is_valid_exactly_if_it_should_be() {
    let row = Kind::Row.read("1795424400000-241");
    assert_eq!(row, Some(Value::Row(1_795_424_400_000, 241)));
    assert_eq!(Kind::Row.read("-7-9"), Some(Value::Row(-7, 9)));
    for (value, read) in
        [(i64::MAX.to_string(), i64::MAX), (i64::MIN.to_string(), i64::MIN), ("9".repeat(19), i64::MAX)]
    {
        assert_eq!(Kind::Row.read(&format!("{value}-9")), Some(Value::Row(read, 9)), "{value}");
    }
    for bad in ["--7-9", "-9", "+7-9", "99999999999999999999-9"] {
        assert_eq!(Kind::Row.read(bad), None, "{bad}");
    }
    for (kind, good, bad) in [
        (
            Kind::Session,
            ["241", "0000abcd", "12345678-12"],
            ["1234567x", "abc", "1234567890123456789012345678901234567"],
        ),
        (Kind::Month, ["2026-11", "1999-01", "2999-12"], ["2026-13", "2026-1", "0000-01"]),
        (
            Kind::Time,
            ["2026-11-23T08:00:00Z", "2026-11-23T08:00:00.5Z", "2026-11-23T08:00:00-01:30"],
            ["2026-11-23", "2026-11-23T08:00Z[UTC]", "1969-12-31T23:59:59Z"],
        ),
        (Kind::UserRow, ["7:CORP\\ALICE", "-7:\\HOST:1", "0:A\\B\\C"], ["7", "x:CORP\\A", "7:ALICE"]),
        (
            Kind::UsageRow,
            ["2026-11-01:CORP\\ALICE", "2026-11-01:\\A", "2026-11-01:A\\"],
            ["2026-11-01", "2026-11-01:A", "2026-1-101:A\\B"],
        ),
        (Kind::Flag, ["true", "false", "true"], ["1", "", "True"]),
        (Kind::Address, ["10.20.16.9", "::a11c:e", "::"], ["10.20.16", "10.20.16.9/32", "x"]),
    ] {
        for text in good {
            assert!(kind.read(text).is_some(), "{text}");
        }
        for text in bad {
            assert!(kind.read(text).is_none(), "{text}");
        }
    }
}

/// A slice in the middle of a character panics.
#[test]
fn a_text_may_have_any_character_anywhere() {
    for (kind, text) in [
        (Kind::Text, "CORP\\alice"),
        (Kind::Limit, "1000"),
        (Kind::Few, "1"),
        (Kind::Number, "241"),
        (Kind::Time, "2026-11-23T08:00:00.5+01:30"),
        (Kind::Month, "2026-11"),
        (Kind::Address, "2001:db8::1"),
        (Kind::Flag, "true"),
        (Kind::Session, "12345678-1234"),
        (Kind::Row, "1795424400000-241"),
        (Kind::UserRow, "-7:CORP\\ALICE"),
        (Kind::UsageRow, "2026-11-01:CORP\\ALICE"),
    ] {
        assert!(kind.read(text).is_some(), "{text}");
        for (at, _) in text.char_indices() {
            for other in ["þ", "聑", "🝛"] {
                // What was there stays, or gives way to as many bytes.
                for end in [at, at + 1, (at + other.len()).min(text.len())] {
                    let changed = format!("{}{other}{}", &text[..at], &text[end..]);
                    assert!(kind.read(&changed).is_none() || takes_any(kind, at), "{changed}");
                }
            }
        }
    }
}

/// Whether this place of the texts above may have any character.
fn takes_any(kind: Kind, at: usize) -> bool {
    matches!((kind, at), (Kind::Text, _) | (Kind::UserRow, 3..) | (Kind::UsageRow, 11..))
}

//! Who had an address.

use crate::fault::Fault;
use crate::pages::asked;
use crate::parts;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_ledger::report::{LeaseRow, Reader};
use rasadmin_policy::Millis;
use std::net::IpAddr;

/// At most so many leases are shown, the latest.
const ROWS: u32 = 100;

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    address: IpAddr,
    /// None is ever.
    at: Option<Millis>,
}

/// The answer.
pub struct WhoHad {
    question: Question,
    leases: Vec<LeaseRow>,
    more: bool,
}

/// The question, as the form sends it. None if no address was asked for.
///
/// # Errors
/// If the address or the time is not valid.
pub fn question(address: &str, at: &str, zone: &TimeZone) -> Result<Option<Question>, Fault> {
    let Some(address) = asked::given(address) else { return Ok(None) };
    let not_an_address = |_| {
        let what = format!("`{}` is not an address", parts::printable(address));
        Fault::bad_request(what, "write one like 10.20.16.9 or 2001:db8:1::a11c:e")
    };
    let at = asked::given(at).map(|at| asked::moment(at, zone)).transpose()?;
    Ok(Some(Question { address: address.parse().map_err(not_an_address)?, at }))
}

impl WhoHad {
    /// Asks the ledger.
    pub fn read(reader: &Reader, question: Question) -> Result<Self, rasadmin_ledger::Error> {
        let mut leases = reader.who_had(question.address, question.at, ROWS + 1)?;
        let more = leases.len() > ROWS as usize;
        leases.truncate(ROWS as usize);
        Ok(Self { question, leases, more })
    }
}

/// The form, and the answer if something was asked.
pub fn section(address: &str, at: &str, answer: Option<&WhoHad>, zone: &TimeZone) -> Markup {
    html! {
        h2 { "Who had an address" }
        form.filter method="get" action="/addresses#who-had" {
            label { "Address" input type="text" name="address" value=(address.trim()) placeholder="10.20.16.9" required maxlength="64" autocomplete="off" spellcheck="false"; }
            label { "At, in " (zone.iana_name().unwrap_or("UTC")) " (empty: ever)" input type="datetime-local" name="at" value=(at.trim()) step="any"; }
            button type="submit" { "Look up" }
        }
        @if let Some(answer) = answer {
            div.answer role="status" {
                @if answer.leases.is_empty() { p { (nobody(answer.question, zone)) } }
                @for lease in answer.leases.iter().take(3) { p { (sentence(lease, zone)) } }
            }
            @if !answer.leases.is_empty() {
                div.scroll tabindex="0" role="region" aria-label="Who had it" { (table(&answer.leases, zone, true, false)) }
                @if answer.more { p.muted { "These are the latest " (ROWS) ". " code { "rasadmin who-had --limit 0" } " shows all." } }
                @if answer.leases.iter().any(|lease| lease.last_seen.is_some()) { p.muted { "end unknown: the log does not have the end of this session" } }
                @if answer.leases.iter().any(|lease| lease.accepted.is_none()) { p.muted { "never accepted: the DLL gave the address, but no connection was accepted with it" } }
            }
        }
    }
}

fn nobody(question: Question, zone: &TimeZone) -> Markup {
    html! {
        "Nobody had " span.code { (question.address) } " "
        @match question.at { Some(at) => { "at " (parts::time(at, zone)) } None => "ever" }
        ", as far as the ledger knows."
    }
}

/// `10.20.16.9 was held by CORP\PHILIP from … to ….`
fn sentence(lease: &LeaseRow, zone: &TimeZone) -> Markup {
    let user = parts::user(lease.domain.as_ref(), lease.name.as_ref(), &lease.user_name);
    let began = parts::time(lease.began, zone);
    html! {
        strong.code { (parts::printable(&lease.address)) }
        @match (lease.ended, lease.accepted, lease.last_seen) {
            (Some(ended), Some(_), _) => { " was held by " (user) " from " (began) " to " (parts::time(ended, zone)) }
            (Some(ended), None, _) => { " was given to " (user) " from " (began) " to " (parts::time(ended, zone)) ", but no connection was accepted with it" }
            (None, _, Some(seen)) => { " was held by " (user) " from " (began) "; the end is not known, and the last sign of it is of " (parts::time(seen, zone)) }
            (None, Some(_), None) => { " is held by " (user) " since " (began) }
            (None, None, None) => { " is offered to " (user) " since " (began) }
        }
        " on " (parts::printable(lease.server.as_str())) "."
    }
}

/// Leases as a table; `past` shows when they ended, `release` has links to release them.
pub fn table(leases: &[LeaseRow], zone: &TimeZone, past: bool, release: bool) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "address" } th scope="col" { "user" } th scope="col" { "since" }
                @if past { th scope="col" { "until" } }
                th scope="col" { "state" } th scope="col" { "from" } th scope="col" { "port" } th scope="col" { "server" }
                th.number scope="col" { "session" }
                @if release { th scope="col" { span.sr { "change" } } }
            } }
            tbody { @for lease in leases { tr {
                th.code scope="row" { (parts::printable(&lease.address)) }
                td { (parts::user(lease.domain.as_ref(), lease.name.as_ref(), &lease.user_name)) }
                td { (parts::time(lease.began, zone)) }
                @if past { td {
                    @match (lease.ended, lease.last_seen) {
                        (Some(ended), _) => (parts::time(ended, zone)),
                        (None, Some(_)) => "end unknown",
                        (None, None) => (parts::none()),
                    }
                } }
                td { (state(lease, zone)) }
                td { (parts::printable(&from(lease))) }
                td.code { (parts::text(lease.port.as_str())) }
                td { (parts::text(lease.server.as_str())) }
                td.number { @match lease.session { Some(session) => a href={ "/sessions/" (session) } { (session) }, None => (parts::none()) } }
                @if release { td { a href=(asked::address("/change/release", &[("address", &lease.address)])) aria-label={ "Release " (parts::printable(&lease.address)) } { "Release…" } } }
            } } }
        }
    }
}

fn state(lease: &LeaseRow, zone: &TimeZone) -> Markup {
    html! {
        @match (lease.ended, lease.accepted, lease.last_seen) {
            (None, _, Some(seen)) if seen > lease.began => { "last seen " (parts::time(seen, zone)) }
            (None, Some(_), _) => "held",
            (None, None, _) => "offered",
            (Some(_), None, _) => "never accepted",
            (Some(_), Some(_), _) => (parts::printable(lease.ended_by.as_deref().unwrap_or("ended"))),
        }
    }
}

/// Where the address came from.
fn from(lease: &LeaseRow) -> String {
    match (&lease.pool, lease.origin.as_str()) {
        (Some(pool), "sticky") => format!("{pool} (again)"),
        (Some(pool), _) => pool.clone(),
        (None, "offer") => "RRAS's offer".to_owned(),
        (None, origin) => origin.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_an_address_and_maybe_a_time_of_the_zone() {
        let ask = |address: &str, at: &str| question(address, at, &TimeZone::UTC);
        assert_eq!(ask(" ", "2026-11-23T14:30"), Ok(None));
        let at = |text: &str| ask("10.20.16.9", text).map(|question| question.and_then(|question| question.at));
        assert_eq!((at(""), at("2026-11-23T14:30")), (Ok(None), Ok(Some(1_795_444_200_000))));
        for (address, at, says) in [
            ("10.20.16", "", "`10.20.16` is not an address; write one like 10.20.16.9"),
            ("<b>", "", "`<b>` is not an address"),
            ("10.20.16.9", "yesterday", "`yesterday` is not a time"),
        ] {
            let fault = ask(address, at).expect_err(says);
            assert_eq!(fault.status, axum::http::StatusCode::BAD_REQUEST);
            assert!(fault.to_string().contains(says), "{fault}");
        }
    }

    #[test]
    fn a_sentence_says_how_sure_it_is() {
        let lease = LeaseRow {
            id: 1,
            server: "VPN1".into(),
            family: 4,
            address: "10.8.0.1".into(),
            prefix: None,
            domain: Some("CORP".into()),
            name: Some("PHILIP".into()),
            user_name: "philip".into(),
            port: "VPN2-1".into(),
            session: Some(7),
            origin: "pool".into(),
            pool: Some("staff".into()),
            began: 0,
            accepted: Some(0),
            ended: Some(60_000),
            ended_by: Some("release".into()),
            last_seen: None,
            imported: None,
        };
        let says = |lease: &LeaseRow| {
            let mut text = sentence(lease, &TimeZone::UTC).into_string();
            while let (Some(from), Some(to)) = (text.find('<'), text.find('>')) {
                text.replace_range(from..=to, "");
            }
            text
        };
        assert_eq!(
            says(&lease),
            r"10.8.0.1 was held by CORP\PHILIP from 1970-01-01 00:00:00 to 1970-01-01 00:01:00 on VPN1."
        );
        let live = LeaseRow { ended: None, ..lease.clone() };
        assert_eq!(says(&live), r"10.8.0.1 is held by CORP\PHILIP since 1970-01-01 00:00:00 on VPN1.");
        assert!(says(&LeaseRow { accepted: None, ..live.clone() }).contains("is offered to"));
        assert!(says(&LeaseRow { accepted: None, ..lease.clone() }).contains("but no connection was accepted with it"));
        assert!(says(&LeaseRow { last_seen: Some(30_000), ..live }).contains("the end is not known"));
    }
}

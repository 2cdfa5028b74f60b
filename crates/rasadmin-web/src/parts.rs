//! Small parts that pages share.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show;
use rasadmin_engine::Stage;
use rasadmin_ledger::report::DecisionRow;
use rasadmin_policy::{Millis, Name, timestamp};

/// A time in the configuration's zone; the time in UTC is its title, and what programs read.
pub fn time(time: Millis, zone: &TimeZone) -> Markup {
    let utc = timestamp(time).to_string();
    html! { time datetime=(utc) title=(utc) { (show::time(time, zone)) } }
}

/// A time of today without the date; any other with it.
pub fn short_time(time: Millis, now: Millis, zone: &TimeZone) -> Markup {
    let [day, today] = [time, now].map(|time| zone.to_datetime(show::at(time)).date());
    let utc = timestamp(time).to_string();
    let format = if day == today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    html! { time datetime=(utc) title=(utc) { (zone.to_datetime(show::at(time)).strftime(format)) } }
}

/// Octets; a dash if they are not known.
pub fn octets(octets: Option<u64>) -> Markup {
    match octets {
        Some(octets) => html! { span title={ (show::grouped(octets)) " octets" } { (show::octets(octets)) } },
        None => none(),
    }
}

/// Octets that may be only a lower bound.
pub fn octets_or_more(octets: Option<u64>, is_lower_bound: bool) -> Markup {
    html! { @if is_lower_bound && octets.is_some() { ">= " } (self::octets(octets)) }
}

/// The mark for what is not known.
pub fn none() -> Markup {
    html! { span.muted title="not known" { "–" } }
}

/// `1 session`, `1,204 sessions`.
pub fn count(number: u64, what: &str) -> String {
    format!("{} {what}{}", show::grouped(number), if number == 1 { "" } else { "s" })
}

/// A text; a dash if it is empty.
pub fn text(text: &str) -> Markup {
    let shown = printable(text);
    match text {
        "" => none(),
        _ if is_long(&shown) => html! { span.long { (shown) } },
        _ => html! { (shown) },
    }
}

/// A text with commands between backticks, as messages have them.
pub fn commands(text: &str) -> Markup {
    with_commands(text, &|part| html! { (printable(part)) })
}

/// The same for what a person can do: the dashboard's own pages that it names are links.
pub fn remedy(text: &str) -> Markup {
    const PAGES: [&str; 7] = ["sessions", "decisions", "users", "blocks", "addresses", "rules", "reports"];
    let page = |word: &str| -> Option<usize> {
        let word = word.trim_end_matches(['.', ',', ';', ':']);
        PAGES.contains(&word.strip_prefix('/')?.split('/').next()?).then_some(word.len())
    };
    with_commands(text, &|part| {
        html! {
            @for word in part.split_inclusive(' ') {
                @match page(word.trim_end()) {
                    Some(end) => { a href=(word[..end]) { (printable(&word[..end])) } (word[end..]) }
                    None => (printable(word)),
                }
            }
        }
    })
}

fn with_commands(text: &str, rest: &dyn Fn(&str) -> Markup) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (printable(part)) } } @else { (rest(part)) }
        }
    }
}

/// A line as a sentence of its own.
pub fn sentence(line: &str) -> String {
    let mut rest = line.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// A user as addresses and forms name it: nothing of the name is lost.
pub fn whole_name(domain: &Name, name: &Name) -> String {
    let (domain, name) = (domain.as_str(), name.as_str());
    if domain.is_empty() { name.to_owned() } else { format!("{domain}\\{name}") }
}

/// A user, with a link to the user's page.
pub fn user(domain: Option<&Name>, name: Option<&Name>, user_name: &Name) -> Markup {
    match (domain, name) {
        (Some(domain), Some(name)) => {
            // Not as people read it: in an address, nothing of the name may be lost.
            let (domain, name) = (domain.as_str(), name.as_str());
            let whole = if domain.is_empty() { name.to_owned() } else { format!("{domain}\\{name}") };
            let shown = printable(&whole);
            html! { a.long[is_long(&shown)] href={ "/users/" (encoded(&whole)) } { (shown) } }
        }
        _ if user_name.is_empty() => html! { span.muted { "(no name)" } },
        _ => {
            let shown = printable(user_name.as_str());
            html! { span.long[is_long(&shown)] { (shown) } }
        }
    }
}

/// Whether a name is longer than those that people choose, so that it may be broken anywhere.
fn is_long(shown: &str) -> bool {
    shown.chars().count() > 32
}

/// The event of RRAS that was decided about, in the words of the guide.
pub const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Ipv4Address => "IPv4 address",
        Stage::Ipv6Address => "IPv6 address",
        Stage::Connection => "connection",
        Stage::Link => "link",
        Stage::Reauthentication => "reauthentication",
        Stage::EndpointChange => "endpoint change",
    }
}

/// What a decision was, as a mark.
pub fn outcome(decision: &DecisionRow) -> Markup {
    let (kind, words) = match decision.outcome.as_str() {
        "deny" => ("denied", "denied"),
        "allow for now" => ("", "allowed for now"),
        _ => ("live", "allowed"),
    };
    html! { span.tag.{ (kind) } { (words) } }
}

/// A rule, with a link to the rules. If it is not in force any more, the link leads to the page.
pub fn rule(name: &str) -> Markup {
    html! { a href={ "/rules#" (rule_anchor(name)) } { (printable(name)) } }
}

/// Where a rule is on the page of the rules. Only letters, digits and hyphens stay: browsers decode what is percent-encoded.
pub fn rule_anchor(name: &str) -> String {
    name.bytes().fold("rule-".to_owned(), |mut anchor, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => anchor.push(byte.into()),
            _ => anchor.push_str(&format!("_{byte:02X}")),
        }
        anchor
    })
}

/// Strangers choose names: what is not printable is escaped, as everywhere else.
pub fn printable(text: &str) -> String {
    rasadmin_text::printable(text).into_owned()
}

/// A part of a path, or a value of a query, percent-encoded.
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_links_the_dashboards_own_pages_and_no_files() {
        let text = "See /sessions/221, /blocks; `rasadmin blocks /users` says it. Look at /etc/rasadmin and //users";
        assert_eq!(
            remedy(text).into_string(),
            "See <a href=\"/sessions/221\">/sessions/221</a>, <a href=\"/blocks\">/blocks</a>; <code>rasadmin blocks \
             /users</code> says it. Look at /etc/rasadmin and //users"
        );
        assert_eq!(remedy("x /users/<b>").into_string(), "x <a href=\"/users/&lt;b&gt;\">/users/&lt;b&gt;</a>");
    }

    #[test]
    fn what_is_in_an_address_is_encoded() {
        assert_eq!(encoded(r"CORP\Ä b/c"), "CORP%5C%C3%84%20b%2Fc");
    }
}

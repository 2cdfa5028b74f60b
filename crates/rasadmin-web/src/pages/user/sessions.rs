//! The user's sessions: of now, and past ones.

use super::{ROWS, User};
use crate::pages::asked;
use crate::{parts, state};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show;
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::Millis;
use rasadmin_service::live_table::LiveTable;

/// Adds what the service saw of live sessions at its last look.
pub fn see(live: &mut [SessionRow], table: &LiveTable) {
    for session in live {
        let seen = table.sessions.iter().find(|seen| seen.session.to_string() == session.acct_session_id);
        if let Some(seen) = seen {
            (session.acct_input_octets, session.acct_output_octets) = (Some(seen.octets[0]), Some(seen.octets[1]));
            session.octets_are = Some(if seen.exact { "exact" } else { "lower bound" }.to_owned());
        }
    }
}

/// Those of now.
pub(super) fn live(user: &User) -> Markup {
    let live = &user.report.live;
    html! {
        section.card {
            h2 { "Connected now" }
            @if live.is_empty() { p.empty { "The user is not connected." } } @else { (table("Connected now", live, user)) }
        }
    }
}

/// Past ones.
pub(super) fn past(user: &User) -> Markup {
    let past = &user.report.past;
    html! {
        section.card {
            h2 { "Past sessions"
                @if user.report.more_past {
                    a.more href=(asked::address("/sessions", &[("user", &typed(user))])) { "all; these are the latest " (ROWS) }
                }
            }
            @if past.is_empty() { p.empty { "The ledger has no past session of this user." } } @else { (table("Past sessions", past, user)) }
        }
    }
}

/// The user as other lists search for it.
pub(super) fn typed(user: &User) -> String {
    let (domain, name) = (user.report.domain.as_str(), user.report.name.as_str());
    if domain.is_empty() { name.to_owned() } else { format!("{domain}\\{name}") }
}

fn table(title: &str, sessions: &[SessionRow], user: &User) -> Markup {
    let (now, zone): (Millis, &TimeZone) = (user.now, &user.config.zone);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) { table {
            thead { tr {
                th.number scope="col" { "session" } th scope="col" { "began" } th scope="col" { "tunnel" }
                th scope="col" { "address" } th scope="col" { "from" } th scope="col" { "computer" }
                th.number scope="col" { "connected" } th.number scope="col" { "received" } th.number scope="col" { "sent" }
                th scope="col" { "end" }
            } }
            tbody { @for s in sessions { tr {
                th.number scope="row" { a href={ "/sessions/" (s.id) } { (s.id) } }
                td { (parts::time(s.acct_start_time, zone)) }
                td { (parts::text(s.tunnel_type.as_deref().unwrap_or_default())) }
                td.code { (parts::text(s.framed_ip_address.as_deref().or(s.framed_interface_id.as_deref()).unwrap_or_default())) }
                td.code { (parts::text(&s.calling_station_id)) }
                td { (parts::text(s.remote_computer.as_str())) }
                td.number { (connected(s, now)) }
                td.number { (parts::octets_or_more(s.acct_input_octets, s.octets_are_lower_bound())) }
                td.number { (parts::octets_or_more(s.acct_output_octets, s.octets_are_lower_bound())) }
                td { @match state::mark(s) { Some(mark) => (mark), None => (parts::printable(&end(s))) } }
            } } }
        } }
    }
}

/// How long it was connected: `~` is an estimate, `>=` a lower bound.
pub fn connected(s: &SessionRow, now: Millis) -> String {
    match (s.acct_stop_time, s.acct_session_time) {
        (None, _) if !s.is_live() => {
            s.seconds_seen().map(|seconds| format!(">= {}", show::duration(seconds))).unwrap_or_default()
        }
        (None, _) => show::between(s.acct_start_time, now),
        (Some(_), Some(seconds)) if s.estimated => format!("~{}", show::duration(seconds)),
        (Some(_), Some(seconds)) => show::duration(seconds),
        (Some(stop), None) => show::between(s.acct_start_time, stop),
    }
}

/// How it ended.
fn end(s: &SessionRow) -> String {
    match (&s.imported, &s.closed_by) {
        (Some(log), _) if s.last_seen.is_some() => format!("end unknown ({log})"),
        (Some(log), _) => format!("imported ({log})"),
        (None, by) => match (by, &s.acct_terminate_cause) {
            // That a user has hung up needs no words.
            (Some(by), Some(cause)) if cause != "User-Request" => format!("{by}, {cause}"),
            (by, _) => by.clone().unwrap_or_default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_not_exact_are_marked() {
        let row = |stop, seconds, estimated, last_seen| SessionRow {
            acct_stop_time: stop,
            acct_session_time: seconds,
            estimated,
            last_seen,
            ..SessionRow::default()
        };
        let shown = |row: SessionRow| connected(&row, 90_000);
        assert_eq!(shown(row(None, None, false, None)), "1m 30s");
        assert_eq!(shown(row(Some(60_000), Some(60), false, None)), "1m 00s");
        assert_eq!(shown(row(Some(60_000), Some(60), true, None)), "~1m 00s");
        assert_eq!(shown(row(None, Some(60), true, Some(60_000))), ">= 1m 00s");
        assert_eq!(shown(row(Some(5_000), None, false, None)), "5s");
    }

    #[test]
    fn the_services_last_look_has_the_octets_of_live_sessions() {
        use rasadmin_engine::Id;
        use rasadmin_service::live_table::LiveSession;
        let mut live =
            [SessionRow { acct_session_id: Id(7).to_string(), ..SessionRow::default() }, SessionRow::default()];
        let seen = LiveSession { session: Id(7), octets: [5, 6], exact: false, heard: None };
        see(&mut live, &LiveTable { looked_at: 0, sessions: vec![seen] });
        assert_eq!((live[0].acct_input_octets, live[0].acct_output_octets), (Some(5), Some(6)));
        assert!(live[0].octets_are_lower_bound());
        assert_eq!(parts::octets_or_more(Some(5), true).into_string(), r#"&gt;= <span title="5 octets">5 B</span>"#);
        assert_eq!(live[1].acct_input_octets, None);
    }
}

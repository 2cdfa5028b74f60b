//! The columns of the list: those that were chosen, else those in which a row of the page has something.

use super::Sessions;
use crate::pages::user;
use crate::{parts, state};
use maud::{Markup, html};
use rasadmin_answers::show;
use rasadmin_ledger::report::SessionRow;
use rasadmin_service::live_table::LiveSession;

/// A column beside those of the session and the user, which every row has.
pub struct Column {
    /// Its word in the address, also as that of an order, if it has one.
    pub word: &'static str,
    pub title: &'static str,
    /// How its cells are set: `number`, `code`, or nothing.
    pub class: &'static str,
    /// Whether the page shows it before a person chooses.
    pub usual: bool,
    /// What a session has in it.
    pub cell: fn(&Sessions, &SessionRow) -> Option<Markup>,
}

const fn usual(word: &'static str, title: &'static str, class: &'static str, cell: Cell) -> Column {
    Column { word, title, class, usual: true, cell }
}

const fn other(word: &'static str, title: &'static str, class: &'static str, cell: Cell) -> Column {
    Column { word, title, class, usual: false, cell }
}

type Cell = fn(&Sessions, &SessionRow) -> Option<Markup>;

/// All columns, in their order.
pub const COLUMNS: [Column; 15] = [
    usual("began", "began", "", |of, row| Some(parts::short_time(row.acct_start_time, of.now, &of.zone))),
    usual("state", "state", "", state_of),
    usual("duration", "connected for", "number", |of, row| Some(html! { (user::sessions::connected(row, of.now)) })),
    usual("address", "address", "code", |_, row| words(row.framed_ip_address.as_deref().unwrap_or_default())),
    other("identifier", "IPv6 identifier", "code", |_, row| {
        words(row.framed_interface_id.as_deref().unwrap_or_default())
    }),
    usual("tunnel", "tunnel", "", |_, row| words(row.tunnel_type.as_deref().unwrap_or_default())),
    usual("from", "from", "code", |_, row| words(&row.calling_station_id)),
    usual("computer", "computer", "", |_, row| words(row.remote_computer.as_str())),
    other("port", "port", "code", |_, row| words(&row.port().unwrap_or_default())),
    other("server", "server", "", |_, row| words(row.nas_identifier.as_str())),
    usual("received", "received", "number", |of, row| of.octets(row, 0)),
    usual("sent", "sent", "number", |of, row| of.octets(row, 1)),
    usual("heard", "last heard", "", heard),
    other("end", "how it ended", "", |_, row| words(row.closed_by.as_deref().unwrap_or_default())),
    other("cause", "cause of the end", "", |_, row| words(row.acct_terminate_cause.as_deref().unwrap_or_default())),
];

fn words(text: &str) -> Option<Markup> {
    (!text.is_empty()).then(|| parts::text(text))
}

fn state_of(of: &Sessions, row: &SessionRow) -> Option<Markup> {
    let until = |stop| html! { "until " @if row.estimated { "~ " } (parts::short_time(stop, of.now, &of.zone)) };
    state::mark(row).or_else(|| row.acct_stop_time.map(until))
}

/// RRAS lists a client that has left for up to half an hour. This tells it from one that is still connected.
fn heard(of: &Sessions, row: &SessionRow) -> Option<Markup> {
    match of.seen(row) {
        Some(LiveSession { heard: Some(heard), .. }) => Some(html! { (show::between(*heard, of.now)) " ago" }),
        None if row.is_live() && of.looked_at > row.acct_start_time.saturating_add(60_000) => {
            Some(html! { span.tag.denied { "not listed" } })
        }
        _ => None,
    }
}

impl Sessions {
    /// What the service has seen of a session that is connected now.
    pub(super) fn seen(&self, row: &SessionRow) -> Option<&LiveSession> {
        self.seen.get(&row.acct_session_id).filter(|_| row.is_live())
    }

    /// What it has received, or sent.
    fn octets(&self, row: &SessionRow, way: usize) -> Option<Markup> {
        let (octets, is_lower_bound) = match self.seen(row) {
            Some(seen) => (Some(seen.octets[way]), !seen.exact),
            None => ([row.acct_input_octets, row.acct_output_octets][way], row.octets_are_lower_bound()),
        };
        octets.map(|_| parts::octets_or_more(octets, is_lower_bound))
    }

    /// The columns to show: those that were chosen, else the usual ones that are not empty in all rows.
    pub(super) fn columns(&self) -> Vec<&'static Column> {
        static ALL: [Column; 15] = COLUMNS;
        let has_something = |column: &Column| self.rows.iter().any(|row| (column.cell)(self, row).is_some());
        let is_shown = |column: &&Column| match &self.chosen {
            Some(chosen) => chosen.contains(&column.word),
            None => column.usual && has_something(column),
        };
        ALL.iter().filter(is_shown).collect()
    }

    /// Links that add or remove a column.
    pub(super) fn choose_columns(&self) -> Markup {
        let shown: Vec<&str> = self.columns().iter().map(|column| column.word).collect();
        html! {
            p.choose {
                span.muted { "Columns" }
                @for Column { word, title, .. } in &COLUMNS {
                    @let is_shown = shown.contains(word);
                    @let others = COLUMNS.iter().map(|column| column.word).filter(|other| shown.contains(other) != (other == word));
                    a.tag.chosen[is_shown] href=(self.asked.with_columns(&others.collect::<Vec<_>>().join(",")))
                        title={ @if is_shown { "Hide this column" } @else { "Show this column" } } {
                        (title) span.sr { @if is_shown { " (shown)" } @else { " (not shown)" } }
                    }
                }
                @if self.chosen.is_some() { a href=(self.asked.with_columns("")) { "as usual" } }
            }
        }
    }
}

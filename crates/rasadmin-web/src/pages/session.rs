//! One session: its whole story.

mod story;
mod traffic;

use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::visitor::Visitor;
use crate::{changes, layout, parts, state};
use axum::Extension;
use axum::extract::{Path, State};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show;
use rasadmin_ledger::report::{DecisionRow, LeaseRow, LinkRow, OctetsRow, SessionRow};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use rasadmin_service::live_table::LiveSession;
use std::sync::Arc;

/// What the page shows.
pub struct Session {
    row: SessionRow,
    decisions: Vec<DecisionRow>,
    links: Vec<LinkRow>,
    leases: Vec<LeaseRow>,
    octets: Vec<OctetsRow>,
    /// What the service saw of it at its last look, and when that was.
    seen: Option<LiveSession>,
    looked_at: Millis,
    now: Millis,
    config: Arc<Config>,
    zone: TimeZone,
    server: String,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    Path(typed): Path<String>,
) -> Result<Markup, Fault> {
    let session = app.work(move |app| Session::read(app, &typed)).await?;
    let title = format!("Session {}", session.row.id);
    Ok(layout::page(&visitor, &session.server, "/sessions", &title, &session.content(&visitor)))
}

impl Session {
    fn read(app: &App, typed: &str) -> Result<Self, Fault> {
        let (config, now) = (app.source.config(), app.source.now());
        let found = app.source.ledger(|reader| {
            let Ok(found) = reader.session(typed)? else { return Ok(None) };
            let Some(row) = found else { return Ok(None) };
            let (decisions, links) = (reader.decisions_of(row.id)?, reader.links_of(row.id)?);
            Ok(Some((reader.leases_of(row.id)?, decisions, links, reader.octets_of(row.id)?, row)))
        })?;
        let missing = || Fault::not_found(format_args!("there is no session {}", parts::printable(typed)));
        let (leases, decisions, links, octets, row) = found.ok_or_else(missing)?;
        let is_it = |seen: &&LiveSession| row.is_live() && seen.session.to_string() == row.acct_session_id;
        let live = app.source.live();
        let (seen, looked_at) = (live.sessions.iter().find(is_it).copied(), live.looked_at);
        let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        let zone = config.zone.clone();
        Ok(Self { row, decisions, links, leases, octets, seen, looked_at, now, zone, config, server })
    }

    fn content(&self, visitor: &Visitor) -> Markup {
        let row = &self.row;
        html! {
            div #live data-live=[row.is_live().then(|| format!("/sessions/{}", row.id))] {
                h1 {
                    "Session " (row.id) " of " (parts::user(row.domain.as_ref(), row.name.as_ref(), &row.user_name)) " "
                    @match state::mark(row) { Some(mark) => (mark), None => span.tag { "ended" } }
                }
                (changes::of_session(visitor, &self.config.domains, row))
                div.columns {
                    div.stack {
                        section.card { h2 { "What happened" } (self.story()) }
                        (self.traffic())
                    }
                    div.stack { (self.facts()) (self.identity()) }
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let row = &self.row;
        let (received, sent) = match &self.seen {
            Some(seen) => (Some(seen.octets[0]), Some(seen.octets[1])),
            None => (row.acct_input_octets, row.acct_output_octets),
        };
        let is_lower_bound = self.seen.map_or(row.octets_are_lower_bound(), |seen| !seen.exact);
        html! {
            section.card {
                h2 { "Connection" }
                dl.facts {
                    dt { "Began" } dd { (parts::time(row.acct_start_time, &self.zone)) }
                    dt { "Ended" } dd { @match row.acct_stop_time {
                        Some(stop) => { @if row.estimated { "~ " } (parts::time(stop, &self.zone)) },
                        None if row.is_live() => { "not yet" },
                        None => { "not known" },
                    } }
                    dt { "Connected" } dd { (show::between(row.acct_start_time, row.connected_until(self.now))) }
                    dt { "Address" } dd.code { (parts::text(row.framed_ip_address.as_deref().unwrap_or_default())) }
                    @if let Some(identifier) = &row.framed_interface_id { dt { "IPv6 identifier" } dd.code { (identifier) } }
                    dt { "Tunnel" } dd { (parts::text(row.tunnel_type.as_deref().unwrap_or_default())) }
                    dt { "From" } dd.code { (parts::text(&row.calling_station_id)) }
                    dt { "Computer" } dd { (parts::text(row.remote_computer.as_str())) }
                    dt { "Port" } dd { (parts::text(row.nas_port_id.as_ref().map_or("", |port| port.as_str()))) }
                    dt { "Received" } dd { (parts::octets_or_more(received, is_lower_bound)) }
                    dt { "Sent" } dd { (parts::octets_or_more(sent, is_lower_bound)) }
                    @if let Some(LiveSession { heard: Some(heard), .. }) = self.seen {
                        dt { "Last heard" } dd { (show::between(heard, self.now)) " ago" }
                    }
                    @if let Some(cause) = &row.acct_terminate_cause { dt { "Cause of the end" } dd { (parts::text(cause)) } }
                    @if let Some(by) = &row.closed_by { dt { "How it ended" } dd { (parts::text(by)) } }
                }
            }
        }
    }

    fn identity(&self) -> Markup {
        let row = &self.row;
        html! {
            section.card {
                h2 { "Identity" }
                dl.facts {
                    dt { "Name from RRAS" } dd.wrap { (parts::text(row.user_name.as_str())) }
                    dt { "Server" } dd { (parts::text(row.nas_identifier.as_str())) }
                    dt { "Number" } dd { (row.id) }
                    dt { "Key" } dd.code.wrap { (row.acct_session_id) }
                    @if let Some(log) = &row.imported { dt { "Imported from" } dd { (log) " log" } }
                    @if row.adopted { dt { "Found by" } dd { "the rasadmin service, in RRAS: the DLL had not recorded its begin" } }
                }
            }
        }
    }
}

//! Sessions.

use super::asked::{AFTER_ROW, Asked, Kind, LIMIT, Parameter, SINCE, UNTIL, USER, path, query};
use super::endpoint::{Answered, Endpoint, Shape, inline, json, named, page};
use crate::app::App;
use crate::fault::Fault;
use crate::pages::asked::row_text;
use crate::sorted::{self, Order};
use rasadmin_answers::explain::StageAnswer;
use rasadmin_ledger::report::{DecisionRow, LeaseRow, LinkRow, OctetsRow, SessionRow, SessionSearch};
use rasadmin_service::seen::{SeenSession, seen};

const SESSION: Parameter =
    path("session", Kind::Session, "The session's number, or at least eight characters of its key.");

/// The tunnels, as the ledger has them.
pub const TUNNELS: &[&str] = &["SSTP", "IKEv2", "L2TP", "PPTP"];

/// The orders of the list.
const ORDERS: &[&str] = &[
    "began",
    "-began",
    "user",
    "-user",
    "ended",
    "-ended",
    "duration",
    "-duration",
    "received",
    "-received",
    "sent",
    "-sent",
];

pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/api/v1/sessions",
        id: "sessions",
        title: "Live and past sessions",
        says: "As `rasadmin sessions --json`. Connections whose first link was rejected or never came are left out.",
        parameters: &[
            query("live", Kind::Flag, "Only users who are connected now."),
            USER,
            query("server", Kind::Text, "Only sessions of this RRAS server."),
            query("tunnel", Kind::Word(TUNNELS), "Only sessions with this tunnel."),
            query("address", Kind::Text, "Only sessions with this address, on the tunnel or of the client itself."),
            query("computer", Kind::Text, "Only sessions of the computer of this name."),
            query("rule", Kind::Text, "Only sessions about which this rule decided."),
            SINCE,
            UNTIL,
            query(
                "sort",
                Kind::Word(ORDERS),
                "The order: the latest begin, the first user, the latest end, the longest, the most received or sent first; \
                 with a hyphen, the other way round. The latest begin first, if it is left out. Orders without an index need a \
                 search that finds at most 20000 sessions.",
            ),
            LIMIT,
            AFTER_ROW,
        ],
        shape: Shape::Page(named::<SeenSession>),
        may_lack: true,
        work: list,
    },
    Endpoint {
        path: "/api/v1/sessions/{session}",
        id: "session",
        title: "One session",
        says: "The same as its row in the list.",
        parameters: &[SESSION],
        shape: Shape::Json(named::<SeenSession>),
        may_lack: true,
        work: |app, asked| {
            let row = find(app, asked)?;
            let all = seen(vec![row], &app.source.live());
            all.first().map_or_else(|| Err(Fault::not_found("there is no such session")), json)
        },
    },
    Endpoint {
        path: "/api/v1/sessions/{session}/decisions",
        id: "sessionDecisions",
        title: "The decisions about a session",
        says: "In the order of time.",
        parameters: &[SESSION],
        shape: Shape::Json(inline::<Vec<DecisionRow>>),
        may_lack: true,
        work: |app, asked| {
            let row = find(app, asked)?;
            json(&app.source.ledger(|reader| reader.decisions_of(row.id))?)
        },
    },
    Endpoint {
        path: "/api/v1/sessions/{session}/addresses",
        id: "sessionAddresses",
        title: "The addresses that a session had",
        says: "In the order in which it got them.",
        parameters: &[SESSION],
        shape: Shape::Json(inline::<Vec<LeaseRow>>),
        may_lack: true,
        work: |app, asked| {
            let row = find(app, asked)?;
            json(&app.source.ledger(|reader| reader.leases_of(row.id))?)
        },
    },
    Endpoint {
        path: "/api/v1/sessions/{session}/links",
        id: "sessionLinks",
        title: "The links of a session",
        says: "The ports that it used, in the order in which they came.",
        parameters: &[SESSION],
        shape: Shape::Json(inline::<Vec<LinkRow>>),
        may_lack: true,
        work: |app, asked| {
            let row = find(app, asked)?;
            json(&app.source.ledger(|reader| reader.links_of(row.id))?)
        },
    },
    Endpoint {
        path: "/api/v1/sessions/{session}/octets",
        id: "sessionOctets",
        title: "What a session had received and sent over time",
        says: "Sums since it began, as the rasadmin service saw them while it was live: at most every five minutes, and only if \
               they had changed. Empty if no service monitored it. The sums at its end are in its row.",
        parameters: &[SESSION],
        shape: Shape::Json(inline::<Vec<OctetsRow>>),
        may_lack: true,
        work: |app, asked| {
            let row = find(app, asked)?;
            json(&app.source.ledger(|reader| reader.octets_of(row.id))?)
        },
    },
    Endpoint {
        path: "/api/v1/sessions/{session}/explanation",
        id: "sessionExplanation",
        title: "Why the decisions about a session were made",
        says: "As `rasadmin explain --session`: from the facts of that time, under the configuration of that time.",
        parameters: &[SESSION],
        shape: Shape::Json(inline::<Vec<StageAnswer<'static>>>),
        may_lack: true,
        work: |app, asked| {
            let row = find(app, asked)?;
            let decisions = app.source.ledger(|reader| reader.decisions_of(row.id))?;
            super::explain::past(app, &decisions)
        },
    },
];

fn list(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let search = SessionSearch {
        filter: asked.filter(&app.source.config())?,
        live: asked.flag("live"),
        tunnel: asked.text("tunnel").map(str::to_owned),
        address: asked.text("address").map(str::to_owned),
        computer: asked.text("computer").map(str::to_owned),
        name: None,
        rule: asked.text("rule").map(str::to_owned),
        after: asked.after_row(),
    };
    let live = app.source.live();
    let seen_now = live.sessions.iter().map(|session| (session.session.to_string(), *session)).collect();
    let order = Order::of(asked.text("sort").unwrap_or_default())?;
    let found = sorted::page(app, search, order, asked.limit(), &seen_now)?;
    if found.is_too_long {
        let what = format!("more than {} sessions match: too many to sort them in this order", sorted::MOST);
        return Err(Fault::bad_request(what, "ask for a user or a shorter time, or leave `sort` out"));
    }
    page(seen(found.rows, &live), found.next.map(row_text))
}

fn find(app: &App, asked: &Asked) -> Result<SessionRow, Fault> {
    let typed = asked.needed("session");
    let found = app.source.ledger(|reader| reader.session(typed))?;
    let remedy = "GET /api/v1/sessions lists them".to_owned();
    match found {
        Ok(Some(row)) => Ok(row),
        Ok(None) => Err(Fault { remedy, ..Fault::not_found(format_args!("there is no session {typed}")) }),
        Err(why) => Err(Fault { remedy: why, ..Fault::not_found(format_args!("`{typed}` names no session")) }),
    }
}

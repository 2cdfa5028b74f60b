//! Users.

use super::asked::{Asked, Kind, LIMIT, path, query};
use super::endpoint::{Answered, Endpoint, Shape, json, named, page};
use crate::app::App;
use crate::fault::Fault;
use crate::heavy::{self, AskedUsers};
use crate::pages::user::limits::Known;
use crate::pages::user::{find, limits};
use crate::pages::users;
use axum::http::StatusCode;
use rasadmin_ledger::report::{KnownUser, UserOrder, UserReport};
use rasadmin_text::printable;

/// The orders of the list.
const ORDERS: [(&str, UserOrder); 5] = [
    ("user", UserOrder::Name),
    ("live", UserOrder::Live),
    ("sessions", UserOrder::Sessions),
    ("last", UserOrder::Last),
    ("denied", UserOrder::LastDenied),
];

pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/api/v1/users",
        id: "users",
        title: "The users that the ledger knows",
        says: "As `rasadmin users --json`: everyone who was accepted or denied. On a large ledger the answer may be some minutes \
               old, unless it is by name.",
        parameters: &[
            query("name", Kind::Text, "Only users whose name has this text in it, in upper or lower case."),
            query(
                "sort",
                Kind::Word(&["user", "live", "sessions", "last", "denied"]),
                "The order: by name, or the most live sessions, sessions, or the latest session or denial first. By name if \
                 it is left out, which is the cheapest.",
            ),
            LIMIT,
            query(
                "after",
                Kind::UserRow,
                "Continue after this user: the `next` of the page before, with the same parameters.",
            ),
        ],
        shape: Shape::Page(named::<KnownUser>),
        may_lack: false,
        work: list,
    },
    Endpoint {
        path: "/api/v1/users/{user}",
        id: "user",
        title: "Everything about one user",
        says: "As `rasadmin user --json`: sessions, limits, addresses, groups, the block, denials. Limits and the block are \
               known from the journal, or else from the rasadmin service: without both, there is no answer.",
        parameters: &[
            path("user", Kind::Text, "The user: `alice`, `CORP\\alice`, `alice@corp.example`."),
            query("limit", Kind::Limit, "How many past sessions, and how many denials, the answer has at most."),
        ],
        shape: Shape::Json(named::<UserReport>),
        may_lack: true,
        work: one,
    },
];

fn list(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let sort = asked.text("sort");
    let order = ORDERS.iter().find(|(word, _)| Some(*word) == sort).map_or(UserOrder::Name, |(_, order)| *order);
    let after = asked.text("after").and_then(users::place);
    let wanted = AskedUsers { order, part: asked.text("name").map(str::to_owned), after, limit: asked.limit() };
    let found = app.source.users(wanted, heavy::PROGRAM)?.ready()?;
    page(found.page.rows.clone(), found.page.next.as_ref().map(users::written))
}

fn one(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let typed = asked.needed("user");
    let config = app.source.config();
    let unknown = |what: String, remedy: &str| Fault { remedy: remedy.to_owned(), ..Fault::not_found(what) };
    let user = match find::user(app, &config, typed) {
        Ok(find::Found::One(user)) => user,
        Ok(find::Found::Several(all)) => {
            let names: Vec<_> = all.iter().map(|of| format!("{}\\{}", of.domain, of.name)).collect();
            let what = format!("several users have the name `{}`: {}", printable(typed), names.join(", "));
            return Err(Fault { status: StatusCode::CONFLICT, what, remedy: "name the domain too".to_owned() });
        }
        // It cannot be anybody's name, so it leads to nobody.
        Err(fault) if fault.status == StatusCode::BAD_REQUEST => {
            return Err(Fault { status: StatusCode::NOT_FOUND, ..fault });
        }
        Err(fault) => return Err(fault),
    };
    let (in_force, known) = limits::of_user(app, &config, &user);
    if let Known::Not(why) = known {
        let remedy = "ask again, or let this process read the journal";
        return Err(Fault::unavailable(format_args!("blocks and limits are not known here: {why}"), remedy));
    }
    let report = app.source.ledger(|reader| reader.user(&user, &config, in_force.clone(), Some(asked.limit())))?;
    let is_known = report.known.is_some() || !report.reservations.is_empty() || report.block.is_some();
    if !is_known && report.groups.is_empty() {
        let what = format!("neither the ledger nor the configuration knows the user `{}`", printable(typed));
        return Err(unknown(
            what,
            "check the spelling, with the domain; GET /api/v1/users lists the users of the ledger",
        ));
    }
    json(&report)
}

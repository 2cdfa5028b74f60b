//! Addresses and pools.

use super::asked::{Asked, Kind, LIMIT, needed, query};
use super::endpoint::{Answered, Endpoint, Shape, inline, json, named, no_such_place, page};
use crate::app::App;
use crate::fault::Fault;
use crate::pages::addresses::reserved::{Reserved, ReservedRow};
use rasadmin_ledger::report::{LeaseRow, PoolUse};
use rasadmin_text::printable;

pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/api/v1/pools",
        id: "pools",
        title: "How full the pools are",
        says: "The `pools` of `rasadmin addresses --json`.",
        parameters: &[],
        shape: Shape::Json(inline::<Vec<PoolUse>>),
        may_lack: false,
        work: |app, _| {
            let held = app.source.ledger(rasadmin_ledger::report::Reader::pool_use)?;
            json(&PoolUse::of(&app.source.config().addresses.pools, &held))
        },
    },
    Endpoint {
        path: "/api/v1/addresses",
        id: "addresses",
        title: "The addresses that are held now",
        says: "The `leases` of `rasadmin addresses --json`, by address.",
        parameters: &[
            query("pool", Kind::Text, "Only addresses of this pool."),
            LIMIT,
            query(
                "after",
                Kind::Number,
                "Continue after this row: the `next` of the page before, with the same parameters.",
            ),
        ],
        shape: Shape::Page(named::<LeaseRow>),
        may_lack: true,
        work: held,
    },
    Endpoint {
        path: "/api/v1/reservations",
        id: "reservations",
        title: "Who has a reserved address",
        says: "The `[[reservations]]` of the configuration in force, by user.",
        parameters: &[
            LIMIT,
            query(
                "after",
                Kind::UserName,
                "Continue after this user: the `next` of the page before, with the same parameters.",
            ),
        ],
        shape: Shape::Page(named::<ReservedRow>),
        may_lack: false,
        work: |app, asked| {
            let config = app.source.config();
            let found = Reserved::read(&config.addresses, asked.text("after"), asked.limit() as usize);
            page(found.rows, found.next)
        },
    },
    Endpoint {
        path: "/api/v1/who-had",
        id: "whoHad",
        title: "Who had an address",
        says: "As `rasadmin who-had --json`: the latest first. Nobody is an empty list.",
        parameters: &[
            needed(
                "address",
                Kind::Address,
                "The address. Of an IPv6 address, the interface identifier is enough: `::a11c:e`.",
            ),
            query("at", Kind::Time, "At this time. Ever, if it is left out."),
            LIMIT,
            query(
                "after",
                Kind::Number,
                "Continue after this row: the `next` of the page before, with the same parameters.",
            ),
        ],
        shape: Shape::Page(named::<LeaseRow>),
        may_lack: false,
        work: who_had,
    },
];

fn held(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let (pool, config) = (asked.text("pool"), app.source.config());
    if let Some(pool) = pool.filter(|pool| !config.addresses.pools.iter().any(|of| of.name == **pool)) {
        return Err(Fault {
            remedy: "GET /api/v1/pools lists them".to_owned(),
            ..Fault::not_found(format_args!("the configuration has no pool `{}`", printable(pool)))
        });
    }
    let found = app.source.ledger(|reader| reader.lease_page(pool, asked.number("after"), asked.limit()))?;
    page(found.rows, found.next.map(|id| id.to_string()))
}

/// One address has had few leases, compared to a page: the pages are parts of the whole.
fn who_had(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let Some(address) = asked.ip("address") else { return Err(Fault::bad_request("there is no address", "name one")) };
    let mut rows = app.source.ledger(|reader| reader.who_had(address, asked.time("at"), u32::MAX))?;
    if let Some(after) = asked.number("after") {
        let begin = rows.iter().position(|lease| lease.id == after).ok_or_else(no_such_place)?;
        rows.drain(..=begin);
    }
    super::endpoint::page_of(rows, asked.limit(), |lease| lease.id.to_string())
}

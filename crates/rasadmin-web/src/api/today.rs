//! The day until now.

use super::asked::Asked;
use super::endpoint::{Answered, Endpoint, Shape, inline, json};
use crate::app::App;
use crate::fault::Fault;
use crate::pages::now::day::{Day, midnight};
use rasadmin_ledger::report::{Refused, rfc3339};
use rasadmin_policy::{Millis, timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: "/api/v1/today",
    id: "today",
    title: "Today until now: who was connected over time, and who was refused",
    says: "The same as on the dashboard's first page. The day begins at midnight in the time zone of the configuration.",
    parameters: &[],
    shape: Shape::Json(inline::<Today>),
    may_lack: false,
    work: today,
}];

/// Today until now.
#[derive(Serialize, JsonSchema)]
struct Today {
    /// Now: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    time: Millis,
    /// When the day began: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    since: Millis,
    /// The time zone of the configuration, such as `Europe/Berlin`.
    time_zone: String,
    /// How many sessions are live now.
    live_sessions: u64,
    /// The most that were live at one of the times, or now.
    most_live_sessions: u64,
    /// How many sessions began today.
    began: u64,
    /// How many sessions ended today.
    ended: u64,
    /// What the sessions that ended today had received, in octets, since they began.
    input_octets: u64,
    /// What they had sent.
    output_octets: u64,
    /// The times at which the live sessions were counted, ten minutes apart: RFC 3339, UTC.
    #[serde(serialize_with = "all_rfc3339")]
    #[schemars(schema_with = "times")]
    times: Vec<Millis>,
    /// The counts, for each tunnel that there was.
    tunnels: Vec<OfTunnel>,
    /// Who was refused, by cause.
    refused: Vec<Refused>,
}

/// The sessions of a tunnel over the day.
#[derive(Serialize, JsonSchema)]
struct OfTunnel {
    /// `IKEv2`, `SSTP`, `L2TP`, `PPTP`, or `other`: not known, or not yet.
    tunnel: &'static str,
    /// How many sessions were live, one number for each of the times.
    live_sessions: Vec<u64>,
}

fn times(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "format": "date-time"}})
}

fn all_rfc3339<S: Serializer>(times: &[Millis], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(times.iter().map(|time| timestamp(*time).to_string()))
}

fn today(app: &App, _: &Asked) -> Result<Answered, Fault> {
    let (config, now) = (app.source.config(), app.source.now());
    let since = midnight(now, &config.zone);
    let (day, refused) = app
        .source
        .ledger(|reader| Ok((Day::read(reader, since, now)?, reader.refused(since, now.saturating_add(1))?)))?;
    let of_tunnel = |(tunnel, counts): (&'static str, &Vec<u64>)| OfTunnel { tunnel, live_sessions: counts.clone() };
    json(&Today {
        time: now,
        since,
        time_zone: config.zone.iana_name().unwrap_or("UTC").to_owned(),
        live_sessions: day.live,
        most_live_sessions: day.most,
        began: day.began,
        ended: day.ended,
        input_octets: day.input_octets,
        output_octets: day.output_octets,
        times: day.times(now),
        tunnels: day.by_tunnel().map(of_tunnel).collect(),
        refused,
    })
}

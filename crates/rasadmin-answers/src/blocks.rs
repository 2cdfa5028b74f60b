//! The answer of `rasadmin blocks` for programs: who is blocked on a server.

use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_engine::{Millis, Name};
use rasadmin_ledger::report::{rfc3339, rfc3339_or_null};
use schemars::JsonSchema;
use serde::Serialize;

/// A block that is in force.
#[derive(Serialize, JsonSchema)]
pub struct BlockRow {
    /// The server on which it is in force.
    server: Name,
    /// Who is blocked: `user`, `computer-account`, or `claimed-computer` (the name that a client claims).
    kind: &'static str,
    /// The domain in upper case, as `[domains]` maps it. Null for a claimed computer name.
    domain: Option<Name>,
    /// The name in upper case, without the domain.
    name: Name,
    /// When it began: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    since: Millis,
    /// When it ends: RFC 3339, UTC. Null if it stays until it is lifted.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    until: Option<Millis>,
    /// The reason. Null if none was given.
    reason: Option<String>,
    /// The account that asked for it. Null if it is not known.
    by: Option<String>,
}

impl BlockRow {
    /// A block of a server.
    pub fn new(server: &Name, block: &Block) -> Self {
        let (domain, name) = match &block.subject {
            BlockSubject::User(user) => (Some(user.domain.clone()), user.name.clone()),
            BlockSubject::ClaimedComputer(name) => (None, name.clone()),
        };
        let Block { subject, since, until, reason, by } = block.clone();
        Self { server: server.clone(), kind: subject.kind(), domain, name, since, until, reason, by }
    }
}

//! What the sender of a request has seen, in its field `seen`.

use super::super::seen::Seen;
use super::values::{SessionKey, Time, TimeOrNull, given};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The sessions that you have seen. If they are not exactly those that the change concerns, nothing is done.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenSessions {
    /// Their keys (`acct_session_id`).
    pub sessions: Vec<SessionKey>,
}

/// What you have seen of a user or a computer name. If it is otherwise now, nothing is done.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenSubject {
    /// The keys (`acct_session_id`) of the live sessions, all of which are disconnected.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Vec<SessionKey>")]
    pub sessions: Option<Vec<SessionKey>>,
    /// When the block in force began (`since`). Null: there was none.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "TimeOrNull")]
    pub block_since: Option<TimeOrNull>,
}

/// The block that you have seen. If another one is in force, nothing is done.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenBlock {
    /// When it began (`since`).
    pub block_since: Time,
}

/// The lease that you have seen. If the address is held by another one, nothing is done.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenLease {
    /// When it began (`began`).
    pub began: Time,
}

impl From<SeenSessions> for Seen {
    fn from(seen: SeenSessions) -> Self {
        Self { sessions: Some(keys(seen.sessions)), ..Self::default() }
    }
}

impl From<SeenSubject> for Seen {
    fn from(seen: SeenSubject) -> Self {
        let block_since = seen.block_since.map(|since| since.0);
        Self { sessions: seen.sessions.map(keys), block_since, ..Self::default() }
    }
}

impl From<SeenBlock> for Seen {
    fn from(seen: SeenBlock) -> Self {
        Self { block_since: Some(Some(seen.block_since.0)), ..Self::default() }
    }
}

impl From<SeenLease> for Seen {
    fn from(seen: SeenLease) -> Self {
        Self { began: Some(seen.began.0), ..Self::default() }
    }
}

fn keys(keys: Vec<SessionKey>) -> BTreeSet<String> {
    keys.into_iter().map(|key| key.0).collect()
}

//! What the request of a change says, in JSON. It is strict: a field that is not known, a null that means nothing, or a
//! field that comes twice is refused.

mod either;
mod seen;
pub(in crate::api) mod values;

use super::seen::Seen;
use crate::changes::{Fields, How, Kind, Until};
use crate::fault::Fault;
use crate::token::{self, Hash};
use either::{one_of, subject};
use rasadmin_text::printable;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use seen::{SeenBlock, SeenLease, SeenSessions, SeenSubject};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use values::{Address, Computer, Reason, Session, Time, TimeOrNull, User, given};

/// What a request says.
#[derive(Debug)]
pub struct Order {
    /// Whom or what it is about.
    pub fields: Fields,
    /// How the change is made.
    pub how: How,
    /// What the sender has seen.
    pub seen: Seen,
}

impl Order {
    /// What distinguishes the request from others.
    pub fn digest(&self, kind: Kind) -> Hash {
        token::hash(&format!("{} {self:?}", kind.name()))
    }
}

/// A body, of one kind of change.
pub trait Body: DeserializeOwned + JsonSchema {
    /// What it looks like.
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        Self::json_schema(generator)
    }

    /// What it says.
    fn order(self) -> Result<Order, Fault>;
}

/// Reads the body of a change.
pub fn read<T: Body>(bytes: &[u8]) -> Result<Order, Fault> {
    parsed::<T>(bytes)?.order()
}

/// Reads a body.
pub fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let not_valid = |what: &str| {
        let what: String = printable(what).chars().take(300).collect();
        Fault::bad_request(format!("the body is not valid: {what}"), "openapi.json says what it has; nothing was done")
    };
    let whole: Value = serde_json::from_slice(bytes).map_err(|error| not_valid(&error.to_string()))?;
    // Otherwise a list of the values, in their order, would do.
    let is_object = whole.is_object() && whole.get("seen").is_none_or(Value::is_object);
    if !is_object {
        return Err(not_valid("it is an object, and so is its `seen`"));
    }
    // From the bytes: an object has lost fields that come twice.
    serde_json::from_slice::<T>(bytes).map_err(|error| not_valid(&error.to_string()))
}

/// Disconnect a session, or all sessions of a user.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    /// The session: its number (`id`), or its whole key (`acct_session_id`).
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Session")]
    session: Option<Session>,
    /// The user: `alice`, `CORP\alice`, `alice@corp.example`.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "User")]
    user: Option<User>,
    /// The reason. It is recorded, and lists show it.
    reason: Reason,
    /// Keep the user away until then: RFC 3339. The user's other sessions are disconnected, too.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Time")]
    block_until: Option<Time>,
    /// What you have seen. Needed with `user`.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "SeenSessions")]
    seen: Option<SeenSessions>,
}

/// Block a user, or a computer name that clients claim.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The user, or a computer's own account: `alice`, `CORP\alice`, `alice@corp.example`, `host/pc7`.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "User")]
    user: Option<User>,
    /// Every client that claims this computer name.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Computer")]
    claimed_computer: Option<Computer>,
    /// When the block ends: RFC 3339. Null: when it is lifted.
    until: TimeOrNull,
    /// The reason. It is recorded, and lists show it.
    reason: Reason,
    /// What you have seen.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "SeenSubject")]
    seen: Option<SeenSubject>,
}

/// Lift a block.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unblock {
    /// The user, or a computer's own account.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "User")]
    user: Option<User>,
    /// The claimed computer name.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Computer")]
    claimed_computer: Option<Computer>,
    /// The reason. It is recorded.
    reason: Reason,
    /// What you have seen.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "SeenBlock")]
    seen: Option<SeenBlock>,
}

/// Release an address.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The address.
    address: Address,
    /// Also if a live session has it.
    #[serde(default)]
    force: bool,
    /// The reason. It is recorded.
    reason: Reason,
    /// What you have seen.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "SeenLease")]
    seen: Option<SeenLease>,
}

/// Close a session that RRAS no longer has.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// The session: its number (`id`), or its whole key (`acct_session_id`).
    session: Session,
    /// The reason. It is recorded.
    reason: Reason,
    /// What you have seen.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "SeenSessions")]
    seen: Option<SeenSessions>,
}

impl Body for Disconnect {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        either::schema::<Self>(generator, ["session", "user"], &["seen"])
    }

    fn order(self) -> Result<Order, Fault> {
        if self.user.is_some() && self.seen.is_none() {
            let what = "a user is disconnected by the sessions that you have seen, and `seen` is missing";
            let remedy = r#"send their keys: `"seen": {"sessions": ["018f…"]}`; a retry then disconnects no newer one"#;
            return Err(Fault::bad_request(what, remedy));
        }
        let (session, user) = (self.session.map(|of| of.0), self.user.map(|of| of.0));
        let fields = one_of(("session", "session", session), ("user", "user", user))?;
        let ends = self.block_until.as_ref().map_or(Until::Lifted, |until| Until::At(until.0));
        let how = How { reason: Some(self.reason.0), ends, keep_away: self.block_until.is_some(), force: false };
        Ok(Order { fields, how, seen: seen(self.seen) })
    }
}

impl Body for Block {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        either::schema::<Self>(generator, ["user", "claimed_computer"], &[])
    }

    fn order(self) -> Result<Order, Fault> {
        let fields = subject(self.user, self.claimed_computer)?;
        let ends = self.until.0.map_or(Until::Lifted, Until::At);
        let how = How { reason: Some(self.reason.0), ends, ..How::default() };
        Ok(Order { fields, how, seen: seen(self.seen) })
    }
}

impl Body for Unblock {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        either::schema::<Self>(generator, ["user", "claimed_computer"], &[])
    }

    fn order(self) -> Result<Order, Fault> {
        let fields = subject(self.user, self.claimed_computer)?;
        Ok(Order { fields, how: because(self.reason), seen: seen(self.seen) })
    }
}

impl Body for Release {
    fn order(self) -> Result<Order, Fault> {
        let fields = Fields::naming("address", &self.address.0.to_string());
        let how = How { force: self.force, ..because(self.reason) };
        Ok(Order { fields, how, seen: seen(self.seen) })
    }
}

impl Body for Close {
    fn order(self) -> Result<Order, Fault> {
        let fields = Fields::naming("session", &self.session.0);
        Ok(Order { fields, how: because(self.reason), seen: seen(self.seen) })
    }
}

fn because(reason: Reason) -> How {
    How { reason: Some(reason.0), ..How::default() }
}

fn seen(seen: Option<impl Into<Seen>>) -> Seen {
    seen.map(Into::into).unwrap_or_default()
}

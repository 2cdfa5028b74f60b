//! The table of the changes. The routes and the document are made from it.

use super::body::{self, Body, Order};
use crate::changes::Kind;
use crate::fault::Fault;
use schemars::{Schema, SchemaGenerator};

/// A change of the API.
pub struct Change {
    /// The path.
    pub path: &'static str,
    /// What is changed. Its word is the name of the operation, too.
    pub kind: Kind,
    /// What it does, in a line.
    pub title: &'static str,
    /// More about it.
    pub says: &'static str,
    /// What the body looks like.
    pub body: fn(&mut SchemaGenerator) -> Schema,
    /// Reads it.
    pub(super) read: fn(&[u8]) -> Result<Order, Fault>,
}

pub static CHANGES: &[Change] = &[
    Change {
        path: "/api/v1/disconnect",
        kind: Kind::Disconnect,
        title: "Disconnect a session, or all sessions of a user",
        says: "As `rasadmin disconnect`. Always On clients connect again within seconds: `block_until` keeps their user away, and \
               disconnects the user's other sessions too. A block that lasts longer stays.",
        body: body::Disconnect::schema,
        read: body::read::<body::Disconnect>,
    },
    Change {
        path: "/api/v1/block",
        kind: Kind::Block,
        title: "Block a user, or a computer name that clients claim",
        says: "As `rasadmin block`. Live sessions are disconnected. A block replaces the one before.",
        body: body::Block::schema,
        read: body::read::<body::Block>,
    },
    Change {
        path: "/api/v1/unblock",
        kind: Kind::Unblock,
        title: "Lift a block",
        says: "As `rasadmin unblock`. The rules decide again.",
        body: body::Unblock::schema,
        read: body::read::<body::Unblock>,
    },
    Change {
        path: "/api/v1/release",
        kind: Kind::Release,
        title: "Release an address",
        says: "As `rasadmin release`: the lease ends, and the address can be given again.",
        body: body::Release::schema,
        read: body::read::<body::Release>,
    },
    Change {
        path: "/api/v1/close",
        kind: Kind::Close,
        title: "Close a session that RRAS no longer has",
        says: "As `rasadmin close`. Nobody is disconnected: the session no longer counts, and its addresses are free.",
        body: body::Close::schema,
        read: body::read::<body::Close>,
    },
];

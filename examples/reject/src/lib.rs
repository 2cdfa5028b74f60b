//! An admin DLL that rejects. RASADMIN_REJECT says what: `connections` (all connections, the default), `links` (all links,
//! but no connections), or `user:NAME` (the connections of one user).
//!
//! Try it: `rasadmin host run --dll target/release/libreject.so examples/office-day.scenario`

use rasadmin_sdk::{AdminDll, Connection, Environment, InitializeError, Link, Verdict, export_admin_dll};

enum Reject {
    Connections,
    Links,
    User(String),
}

impl AdminDll for Reject {
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        match std::env::var("RASADMIN_REJECT").as_deref() {
            Err(_) | Ok("connections") => Ok(Self::Connections),
            Ok("links") => Ok(Self::Links),
            Ok(other) => match other.strip_prefix("user:") {
                Some(name) => Ok(Self::User(name.to_owned())),
                None => Err(InitializeError::new(87, "RASADMIN_REJECT must be connections, links or user:NAME")),
            },
        }
    }
    fn terminate(&self) {}
    fn accept_connection(&self, connection: &Connection) -> Verdict {
        match self {
            Self::Connections => Verdict::reject("everyone is rejected"),
            Self::User(name) if connection.user().eq_ignore_case(name) => Verdict::reject("this user is rejected"),
            Self::User(_) | Self::Links => Verdict::Accept,
        }
    }
    fn connection_hangup(&self, _: &Connection) {}
    fn accept_link(&self, _: &Link) -> Verdict {
        match self {
            Self::Links => Verdict::reject("every link is rejected"),
            _ => Verdict::Accept,
        }
    }
    fn link_hangup(&self, _: &Link) {}
    fn accept_reauthentication(&self, _: &Connection) -> Verdict {
        Verdict::Accept
    }
}

export_admin_dll!(Reject);

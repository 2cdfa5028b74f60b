//! A change before it is made: what it is about, as the ledger and the journal have it now.

mod held;
mod look;

use super::fields::Fields;
use super::kind::Kind;
use super::subject::{Subject, user_of};
use crate::app::App;
use crate::blocked::Blocks;
use crate::fault::Fault;
use crate::pages::asked;
use crate::pages::user::limits::{self, Known};
use crate::parts;
pub use held::Held;
use jiff::tz::TimeZone;
use look::Look;
use rasadmin_engine::effect::Block;
use rasadmin_ledger::report::SessionRow;
use rasadmin_pipe::Subject as Sent;
use std::net::IpAddr;

/// A change before it is made.
pub struct Proposal {
    /// What is changed.
    pub what: What,
    /// The server's name, as pages show it.
    pub server: String,
    /// The server's name, in sentences.
    pub on: String,
    /// Why it is not known whether there is a block, or what the journal has of the lease. None if it is known.
    pub unknown: Option<String>,
    /// The zone of the times.
    pub zone: TimeZone,
}

/// What is changed.
pub enum What {
    /// These sessions are disconnected.
    Disconnect {
        /// The sessions.
        sessions: Vec<SessionRow>,
        /// Their user, who can be kept away.
        user: Option<Subject>,
        /// Is it about all sessions of the user?
        all: bool,
        /// The user's other sessions.
        others: Vec<SessionRow>,
        /// The user's block.
        block: Option<Block>,
    },
    /// Somebody is blocked.
    Block {
        /// Who.
        subject: Subject,
        /// Their live sessions.
        sessions: Vec<SessionRow>,
        /// The block that this one replaces.
        block: Option<Block>,
        /// Why the name may be mistyped.
        doubt: Option<String>,
    },
    /// A block is lifted.
    Unblock {
        /// Whose.
        subject: Subject,
        /// The block; `None` if it is not known here.
        block: Option<Block>,
    },
    /// An address is released.
    Release {
        /// The address.
        address: IpAddr,
        /// Who holds it.
        held: Box<Held>,
    },
    /// A session is closed.
    Close {
        /// The session.
        session: Box<SessionRow>,
    },
}

impl Proposal {
    /// Reads what the change is about.
    ///
    /// # Errors
    /// If there is nothing to change.
    pub fn read(app: &App, kind: Kind, fields: &Fields) -> Result<Self, Fault> {
        let (config, now) = (app.source.config(), app.source.now());
        let (state, mut own, known) = limits::state(&config);
        let blocks = Blocks::read(app, &known, &mut own);
        let look = Look { app, config: &config, state, blocks, own, now };
        let what = match kind {
            Kind::Disconnect if asked::given(&fields.session).is_some() => look.disconnect_session(&fields.session)?,
            Kind::Disconnect => look.disconnect_user(fields)?,
            Kind::Block => look.block(fields)?,
            Kind::Unblock => look.unblock(fields)?,
            Kind::Release => look.release(&fields.address)?,
            Kind::Close => What::Close { session: Box::new(look.live_session(&fields.session)?) },
        };
        let unknown = match (&what, known) {
            (What::Release { .. }, Known::Not(why)) => Some(why),
            (
                What::Disconnect { user: Some(subject), .. }
                | What::Block { subject, .. }
                | What::Unblock { subject, .. },
                _,
            ) => look.block_of(subject).err(),
            _ => None,
        };
        let on = if look.own.is_empty() { "this server".to_owned() } else { parts::printable(look.own.as_str()) };
        let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(Self { what, server, on, unknown, zone: config.zone.clone() })
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match &self.what {
            What::Disconnect { .. } => Kind::Disconnect,
            What::Block { .. } => Kind::Block,
            What::Unblock { .. } => Kind::Unblock,
            What::Release { .. } => Kind::Release,
            What::Close { .. } => Kind::Close,
        }
    }

    /// The field of the form that names whom or what it is about, and its value.
    pub fn named(&self) -> (&'static str, String) {
        let of = |subject: &Subject| match &subject.sent {
            Sent::User(user) => ("user", user.clone()),
            Sent::ClaimedComputer(computer) => ("computer", computer.clone()),
        };
        match &self.what {
            What::Disconnect { user: Some(user), all: true, .. } => of(user),
            What::Disconnect { sessions, .. } => {
                ("session", sessions.first().map(|row| row.id.to_string()).unwrap_or_default())
            }
            What::Block { subject, .. } | What::Unblock { subject, .. } => of(subject),
            What::Release { address, .. } => ("address", address.to_string()),
            What::Close { session } => ("session", session.id.to_string()),
        }
    }

    /// The heading, without a question mark.
    pub fn title(&self) -> String {
        match &self.what {
            What::Disconnect { sessions, user: Some(user), all: true, .. } => {
                format!("Disconnect {} of {}", parts::count(sessions.len() as u64, "session"), user.shown())
            }
            What::Disconnect { sessions, .. } => match &sessions[..] {
                [one] => format!("Disconnect session {} of {}", one.id, user_of(one)),
                several => format!("Disconnect {}", parts::count(several.len() as u64, "session")),
            },
            What::Block { subject, .. } => format!("Block {}", subject.shown()),
            What::Unblock { subject, .. } => format!("Lift the block of {}", subject.shown()),
            What::Release { address, held } => format!("Release {address}, held by {}", held.who()),
            What::Close { session } => format!("Close session {} of {}", session.id, user_of(session)),
        }
    }

    /// What it is, for a line of the log.
    pub fn what(&self) -> String {
        let title = self.title();
        title[..1].to_lowercase() + &title[1..]
    }

    /// Where to go on: the address, and its name.
    pub fn back(&self) -> (String, String) {
        let session = |row: &SessionRow| (format!("/sessions/{}", row.id), "The session".to_owned());
        match &self.what {
            What::Disconnect { user: Some(user), all: true, .. } => user.page(),
            What::Disconnect { sessions, .. } => {
                sessions.first().map_or_else(|| ("/sessions".to_owned(), "Sessions".to_owned()), session)
            }
            What::Block { subject, .. } | What::Unblock { subject, .. } => subject.page(),
            What::Release { .. } => ("/addresses".to_owned(), "Addresses".to_owned()),
            What::Close { session: row } => session(row),
        }
    }

    /// The section of the navigation.
    pub fn section(&self) -> &'static str {
        match &self.what {
            What::Disconnect { all: false, .. } | What::Close { .. } => "/sessions",
            What::Release { .. } => "/addresses",
            _ => "/users",
        }
    }
}

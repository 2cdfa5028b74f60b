//! Sessions that are to be disconnected.

use crate::now::{Id, Stamp};
use serde::{Deserialize, Serialize};

/// A session is to be disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisconnectDecided {
    /// The session.
    pub session: Id,
    /// When that was decided.
    pub at: Stamp,
    /// The reason.
    pub why: Disconnecting,
    /// What is done about it.
    pub how: Enforcement,
    /// The account of the operating system that asked for it.
    pub by: Option<String>,
}

/// Why a session is to be disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disconnecting {
    /// A rule that holds for live sessions denies it.
    Rule {
        /// The rule.
        rule: String,
        /// Its reason.
        reason: Option<String>,
        /// The rule asks for the time, or for what was used.
        time_is_up: bool,
    },
    /// Its user, or the computer that it claims, is blocked.
    Blocked,
    /// A newer session of its user makes it one too many.
    Replaced,
    /// Somebody named it.
    Asked {
        /// The reason, for people.
        reason: Option<String>,
    },
}

impl Disconnecting {
    /// As the ledger writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rule { .. } => "rule",
            Self::Blocked => "blocked",
            Self::Replaced => "replaced",
            Self::Asked { .. } => "asked",
        }
    }

    /// The rule.
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Rule { rule, .. } => Some(rule),
            _ => None,
        }
    }

    /// The reason that people gave.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Rule { reason, .. } | Self::Asked { reason } => reason.as_deref(),
            Self::Blocked | Self::Replaced => None,
        }
    }

    /// The cause of the hangup that follows.
    pub const fn cause(&self) -> TerminateCause {
        match self {
            Self::Rule { time_is_up: true, .. } => TerminateCause::SessionTimeout,
            _ => TerminateCause::AdminReset,
        }
    }
}

/// What is done about a session that is to be disconnected. Each is more than those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// It is marked: the service has not seen it yet.
    Marked,
    /// It is reported, and stays connected.
    Reported,
    /// The service asks RRAS to disconnect it.
    Enforced,
}

impl Enforcement {
    /// As the ledger writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Marked => "marked",
            Self::Reported => "reported",
            Self::Enforced => "enforced",
        }
    }
}

/// Acct-Terminate-Cause (RFC 2866) of a session that was disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum TerminateCause {
    SessionTimeout,
    AdminReset,
}

impl TerminateCause {
    /// The name in RFC 2866.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SessionTimeout => "Session-Timeout",
            Self::AdminReset => "Admin-Reset",
        }
    }
}

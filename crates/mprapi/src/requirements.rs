//! The functions that RRAS requires of a DLL. There are three profiles, because the documents and the shipping loader
//! disagree.

use crate::contract::{FunctionId, FunctionSet};
use std::fmt;

/// A set of requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The list on Microsoft's page "RAS administration DLL functions" (the strictest public statement).
    Documented,
    /// The requirements that the loader of shipping Windows Server enforces (observed).
    Shipping,
    /// Windows NT 4.0 and Windows 2000: as documented, and the IPv4 pair is required.
    Nt4,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 3] = [Self::Documented, Self::Shipping, Self::Nt4];

    /// The name used on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Shipping => "shipping",
            Self::Nt4 => "nt4",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Profile {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|p| p.name() == s)
            .ok_or_else(|| format!("there is no profile `{s}`: use documented, shipping or nt4"))
    }
}

/// A requirement that is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// One of these functions is required, and none is present.
    NoneOf(&'static [FunctionId]),
    /// No whole pair of AcceptNewConnection and ConnectionHangupNotification is present.
    NoConnectionPair,
    /// Only one half of an address pair is present.
    HalfPair {
        /// The half that is present.
        has: FunctionId,
        /// The half that is missing.
        lacks: FunctionId,
    },
    /// The callbacks table has a revision that RRAS does not know.
    UnknownRevision(u8),
    /// The callbacks table says revision 1, but a table has no place for that revision's connection functions.
    Revision1InTable,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneOf([one]) => write!(f, "{one} is missing"),
            Self::NoneOf(ids) => {
                let names: Vec<_> = ids.iter().map(|id| id.name()).collect();
                write!(f, "one of {} is required, and none is present", names.join(", "))
            }
            Self::NoConnectionPair => write!(
                f,
                "no whole pair of MprAdminAcceptNewConnection and MprAdminConnectionHangupNotification (plain, 2, 3 or \
                 Ex) is present"
            ),
            Self::HalfPair { has, lacks } => {
                write!(f, "{has} is present without {lacks}: a pair must be whole or absent")
            }
            Self::UnknownRevision(revision) => {
                write!(f, "the callbacks table says revision {revision}: RRAS knows 1 and 2")
            }
            Self::Revision1InTable => write!(
                f,
                "the callbacks table says revision 1, whose connection functions have no place in a table: set \
                 revision 2"
            ),
        }
    }
}

/// The result of checking a DLL's exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportResult {
    /// The exports decide. These requirements are not met; if the list is empty, the DLL passes.
    Decided(Vec<Violation>),
    /// The DLL exports MprAdminInitializeDllEx, so only the callbacks table counts, which is known only when the DLL runs.
    DependsOnTable,
}

use FunctionId as F;

/// The four pairs of connection functions, in the order in which RRAS prefers them.
pub const CONNECTION_PAIRS: [(FunctionId, FunctionId); 4] = [
    (F::AcceptNewConnectionEx, F::ConnectionHangupNotificationEx),
    (F::AcceptNewConnection3, F::ConnectionHangupNotification3),
    (F::AcceptNewConnection2, F::ConnectionHangupNotification2),
    (F::AcceptNewConnection, F::ConnectionHangupNotification),
];
const ADDRESS_PAIRS: [(FunctionId, FunctionId); 2] =
    [(F::GetIpv6AddressForUser, F::ReleaseIpv6AddressForUser), (F::GetIpAddressForUser, F::ReleaseIpAddress)];
const REVISION_1_ACCEPTS: &[FunctionId] = &[F::AcceptNewConnection3, F::AcceptNewConnection2, F::AcceptNewConnection];
const REVISION_1_HANGUPS: &[FunctionId] =
    &[F::ConnectionHangupNotification3, F::ConnectionHangupNotification2, F::ConnectionHangupNotification];

struct Findings(FunctionSet, Vec<Violation>);

impl Findings {
    fn one_of(&mut self, ids: &'static [FunctionId]) {
        if !self.0.any(ids) {
            self.1.push(Violation::NoneOf(ids));
        }
    }

    fn whole_address_pairs(&mut self) {
        for (get, release) in ADDRESS_PAIRS {
            match (self.0.contains(get), self.0.contains(release)) {
                (true, false) => self.1.push(Violation::HalfPair { has: get, lacks: release }),
                (false, true) => self.1.push(Violation::HalfPair { has: release, lacks: get }),
                _ => {}
            }
        }
    }
}

/// Checks a DLL's exports.
pub fn check_exports(profile: Profile, exports: FunctionSet) -> ExportResult {
    match profile {
        Profile::Shipping if exports.contains(F::InitializeDllEx) => ExportResult::DependsOnTable,
        Profile::Shipping => ExportResult::Decided(revision_1(exports)),
        Profile::Documented => ExportResult::Decided(documented_exports(exports)),
        Profile::Nt4 => {
            let mut violations = documented_exports(exports);
            if !exports.any(&[F::GetIpAddressForUser, F::ReleaseIpAddress]) {
                violations.push(Violation::NoneOf(&[F::GetIpAddressForUser]));
                violations.push(Violation::NoneOf(&[F::ReleaseIpAddress]));
            }
            ExportResult::Decided(violations)
        }
    }
}

fn documented_exports(exports: FunctionSet) -> Vec<Violation> {
    let mut findings = Findings(exports, Vec::new());
    findings.one_of(&[F::InitializeDll, F::InitializeDllEx]);
    findings.one_of(&[F::TerminateDll]);
    findings.one_of(&[F::AcceptNewLink]);
    findings.one_of(&[F::LinkHangupNotification]);
    findings.one_of(&[F::AcceptReauthentication, F::AcceptReauthenticationEx]);
    if !CONNECTION_PAIRS.iter().any(|&(accept, hangup)| exports.all(&[accept, hangup])) {
        findings.1.push(Violation::NoConnectionPair);
    }
    findings.whole_address_pairs();
    findings.1
}

/// The requirements that the shipping loader enforces for a DLL without MprAdminInitializeDllEx.
fn revision_1(exports: FunctionSet) -> Vec<Violation> {
    let mut findings = Findings(exports, Vec::new());
    findings.whole_address_pairs();
    findings.one_of(&[F::AcceptNewLink]);
    findings.one_of(&[F::LinkHangupNotification]);
    findings.one_of(REVISION_1_ACCEPTS);
    findings.one_of(REVISION_1_HANGUPS);
    findings.1
}

/// Checks the callbacks table that MprAdminInitializeDllEx filled in: its revision, and the pointers that are not null.
///
/// Functions in `pointers` that have no place in the table are ignored. Windows NT 4.0 and 2000 have no such table, so that
/// profile has no requirements here.
pub fn check_table(profile: Profile, revision: u8, pointers: FunctionSet) -> Vec<Violation> {
    let pointers: FunctionSet = pointers.iter().filter(|id| id.row().slot.is_some()).collect();
    let mut findings = Findings(pointers, Vec::new());
    match (profile, revision) {
        (Profile::Nt4, _) => return Vec::new(),
        (_, 2) => {}
        (_, 1) => findings.1.push(Violation::Revision1InTable),
        (_, other) => findings.1.push(Violation::UnknownRevision(other)),
    }
    findings.whole_address_pairs();
    if profile == Profile::Shipping {
        findings.one_of(&[F::AcceptNewLink]);
        findings.one_of(&[F::LinkHangupNotification]);
        findings.one_of(&[F::AcceptNewConnectionEx]);
        findings.one_of(&[F::ConnectionHangupNotificationEx]);
    } else {
        // The callbacks page says "either ... or", but RRAS requires both (R-SET-5).
        findings.one_of(&[F::AcceptNewLink, F::LinkHangupNotification]);
        findings.one_of(&[F::AcceptNewConnectionEx, F::ConnectionHangupNotificationEx]);
    }
    findings.1
}

//! The table of the contract's functions. Everything else uses it, or is tested against it.

use std::fmt;

/// A function of the contract, in the order of [`FUNCTIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // The rows of FUNCTIONS document them.
pub enum FunctionId {
    InitializeDll,
    InitializeDllEx,
    TerminateDll,
    AcceptNewConnection,
    AcceptNewConnection2,
    AcceptNewConnection3,
    AcceptNewConnectionEx,
    ConnectionHangupNotification,
    ConnectionHangupNotification2,
    ConnectionHangupNotification3,
    ConnectionHangupNotificationEx,
    AcceptNewLink,
    LinkHangupNotification,
    AcceptReauthentication,
    AcceptReauthenticationEx,
    GetIpAddressForUser,
    ReleaseIpAddress,
    GetIpv6AddressForUser,
    ReleaseIpv6AddressForUser,
    AcceptTunnelEndpointChangeEx,
    ValidatePreAuthenticatedConnectionEx,
}

/// What an argument points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Named after the structures of mprapi.h.
pub enum ArgumentType {
    Callbacks,
    Connection0,
    Connection1,
    Connection2,
    Connection3,
    ConnectionEx,
    Port0,
    Port1,
    AuthValidation,
    /// A terminated UTF-16 string: the user's name.
    UserName,
    /// A terminated UTF-16 string: the port's name.
    PortName,
    /// A DWORD in network byte order.
    Ipv4Address,
    /// An IN6_ADDR.
    Ipv6Address,
    /// A BOOL: whether RRAS calls the release function.
    NotifyRelease,
}

impl ArgumentType {
    /// The C type, as mprapi.h spells it.
    pub const fn c_type(self) -> &'static str {
        match self {
            Self::Callbacks => "MPRAPI_ADMIN_DLL_CALLBACKS *",
            Self::Connection0 => "RAS_CONNECTION_0 *",
            Self::Connection1 => "RAS_CONNECTION_1 *",
            Self::Connection2 => "RAS_CONNECTION_2 *",
            Self::Connection3 => "RAS_CONNECTION_3 *",
            Self::ConnectionEx => "RAS_CONNECTION_EX *",
            Self::Port0 => "RAS_PORT_0 *",
            Self::Port1 => "RAS_PORT_1 *",
            Self::AuthValidation => "AUTH_VALIDATION_EX *",
            Self::UserName | Self::PortName => "WCHAR *",
            Self::Ipv4Address => "DWORD *",
            Self::Ipv6Address => "IN6_ADDR *",
            Self::NotifyRelease => "BOOL *",
        }
    }

    /// The number of bytes that it points to. None for strings, and for AUTH_VALIDATION_EX, whose header has the size.
    pub const fn size(self) -> Option<usize> {
        use crate::abi;
        Some(match self {
            Self::Callbacks => size_of::<abi::MPRAPI_ADMIN_DLL_CALLBACKS>(),
            Self::Connection0 => size_of::<abi::RAS_CONNECTION_0>(),
            Self::Connection1 => size_of::<abi::RAS_CONNECTION_1>(),
            Self::Connection2 => size_of::<abi::RAS_CONNECTION_2>(),
            Self::Connection3 => size_of::<abi::RAS_CONNECTION_3>(),
            Self::ConnectionEx => size_of::<abi::RAS_CONNECTION_EX>(),
            Self::Port0 => size_of::<abi::RAS_PORT_0>(),
            Self::Port1 => size_of::<abi::RAS_PORT_1>(),
            Self::Ipv4Address | Self::NotifyRelease => 4,
            Self::Ipv6Address => 16,
            Self::AuthValidation | Self::UserName | Self::PortName => return None,
        })
    }

    /// The argument's name in traces, findings and documentation.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Callbacks => "callbacks",
            Self::Connection0 => "connection0",
            Self::Connection1 => "connection1",
            Self::Connection2 => "connection2",
            Self::Connection3 => "connection3",
            Self::ConnectionEx => "connection",
            Self::Port0 => "port0",
            Self::Port1 => "port1",
            Self::AuthValidation => "auth",
            Self::UserName => "user",
            Self::PortName => "port",
            Self::Ipv4Address => "ipv4",
            Self::Ipv6Address => "ipv6",
            Self::NotifyRelease => "notify_release",
        }
    }
}

/// Who writes what an argument points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// RRAS writes it and the DLL reads it.
    In,
    /// The DLL writes it and RRAS reads it.
    Out,
    /// Both.
    InOut,
}

/// One argument. Every argument is a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// What it points to.
    pub ty: ArgumentType,
    /// Who writes it.
    pub direction: Direction,
    /// Whether RRAS may pass null. No page allows that for any argument, but a DLL should survive it.
    pub nullable: bool,
}

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// A DWORD: NO_ERROR (0) is success.
    Status,
    /// A BOOL: TRUE accepts.
    Verdict,
    /// Nothing.
    Nothing,
    /// A DWORD: 1 (ALLOW_NO_AUTH) lets the client in without authentication, 0 does not.
    PreAuthentication,
}

/// The requirement group that a function belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// InitializeDll or InitializeDllEx.
    Initialize,
    /// Always required.
    Always,
    /// One of the four connection pairs.
    ConnectionPair,
    /// AcceptReauthentication or AcceptReauthenticationEx.
    Reauthentication,
    /// The IPv4 pair: whole or absent.
    Ipv4Pair,
    /// The IPv6 pair: whole or absent.
    Ipv6Pair,
    /// Never required.
    Optional,
}

/// Calls of functions in the same group never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SerialGroup {
    /// Initialise and terminate. No other call runs at the same time.
    LifeCycle,
    /// Accept and hangup of connections.
    Connection,
    /// The address functions.
    Address,
    /// In no documented group. One call of this function at a time; calls of other functions may overlap.
    Own,
}

/// The evidence for a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A public page of Microsoft's.
    Documented,
    /// The Win32 metadata. The function has no page of its own.
    Metadata,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The function.
    pub id: FunctionId,
    /// Its name, as exported. For functions that exist in the callbacks table only, the name of the callback type's page.
    pub name: &'static str,
    /// Whether it is exported. If not, it exists in the callbacks table only.
    pub exported: bool,
    /// The index of its pointer in MPRAPI_ADMIN_DLL_CALLBACKS, counted after `revision`. None if the table has no such pointer.
    pub slot: Option<usize>,
    /// The name of its field in MPRAPI_ADMIN_DLL_CALLBACKS.
    pub field: Option<&'static str>,
    /// Its arguments, in order.
    pub arguments: &'static [Argument],
    /// What it returns.
    pub returns: Returns,
    /// The requirement that it belongs to.
    pub group: Group,
    /// The calls with which its calls never overlap.
    pub serial: SerialGroup,
    /// The evidence for this row.
    pub evidence: Evidence,
    /// The source of the evidence: a page under <https://learn.microsoft.com/windows/win32/api/mprapi/>, or the crate.
    pub source: &'static str,
}

const fn arg(ty: ArgumentType, direction: Direction) -> Argument {
    Argument { ty, direction, nullable: false }
}
const C0: Argument = arg(ArgumentType::Connection0, Direction::In);
const C1: Argument = arg(ArgumentType::Connection1, Direction::In);
const C2: Argument = arg(ArgumentType::Connection2, Direction::In);
const C3: Argument = arg(ArgumentType::Connection3, Direction::In);
const EX: Argument = arg(ArgumentType::ConnectionEx, Direction::In);
const P0: Argument = arg(ArgumentType::Port0, Direction::In);
const P1: Argument = arg(ArgumentType::Port1, Direction::In);
const USER: Argument = arg(ArgumentType::UserName, Direction::In);
const PORT: Argument = arg(ArgumentType::PortName, Direction::In);

macro_rules! table {
    ($($id:ident $name:literal $exported:literal $slot:expr, [$($argument:expr),*] => $returns:ident, $group:ident, $serial:ident, $evidence:ident $source:literal;)*) => {
        &[$(Function {
            id: FunctionId::$id,
            name: $name,
            exported: $exported,
            slot: slot_index($slot),
            field: slot_field($slot),
            arguments: &[$($argument),*],
            returns: Returns::$returns,
            group: Group::$group,
            serial: SerialGroup::$serial,
            evidence: Evidence::$evidence,
            source: $source,
        }),*]
    };
}

type Slot = Option<(usize, &'static str)>;
const fn slot_index(slot: Slot) -> Option<usize> {
    match slot {
        Some((index, _)) => Some(index),
        None => None,
    }
}
const fn slot_field(slot: Slot) -> Option<&'static str> {
    match slot {
        Some((_, field)) => Some(field),
        None => None,
    }
}

/// The number of functions, including those that exist in the callbacks table only.
pub const FUNCTION_COUNT: usize = 21;
/// The number of exports.
pub const EXPORT_COUNT: usize = 19;
/// The number of pointers in the callbacks table.
pub const SLOT_COUNT: usize = 12;

/// Every function of the contract: the nineteen exports, then the two that exist in the callbacks table only.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function; FUNCTION_COUNT] = table! {
    InitializeDll "MprAdminInitializeDll" true None, [] => Status, Initialize, LifeCycle, Documented "nf-mprapi-mpradmininitializedll";
    InitializeDllEx "MprAdminInitializeDllEx" true None, [arg(ArgumentType::Callbacks, Direction::InOut)] => Status, Initialize, LifeCycle, Documented "nf-mprapi-mpradmininitializedllex";
    TerminateDll "MprAdminTerminateDll" true Some((6, "lpfnRasAdminTerminateDll")), [] => Status, Always, LifeCycle, Documented "nf-mprapi-mpradminterminatedll";
    AcceptNewConnection "MprAdminAcceptNewConnection" true None, [C0, C1] => Verdict, ConnectionPair, Connection, Documented "nf-mprapi-mpradminacceptnewconnection";
    AcceptNewConnection2 "MprAdminAcceptNewConnection2" true None, [C0, C1, C2] => Verdict, ConnectionPair, Connection, Documented "nf-mprapi-mpradminacceptnewconnection2";
    AcceptNewConnection3 "MprAdminAcceptNewConnection3" true None, [C0, C1, C2, C3] => Verdict, ConnectionPair, Connection, Documented "nf-mprapi-mpradminacceptnewconnection3";
    AcceptNewConnectionEx "MprAdminAcceptNewConnectionEx" true Some((7, "lpfnRasAdminAcceptNewConnectionEx")), [EX] => Verdict, ConnectionPair, Connection, Documented "nf-mprapi-mpradminacceptnewconnectionex";
    ConnectionHangupNotification "MprAdminConnectionHangupNotification" true None, [C0, C1] => Nothing, ConnectionPair, Connection, Documented "nf-mprapi-mpradminconnectionhangupnotification";
    ConnectionHangupNotification2 "MprAdminConnectionHangupNotification2" true None, [C0, C1, C2] => Nothing, ConnectionPair, Connection, Documented "nf-mprapi-mpradminconnectionhangupnotification2";
    ConnectionHangupNotification3 "MprAdminConnectionHangupNotification3" true None, [C0, C1, C2, C3] => Nothing, ConnectionPair, Connection, Documented "nf-mprapi-mpradminconnectionhangupnotification3";
    ConnectionHangupNotificationEx "MprAdminConnectionHangupNotificationEx" true Some((10, "lpfnRasAdminConnectionHangupNotificationEx")), [EX] => Nothing, ConnectionPair, Connection, Documented "nf-mprapi-mpradminconnectionhangupnotificationex";
    AcceptNewLink "MprAdminAcceptNewLink" true Some((4, "lpfnRasAdminAcceptNewLink")), [P0, P1] => Verdict, Always, Own, Documented "nf-mprapi-mpradminacceptnewlink";
    LinkHangupNotification "MprAdminLinkHangupNotification" true Some((5, "lpfnRasAdminLinkHangupNotification")), [P0, P1] => Nothing, Always, Own, Documented "nf-mprapi-mpradminlinkhangupnotification";
    AcceptReauthentication "MprAdminAcceptReauthentication" true None, [C0, C1, C2, C3] => Verdict, Reauthentication, Own, Documented "nf-mprapi-mpradminacceptreauthentication";
    AcceptReauthenticationEx "MprAdminAcceptReauthenticationEx" true Some((9, "lpfnRasAdminAcceptReauthenticationEx")), [EX] => Verdict, Reauthentication, Own, Documented "nf-mprapi-mpradminacceptreauthenticationex";
    GetIpAddressForUser "MprAdminGetIpAddressForUser" true Some((0, "lpfnMprAdminGetIpAddressForUser")), [USER, PORT, arg(ArgumentType::Ipv4Address, Direction::InOut), arg(ArgumentType::NotifyRelease, Direction::Out)] => Status, Ipv4Pair, Address, Documented "nf-mprapi-mpradmingetipaddressforuser";
    ReleaseIpAddress "MprAdminReleaseIpAddress" true Some((1, "lpfnMprAdminReleaseIpAddress")), [USER, PORT, arg(ArgumentType::Ipv4Address, Direction::In)] => Nothing, Ipv4Pair, Address, Documented "nf-mprapi-mpradminreleaseipaddress";
    GetIpv6AddressForUser "MprAdminGetIpv6AddressForUser" true Some((2, "lpfnMprAdminGetIpv6AddressForUser")), [USER, PORT, arg(ArgumentType::Ipv6Address, Direction::InOut), arg(ArgumentType::NotifyRelease, Direction::Out)] => Status, Ipv6Pair, Address, Documented "nf-mprapi-mpradmingetipv6addressforuser";
    ReleaseIpv6AddressForUser "MprAdminReleaseIpv6AddressForUser" true Some((3, "lpfnMprAdminReleaseIpV6AddressForUser")), [USER, PORT, arg(ArgumentType::Ipv6Address, Direction::In)] => Nothing, Ipv6Pair, Address, Documented "nf-mprapi-mpradminreleaseipv6addressforuser";
    AcceptTunnelEndpointChangeEx "MprAdminAcceptTunnelEndpointChangeEx" false Some((8, "lpfnRasAdminAcceptEndpointChangeEx")), [EX] => Verdict, Optional, Own, Metadata "windows-sys: PMPRADMINACCEPTTUNNELENDPOINTCHANGEEX";
    ValidatePreAuthenticatedConnectionEx "MprAdminRasValidatePreAuthenticatedConnectionEx" false Some((11, "lpfnRASValidatePreAuthenticatedConnectionEx")), [arg(ArgumentType::AuthValidation, Direction::In)] => PreAuthentication, Optional, Own, Metadata "windows-sys: PMPRADMINRASVALIDATEPREAUTHENTICATEDCONNECTIONEX";
};

impl FunctionId {
    /// Its row in the table.
    pub const fn row(self) -> &'static Function {
        &FUNCTIONS[self as usize]
    }

    /// Its name, as exported.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The function exported under exactly this name.
    pub fn from_export(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|f| f.exported && f.name == name).map(|f| f.id)
    }

    /// The function of this name, whether exported or not.
    pub fn from_name(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|f| f.name == name).map(|f| f.id)
    }

    /// All functions, in the table's order.
    pub fn all() -> impl Iterator<Item = Self> {
        FUNCTIONS.iter().map(|f| f.id)
    }
}

impl fmt::Display for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of functions: a DLL's exports, or the functions in its callbacks table.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FunctionSet(u32);

impl FunctionSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The set whose members are the bits of `bits`. Bit n stands for row n of [`FUNCTIONS`].
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << FUNCTION_COUNT) - 1))
    }

    /// The nineteen exports.
    pub const fn exports() -> Self {
        Self((1 << EXPORT_COUNT) - 1)
    }

    /// Whether `id` is in the set.
    pub const fn contains(self, id: FunctionId) -> bool {
        self.0 & (1 << id as u32) != 0
    }

    /// Adds `id`.
    pub const fn insert(&mut self, id: FunctionId) {
        self.0 |= 1 << id as u32;
    }

    /// The set with `id`.
    #[must_use]
    pub const fn with(self, id: FunctionId) -> Self {
        Self(self.0 | 1 << id as u32)
    }

    /// The set without `id`.
    #[must_use]
    pub const fn without(self, id: FunctionId) -> Self {
        Self(self.0 & !(1 << id as u32))
    }

    /// Whether any of `ids` is in the set.
    pub fn any(self, ids: &[FunctionId]) -> bool {
        ids.iter().any(|&id| self.contains(id))
    }

    /// Whether all of `ids` are in the set.
    pub fn all(self, ids: &[FunctionId]) -> bool {
        ids.iter().all(|&id| self.contains(id))
    }

    /// Its members, in the table's order.
    pub fn iter(self) -> impl Iterator<Item = FunctionId> {
        FunctionId::all().filter(move |&id| self.contains(id))
    }

    /// The number of members.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<FunctionId> for FunctionSet {
    fn from_iter<I: IntoIterator<Item = FunctionId>>(ids: I) -> Self {
        ids.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for FunctionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_at_the_index_of_its_id() {
        for (index, row) in FUNCTIONS.iter().enumerate() {
            assert_eq!(row.id as usize, index, "{}", row.name);
            assert_eq!(FunctionId::from_name(row.name), Some(row.id));
        }
        assert_eq!(FUNCTIONS.iter().filter(|f| f.exported).count(), EXPORT_COUNT);
    }

    #[test]
    fn the_slots_are_the_tables_twelve_pointers_in_order() {
        use crate::abi::MPRAPI_ADMIN_DLL_CALLBACKS as T;
        use std::mem::offset_of;
        let offsets = [
            (FunctionId::GetIpAddressForUser, offset_of!(T, lpfnMprAdminGetIpAddressForUser)),
            (FunctionId::ReleaseIpAddress, offset_of!(T, lpfnMprAdminReleaseIpAddress)),
            (FunctionId::GetIpv6AddressForUser, offset_of!(T, lpfnMprAdminGetIpv6AddressForUser)),
            (FunctionId::ReleaseIpv6AddressForUser, offset_of!(T, lpfnMprAdminReleaseIpV6AddressForUser)),
            (FunctionId::AcceptNewLink, offset_of!(T, lpfnRasAdminAcceptNewLink)),
            (FunctionId::LinkHangupNotification, offset_of!(T, lpfnRasAdminLinkHangupNotification)),
            (FunctionId::TerminateDll, offset_of!(T, lpfnRasAdminTerminateDll)),
            (FunctionId::AcceptNewConnectionEx, offset_of!(T, lpfnRasAdminAcceptNewConnectionEx)),
            (FunctionId::AcceptTunnelEndpointChangeEx, offset_of!(T, lpfnRasAdminAcceptEndpointChangeEx)),
            (FunctionId::AcceptReauthenticationEx, offset_of!(T, lpfnRasAdminAcceptReauthenticationEx)),
            (FunctionId::ConnectionHangupNotificationEx, offset_of!(T, lpfnRasAdminConnectionHangupNotificationEx)),
            (
                FunctionId::ValidatePreAuthenticatedConnectionEx,
                offset_of!(T, lpfnRASValidatePreAuthenticatedConnectionEx),
            ),
        ];
        for (slot, (id, offset)) in offsets.into_iter().enumerate() {
            assert_eq!(id.row().slot, Some(slot), "{id}");
            assert_eq!(offset, 8 + 8 * slot, "{id}");
        }
        assert_eq!(FUNCTIONS.iter().filter(|f| f.slot.is_some()).count(), SLOT_COUNT);
    }

    #[test]
    fn a_set_has_the_members_that_were_inserted() {
        let set: FunctionSet = [FunctionId::TerminateDll, FunctionId::AcceptNewLink].into_iter().collect();
        assert_eq!(set.len(), 2);
        assert!(set.contains(FunctionId::AcceptNewLink));
        assert!(!set.without(FunctionId::AcceptNewLink).contains(FunctionId::AcceptNewLink));
        assert_eq!(FunctionSet::exports().len(), EXPORT_COUNT);
    }
}

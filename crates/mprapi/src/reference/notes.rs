//! What a developer must know about each function and field, in words.

use crate::contract::FunctionId;

/// When a function is called, and what its answer does.
pub(super) struct Facts {
    pub called: &'static str,
    pub returns: &'static str,
    pub must_not: &'static str,
}

const VERDICT: &str = "TRUE accepts; FALSE ends the connection. It stands only if every DLL accepts";
const NOTHING: &str = "nothing";
const OLD_FORM: &str = "when a user connects, by a DLL of revision 1 that lacks a newer form (3 comes before 2, and 2 before the plain one)";
const OLD_HANGUP: &str = "when a connection has ended, by a DLL of revision 1 that lacks a newer form (3 comes before 2, and 2 before the plain one)";
const SLOW: &str = "wait for the network, a disk or a lock: every other user waits too";
const UNKNOWN: &str = "fail for a connection or link that it never accepted: RRAS may report those as well";

pub(super) fn function(id: FunctionId) -> Facts {
    use FunctionId::*;
    let (called, returns, must_not) = match id {
        InitializeDll => (
            "once, when the service starts, if the DLL does not export MprAdminInitializeDllEx. The DLL counts as revision 1 \
             and is not called for IKEv2 connections",
            "0; any other answer stops the service from starting (event 20113)",
            "fail for a reason that can be reported and repaired later",
        ),
        InitializeDllEx => (
            "once, when the service starts, with a table of 104 bytes that is zero. Set `revision` to 2 and the pointers that \
             you implement; leave the others null",
            "0; any other answer stops the service from starting (event 20113)",
            "keep the pointer to the table, write beyond its 104 bytes, or set only a half of an address pair",
        ),
        TerminateDll => (
            "once, when the service stops, before FreeLibrary",
            "0",
            "leave a thread, a handle or a timer behind: the code is unmapped afterwards",
        ),
        AcceptNewConnection | AcceptNewConnection2 | AcceptNewConnection3 => (OLD_FORM, VERDICT, SLOW),
        AcceptNewConnectionEx => (
            "when a user connects, after authentication and the address calls",
            "TRUE accepts; FALSE ends the connection. (Its page says that it returns nothing; RRAS reads the answer)",
            "read past `Header.size`, or wait for the network, a disk or a lock",
        ),
        ConnectionHangupNotification | ConnectionHangupNotification2 | ConnectionHangupNotification3 => {
            (OLD_HANGUP, NOTHING, UNKNOWN)
        }
        ConnectionHangupNotificationEx => ("when a connection has ended", NOTHING, UNKNOWN),
        AcceptNewLink => (
            "at once after a connection was accepted, for its first link, and for every further link. Only the link's \
             `wszDeviceName` distinguishes SSTP, L2TP and PPTP",
            "TRUE accepts; FALSE ends the link, and the connection if it is the first link",
            SLOW,
        ),
        LinkHangupNotification => {
            ("when a link has ended, and at once for a link that a later DLL rejected", NOTHING, UNKNOWN)
        }
        AcceptReauthentication => (
            "when the quarantine state of a connection changes, if the DLL counts as revision 1",
            "TRUE accepts; FALSE ends the connection, and every DLL gets the hangup",
            SLOW,
        ),
        AcceptReauthenticationEx => (
            "when the quarantine state of a connection changes",
            "TRUE accepts; FALSE ends the connection, and every DLL gets the hangup",
            SLOW,
        ),
        GetIpAddressForUser => (
            "as IPv4 comes up, before the connection is accepted, with an address that RRAS offers. Keep it or write another \
             one, in network byte order: 10.8.0.5 is the bytes 0A 08 00 05. Only the first DLL that has this function is asked",
            "0; any other answer ends the connection. So does an address of 0.0.0.0, of the server, or of another client",
            "give an address that another user has. Treat 0.0.0.0 and 169.254.x.x as no offer: choose an address, or refuse",
        ),
        ReleaseIpAddress => (
            "when the address is given back, if `notify_release` was set to TRUE; also if the assignment failed afterwards",
            NOTHING,
            "depend on whether the hangup comes before or after it",
        ),
        GetIpv6AddressForUser => (
            "as IPv6 comes up. RRAS owns the prefix; the DLL may choose the interface identifier, the last eight bytes \
             according to Microsoft's sample (unproven)",
            "0; any other answer ends the connection",
            "change the first eight bytes, or give an identifier that is zero, reserved (RFC 5453) or in use",
        ),
        ReleaseIpv6AddressForUser => (
            "when the identifier is given back, if `notify_release` was set to TRUE",
            "nothing according to its callback type, a DWORD according to its page. A function that returns 0 is right for both",
            "depend on whether the hangup comes before or after it",
        ),
        AcceptTunnelEndpointChangeEx => (
            "when an IKEv2 client moves to another network",
            "TRUE accepts; FALSE presumably ends the connection (unproven)",
            SLOW,
        ),
        ValidatePreAuthenticatedConnectionEx => (
            "for an SSTP client, before authentication. Leave the pointer null unless you need it on purpose",
            "1 (ALLOW_NO_AUTH) admits the client without authentication; 0 does not, and later DLLs are not asked",
            "answer 1 for anyone whom it has not authenticated itself: that opens the VPN to everybody",
        ),
    };
    Facts { called, returns, must_not }
}

/// What a field holds, if its name does not say it.
pub(super) fn field(structure: &str, field: &str) -> Option<&'static str> {
    Some(match (structure, field) {
        ("MPRAPI_OBJECT_HEADER", "revision") => "1",
        ("MPRAPI_OBJECT_HEADER", "type") => "1 for RAS_CONNECTION_EX, 4 for AUTH_VALIDATION_EX",
        ("MPRAPI_OBJECT_HEADER", "size") => "of the whole structure, in bytes",
        ("PROJECTION_INFO", "projectionInfoType") => "1: the PPP arm is valid; 2: the IKEv2 arm; else neither",
        ("AUTH_VALIDATION_EX", "AuthInfo") => "AuthInfoSize bytes",
        ("RAS_PORT_0", "wszDeviceType") => "vpn for tunnels",
        ("RAS_PORT_0", "wszDeviceName") => "WAN Miniport (SSTP), localised: only the brackets count",
        ("RAS_PORT_0", "wszPortName") => "such as VPN2-127",
        ("RAS_CONNECTION_0" | "RAS_CONNECTION_EX", "dwConnectionFlags") => "0x10: IKEv2; may be 0",
        (_, "guid") => "valid while the connection is active",
        (_, "hConnection") => "the same in all calls of a connection; used again later",
        (_, "hRasConnection") => "the connection",
        (_, "wszUserName") => "user, DOMAIN\\user or user@domain",
        (_, "wszRemoteComputer") => "as the client claims; may be empty",
        (_, "dwBytesXmited") => "server to client; wraps at 4 GiB",
        (_, "dwBytesRcved") => "client to server; wraps at 4 GiB",
        (_, "dwConnectDuration") => "seconds",
        (_, "rasQuarState") => "0 normal, 1 quarantine, 2 probation, 3 not capable",
        (_, "wszAddress") if is_ipv4(structure) => "of the server, probably",
        (_, "wszRemoteAddress") => "of the client, probably",
        (_, "bInterfaceIdentifier") => "of the server, probably",
        (_, "bRemoteInterfaceIdentifier") => "of the client, probably",
        (_, "dwIPv4NegotiationError") => "if not 0, the IPv4 addresses mean nothing",
        (_, "dwLcpTerminateReason" | "dwLcpRemoteTerminateReason") => "always 0",
        (_, "wszRemoteEndpointAddress") => "the client's public address",
        (_, "dwNumSwitchOvers") => "how often an IKEv2 client moved",
        _ => return None,
    })
}

fn is_ipv4(structure: &str) -> bool {
    ["PPP_IPCP_INFO", "PPP_IPCP_INFO2", "PPP_PROJECTION_INFO", "IKEV2_PROJECTION_INFO"].contains(&structure)
}

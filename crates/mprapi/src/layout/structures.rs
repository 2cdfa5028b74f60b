//! Every structure with every field.

use super::c_type::field;
use super::{Field, Structure};
use crate::abi::*;
use std::mem::offset_of;

macro_rules! structures {
    ($($structure:ident { $($field:tt),+ $(,)? })+) => {
        vec![$({
            // Does not compile if a field is missing here.
            const _: fn($structure) = |$structure { $($field: _),+ }| ();
            Structure {
                name: stringify!($structure),
                size: size_of::<$structure>(),
                fields: vec![$({
                    let name = stringify!($field).trim_start_matches("r#");
                    let (c_type, elements, size) = field(name, |s: &$structure| &s.$field);
                    Field { name, c_type, elements, offset: offset_of!($structure, $field), size }
                }),+],
            }
        }),+]
    };
}

/// All structures of the contract; those that others contain come first.
pub fn structures() -> Vec<Structure> {
    let mut all = structures! {
        GUID { data1, data2, data3, data4 }
        FILETIME { dwLowDateTime, dwHighDateTime }
        IN6_ADDR { u }
        MPRAPI_OBJECT_HEADER { revision, r#type, size }
        PPP_NBFCP_INFO { dwError, wszWksta }
        PPP_IPCP_INFO { dwError, wszAddress, wszRemoteAddress }
        PPP_IPCP_INFO2 { dwError, wszAddress, wszRemoteAddress, dwOptions, dwRemoteOptions }
        PPP_IPXCP_INFO { dwError, wszAddress }
        PPP_ATCP_INFO { dwError, wszAddress }
        PPP_CCP_INFO {
            dwError, dwCompressionAlgorithm, dwOptions, dwRemoteCompressionAlgorithm, dwRemoteOptions,
        }
        PPP_LCP_INFO {
            dwError, dwAuthenticationProtocol, dwAuthenticationData, dwRemoteAuthenticationProtocol,
            dwRemoteAuthenticationData, dwTerminateReason, dwRemoteTerminateReason, dwOptions, dwRemoteOptions,
            dwEapTypeId, dwRemoteEapTypeId,
        }
        PPP_IPV6_CP_INFO {
            dwVersion, dwSize, dwError, bInterfaceIdentifier, bRemoteInterfaceIdentifier, dwOptions, dwRemoteOptions,
            bPrefix, dwPrefixLength,
        }
        PPP_INFO { nbf, ip, ipx, at }
        PPP_INFO_2 { nbf, ip, ipx, at, ccp, lcp }
        PPP_INFO_3 { nbf, ip, ipv6, ccp, lcp }
        RAS_CONNECTION_0 {
            hConnection, hInterface, dwConnectDuration, dwInterfaceType, dwConnectionFlags, wszInterfaceName,
            wszUserName, wszLogonDomain, wszRemoteComputer,
        }
        RAS_CONNECTION_1 {
            hConnection, hInterface, PppInfo, dwBytesXmited, dwBytesRcved, dwFramesXmited, dwFramesRcved, dwCrcErr,
            dwTimeoutErr, dwAlignmentErr, dwHardwareOverrunErr, dwFramingErr, dwBufferOverrunErr,
            dwCompressionRatioIn, dwCompressionRatioOut,
        }
        RAS_CONNECTION_2 { hConnection, wszUserName, dwInterfaceType, guid, PppInfo2 }
        RAS_CONNECTION_3 {
            dwVersion, dwSize, hConnection, wszUserName, dwInterfaceType, guid, PppInfo3, rasQuarState, timer,
        }
        PPP_PROJECTION_INFO {
            dwIPv4NegotiationError, wszAddress, wszRemoteAddress, dwIPv4Options, dwIPv4RemoteOptions,
            IPv4SubInterfaceIndex, dwIPv6NegotiationError, bInterfaceIdentifier, bRemoteInterfaceIdentifier, bPrefix,
            dwPrefixLength, IPv6SubInterfaceIndex, dwLcpError, dwAuthenticationProtocol, dwAuthenticationData,
            dwRemoteAuthenticationProtocol, dwRemoteAuthenticationData, dwLcpTerminateReason,
            dwLcpRemoteTerminateReason, dwLcpOptions, dwLcpRemoteOptions, dwEapTypeId, dwRemoteEapTypeId, dwCcpError,
            dwCompressionAlgorithm, dwCcpOptions, dwRemoteCompressionAlgorithm, dwCcpRemoteOptions,
        }
        IKEV2_PROJECTION_INFO {
            dwIPv4NegotiationError, wszAddress, wszRemoteAddress, IPv4SubInterfaceIndex, dwIPv6NegotiationError,
            bInterfaceIdentifier, bRemoteInterfaceIdentifier, bPrefix, dwPrefixLength, IPv6SubInterfaceIndex,
            dwOptions, dwAuthenticationProtocol, dwEapTypeId, dwCompressionAlgorithm, dwEncryptionMethod,
        }
        PROJECTION_INFO { projectionInfoType, Anonymous }
        MPRAPI_ADMIN_DLL_CALLBACKS {
            revision, lpfnMprAdminGetIpAddressForUser, lpfnMprAdminReleaseIpAddress,
            lpfnMprAdminGetIpv6AddressForUser, lpfnMprAdminReleaseIpV6AddressForUser, lpfnRasAdminAcceptNewLink,
            lpfnRasAdminLinkHangupNotification, lpfnRasAdminTerminateDll, lpfnRasAdminAcceptNewConnectionEx,
            lpfnRasAdminAcceptEndpointChangeEx, lpfnRasAdminAcceptReauthenticationEx,
            lpfnRasAdminConnectionHangupNotificationEx, lpfnRASValidatePreAuthenticatedConnectionEx,
        }
        RAS_CONNECTION_EX {
            Header, dwConnectDuration, dwInterfaceType, dwConnectionFlags, wszInterfaceName, wszUserName,
            wszLogonDomain, wszRemoteComputer, guid, rasQuarState, probationTime, dwBytesXmited, dwBytesRcved,
            dwFramesXmited, dwFramesRcved, dwCrcErr, dwTimeoutErr, dwAlignmentErr, dwHardwareOverrunErr, dwFramingErr,
            dwBufferOverrunErr, dwCompressionRatioIn, dwCompressionRatioOut, dwNumSwitchOvers,
            wszRemoteEndpointAddress, wszLocalEndpointAddress, ProjectionInfo, hConnection, hInterface,
        }
        RAS_PORT_0 {
            hPort, hConnection, dwPortCondition, dwTotalNumberOfCalls, dwConnectDuration, wszPortName, wszMediaName,
            wszDeviceName, wszDeviceType,
        }
        RAS_PORT_1 {
            hPort, hConnection, dwHardwareCondition, dwLineSpeed, dwBytesXmited, dwBytesRcved, dwFramesXmited,
            dwFramesRcved, dwCrcErr, dwTimeoutErr, dwAlignmentErr, dwHardwareOverrunErr, dwFramingErr,
            dwBufferOverrunErr, dwCompressionRatioIn, dwCompressionRatioOut,
        }
        AUTH_VALIDATION_EX { Header, hRasConnection, wszUserName, wszLogonDomain, AuthInfoSize, AuthInfo }
    };
    if let Some(projection) = all.iter_mut().find(|structure| structure.name == "PROJECTION_INFO") {
        name_the_arms(projection);
    }
    all
}

/// C's union has no name of its own, and its arms are fields of the structure.
fn name_the_arms(projection: &mut Structure) {
    let Some(union) = projection.fields.pop() else { return };
    let mut arm = |name, c_type, offset, size| {
        projection.fields.push(Field { name, c_type, elements: None, offset: union.offset + offset, size });
    };
    let ppp = offset_of!(PROJECTION_INFO_0, PppProjectionInfo);
    arm("PppProjectionInfo", "PPP_PROJECTION_INFO", ppp, size_of::<PPP_PROJECTION_INFO>());
    let ikev2 = offset_of!(PROJECTION_INFO_0, Ikev2ProjectionInfo);
    arm("Ikev2ProjectionInfo", "IKEV2_PROJECTION_INFO", ikev2, size_of::<IKEV2_PROJECTION_INFO>());
}

// A union cannot be destructured: an arm that is larger than those two would be missing above.
const _: () = assert!(size_of::<PROJECTION_INFO_0>() == size_of::<PPP_PROJECTION_INFO>());
const _: () = assert!(size_of::<PPP_PROJECTION_INFO>() >= size_of::<IKEV2_PROJECTION_INFO>());

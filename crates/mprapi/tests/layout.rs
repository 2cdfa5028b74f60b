//! Every structure, field by field, against C compiled by mingw with its mprapi.h.
//!
//! Both sides list every field: the Rust side destructures each structure without `..`, so that a missing field does not
//! compile, and the comparison goes both ways, so that neither side has one that the other lacks.

use mprapi::abi::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `STRUCTURE field` to (offset, size); `STRUCTURE -` to (0, size of the whole).
type Layout = BTreeMap<String, (usize, usize)>;

fn size_of_pointee<T>(_: *const T) -> usize {
    size_of::<T>()
}

macro_rules! layout {
    ($($structure:ident { $($field:tt),+ $(,)? })+) => {{
        let mut layout = Layout::new();
        $(
            // Does not compile if a field is missing here.
            const _: fn($structure) = |$structure { $($field: _),+ }| ();
            layout.insert(concat!(stringify!($structure), " -").into(), (0, size_of::<$structure>()));
            $({
                let whole = std::mem::MaybeUninit::<$structure>::zeroed();
                let base = whole.as_ptr();
                let offset = std::mem::offset_of!($structure, $field);
                // SAFETY: only the field's type is wanted; nothing is read.
                let size = size_of_pointee(unsafe { &raw const (*base).$field });
                let name = stringify!($field).trim_start_matches("r#");
                layout.insert(format!("{} {name}", stringify!($structure)), (offset, size));
            })+
        )+
        layout
    }};
}

fn rust_layout() -> Layout {
    layout! {
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
    }
}

/// Runs the C host, which is a Windows program: under Wine where we are not on Windows.
fn chost() -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let default = workspace.join("target/fixtures");
    let fixtures = std::env::var_os("RASADMIN_FIXTURES").map_or(default, PathBuf::from);
    let program = fixtures.join("windows").join("chost.exe");
    assert!(program.is_file(), "{} is missing: run `cargo xtask fixtures`", program.display());
    if cfg!(windows) {
        return Command::new(program);
    }
    let mut wine = Command::new("wine");
    wine.arg(program).env("WINEDEBUG", "-all");
    if std::env::var_os("WINEPREFIX").is_none() {
        wine.env("WINEPREFIX", workspace.join("target/wine"));
    }
    wine
}

fn c_layout() -> Layout {
    let output = chost().arg("--layout").output().expect("chost runs (under Wine)");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines()
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let [structure, field, offset, size] = words[..] else { panic!("chost printed `{line}`") };
            let number = |text: &str| text.parse().expect("a number");
            (format!("{structure} {field}"), (number(offset), number(size)))
        })
        .collect()
}

#[test]
fn every_field_lies_where_c_puts_it() {
    let mut c = c_layout();
    let rust = rust_layout();
    // mingw's table lacks two of the twelve pointers, so it is no witness for this structure; if that changes, this
    // says so. Ours follows the Win32 metadata: contract.rs tests its slots.
    assert_eq!(c.remove("MPRAPI_ADMIN_DLL_CALLBACKS -"), Some((0, 104 - 2 * 8)));
    // C's union has no name of its own: its first arm stands for it, and it is as large as its largest arm.
    let arm = c.remove("PROJECTION_INFO PppProjectionInfo").expect("chost knows PROJECTION_INFO");
    c.insert("PROJECTION_INFO Anonymous".into(), arm);
    assert_eq!(rust, c);
    assert!(rust.len() > 200, "{} fields", rust.len());
}

#[test]
fn the_sizes_are_those_that_windows_passes() {
    let rust = rust_layout();
    let sizes = [
        ("RAS_CONNECTION_0", 1128),
        ("RAS_CONNECTION_1", 296),
        ("RAS_CONNECTION_2", 848),
        ("RAS_CONNECTION_3", 792),
        ("RAS_CONNECTION_EX", 1672),
        ("RAS_PORT_0", 392),
        ("RAS_PORT_1", 72),
    ];
    for (structure, size) in sizes {
        assert_eq!(rust[&format!("{structure} -")], (0, size), "{structure}");
    }
    assert_eq!(size_of::<MPRAPI_ADMIN_DLL_CALLBACKS>(), 104);
    assert_eq!(rust["AUTH_VALIDATION_EX AuthInfo"], (568, 1));
}

//! Answers for the stand-in of mprapi.dll (fixtures/README.md), which asks with the name of the function that was called,
//! and with its handle if it has one. The answer is a script.

use crate::{Connection, ConnectionHandle, Error, Failure, Port, PortHandle, PortState, Projection, Rras};
use rasadmin_policy::{InterfaceType, Name, Quarantine};
use std::fmt::{self, Write};
use windows_sys::Win32::Foundation as code;
use windows_sys::Win32::NetworkManagement::Rras as abi;

/// The script for a call; None if it is not a function that has one.
pub(super) fn script(call: &str, rras: &dyn Rras) -> Option<String> {
    let mut words = call.split_ascii_whitespace();
    let function = words.next()?;
    let handle: u64 = words.next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let lines = match function {
        "MprAdminIsServiceRunning" => rras.instance().map(|instance| match instance {
            Some(_) => "running\n".to_owned(),
            None => String::new(),
        }),
        "MprAdminServerConnect" | "MprAdminServerDisconnect" => Ok(String::new()),
        "MprAdminConnectionEnumEx" => rras.connections().map(|all| all.iter().map(connection).collect()),
        "MprAdminConnectionGetInfoEx" => rras.connection(ConnectionHandle(handle)).map(|one| connection(&one)),
        "MprAdminPortEnum" => rras.ports(ConnectionHandle(handle)).map(|all| all.iter().map(port).collect()),
        "MprAdminPortGetInfo" => rras.port(PortHandle(handle)).map(|one| port(&one)),
        "MprAdminPortDisconnect" => {
            // For the stand-in, a port exists if the script has it.
            rras.disconnect(PortHandle(handle)).map(|()| format!("port handle={handle}\n"))
        }
        _ => return None,
    };
    Some(lines.unwrap_or_else(|error| format!("order {function} error={}\n", status(&error))))
}

/// The error that the function returns.
fn status(error: &Error) -> u32 {
    match &error.failure {
        Failure::Gone { code: code @ 1.. } | Failure::Failed { code, .. } => *code,
        Failure::Gone { .. } => code::ERROR_INVALID_HANDLE,
        Failure::AccessDenied => code::ERROR_ACCESS_DENIED,
        Failure::OutOfMemory => code::ERROR_NOT_ENOUGH_MEMORY,
        Failure::NotRunning => code::ERROR_SERVICE_NOT_ACTIVE,
        _ => code::ERROR_GEN_FAILURE,
    }
}

fn connection(of: &Connection) -> String {
    let mut line = format!("connection handle={} seconds={}", of.handle.0, of.seconds);
    let kind = match of.interface {
        InterfaceType::Client => abi::ROUTER_IF_TYPE_CLIENT,
        InterfaceType::HomeRouter => abi::ROUTER_IF_TYPE_HOME_ROUTER,
        InterfaceType::FullRouter => abi::ROUTER_IF_TYPE_FULL_ROUTER,
        InterfaceType::Dedicated => abi::ROUTER_IF_TYPE_DEDICATED,
        InterfaceType::Other => abi::ROUTER_IF_TYPE_MAX,
    };
    let quarantine = match of.quarantine {
        Some(Quarantine::Normal) => abi::RAS_QUAR_STATE_NORMAL,
        Some(Quarantine::Quarantine) => abi::RAS_QUAR_STATE_QUARANTINE,
        Some(Quarantine::Probation) => abi::RAS_QUAR_STATE_PROBATION,
        Some(Quarantine::NotCapable) => abi::RAS_QUAR_STATE_NOT_CAPABLE,
        None => -1,
    };
    let flags = if of.ikev2 { mprapi::abi::RAS_FLAGS_IKEV2_CONNECTION } else { 0 };
    let counters = of.counters;
    // To a String: cannot fail.
    let _ = write!(line, " type={kind} flags={flags} quarantine={}", quarantine.cast_unsigned());
    let _ = write!(line, " received={} transmitted={}", counters.octets_received, counters.octets_transmitted);
    let _ = write!(line, " frames-in={} frames-out={}", counters.frames_received, counters.frames_transmitted);
    if let Some(guid) = of.guid.as_deref().and_then(mprapi::guid::bytes) {
        let _ = write!(line, " guid={}", Hexadecimal(&guid));
    }
    let names = [
        ("interface", &of.interface_name),
        ("user", &of.user),
        ("domain", &of.domain),
        ("computer", &of.computer),
        ("source", &of.source),
    ];
    for (key, name) in names {
        let _ = write!(line, " {key}={}", Units(name));
    }
    projection(&mut line, of.projection.as_ref(), of.ikev2);
    line + "\n"
}

fn projection(line: &mut String, of: Option<&Projection>, ikev2: bool) {
    /// Any error means that the protocol has nothing.
    const ERROR: u32 = code::ERROR_NOT_SUPPORTED;
    let Some(of) = of else { return };
    let kind = if ikev2 { mprapi::abi::PROJECTION_IKEV2 } else { mprapi::abi::PROJECTION_PPP };
    let _ = write!(line, " projection={kind}");
    let ipv4_error = if of.ipv4.is_some() { 0 } else { ERROR };
    let ipv6_error = if of.ipv6_identifiers.is_some() { 0 } else { ERROR };
    let _ = write!(line, " ipv4-error={ipv4_error} ipv6-error={ipv6_error}");
    for (key, address) in ["server", "client"].into_iter().zip(of.ipv4.into_iter().flatten()) {
        if let Some(address) = address {
            let _ = write!(line, " {key}={address}");
        }
    }
    for (key, identifier) in ["server-id", "client-id"].into_iter().zip(of.ipv6_identifiers.iter().flatten()) {
        let _ = write!(line, " {key}={}", Hexadecimal(identifier));
    }
    if let Some(prefix) = &of.ipv6_prefix {
        let _ = write!(line, " prefix={}", Hexadecimal(prefix));
    }
}

fn port(of: &Port) -> String {
    let state = match of.state {
        PortState::NonOperational => abi::RAS_PORT_NON_OPERATIONAL,
        PortState::Disconnected => abi::RAS_PORT_DISCONNECTED,
        PortState::CallingBack => abi::RAS_PORT_CALLING_BACK,
        PortState::Listening => abi::RAS_PORT_LISTENING,
        PortState::Authenticating => abi::RAS_PORT_AUTHENTICATING,
        PortState::Authenticated => abi::RAS_PORT_AUTHENTICATED,
        PortState::Initializing => abi::RAS_PORT_INITIALIZING,
        PortState::Other(other) => other,
    };
    let (handle, connection) = (of.handle.0, of.connection.0);
    let (name, device, device_type) = (Units(&of.name), Units(&of.device), Units(&of.device_type));
    let state = state.cast_unsigned();
    format!(
        "port handle={handle} connection={connection} state={state} name={name} device={device} \
         device-type={device_type}\n"
    )
}

/// A name as a script has it: a unit of UTF-16 that would end the word, or begin an escape, is escaped.
struct Units<'n>(&'n Name);

impl fmt::Display for Units<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for unit in self.0.as_str().encode_utf16() {
            match u8::try_from(unit) {
                Ok(plain) if plain.is_ascii_graphic() && plain != b'\\' => f.write_char(plain.into())?,
                _ => write!(f, "\\u{unit:04x}")?,
            }
        }
        Ok(())
    }
}

struct Hexadecimal<'b>(&'b [u8]);

impl fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

//! Converts buffers to JSON and back, depending on the argument's type.

use crate::call::Buffer;
use mprapi::contract::ArgumentType;
use mprapi::{FunctionId, FunctionSet};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

pub(crate) fn to_json(ty: ArgumentType, buffer: &Buffer) -> Value {
    match buffer {
        Buffer::Null => Value::Null,
        Buffer::Text(units) => match String::from_utf16(units) {
            Ok(text) => Value::String(text),
            Err(_) => json!(units),
        },
        Buffer::Callbacks { revision, set } => {
            let names: Vec<_> = set.iter().map(|id| id.name()).collect();
            json!({ "revision": revision, "set": names })
        }
        Buffer::Bytes(bytes) => match (ty, bytes.as_slice()) {
            (ArgumentType::Ipv4Address, &[a, b, c, d]) => Value::String(Ipv4Addr::new(a, b, c, d).to_string()),
            (ArgumentType::Ipv6Address, bytes) if bytes.len() == 16 => {
                let mut octets = [0; 16];
                octets.copy_from_slice(bytes);
                Value::String(Ipv6Addr::from(octets).to_string())
            }
            (ArgumentType::NotifyRelease, &[a, b, c, d]) => json!(i32::from_le_bytes([a, b, c, d])),
            (_, bytes) => Value::String(to_hex(bytes)),
        },
    }
}

pub(crate) fn from_json(ty: ArgumentType, value: &Value) -> Result<Buffer, String> {
    let label = ty.label();
    if value.is_null() {
        return Ok(Buffer::Null);
    }
    match ty {
        ArgumentType::UserName | ArgumentType::PortName => match value {
            Value::String(text) => Ok(Buffer::Text(text.encode_utf16().collect())),
            Value::Array(units) => units
                .iter()
                .map(|unit| unit.as_u64().and_then(|u| u16::try_from(u).ok()))
                .collect::<Option<_>>()
                .map(Buffer::Text)
                .ok_or_else(|| format!("`{label}` must be UTF-16 units from 0 to 65535")),
            _ => Err(format!("`{label}` must be a string or an array of UTF-16 units")),
        },
        ArgumentType::Callbacks => callbacks(value),
        ArgumentType::NotifyRelease => value
            .as_i64()
            .and_then(|v| i32::try_from(v).ok())
            .map(|v| Buffer::Bytes(v.to_le_bytes().to_vec()))
            .ok_or_else(|| format!("`{label}` must be a number (0 or 1)")),
        ArgumentType::Ipv4Address => text(ty, value)?
            .parse::<Ipv4Addr>()
            .map(|a| Buffer::Bytes(a.octets().to_vec()))
            .map_err(|_| format!("`{label}` must be an IPv4 address like 10.20.0.2")),
        ArgumentType::Ipv6Address => text(ty, value)?
            .parse::<Ipv6Addr>()
            .map(|a| Buffer::Bytes(a.octets().to_vec()))
            .map_err(|_| format!("`{label}` must be an IPv6 address like 2001:db8::1")),
        _ => {
            let bytes = from_hex(text(ty, value)?);
            let bytes = bytes.ok_or_else(|| format!("`{label}` must be the structure's bytes in hexadecimal"))?;
            // A DLL may read the whole structure. With a shorter one it would crash, and be blamed for it.
            match ty.size() {
                Some(size) if size != bytes.len() => {
                    Err(format!("`{label}` has {} bytes, expected {size}", bytes.len()))
                }
                _ => Ok(Buffer::Bytes(bytes)),
            }
        }
    }
}

fn text(ty: ArgumentType, value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("`{}` must be a string", ty.label()))
}

fn callbacks(value: &Value) -> Result<Buffer, String> {
    let wrong = || "`callbacks` must be {\"revision\":N,\"set\":[function names]}".to_owned();
    let revision = value.get("revision").and_then(Value::as_u64).and_then(|r| u8::try_from(r).ok());
    let names = value.get("set").and_then(Value::as_array).ok_or_else(wrong)?;
    let set = names
        .iter()
        .map(|name| name.as_str().and_then(FunctionId::from_name))
        .collect::<Option<FunctionSet>>()
        .ok_or_else(wrong)?;
    Ok(Buffer::Callbacks { revision: revision.ok_or_else(wrong)?, set })
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // Writing to a String cannot fail.
        hex
    })
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let digits = digits.filter(|d| d.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

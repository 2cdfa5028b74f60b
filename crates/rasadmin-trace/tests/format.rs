//! A trace that is written can be read again, and errors name their line.
#![allow(clippy::unwrap_used)]

use mprapi::contract::{ArgumentType, FUNCTIONS, Returns};
use mprapi::{FunctionId, FunctionSet};
use rasadmin_trace::{Buffer, Call, Header, Reader, Writer};

fn sample(ty: ArgumentType) -> Buffer {
    match ty {
        ArgumentType::UserName => Buffer::Text(vec![b'a'.into(), 0xD800, b'b'.into()]), // An unpaired surrogate.
        ArgumentType::PortName => Buffer::Text("VPN2-127".encode_utf16().collect()),
        ArgumentType::Ipv4Address => Buffer::Bytes(vec![10, 8, 0, 5]),
        ArgumentType::Ipv6Address => Buffer::Bytes((0..16).collect()),
        ArgumentType::NotifyRelease => Buffer::Bytes(vec![1, 0, 0, 0]),
        ArgumentType::Callbacks => {
            Buffer::Callbacks { revision: 2, set: FunctionSet::EMPTY.with(FunctionId::AcceptNewLink) }
        }
        ArgumentType::Port1 => Buffer::Null,
        _ => Buffer::Bytes((0..=255).cycle().take(ty.size().unwrap_or(576)).collect()),
    }
}

fn calls() -> Vec<Call> {
    FUNCTIONS
        .iter()
        .zip(1..)
        .map(|(row, seq)| Call {
            seq,
            at_us: seq * 1000,
            dll: 0,
            function: row.id,
            arguments: row.arguments.iter().map(|a| sample(a.ty)).collect(),
            result: (row.returns != Returns::Nothing).then_some(u32::MAX),
            after: row.arguments.iter().take(1).map(|a| (a.ty, sample(a.ty))).collect(),
            took_ns: seq,
        })
        .collect()
}

fn written(calls: &[Call]) -> String {
    let mut writer = Writer::new(Vec::new(), &Header::new("test", vec!["a.dll".into()])).unwrap();
    for call in calls {
        writer.call(call).unwrap();
    }
    String::from_utf8(writer.into_inner()).unwrap()
}

#[test]
fn every_function_survives_the_way_to_text_and_back() {
    let text = written(&calls());
    let reader = Reader::new("t", text.as_bytes()).unwrap();
    assert_eq!(reader.header().dlls, ["a.dll"]);
    assert_eq!(reader.collect::<Result<Vec<_>, _>>().unwrap(), calls());
}

fn error_of(text: &str) -> String {
    match Reader::new("day.trace", text.as_bytes()) {
        Err(error) => error.to_string(),
        Ok(reader) => reader.collect::<Result<Vec<_>, _>>().unwrap_err().to_string(),
    }
}

#[test]
fn errors_name_file_line_and_what_was_expected() {
    let good = written(&calls()[..3]);
    let expect = |text: &str, message: &str| {
        let error = error_of(text);
        assert!(error.contains(message), "{error}\nshould contain\n{message}");
    };
    expect("", "day.trace:1: expected a trace's header");
    expect(
        "{\"trace\":\"rasadmin\",\"version\":2,\"recorder\":\"x\",\"dlls\":[]}",
        "version 2; expected `rasadmin` version 1",
    );
    expect(&format!("{good}{{"), "day.trace:5: expected one call as a JSON object");
    expect(
        &good.replace("MprAdminTerminateDll", "MprAdminTerminate"),
        "day.trace:4: there is no function `MprAdminTerminate`",
    );
    expect(&good.replace("\"dll\":0", "\"dll\":7"), "day.trace:2: `dll` is 7, but the header names only 1");
    let accept = written(&calls()[3..4]);
    expect(
        &accept.replace("connection1", "connection9"),
        "day.trace:2: `arguments` of MprAdminAcceptNewConnection must have `connection1`",
    );
    expect(&accept.replace("0001", "000x"), "day.trace:2: `connection0` must be the structure's bytes in hexadecimal");
    expect(&accept.replacen("0001", "", 1), "day.trace:2: `connection0` has 1126 bytes, expected 1128");
    expect(&accept.replace("\"result\"", "\"rseult\""), "day.trace:2: expected `result`");
}

//! Clients that are slow, or many, or that stay when the server stops.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use support::{PATIENCE, Server, read_answer};

const SOON: Duration = Duration::from_millis(300);

/// Whether the server has closed the connection, without an answer; it waits for that.
#[track_caller]
fn is_closed(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => assert_eq!(String::from_utf8_lossy(&bytes), ""),
        Err(e) => assert!(matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted), "{e}"),
    }
}

#[test]
fn a_head_that_does_not_end_ends_the_connection() {
    let server = Server::with(|options| options.limits.head = SOON);
    let mut silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"GET /login HTTP/1.1\r\nHost: localhost\r\nX: ").unwrap();
    is_closed(&mut silent);
    is_closed(&mut slow);
    // After an answer, too.
    let mut idle = server.connect();
    idle.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.host()).as_bytes()).unwrap();
    read_answer(&mut idle).is(200).shows("ok");
}

#[test]
fn a_body_that_does_not_end_ends_the_request() {
    let server = Server::with(|options| options.limits.request = SOON);
    let browser = server.opened();
    let mut slow = server.connect();
    let head = format!(
        "POST /logout HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: 99\r\n\r\ncsrf=",
        server.host(),
        browser.cookie_header()
    );
    slow.write_all(head.as_bytes()).unwrap();
    read_answer(&mut slow).is(408).shows("not complete");
}

/// It asks and asks, and reads nothing.
#[test]
fn a_client_that_takes_no_answers_is_not_waited_for() {
    let server = Server::with(|options| options.limits.answer = SOON);
    let mut stream = server.connect();
    let request = format!("GET /login HTTP/1.1\r\nHost: {}\r\n\r\n", server.host()).repeat(100);
    let error = loop {
        if let Err(error) = stream.write_all(request.as_bytes()) {
            break error;
        }
    };
    // After `PATIENCE` it would be a time-out.
    let closed = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe];
    assert!(closed.contains(&error.kind()), "{error:?}");
    server.get("/healthz").is(200);
}

#[test]
fn there_are_only_so_many_connections() {
    let server = Server::with(|options| {
        options.limits.connections = 3;
        options.limits.head = 10 * PATIENCE; // A connection that waits is not closed for that.
    });
    let mut held: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.host()).as_bytes()).unwrap();
            stream.read_exact(&mut [0]).unwrap(); // It is served.
            stream
        })
        .collect();
    is_closed(&mut server.connect());
    held.pop();
    // The server notices in a moment.
    let deadline = std::time::Instant::now() + PATIENCE;
    let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.host());
    loop {
        let mut stream = server.connect();
        let mut first = [0];
        if stream.write_all(head.as_bytes()).is_ok() && stream.read_exact(&mut first).is_ok() {
            break;
        }
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_stream_of_events_ends_when_the_server_stops() {
    let server = Server::with(|options| options.limits.stop = PATIENCE);
    let browser = server.opened();
    let mut stream = server.connect();
    let head =
        format!("GET /events HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n", server.host(), browser.cookie_header());
    stream.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    while !text.contains("event: changed") {
        let mut more = [0; 256];
        let count = stream.read(&mut more).unwrap();
        assert!(count > 0, "{text}");
        text += &String::from_utf8_lossy(&more[..count]);
    }
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let began = std::time::Instant::now();
    server.stop();
    // Otherwise it would wait for the stream as long as it may.
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    stream.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("0\r\n\r\n"), "the stream ended in order: {text:?}");
}

/// A request that does not end does not keep the process.
#[test]
fn a_client_that_stays_does_not_keep_the_server() {
    let server = Server::with(|options| {
        options.limits.stop = SOON;
        options.limits.request = 10 * PATIENCE;
    });
    let cookies = server.opened().cookie_header();
    let mut slow = server.connect();
    let head = format!(
        "POST /logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
        server.host()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // It is told to go on when its body is read.
    let mut told = [0; 25];
    slow.read_exact(&mut told).unwrap();
    assert_eq!(String::from_utf8_lossy(&told), "HTTP/1.1 100 Continue\r\n\r\n");
    server.stop();
    is_closed(&mut slow);
}

//! The dashboard with TLS, as other computers reach it.
#![allow(clippy::unwrap_used)]

mod encrypted;
mod support;

use encrypted::{connect, fingerprint, send};
use rasadmin_web::server::{NotServed, Options, serve};
use rasadmin_web::tls::Tls;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{PATIENCE, Server, form, options, read_answer, request, source};

/// Writes a new certificate and its key.
fn issue(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["dash.example".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), pem("PRIVATE KEY", made.signing_key.serialized_der())).unwrap();
    std::fs::write(folder.join("certificate.pem"), pem("CERTIFICATE", made.cert.der())).unwrap();
}

fn pem(what: &str, bytes: &[u8]) -> String {
    use base64ct::{Base64, Encoding};
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", Base64::encode_string(bytes))
}

fn files(folder: &Path) -> Tls {
    Tls::Files { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

/// A dashboard with certificate files.
fn with_files(folder: &Path) -> Server {
    issue(folder);
    Server::with(|options| options.tls = Some(files(folder)))
}

/// A dashboard with a self-signed certificate beside the users' file.
fn self_signed(change: impl FnOnce(&mut Options)) -> Server {
    Server::with(|options| {
        options.tls = Some(Tls::SelfSigned { file: options.users.with_file_name("self-signed.pem") });
        change(options);
    })
}

#[test]
fn a_self_signed_dashboard_shows_the_fingerprint_that_browsers_see() {
    let server = self_signed(|_| ());
    assert_eq!(server.fingerprint.len(), 32 * 3 - 1);
    assert_eq!(fingerprint(&server), server.fingerprint);
    assert_eq!(server.page, format!("https://127.0.0.1:{}/", server.address.port()));
    assert!(server.link.starts_with(&server.page), "{}", server.link);
    let computer = format!("{}:{}", rasadmin_system::places::server_name().as_str(), server.address.port());
    for host in [&server.host(), &computer] {
        send(&server, host, "GET", "/healthz", &[], "").is(200).shows("ok");
    }
    assert_eq!(server.told(), Vec::<String>::new());
}

#[test]
fn under_tls_the_cookies_are_secure_and_forms_work() {
    let server = self_signed(|_| ());
    let (host, port) = (server.host(), server.address.port());
    let answer = send(&server, &host, "GET", server.link_path(), &[], "").is(303);
    let [cookie] = answer.set_cookies()[..] else { panic!("{answer:?}") };
    assert!(cookie.starts_with(&format!("__Host-rasadmin-{port}=")), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let page = send(&server, &host, "GET", "/", &[("Cookie", cookie)], "").is(200);
    let body = form(&[("csrf", &page.csrf())]);
    let from = |origin: &str| send(&server, &host, "POST", "/logout", &[("Cookie", cookie), ("Origin", origin)], &body);
    from(&format!("http://{host}")).is(403);
    from(&format!("https://{host}")).is(303);
}

#[test]
fn browsers_remember_to_encrypt_only_with_certificate_files_and_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_files(folder.path());
    let named = format!("dash.example:{}", server.address.port());
    assert_eq!(server.page, format!("https://{named}/"));
    let header = |server: &Server, host: &str| {
        let answer = send(server, host, "GET", "/login", &[], "").is(200);
        answer.header("strict-transport-security").map(str::to_owned)
    };
    assert_eq!(header(&server, &named).as_deref(), Some("max-age=15768000"));
    assert_eq!(header(&server, &server.host()), None);
    let server = self_signed(|_| ());
    assert_eq!(header(&server, &format!("dash.example:{}", server.address.port())), None);
}

#[test]
fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_files(folder.path());
    let first = fingerprint(&server);
    assert_eq!(first, server.fingerprint);
    let deadline = Instant::now() + PATIENCE;
    // The files are looked at when somebody connects.
    let until = |is: &dyn Fn(&str) -> bool| loop {
        let now = fingerprint(&server);
        if is(&now) {
            break now;
        }
        assert!(Instant::now() < deadline, "{:#?}", server.told());
        std::thread::sleep(Duration::from_millis(50));
    };
    issue(folder.path());
    let second = until(&|now| now != first);
    server.has_told(&format!("the certificate was replaced: its SHA-256 fingerprint is now {second}"));
    std::fs::write(folder.path().join("key.pem"), "damaged").unwrap();
    let kept = |_: &str| server.told().iter().any(|line| line.contains("the certificate in use is kept"));
    assert_eq!(until(&kept), second);
    server.has_told("key.pem: it is not a PEM file");
    issue(folder.path());
    until(&|now| now != second);
    let complaints = server.told().iter().filter(|line| line.contains("is kept")).count();
    assert!(complaints <= 2, "{:#?}", server.told());
}

#[test]
fn files_that_cannot_be_used_are_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |tls: Tls| {
        let mut options = options(folder.path());
        options.tls = Some(tls);
        let error = serve(source(folder.path()), options, || true, Arc::new(|_: &str| ()), |_| ()).unwrap_err();
        assert!(matches!(error, NotServed::Tls(_)), "{error}");
        error.to_string()
    };
    let error = refused(files(folder.path()));
    assert!(error.contains("certificate.pem: it cannot be read: "), "{error}");
    issue(folder.path());
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    issue(folder.path());
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    let error = refused(files(folder.path()));
    assert!(error.contains("key.pem: this private key does not belong to the first certificate in "), "{error}");
    let missing = folder.path().join("missing").join("self-signed.pem");
    let error = refused(Tls::SelfSigned { file: missing });
    assert!(error.contains("self-signed.pem: the self-signed certificate cannot be kept there: "), "{error}");
}

#[test]
fn other_computers_are_served_with_tls() {
    let server = self_signed(|options| options.listen = "0.0.0.0:0".parse().unwrap());
    send(&server, &server.host(), "GET", "/healthz", &[], "").is(200);
}

/// A browser sends this if somebody types the address without https.
#[test]
fn a_request_without_tls_gets_the_address_with_tls() {
    let server = self_signed(|_| ());
    let host = server.host();
    let answer = server.raw(request(&host, "GET", "/sessions?user=a%22%3E&x=1", &[], "").as_bytes()).is(400);
    let answer = answer.shows(&format!("href=\"https://{host}/sessions?user=a%22%3E&amp;x=1\""));
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"), "{answer:?}");
    // Neither another site's name nor a key is repeated.
    let answer = server.raw(request("evil.example", "GET", "/open?key=secret", &[], "").as_bytes()).is(400);
    assert!(!answer.body.contains("evil") && !answer.body.contains("secret"), "{answer:?}");
    // And the connection ends.
    let mut stream = server.connect();
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap();
    read_answer(&mut stream).is(400);
}

#[test]
fn tls_1_1_is_refused() {
    let server = self_signed(|_| ());
    let extensions = [
        &[0x00, 0x0A, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17][..], // supported_groups: P-256
        &[0x00, 0x0D, 0x00, 0x04, 0x00, 0x02, 0x04, 0x03],     // signature_algorithms: ECDSA with P-256 and SHA-256
    ]
    .concat();
    let mut hello = vec![0x03, 0x02]; // TLS 1.1
    hello.extend([7; 32]);
    hello.extend([0x00, 0x00, 0x02, 0xC0, 0x09, 0x01, 0x00]); // no session, one suite, no compression
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let mut bytes = vec![0x16, 0x03, 0x01, 0x00, length + 4, 0x01, 0x00, 0x00, length];
    bytes.extend(hello);
    let mut stream = server.connect();
    stream.write_all(&bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    // An alert: fatal, protocol_version.
    assert_eq!((answer[0], &answer[5..]), (0x15, &[2, 70][..]), "{answer:?}");
}

/// Each has begun a handshake: it has sent nothing, or a part.
fn unfinished(server: &Server, count: usize) -> Vec<std::net::TcpStream> {
    let begin = |at: usize| {
        let mut stream = server.connect();
        stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01][..at % 7]).unwrap();
        stream
    };
    (0..count).map(begin).collect()
}

/// Whether the server closes the connection without an answer. It may send an alert.
fn is_closed(mut stream: std::net::TcpStream) {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => assert!(bytes.len() < 10, "{bytes:?}"),
        Err(e) => assert!(matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted), "{e}"),
    }
}

#[test]
fn a_handshake_that_does_not_end_ends_the_connection() {
    let server = self_signed(|options| options.limits.head = Duration::from_millis(300));
    unfinished(&server, 7).into_iter().for_each(is_closed);
}

#[test]
fn handshakes_that_do_not_end_hold_up_nobody() {
    let server = self_signed(|options| {
        options.limits.head = 10 * PATIENCE;
        options.limits.stop = PATIENCE;
        options.limits.connections = 21;
    });
    let held = unfinished(&server, 20);
    let one = connect(&server);
    // They count: there is no place for another.
    is_closed(server.connect());
    drop(one);
    let began = Instant::now();
    server.stop();
    // Otherwise it would wait for them as long as it may.
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    held.into_iter().for_each(is_closed);
}

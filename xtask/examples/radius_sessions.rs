//! How many sessions a second a RADIUS server takes, one request at a time: a report, not a test.
//!
//! A session is an Access-Request, which must be answered with an address, an Accounting-Request Start and a Stop.
//!
//!     radius_sessions AUTH_PORT ACCT_PORT SECRET PASSWORD SESSIONS
//!
//! It prints one number.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A report may stop where it is.

use md5::{Digest, Md5};
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

/// Codes of packets, RFC 2865 and 2866.
const ACCESS_REQUEST: u8 = 1;
const ACCESS_ACCEPT: u8 = 2;
const ACCOUNTING_REQUEST: u8 = 4;
const ACCOUNTING_RESPONSE: u8 = 5;

/// Types of attributes.
const USER_NAME: u8 = 1;
const USER_PASSWORD: u8 = 2;
const NAS_IP_ADDRESS: u8 = 4;
const NAS_PORT: u8 = 5;
const FRAMED_IP_ADDRESS: u8 = 8;
const CALLED_STATION_ID: u8 = 30;
const CALLING_STATION_ID: u8 = 31;
const ACCT_STATUS_TYPE: u8 = 40;
const ACCT_INPUT_OCTETS: u8 = 42;
const ACCT_OUTPUT_OCTETS: u8 = 43;
const ACCT_SESSION_ID: u8 = 44;
const ACCT_SESSION_TIME: u8 = 46;

struct Client {
    socket: UdpSocket,
    auth: u16,
    acct: u16,
    secret: Vec<u8>,
    password: Vec<u8>,
    identifier: u8,
}

fn attribute(packet: &mut Vec<u8>, kind: u8, value: &[u8]) {
    packet.extend([kind, u8::try_from(value.len() + 2).unwrap()]);
    packet.extend(value);
}

fn number(packet: &mut Vec<u8>, kind: u8, value: u32) {
    attribute(packet, kind, &value.to_be_bytes());
}

fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

impl Client {
    /// The password as RFC 2865, section 5.2, hides it; it has at most 16 octets.
    fn hidden(&self, authenticator: &[u8; 16]) -> [u8; 16] {
        let mut hidden = md5(&[&self.secret, authenticator]);
        assert!(self.password.len() <= hidden.len());
        hidden.iter_mut().zip(&self.password).for_each(|(octet, of_password)| *octet ^= of_password);
        hidden
    }

    /// Sends a request and waits for its answer, which must be of that code and signed with the secret. Returns the
    /// answer's attributes.
    fn ask(&mut self, port: u16, code: u8, attributes: &[u8], authenticator: Option<[u8; 16]>, wanted: u8) -> Vec<u8> {
        self.identifier = self.identifier.wrapping_add(1);
        let length = u16::try_from(20 + attributes.len()).unwrap().to_be_bytes();
        let head = [code, self.identifier, length[0], length[1]];
        let authenticator = authenticator.unwrap_or_else(|| md5(&[&head, &[0; 16], attributes, &self.secret]));
        let packet = [&head, &authenticator[..], attributes].concat();
        self.socket.send_to(&packet, (Ipv4Addr::LOCALHOST, port)).unwrap();
        let mut answer = [0; 4096];
        let length = self.socket.recv(&mut answer).expect("the server does not answer");
        let answer = &answer[..length];
        assert_eq!((answer[0], answer[1]), (wanted, self.identifier), "another answer than expected");
        let signed = md5(&[&answer[..4], &authenticator, &answer[20..], &self.secret]);
        assert_eq!(answer[4..20], signed, "the answer is not signed with the secret");
        answer[20..].to_vec()
    }

    fn session(&mut self, n: u32) {
        let user = format!("CORP\\user{:04}", n % 1000);
        let mut common = Vec::new();
        attribute(&mut common, USER_NAME, user.as_bytes());
        attribute(&mut common, NAS_IP_ADDRESS, &Ipv4Addr::LOCALHOST.octets());
        number(&mut common, NAS_PORT, n % 128);
        attribute(&mut common, CALLED_STATION_ID, b"192.0.2.1");
        attribute(&mut common, CALLING_STATION_ID, b"203.0.113.1");
        let authenticator = md5(&[&n.to_be_bytes(), b"authenticator"]);
        let mut access = common.clone();
        attribute(&mut access, USER_PASSWORD, &self.hidden(&authenticator));
        let accepted = self.ask(self.auth, ACCESS_REQUEST, &access, Some(authenticator), ACCESS_ACCEPT);
        let address = address(&accepted).expect("the answer has no address");
        attribute(&mut common, FRAMED_IP_ADDRESS, &address);
        attribute(&mut common, ACCT_SESSION_ID, format!("{n:08x}").as_bytes());
        let mut start = common.clone();
        number(&mut start, ACCT_STATUS_TYPE, 1);
        self.ask(self.acct, ACCOUNTING_REQUEST, &start, None, ACCOUNTING_RESPONSE);
        let mut stop = common;
        number(&mut stop, ACCT_STATUS_TYPE, 2);
        number(&mut stop, ACCT_SESSION_TIME, 60);
        number(&mut stop, ACCT_INPUT_OCTETS, 1_000_000);
        number(&mut stop, ACCT_OUTPUT_OCTETS, 2_000_000);
        self.ask(self.acct, ACCOUNTING_REQUEST, &stop, None, ACCOUNTING_RESPONSE);
    }
}

/// The Framed-IP-Address among an answer's attributes.
fn address(mut attributes: &[u8]) -> Option<[u8; 4]> {
    while let [kind, length, ..] = *attributes {
        let (one, rest) = attributes.split_at_checked(usize::from(length).max(2))?;
        if kind == FRAMED_IP_ADDRESS {
            return one[2..].try_into().ok();
        }
        attributes = rest;
    }
    None
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [auth, acct, secret, password, sessions] = &arguments[..] else {
        panic!("usage: radius_sessions AUTH_PORT ACCT_PORT SECRET PASSWORD SESSIONS");
    };
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (auth, acct) = (auth.parse().unwrap(), acct.parse().unwrap());
    let (secret, password) = (secret.clone().into_bytes(), password.clone().into_bytes());
    let mut client = Client { socket, auth, acct, secret, password, identifier: 0 };
    // Warm: the server has its connections to the database, and each port an address.
    const WARM: u32 = 200;
    (0..WARM).for_each(|n| client.session(n));
    let sessions: u32 = sessions.parse().unwrap();
    let began = Instant::now();
    (WARM..WARM + sessions).for_each(|n| client.session(n));
    println!("{:.1}", f64::from(sessions) / began.elapsed().as_secs_f64());
}

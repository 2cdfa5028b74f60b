//! A dashboard on a free port, and a browser that is nothing but a socket.
#![allow(dead_code)] // Each test file uses a part.

use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_policy::Name;
use rasadmin_web::server::{NotServed, Options, Ready, serve};
use rasadmin_web::{Limits, Role, Source, accounts};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Far more than any wait in these tests takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const PASSWORD: &str = "correct horse battery";

/// A running dashboard. It stops when this is dropped.
pub struct Server {
    pub folder: tempfile::TempDir,
    pub address: SocketAddr,
    pub link: String,
    /// The first page's address.
    pub page: String,
    /// That of the certificate, or nothing.
    pub fingerprint: String,
    told: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), NotServed>>>,
}

/// The source of a folder, with an empty ledger.
pub fn source(folder: &Path) -> Source {
    let file = folder.join("rasadmin.toml");
    std::fs::write(&file, "default.action = \"allow\"\nserver.name = \"VPN1\"\n").unwrap();
    let source = Source::open(&file, &Name::new("VPN1")).unwrap();
    drop(Sqlite::open(&source.config().ledger, Create::Yes, false, Instant::now() + PATIENCE).unwrap());
    source
}

pub fn options(folder: &Path) -> Options {
    Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        names: vec!["dash.example".into()],
        tls: None,
        insecure: false,
        users: folder.join("dashboard-users.toml"),
        link_for: Some("CORP\\admin".into()),
        limits: Limits::default(),
    }
}

impl Server {
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    pub fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        change(&mut options);
        let source = source(folder.path());
        let (stop, told) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (tell, ready) = mpsc::channel();
        let thread = std::thread::spawn({
            let (stop, told) = (stop.clone(), told.clone());
            move || {
                let audit = Arc::new(move |line: &str| told.lock().unwrap().push(line.to_owned()));
                let ready = move |ready| tell.send(ready).unwrap();
                serve(source, options, || stop.load(Ordering::Relaxed), audit, ready)
            }
        });
        let Ready { address, link, page, fingerprint } = ready.recv_timeout(PATIENCE).unwrap();
        let (link, fingerprint) = (link.unwrap_or_default(), fingerprint.unwrap_or_default());
        Self { folder, address, link, page, fingerprint, told, stop, thread: Some(thread) }
    }

    pub fn users(&self) -> PathBuf {
        self.folder.path().join("dashboard-users.toml")
    }

    /// Adds a user with the password of these tests.
    pub fn user(&self, name: &str, role: Role) {
        accounts::add(&self.users(), name, role, PASSWORD).unwrap();
    }

    pub fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What was told about logins.
    pub fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    #[track_caller]
    pub fn has_told(&self, part: &str) {
        assert!(self.told().iter().any(|line| line.contains(part)), "`{part}` is not in {:#?}", self.told());
    }

    /// Sends bytes, and returns the answer.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        read_answer(&mut stream)
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.raw(request(&self.host(), method, path, headers, body).as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { server: self, cookies: Vec::new() }
    }

    /// A browser that has used the one-time link.
    pub fn opened(&self) -> Browser<'_> {
        let mut browser = self.browser();
        browser.get(self.link_path()).is(303).leads_to("/");
        browser
    }

    /// The one-time link without the host.
    pub fn link_path(&self) -> &str {
        &self.link[self.link.find("/open").unwrap()..]
    }

    /// Asks it to stop, and waits for the end.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

pub fn request(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if method == "POST" {
        text += &format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len());
    }
    text + "\r\n" + body
}

/// Reads until the other side closes.
pub fn read_answer(stream: &mut impl Read) -> Answer {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        // The server had enough, and what was sent after that was not read.
        Err(e) if e.kind() == ErrorKind::ConnectionReset && !bytes.is_empty() => {}
        Err(e) => panic!("{e} after {}", String::from_utf8_lossy(&bytes)),
    }
    Answer::of(&bytes)
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect()
    }

    #[track_caller]
    pub fn leads_to(self, path: &str) -> Self {
        assert_eq!(self.header("location"), Some(path), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn shows(self, text: &str) -> Self {
        assert!(self.body.contains(text), "`{text}` is not in {self:#?}");
        self
    }

    /// The token of the page's forms.
    #[track_caller]
    pub fn csrf(&self) -> String {
        let mark = "name=\"csrf\" value=\"";
        let at = self.body.find(mark).unwrap_or_else(|| panic!("no form: {self:#?}")) + mark.len();
        self.body[at..].split('"').next().unwrap().to_owned()
    }
}

/// What keeps cookies.
#[derive(Clone)]
pub struct Browser<'s> {
    server: &'s Server,
    pub cookies: Vec<(String, String)>,
}

impl Browser<'_> {
    pub fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookie = self.cookie_header();
        let mut all = headers.to_vec();
        if !cookie.is_empty() {
            all.push(("Cookie", &cookie));
        }
        let answer = self.server.send(method, path, &all, body);
        for set in answer.set_cookies() {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(of, _)| of != name);
            if !set.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", path, &[], &form(fields))
    }

    /// Fills in the form of the login.
    pub fn log_in(&mut self, name: &str, password: &str, next: &str) -> Answer {
        let csrf = self.get("/login").is(200).csrf();
        self.post("/login", &[("csrf", &csrf), ("name", name), ("password", password), ("next", next)])
    }

    /// Whether it gets pages.
    pub fn is_in(&mut self) -> bool {
        match self.get("/").status {
            200 => true,
            303 => false,
            other => panic!("{other}"),
        }
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

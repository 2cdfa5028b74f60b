//! Measures how long the dashboard's pages take over a large ledger while more sessions arrive: `cargo xtask bench
//! --dashboard`, followed by `--sessions` and a number if you want another one.
//!
//! The sessions are made by the product's own recorder and brought into the ledger by its own ingestion, three decisions
//! each. Then 100 sessions a second begin and end, and are brought in each second, while one browser after another asks for
//! every page over the loopback address.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../rasadmin-recorder/tests/support/scene.rs"]
mod scene;

use rasadmin_engine::effect::Usage;
use rasadmin_engine::{Name, Tunnel};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_web::server::{self, Options};
use rasadmin_web::{Limits, Source};
use scene::{MONDAY, Scene, With, connection, link, number};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
    time_zone = "Europe/Berlin"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.0.0.0/12"]
    [groups.office]
    users = ['CORP\user1*']
    [[rules]]
    name = "Not the guests"
    action = "deny"
    users = ['CORP\guest*']
    [[rules]]
    name = "Three each"
    action = "deny"
    users = ["*"]
    user_sessions = { at_least = 4 }
    [[rules]]
    name = "Enough for a month"
    action = "deny"
    groups = ["office"]
    octets = { per = "month", at_least = "900 GB" }
"#;

const SERVER: &str = "VPN1";

/// How many sessions are live at any time.
const LIVE: usize = 1_000;

/// How many users there are.
const USERS: u64 = 5_000;

/// The span of the ledger, in seconds.
const SPAN: i64 = 60 * 86_400;

/// How often each page is asked for.
const ROUNDS: usize = 40;

/// How many sessions arrive each second meanwhile.
const ARRIVING: u64 = 100;

/// The sessions of a day that has no end.
struct Day {
    scene: Scene,
    next: u64,
    live: VecDeque<(u64, String, String, String)>,
}

impl Day {
    fn new() -> Self {
        let scene = Scene::new(CONFIG);
        let now = jiff::Timestamp::now().as_millisecond();
        scene.wait((now - MONDAY) / 1000 - SPAN);
        Self { scene, next: 0, live: VecDeque::new() }
    }

    /// One session begins, and the oldest ends. One attempt of twenty is a guest's, which is refused.
    fn session(&mut self) {
        let handle = self.next;
        self.next += 1;
        if self.live.len() == LIVE {
            let (old, user, port, given) = self.live.pop_front().unwrap();
            let ended = link(old, &port, Tunnel::Sstp);
            self.scene.recorder.link_hangup(&ended, self.scene.now());
            let usage = Usage {
                seconds: 5_000,
                input_octets: 40_000_000 + old % 1_000_000,
                output_octets: 400_000_000,
                input_packets: 50_000,
                output_packets: 400_000,
            };
            self.scene.recorder.hangup(&connection(old, &user).with(|event| event.usage = usage), self.scene.now());
            self.scene.release(&user, &port, &given);
        }
        let who = if handle.is_multiple_of(20) { "guest" } else { "user" };
        let (user, port) = (format!("{who}{}", handle * 7_919 % USERS), format!("VPN2-{}", handle % LIVE as u64));
        let Ok(given) = self.scene.address(&user, &port, "172.16.0.9") else { return };
        let event = connection(handle, &user).with(|event| {
            event.addresses = vec![number(&given)];
            event.computer = Name::new(&format!("PC{}", handle % USERS));
            event.source = format!("203.0.{}.{}", handle / 200 % 100, handle % 200 + 1);
        });
        let accepted = self.scene.connect(&event);
        let tunnel = [Tunnel::Sstp, Tunnel::L2tp][usize::from(handle.is_multiple_of(3))];
        if matches!(accepted, rasadmin_recorder::Verdict::Accept)
            && matches!(self.scene.link(handle, &port, tunnel), rasadmin_recorder::Verdict::Accept)
        {
            self.live.push_back((handle, user, port, given));
        } else {
            self.scene.release(&user, &port, &given);
        }
    }

    fn bring_in(&self) {
        let mut ledger = Sqlite::open(&self.scene.config.ledger, Create::Yes, false, soon()).unwrap();
        ledger.ingest(&self.scene.config.journal, &Name::new(SERVER), &mut |_| {}).unwrap();
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn main() {
    let sessions: u64 = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let began = Instant::now();
    let mut day = Day::new();
    for at in 0..sessions {
        day.session();
        // The span is divided evenly, in whole seconds.
        let due = |at: u64| SPAN * i64::try_from(at).unwrap() / i64::try_from(sessions).unwrap();
        day.scene.wait(due(at + 1) - due(at));
        if at % 20_000 == 19_999 {
            day.bring_in();
        }
    }
    day.bring_in();
    let ledger = day.scene.config.ledger.clone();
    let counted = |what: &str| -> u64 {
        rusqlite::Connection::open(&ledger).unwrap().query_row(what, [], |row| row.get(0)).unwrap()
    };
    let (rows, decisions) = (counted("SELECT count(*) FROM sessions"), counted("SELECT count(*) FROM decisions"));
    let size = std::fs::metadata(&ledger).unwrap().len() >> 20;
    println!("{rows} sessions, {decisions} decisions, {size} MiB, made in {:.0} s\n", began.elapsed().as_secs_f64());

    let file = day.scene.folder.path().join("rasadmin.toml");
    let users = day.scene.folder.path().join("users.toml");
    let source = Source::open(&file, &Name::new(SERVER)).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let (ready, is_ready) = channel();
    let server = thread::spawn({
        let over = over.clone();
        move || {
            let options = Options {
                listen: "127.0.0.1:0".parse().unwrap(),
                names: Vec::new(),
                tls: None,
                insecure: false,
                users,
                link_for: Some("bench".to_owned()),
                limits: Limits::default(),
            };
            let stop = move || over.load(Ordering::Relaxed);
            server::serve(source, options, stop, Arc::new(|_: &str| {}), |served| {
                ready.send((served.address, served.link.unwrap())).unwrap();
            })
            .unwrap();
        }
    });
    let (address, link) = is_ready.recv().unwrap();
    let arriving = thread::spawn({
        let over = over.clone();
        move || {
            let mut late = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let second = Instant::now();
                day.scene.wait(1);
                (0..ARRIVING).for_each(|_| day.session());
                day.bring_in();
                late = late.max(second.elapsed());
                thread::sleep(Duration::from_secs(1).saturating_sub(second.elapsed()));
            }
            late
        }
    });
    measure(address, &link);
    over.store(true, Ordering::Relaxed);
    let longest = arriving.join().unwrap();
    server.join().unwrap();
    println!(
        "\nmeanwhile {ARRIVING} sessions a second arrived; a second's took at most {:.2} s",
        longest.as_secs_f64()
    );
}

/// Every page, again and again.
fn measure(address: SocketAddr, link: &str) {
    let (_, path) = link.split_once(&address.to_string()).unwrap();
    let answer = Answer::of(address, path, "");
    let cookie = answer.cookie.unwrap();
    let latest = Answer::of(address, "/sessions", &cookie);
    let session = latest.link("/sessions/").unwrap();
    let decision = Answer::of(address, &session, &cookie).link("/decisions/").unwrap();
    let month = jiff::Zoned::now().strftime("%Y-%m").to_string();
    let pages = [
        "/".to_owned(),
        "/sessions".to_owned(),
        "/sessions?user=user77".to_owned(),
        "/sessions?q=user77".to_owned(),
        "/sessions?computer=PC77".to_owned(),
        format!("/sessions?since={month}-01"),
        "/sessions?live=1&sort=-received".to_owned(),
        session,
        decision,
        "/users".to_owned(),
        "/users?sort=sessions".to_owned(),
        "/users?q=77".to_owned(),
        "/blocks".to_owned(),
        "/users/CORP%5Cuser77".to_owned(),
        "/addresses".to_owned(),
        "/addresses?address=10.0.0.9".to_owned(),
        "/reports".to_owned(),
        "/reports?by=day".to_owned(),
        "/reports?by=rule".to_owned(),
        "/reports?by=group".to_owned(),
        "/rules".to_owned(),
        "/decisions".to_owned(),
        "/decisions?user=user77".to_owned(),
        "/decisions?outcome=denied".to_owned(),
    ];
    let heads = ["median ms", "p99 ms", "longest ms", "ready ms"].map(|head| format!("{head:>10}")).join("  ");
    println!("{:<34}  {heads}  {:>8}", "page", "KiB");
    let mut times = vec![Vec::new(); pages.len()];
    // How long it took at most until the page had its figures.
    let mut ready = vec![Duration::ZERO; pages.len()];
    let mut octets = vec![0; pages.len()];
    for _ in 0..ROUNDS {
        for (at, page) in pages.iter().enumerate() {
            let asked = Instant::now();
            let mut answer = Answer::of(address, page, &cookie);
            if answer.status == 200 {
                times[at].push(answer.took);
                while answer.body.contains("The figures are being made") {
                    thread::sleep(Duration::from_millis(100));
                    answer = Answer::of(address, page, &cookie);
                }
                ready[at] = ready[at].max(asked.elapsed());
                octets[at] = answer.body.len();
            }
        }
    }
    for (((page, mut times), ready), octets) in pages.iter().zip(times).zip(ready).zip(octets) {
        times.sort();
        if times.is_empty() {
            println!("{page:<34}  not a page");
            continue;
        }
        let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1000.0;
        let ready = ready.as_secs_f64() * 1000.0;
        println!(
            "{page:<34}  {:>10.1}  {:>10.1}  {:>10.1}  {ready:>10.1}  {:>8.1}",
            at(50),
            at(99),
            at(100),
            octets as f64 / 1024.0
        );
    }
}

/// An answer over HTTP.
struct Answer {
    status: u16,
    cookie: Option<String>,
    body: String,
    took: Duration,
}

impl Answer {
    /// One connection a request, as a program without a pool makes it.
    fn of(address: SocketAddr, path: &str, cookie: &str) -> Self {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let (mut status, mut cookie, mut line) = (0, None, String::new());
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(set) = line.strip_prefix("set-cookie: ") {
                cookie = set.split(';').next().map(str::to_owned);
            } else if line.trim().is_empty() {
                break;
            }
        }
        let mut body = String::new();
        reader.read_to_string(&mut body).unwrap();
        Self { status, cookie, body, took: began.elapsed() }
    }

    /// The first link of this form.
    fn link(&self, form: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("href=\"{form}"))?;
        let (rest, _) = rest.split_once('"')?;
        Some(format!("{form}{rest}"))
    }
}

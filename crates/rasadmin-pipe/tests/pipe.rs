//! A server and its clients, well-behaved and not. Everything goes over the pipe of a folder of the test's own.
#![allow(clippy::unwrap_used)]

use rasadmin_pipe::frame::{LONGEST_ANSWER, LONGEST_REQUEST, message};
use rasadmin_pipe::{Address, Caller, Class, Counts, Error, Handler, Limits, Refusal, Request, Server, Why, ask};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Far more than any of this takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Answers `metrics` with who has asked, or with what a test wants.
#[derive(Default)]
struct Answers {
    callers: Arc<Mutex<Vec<Caller>>>,
    long: usize,
    panics: bool,
}

impl Handler for Answers {
    fn answer(&self, request: &Request, caller: &Caller) -> Result<Value, Refusal> {
        self.callers.lock().unwrap().push(caller.clone());
        match request {
            Request::Status {} => Err(Refusal::new(Why::Unavailable, "not now\u{1b}[2J")),
            Request::Metrics {} if self.panics => panic!("a test"),
            Request::Metrics {} if self.long > 0 => Ok(json!("x".repeat(self.long))),
            Request::Metrics {} => Ok(json!(caller.account)),
            _ => Ok(Value::Null),
        }
    }
}

/// A server that runs until it is dropped.
struct Running {
    address: Address,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Mutex<Counts>>,
    _folder: tempfile::TempDir,
}

fn address(folder: &tempfile::TempDir) -> Address {
    Address::of_journal(folder.path(), std::path::Path::new("elsewhere"))
}

fn serve(answers: Answers, limits: Limits) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let (address, stop) = (address(&folder), Arc::new(AtomicBool::new(false)));
    let mut server = Server::bind(&address, Box::new(answers), limits, stop.clone()).unwrap();
    let counts = Arc::new(Mutex::new(Counts::default()));
    let thread = std::thread::spawn({
        let (stop, counts) = (stop.clone(), counts.clone());
        move || {
            while !stop.load(Ordering::Relaxed) {
                server.serve_for(Duration::from_millis(20)).unwrap();
                *counts.lock().unwrap() = server.counts();
            }
        }
    });
    Running { address, stop, thread: Some(thread), counts, _folder: folder }
}

impl Running {
    fn ask(&self) -> Result<String, Error> {
        ask(&self.address, &Request::Metrics {}, PATIENCE)
    }

    fn refuses(&self, request: &Request) -> Refusal {
        match ask::<Value>(&self.address, request, PATIENCE) {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// Sends bytes, and reads what comes back until the server closes or has answered.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = connect(&self.address);
        let _ = stream.write_all(bytes);
        String::from_utf8_lossy(&reply(&mut stream)).into_owned()
    }

    fn until(&self, expected: impl Fn(&Counts) -> bool) -> Counts {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let counts = self.counts.lock().unwrap().clone();
            if expected(&counts) {
                return counts;
            }
            assert!(Instant::now() < deadline, "{counts:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A client that does not know the protocol.
#[cfg(unix)]
fn connect(address: &Address) -> std::os::unix::net::UnixStream {
    std::os::unix::net::UnixStream::connect(address.to_string()).unwrap()
}

#[cfg(windows)]
fn connect(address: &Address) -> std::fs::File {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match std::fs::OpenOptions::new().read(true).write(true).open(address.to_string()) {
            Ok(pipe) => return pipe,
            // All instances are busy, for a moment.
            Err(e) => assert!(e.raw_os_error() == Some(231) && Instant::now() < deadline, "{e}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The server's whole reply; what there was of it if the server has closed early.
fn reply(stream: &mut impl Read) -> Vec<u8> {
    let mut header = [0; 16];
    if stream.read_exact(&mut header).is_err() {
        return Vec::new();
    }
    let length = u32::from_le_bytes(header[12..].try_into().unwrap());
    let mut json = Vec::new();
    let _ = stream.take(length.into()).read_to_end(&mut json);
    json
}

fn impatient() -> Limits {
    Limits { patience: Duration::from_millis(200), ..Limits::default() }
}

#[test]
fn the_system_says_who_asks() {
    let answers = Answers::default();
    let callers = answers.callers.clone();
    let server = serve(answers, Limits::default());
    let account = server.ask().unwrap();
    let caller = callers.lock().unwrap().pop().unwrap();
    assert_eq!(caller, Caller { account: account.clone(), class: Class::Administrator });
    assert_eq!(Some(account), rasadmin_rights::account_name());
    assert_eq!(server.until(|counts| counts.answered > 0), Counts { answered: 1, ..Counts::default() });
}

#[test]
fn a_change_on_behalf_of_somebody_reaches_the_handler_as_the_change() {
    let answers = Answers::default();
    let callers = answers.callers.clone();
    let server = serve(answers, Limits::default());
    let on_behalf = |change| Request::OnBehalf { of: "anna".to_owned(), change: Box::new(change) };
    let close = Request::Close { session: "018f".to_owned(), reason: None };
    // The handler answers null to what is not `metrics`, and would to an `on-behalf` too: who asks is the difference.
    assert_eq!(ask::<Value>(&server.address, &on_behalf(close), PATIENCE).unwrap(), Value::Null);
    let caller = callers.lock().unwrap().pop().unwrap();
    assert_eq!(caller.account, format!("anna (dashboard, {})", rasadmin_rights::account_name().unwrap()));
    let refusal = server.refuses(&on_behalf(Request::Metrics {}));
    assert_eq!(refusal.why, Why::Invalid, "{}", refusal.text);
    assert!(callers.lock().unwrap().is_empty(), "the handler was not asked");
}

#[test]
fn a_refusal_is_counted_and_can_be_printed() {
    let server = serve(Answers::default(), Limits::default());
    let refusal = server.refuses(&Request::Status {});
    assert_eq!(refusal.why, Why::Unavailable);
    assert!(refusal.text.ends_with("not now\\u{1b}[2J"), "{}", refusal.text);
    let counts = server.until(|counts| counts.refused > 0);
    assert_eq!((counts.answered, counts.refused), (0, 1));
    assert_eq!(counts.last_refusal.unwrap().1, refusal.text);
}

#[test]
fn nonsense_is_refused_and_the_next_client_is_answered() {
    let server = serve(Answers::default(), Limits::default());
    let good = message(br#"{"metrics":{}}"#, LONGEST_REQUEST).unwrap();
    let huge = [&good[..12], &u32::MAX.to_le_bytes(), b"{}"].concat();
    let newer = [&good[..8], &2_u32.to_le_bytes(), &good[12..]].concat();
    let unknown = message(br#"{"shutdown":{}}"#, LONGEST_REQUEST).unwrap();
    let more = message(br#"{"metrics":{"of":"everything"}}"#, LONGEST_REQUEST).unwrap();
    let bad = [
        (&b"GET /metrics HTTP/1.1\r\nHost: vpn1\r\n\r\n"[..], "version"),
        (&huge, "too-long"),
        (&newer, "version"),
        (&unknown, "invalid"),
        (&more, "invalid"),
        (&[0xff; 200], "version"),
    ];
    for (nth, (bytes, why)) in bad.iter().enumerate() {
        let reply = server.send(bytes);
        assert!(reply.contains(&format!(r#"{{"refused":{{"why":"{why}""#)), "{nth}: {reply}");
        server.ask().unwrap();
    }
    let counts = server.until(|counts| counts.answered == 6);
    assert_eq!(counts.refused, 6);
}

#[test]
fn a_client_that_closes_early_harms_nobody() {
    let server = serve(Answers::default(), Limits::default());
    drop(connect(&server.address));
    let good = message(br#"{"metrics":{}}"#, LONGEST_REQUEST).unwrap();
    for half in [3, 8, 12, good.len() - 1] {
        connect(&server.address).write_all(&good[..half]).unwrap();
    }
    // It does not wait for the answer.
    connect(&server.address).write_all(&good).unwrap();
    server.ask().unwrap();
    // Windows forgets a client that is gone before it was accepted, with all that it has sent.
    let all = if cfg!(windows) { 1 } else { 6 };
    let counts = server.until(|counts| counts.answered + counts.refused >= all);
    assert!(counts.answered <= 2 && counts.refused <= 4, "who sends nothing asks nothing: {counts:?}");
}

#[test]
fn one_request_per_connection() {
    let server = serve(Answers::default(), impatient());
    let good = message(br#"{"metrics":{}}"#, LONGEST_REQUEST).unwrap();
    let mut stream = connect(&server.address);
    stream.write_all(&[&good[..], &good].concat()).unwrap();
    assert!(!reply(&mut stream).is_empty());
    assert_eq!(reply(&mut stream), b"", "the second one is not answered");
}

#[test]
fn a_silent_client_is_told_that_it_is_late() {
    let server = serve(Answers::default(), impatient());
    let mut silent = connect(&server.address);
    let reply = reply(&mut silent);
    assert!(String::from_utf8_lossy(&reply).contains("too-late"), "{reply:?}");
    assert_eq!(server.until(|counts| counts.refused > 0).refused, 1);
}

/// They would keep a thread and a seat otherwise.
#[test]
fn clients_that_never_read_keep_no_seat_for_long() {
    let answers = Answers { long: LONGEST_ANSWER - 100, ..Answers::default() };
    let server = serve(answers, Limits { clients: 2, ..impatient() });
    let good = message(br#"{"metrics":{}}"#, LONGEST_REQUEST).unwrap();
    let never_read: Vec<_> = (0..6)
        .map(|_| {
            let mut stream = connect(&server.address);
            stream.write_all(&good).unwrap();
            stream
        })
        .collect();
    server.until(|counts| counts.answered >= 5);
    assert_eq!(server.ask().unwrap().len(), LONGEST_ANSWER - 100);
    drop(never_read);
}

#[test]
fn an_answer_that_is_too_long_is_refused() {
    let server = serve(Answers { long: LONGEST_ANSWER, ..Answers::default() }, Limits::default());
    assert_eq!(server.refuses(&Request::Metrics {}).why, Why::TooLong);
}

#[test]
fn a_bug_costs_one_answer() {
    let server = serve(Answers { panics: true, ..Answers::default() }, Limits { clients: 1, ..Limits::default() });
    for _ in 0..3 {
        assert_eq!(server.refuses(&Request::Metrics {}).why, Why::Bug);
    }
    assert_eq!(server.refuses(&Request::Status {}).why, Why::Unavailable);
}

#[test]
fn a_hundred_clients_at_once_are_all_answered() {
    let server = serve(Answers::default(), Limits::default());
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..100).map(|_| scope.spawn(|| server.ask())).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in answers {
        answer.unwrap();
    }
    assert_eq!(server.until(|counts| counts.answered == 100).refused, 0);
}

/// Silent clients have the whole of the server's patience, an hour, and still it ends at once.
#[test]
fn the_end_waits_for_no_client() {
    let patient = Limits { patience: Duration::from_secs(3600), ..Limits::default() };
    let server = serve(Answers::default(), patient);
    let silent: Vec<_> = (0..15).map(|_| connect(&server.address)).collect();
    // Clients are served in their order, so all the others are served by now.
    server.ask().unwrap();
    let address = server.address.clone();
    drop(server);
    assert!(matches!(ask::<Value>(&address, &Request::Metrics {}, PATIENCE), Err(Error::NoService(_))));
    drop(silent);
}

fn bind(folder: &tempfile::TempDir) -> Result<Server, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    Server::bind(&address(folder), Box::new(Answers::default()), Limits::default(), stop)
}

#[test]
fn a_pipe_is_free_again_after_its_server() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        bind(&folder).unwrap();
    }
}

#[test]
fn without_a_service_the_client_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = ask::<Value>(&address(&folder), &Request::Status {}, PATIENCE).unwrap_err();
    assert!(matches!(error, Error::NoService(_)), "{error}");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::os::unix::net::UnixListener;

    /// Wine gives the name of a pipe to a second server too; docs/field-test.md says how to try it on Windows.
    #[test]
    fn a_pipe_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let _first = bind(&folder).unwrap();
        let second = bind(&folder).map(drop);
        assert!(matches!(second, Err(Error::Taken(_))), "{second:?}");
    }

    #[test]
    fn only_its_user_can_open_the_socket() {
        let server = serve(Answers::default(), Limits::default());
        let of = std::fs::metadata(server.address.to_string()).unwrap();
        assert!(of.file_type().is_socket());
        assert_eq!(of.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_a_killed_service_leaves_behind_is_replaced_and_another_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = address(&folder).to_string();
        // A listener that is dropped leaves its file, as a process does that is killed.
        drop(UnixListener::bind(&path).unwrap());
        drop(bind(&folder).unwrap());
        assert!(!std::fs::exists(&path).unwrap(), "it tidies up");
        std::fs::write(&path, "mine").unwrap();
        assert!(bind(&folder).err().unwrap().to_string().contains("something else has its name"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_socket_that_was_removed_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = bind(&folder).unwrap();
        server.serve_for(Duration::from_millis(1)).unwrap();
        std::fs::remove_file(address(&folder).to_string()).unwrap();
        let error = server.serve_for(Duration::from_millis(1)).unwrap_err();
        assert!(error.to_string().contains("removed or replaced"), "{error}");
    }
}

//! The clock of these tests moves by itself when everybody waits, so nothing takes time here.
#![allow(clippy::unwrap_used)]

use super::*;
use axum::body::BodyDataStream;
use futures_util::StreamExt;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::test;

/// What changes, and who looks how often.
struct Scene {
    events: Arc<Events>,
    stop: watch::Sender<bool>,
    changes: Arc<AtomicUsize>,
    looks: Arc<AtomicUsize>,
    visit: Arc<AtomicBool>,
    visits: AtomicUsize,
}

impl Scene {
    fn new() -> Self {
        let (stop, stopped) = watch::channel(false);
        let counted = Arc::<AtomicUsize>::default;
        let visit = Arc::new(AtomicBool::new(true));
        Self {
            events: Arc::new(Events::new(stopped)),
            stop,
            changes: counted(),
            looks: counted(),
            visit,
            visits: AtomicUsize::new(0),
        }
    }

    fn try_listen(&self, seen: Option<u64>) -> Result<Browser, Fault> {
        // Each in a visit of its own.
        let number = self.visits.fetch_add(1, Ordering::SeqCst);
        self.try_listen_in([u8::try_from(number % 256).unwrap(); 32], &format!("user {number}"), seen)
    }

    fn try_listen_in(&self, of: Hash, user: &str, seen: Option<u64>) -> Result<Browser, Fault> {
        let (changes, looks, visit) = (self.changes.clone(), self.looks.clone(), self.visit.clone());
        let look = Arc::new(move || {
            looks.fetch_add(1, Ordering::SeqCst);
            changes.swap(0, Ordering::SeqCst) > 0
        });
        let news =
            self.events.listen((of, user.to_owned()), seen, look, Arc::new(move || visit.load(Ordering::SeqCst)))?;
        Ok(Browser(Sse::new(news).into_response().into_body().into_data_stream()))
    }

    fn listen(&self, seen: Option<u64>) -> Browser {
        self.try_listen(seen).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// A browser that has the event of the first look.
    async fn settled(&self) -> (Browser, u64) {
        let mut browser = self.listen(None);
        let number = browser.changed().await;
        (browser, number)
    }

    fn change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }
}

struct Browser(BodyDataStream);

impl Browser {
    async fn next(&mut self) -> Option<String> {
        Some(String::from_utf8(self.0.next().await?.unwrap().to_vec()).unwrap())
    }

    /// The number of the next event, which is a change.
    async fn changed(&mut self) -> u64 {
        let text = self.next().await.unwrap();
        let number = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_else(|| panic!("{text:?}"));
        assert_eq!(text, format!("event: changed\nid: {number}\ndata: {number}\n\n"));
        number.parse().unwrap()
    }

    /// The next event is a comment.
    async fn is_kept_alive(&mut self) {
        assert_eq!(self.next().await.unwrap(), ": \n\n");
    }
}

#[test(start_paused = true)]
async fn a_change_is_told_to_everybody_by_one_look_a_second() {
    let scene = Scene::new();
    let (mut first, number) = scene.settled().await;
    let mut others: Vec<_> = (0..50).map(|_| scene.listen(Some(number))).collect();
    let (looks, start) = (scene.looks(), Instant::now());
    sleep(BETWEEN * 10).await;
    assert!((9..=11).contains(&(scene.looks() - looks)), "{}", scene.looks() - looks);
    scene.change();
    let number = first.changed().await;
    for other in &mut others {
        assert_eq!(other.changed().await, number);
    }
    assert!(start.elapsed() <= BETWEEN * 12);
}

#[test(start_paused = true)]
async fn many_changes_are_one_event() {
    let scene = Scene::new();
    let (mut browser, before) = scene.settled().await;
    (0..1_000).for_each(|_| scene.change());
    assert_eq!(browser.changed().await, before + 1);
    browser.is_kept_alive().await;
}

#[test(start_paused = true)]
async fn there_is_at_most_one_event_a_second() {
    let scene = Scene::new();
    let (_running, number) = scene.settled().await;
    sleep(BETWEEN / 2).await;
    // Its first event is at once, and the next look is half a second away.
    let mut browser = scene.listen(None);
    assert_eq!(browser.changed().await, number);
    let mut before = Instant::now();
    for _ in 0..5 {
        scene.change();
        browser.changed().await;
        assert!(before.elapsed() >= BETWEEN, "{:?}", before.elapsed());
        before = Instant::now();
    }
}

#[test(start_paused = true)]
async fn nothing_but_a_comment_is_sent_while_nothing_changes() {
    let scene = Scene::new();
    let (mut browser, _) = scene.settled().await;
    for _ in 0..3 {
        let before = Instant::now();
        browser.is_kept_alive().await;
        assert_eq!(before.elapsed().as_secs(), KEEP_ALIVE.as_secs());
    }
}

#[test(start_paused = true)]
async fn who_has_missed_something_hears_at_once() {
    let scene = Scene::new();
    let (mut running, number) = scene.settled().await;
    scene.listen(Some(number)).is_kept_alive().await;
    scene.change();
    let now = running.changed().await;
    assert_eq!(scene.events.number(), now);
    for seen in [Some(number), Some(7), None] {
        assert_eq!(scene.listen(seen).changed().await, now, "{seen:?}");
    }
}

#[test(start_paused = true)]
async fn nobody_looks_while_nobody_listens_and_the_next_one_hears_at_once() {
    let scene = Scene::new();
    let (browser, number) = scene.settled().await;
    drop(browser);
    sleep(LINGER / 2).await;
    // Somebody opens the next page.
    let browser = scene.listen(Some(number));
    sleep(LINGER * 2).await;
    drop(browser);
    sleep(LINGER * 2).await;
    let looks = scene.looks();
    sleep(LINGER * 10).await;
    assert_eq!(scene.looks(), looks);
    let next = scene.listen(Some(number)).changed().await;
    assert!(next > number, "what has changed since is not known");
    assert_eq!(scene.looks(), looks + 1);
}

#[test(start_paused = true)]
async fn two_hundred_listen_and_one_more_is_told_why_not() {
    let scene = Scene::new();
    let mut all: Vec<_> = (0..200).map(|_| scene.listen(None)).collect();
    let fault = scene.try_listen(None).err().unwrap();
    assert_eq!(fault.status, axum::http::StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        fault.to_string(),
        "200 pages already follow what changes; close pages of the dashboard that nobody looks at; until then, load \
         this page again to see what is new"
    );
    all.pop();
    scene.listen(None).changed().await;
}

#[test(start_paused = true)]
async fn one_visit_leaves_places_for_the_others() {
    let scene = Scene::new();
    let listen = |visit: u8| scene.try_listen_in([visit; 32], "anna", None);
    let mut all: Vec<_> = (0..12).map(|_| listen(0).ok().unwrap()).collect();
    let fault = listen(0).err().unwrap();
    assert!(fault.what.starts_with("12 pages of this visit already follow"), "{fault}");
    assert!(listen(1).is_ok());
    all.pop();
    assert!(listen(0).is_ok());
}

#[test(start_paused = true)]
async fn one_user_with_many_visits_leaves_places_for_the_others() {
    let scene = Scene::new();
    let listen = |visit: u8, user| scene.try_listen_in([visit; 32], user, None);
    let mut all: Vec<_> = (0..50).map(|visit| listen(visit, "vera").ok().unwrap()).collect();
    let fault = listen(50, "vera").err().unwrap();
    assert!(fault.what.starts_with("50 pages of this user already follow"), "{fault}");
    assert!(listen(51, "anna").is_ok());
    all.pop();
    assert!(listen(52, "vera").is_ok());
}

#[test(start_paused = true)]
async fn the_streams_end_when_the_server_stops_and_nobody_looks_any_more() {
    let scene = Scene::new();
    let (mut first, number) = scene.settled().await;
    let mut second = scene.listen(Some(number));
    let waiting = tokio::spawn(async move { (first.next().await, second.next().await) });
    scene.stop.send(true).unwrap();
    assert_eq!(waiting.await.unwrap(), (None, None));
    let looks = scene.looks();
    sleep(LINGER).await;
    assert_eq!(scene.looks(), looks);
    assert_eq!(scene.listen(None).next().await, None, "nor does one begin");
}

#[test(start_paused = true)]
async fn a_stream_ends_with_the_visit() {
    let scene = Scene::new();
    let (mut browser, _) = scene.settled().await;
    scene.visit.store(false, Ordering::SeqCst);
    assert_eq!(browser.next().await, None, "instead of the next comment");
    scene.visit.store(true, Ordering::SeqCst);
    let mut browser = scene.listen(None);
    browser.changed().await;
    scene.visit.store(false, Ordering::SeqCst);
    scene.change();
    assert_eq!(browser.next().await, None, "instead of the next change");
}

#[test(start_paused = true)]
async fn a_look_that_panics_is_not_the_last() {
    let scene = Scene::new();
    let looks = scene.looks.clone();
    let look = Arc::new(move || match looks.fetch_add(1, Ordering::SeqCst) {
        3 => panic!("expected by this test"),
        look => look == 5,
    });
    let news = scene.events.listen(([0; 32], "anna".to_owned()), None, look, Arc::new(|| true)).unwrap();
    let mut browser = Browser(Sse::new(news).into_response().into_body().into_data_stream());
    assert_eq!(browser.changed().await + 1, browser.changed().await);
}

#[std::prelude::v1::test]
fn the_number_of_the_last_event_counts_for_more_than_that_of_the_page() {
    let (with, without) = (Asked { seen: Some(3) }, Asked { seen: None });
    let headers = |last: &'static str| HeaderMap::from_iter([(LAST, last.parse().unwrap())]);
    assert_eq!([with.last(&headers("5")), without.last(&headers("5"))], [Some(5), Some(5)]);
    assert_eq!([with.last(&HeaderMap::new()), without.last(&HeaderMap::new())], [Some(3), None]);
    assert_eq!([with.last(&headers("x")), without.last(&headers("-1"))], [Some(3), None]);
}

fn write(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute("UPDATE about SET value = value || '+' WHERE key = 'ledger'", []).unwrap();
}

fn make(path: &Path) {
    drop(Sqlite::open(path, Create::Yes, false, std::time::Instant::now() + Duration::from_secs(60)).unwrap());
}

#[std::prelude::v1::test]
fn a_ledger_changes_when_it_is_written_when_it_comes_and_when_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Followed::default();
    // A second look finds nothing new.
    let changed = |path: &Path| (ledger.changed(path), ledger.changed(path));
    assert_eq!(changed(&path), (true, false), "it is not there");
    make(&path);
    assert_eq!(changed(&path), (true, false), "it is there");
    write(&path);
    assert_eq!(changed(&path), (true, false));
    let another = folder.path().join("another.db");
    make(&another);
    assert_eq!(changed(&another), (true, false), "the configuration names another");
    ledger.close();
    std::fs::rename(&another, &path).unwrap();
    assert_eq!(changed(&another), (true, false), "it was moved away");
    assert_eq!(changed(&path), (true, false));
}

#[cfg(unix)] // On Windows a ledger that is open cannot be replaced.
#[std::prelude::v1::test]
fn a_ledger_that_replaces_another_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = ["ledger.db", "other.db"].map(|name| folder.path().join(name));
    [&path, &other].into_iter().for_each(|path| make(path));
    let ledger = Followed::default();
    ledger.changed(&path);
    std::fs::rename(&other, &path).unwrap();
    assert!(ledger.changed(&path));
    write(&path);
    assert!(ledger.changed(&path));
    assert!(!ledger.changed(&path));
}

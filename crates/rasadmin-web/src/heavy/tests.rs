#![allow(clippy::unwrap_used)]
use super::*;
use crate::scene::{Scene, connection};
use crate::source::turns::{Turns, answer_for};
use crate::{App, Events, Role, Visitor};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::{Extension, Router};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_policy::Name;
use std::sync::mpsc::channel;
use std::time::Instant;
use tower::ServiceExt;

const LONG: Duration = Duration::from_secs(60);

fn number(answer: Answer<u64>) -> u64 {
    *answer.ready().unwrap()
}

#[test]
fn who_does_not_want_to_wait_sees_how_far_an_answer_is_and_later_the_answer() {
    let (heavy, one) = (Heavy::<u64, u64>::default(), One::default());
    let (go, went) = channel::<()>();
    let (began, has_begun) = channel();
    let first = heavy.answer(&one, 7, Duration::ZERO, move |share| {
        share.set(3_000, 9_000);
        began.send(()).unwrap();
        went.recv().unwrap();
        Ok(70)
    });
    assert!(matches!(first, Ok(Answer::Being(_))));
    has_begun.recv().unwrap();
    // Nobody begins again what is in progress.
    let Ok(Answer::Being(share)) = heavy.answer(&one, 7, Duration::ZERO, |_| Ok(1)) else { panic!("it is not ready") };
    assert_eq!(share.words(), "3,000 of 9,000 sessions are read");
    let fault = Answer::<u64>::Being(share).ready().unwrap_err();
    assert_eq!(fault.status.as_u16(), 503);
    go.send(()).unwrap();
    // One that took no time is made anew.
    assert_eq!(number(heavy.answer(&one, 7, LONG, |_| Ok(70)).unwrap()), 70);
}

#[test]
fn one_answer_is_made_at_a_time() {
    let (heavy, one) = (Heavy::<u64, u64>::default(), One::default());
    let alone = one.wait();
    let Ok(Answer::Being(share)) = heavy.answer(&one, 7, Duration::ZERO, |_| Ok(70)) else { panic!("another is made") };
    assert_eq!(share.words(), "how far they are is not known yet");
    for other in 8..23 {
        assert!(matches!(heavy.answer(&one, other, Duration::ZERO, |_| Ok(70)), Ok(Answer::Being(_))));
    }
    let fault = heavy.answer(&one, 23, Duration::ZERO, |_| Ok(70)).unwrap_err();
    assert!(fault.what.contains("too many figures"), "{fault}");
    drop(alone);
    assert_eq!(number(heavy.answer(&one, 7, LONG, |_| Ok(70)).unwrap()), 70);
}

#[tokio::test]
async fn one_caller_cannot_have_all_figures_made() {
    let (heavy, one, turns) = (Heavy::<u64, u64>::default(), One::default(), Turns::default());
    let greedy = answer_for("greedy", turns.next()).await.unwrap();
    let other = answer_for("other", turns.next()).await.unwrap();
    let _alone = one.wait();
    let is_begun = |asked| heavy.answer(&one, asked, Duration::ZERO, |_| Ok(70)).map(|_| ());
    greedy.work(|| {
        (0..8).for_each(|asked| is_begun(asked).unwrap());
        let fault = is_begun(8).unwrap_err();
        assert!(fault.what.contains("being made for you"), "{fault}");
    });
    other.work(|| is_begun(8).unwrap());
}

#[test]
fn what_cannot_be_made_says_why_once_and_is_tried_again() {
    let (heavy, one) = (Heavy::<u64, u64>::default(), One::default());
    let alone = one.wait();
    let broken = |_: &making::Progress| Err(Fault::unavailable("the ledger is broken", "mend it"));
    assert!(matches!(heavy.answer(&one, 7, Duration::ZERO, broken), Ok(Answer::Being(_))));
    drop(alone);
    let fault = heavy.answer(&one, 7, LONG, |_| Ok(1)).unwrap_err();
    assert_eq!(fault.what, "the ledger is broken");
    // Whether it was over when the visitor before came or ended while they waited.
    let answer = heavy.answer(&one, 7, LONG, |_| Ok(2)).or_else(|_| heavy.answer(&one, 7, LONG, |_| Ok(2)));
    assert_eq!(number(answer.unwrap()), 2);
    // A bug ends the answer, and nobody waits for it without end.
    let bug = heavy.answer(&one, 8, LONG, |_| panic!("a bug"));
    assert_eq!(bug.unwrap_err().status.as_u16(), 500);
    assert_eq!(number(heavy.answer(&one, 9, LONG, |_| Ok(90)).unwrap()), 90);
}

#[test]
fn a_failure_that_nobody_saw_is_not_shown_later() {
    let (heavy, one) = (Heavy::<u64, u64>::default(), One::default());
    let alone = one.wait();
    let (began, has_begun) = channel();
    let broken = move |_: &making::Progress| {
        began.send(()).unwrap();
        Err(Fault::unavailable("the ledger is broken", "mend it"))
    };
    assert!(matches!(heavy.answer(&one, 7, Duration::ZERO, broken), Ok(Answer::Being(_))));
    drop(alone);
    has_begun.recv().unwrap();
    // It is over when another could be made.
    drop(one.wait());
    let later = Instant::now() + LONG;
    assert_eq!(number(heavy.answer_at(later, &one, 7, LONG, |_| Ok(70)).unwrap()), 70);
}

const CONFIG: &str = "default_domain = 'CORP'\ndefault.action = 'allow'\njournal.durability = 'process'\n";

/// The dashboard of a ledger with one session.
fn dashboard() -> (Scene, Arc<App>, Router) {
    let scene = Scene::new(CONFIG);
    scene.connect(&connection(1, "alice"));
    let soon = Instant::now() + LONG;
    let mut ledger = Sqlite::open(&scene.config.ledger, Create::Yes, false, soon).unwrap();
    ledger.ingest(&scene.config.journal, &Name::new("VPN1"), &mut |_| {}).unwrap();
    let source = Source::open(&scene.folder.path().join("rasadmin.toml"), &Name::new("VPN1")).unwrap();
    let (_, stop) = tokio::sync::watch::channel(false);
    let app = Arc::new(App { source, events: Arc::new(Events::new(stop)) });
    let visitor = Visitor { name: "anna".into(), role: Role::Viewer, csrf: "token".into() };
    let routes = app.clone().routes().layer(Extension(visitor));
    (scene, app, routes)
}

fn get(routes: &Router, address: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let answer = routes.clone().oneshot(Request::get(address).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{address}");
        String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    })
}

#[test]
fn a_page_whose_figures_are_being_made_says_so_and_looks_again() {
    let (_scene, app, routes) = dashboard();
    let again = "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>";
    for (address, live) in [
        ("/reports?month=2026-11", "data-live=\"/reports?month=2026-11\" data-every=\"1000\""),
        ("/users?sort=last&q=ali", "data-live=\"/users?q=ali&amp;sort=last\" data-every=\"1000\""),
    ] {
        let alone = app.source.heavy.one.wait();
        let page = get(&routes, address);
        for part in [again, live, "The figures are being made", "<form class=\"filter\""] {
            assert!(page.contains(part), "{part}: {page}");
        }
        drop(alone);
        let page = loop {
            let page = get(&routes, address);
            if !page.contains("The figures are being made") {
                break page;
            }
        };
        assert!(page.contains(r"CORP\ALICE") && page.contains("<div id=\"live\">"), "{page}");
        assert!(!page.contains("http-equiv=\"refresh\"") && !page.contains("data-every"), "{page}");
    }
    // The page in the order of names does not wait for others.
    let _alone = app.source.heavy.one.wait();
    while !get(&routes, "/users").contains(r"CORP\ALICE") {}
}

#[test]
fn visitors_who_wait_for_figures_do_not_keep_others_from_their_pages() {
    let (_scene, app, routes) = dashboard();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ask = |address: &str| {
        let answer = routes.clone().oneshot(Request::get(address).body(Body::empty()).unwrap());
        async move { answer.await.unwrap().status().as_u16() }
    };
    let alone = app.source.heavy.one.wait();
    let waiting = runtime.block_on(async {
        let addresses = ["/api/v1/report/user?month=2026-11", "/reports.csv?month=2026-11"];
        let waiting = addresses.repeat(4).into_iter().map(|address| tokio::spawn(ask(address))).collect::<Vec<_>>();
        // They are all before the next one.
        tokio::task::yield_now().await;
        assert_eq!(ask("/sessions").await, 200);
        waiting
    });
    drop(alone);
    for one in waiting {
        assert_eq!(runtime.block_on(one).unwrap(), 200);
    }
}

#[test]
fn what_a_first_visitor_would_wait_for_is_made_early_unless_the_server_stops() {
    let (_scene, app, _) = dashboard();
    warm(&app, || true);
    assert!(!app.source.heavy.sums.has_any() && !app.source.heavy.users.has_any());
    warm(&app, || false);
    assert!(app.source.heavy.sums.has_any() && app.source.heavy.users.has_any() && app.source.heavy.names.has_any());
}

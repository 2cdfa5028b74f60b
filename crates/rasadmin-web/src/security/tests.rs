#![allow(clippy::unwrap_used)]
use super::*;
use crate::accounts::Accounts;
use crate::cookie::Cookie;
use crate::gate::Stay;
use crate::served::Served;
use crate::visitor::Role;
use crate::visits::{Identity, Proof};
use axum::Extension;
use axum::routing::{get, post};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tower::ServiceExt;

/// A gate, and the token of a visit.
fn gate(patience: Duration) -> (Arc<Gate>, String) {
    let served = Served { listen: "127.0.0.1:8600".parse().unwrap(), names: Vec::new(), secure: false };
    let gate = Arc::new(Gate::new(served, Accounts::new(Path::new("none")), patience, Arc::new(|_: &str| ())));
    let who = Identity { name: "alice".into(), role: Role::Operator, proof: Proof::Link };
    let token = gate.visits.begin(who, Instant::now()).unwrap();
    (gate, token)
}

/// A request with the visit's cookie, and a form with its token.
fn request(gate: &Gate, method: &str, path: &str, token: &str) -> Request {
    let cookie = gate.cookies(&HeaderMap::new()).set(Cookie::Visit, token);
    let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = http::Request::builder().method(method).uri(path).header(header::HOST, "localhost:8600");
    let request = request.header(header::COOKIE, cookie);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(Body::from(format!("more=1&csrf={}", token::of_forms(token)))).unwrap()
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_page_gets_the_visitor_and_the_whole_form() {
    let (gate, token) = gate(LONG);
    let page = |Extension(visitor): Extension<Visitor>, Extension(stay): Extension<Stay>, body: String| async move {
        format!("{} {} {} {body}", visitor.name, visitor.role, stay.lasts())
    };
    let routes = protect(Router::new().route("/change", post(page)), gate.clone());
    let answer = routes.oneshot(request(&gate, "POST", "/change", &token)).await.unwrap();
    let body = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
    assert_eq!(body, format!("alice operator true more=1&csrf={}", token::of_forms(&token)));
}

#[tokio::test]
async fn a_stay_ends_with_its_visit() {
    let (gate, token) = gate(LONG);
    let request = request(&gate, "GET", "/", &token);
    let (_, stay) = gate.visitor(request.headers()).await.unwrap();
    assert!(stay.lasts());
    gate.visits.end(&token::hash(&token));
    assert!(!stay.lasts());
}

#[tokio::test]
async fn a_panic_ends_one_page_alone() {
    let (gate, token) = gate(LONG);
    let page = async || -> &'static str { panic!("on purpose") };
    let routes = protect(Router::new().route("/", get(page)), gate.clone());
    let answer = routes.oneshot(request(&gate, "GET", "/", &token)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.headers().contains_key(header::CONTENT_SECURITY_POLICY));
}

/// The browser gets an error, because it took too long; but what was begun is done.
#[tokio::test(start_paused = true)]
async fn a_change_that_takes_long_is_finished() {
    let (gate, token) = gate(Duration::from_secs(30));
    let (tell, mut done) = unbounded_channel::<()>();
    let page = |Extension(tell): Extension<UnboundedSender<()>>| async move {
        tokio::time::sleep(LONG).await;
        let _ = tell.send(());
    };
    let routes = protect(Router::new().route("/change", post(page)).layer(Extension(tell)), gate.clone());
    let answer = routes.oneshot(request(&gate, "POST", "/change", &token)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    assert!(done.try_recv().is_err());
    done.recv().await.unwrap();
}

#[test]
fn only_these_paths_are_public() {
    for path in ["/login", "/open", "/healthz", "/assets/style.css"] {
        assert!(is_public(path), "{path}");
    }
    for path in
        ["/", "/logout", "/events", "/login/", "/loginx", "/assets", "/Login", "//login", "/x/assets/", "/users"]
    {
        assert!(!is_public(path), "{path}");
    }
}

#[test]
fn an_address_within_another_is_encoded() {
    assert_eq!(encoded("/users?name=a&b=ü"), "/users%3Fname%3Da%26b%3D%C3%BC");
}

//! Logging in, with a password or a one-time link, and logging out.

use crate::attempts::shown;
use crate::cookie::Cookie;
use crate::device;
use crate::fault::Fault;
use crate::gate::{Ends, Gate, Stay};
use crate::layout;
use crate::token;
use crate::visits::{Identity, Proof};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use maud::{Markup, html};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// The routes.
pub fn routes(gate: Arc<Gate>) -> Router {
    Router::new()
        .route("/login", get(form).post(log_in))
        .route("/logout", post(log_out))
        .route("/open", get(open))
        .route("/healthz", get(async || "ok\n"))
        .with_state(gate)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Next {
    next: String,
    /// Anything: a form was sent, and its visit had ended.
    ended: String,
}

async fn form(
    State(gate): State<Arc<Gate>>,
    stay: Option<Extension<Stay>>,
    wanted: Result<Query<Next>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let Next { next, ended } = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
    if stay.is_some() {
        return Ok(Redirect::to(own_path(&next)).into_response());
    }
    let why = (!ended.is_empty()).then_some(
        "You were logged out, so what you sent had no effect. Your browser’s Back button shows the form again: copy what you \
         typed, log in, and fill in a new form",
    );
    show(&gate, &headers, &next, "", why)
}

/// The form's page. The cookie of the form stays as it is, so that another tab's form still works.
fn show(gate: &Gate, headers: &HeaderMap, next: &str, name: &str, why: Option<&str>) -> Result<Response, Fault> {
    let sent = gate.form_tokens(headers).into_iter().next();
    let is_new = sent.is_none();
    let token = sent.map_or_else(token::new, Ok).map_err(no_random)?;
    let page = page(&token::of_forms(&token), own_path(next), name, why);
    let mut answer = page.into_response();
    if is_new {
        answer.headers_mut().append(header::SET_COOKIE, gate.cookies(headers).set(Cookie::Form, &token));
    }
    Ok(answer)
}

fn page(csrf: &str, next: &str, name: &str, why: Option<&str>) -> Markup {
    let content = html! {
        h1 { "Log in" }
        @if let Some(why) = why {
            p.error #why role="alert" { (why) "." }
        }
        form method="post" action="/login" {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="next" value=(next);
            p { label {
                "Name"
                input #name name="name" type="text" autocomplete="username" autocapitalize="none" spellcheck="false"
                    required maxlength="64" value=(name) autofocus[name.is_empty()] aria-describedby=[why.map(|_| "why")];
            } }
            p { label {
                "Password"
                input #password name="password" type="password" autocomplete="current-password" required
                    autofocus[!name.is_empty()];
            } }
            p { button type="submit" { "Log in" } }
        }
        p.muted {
            "No account? On the server, " code { "rasadmin serve --open" } " prints a link for one login, and "
            code { "rasadmin dashboard user add" } " makes an account."
        }
    };
    layout::plain("Log in", &content)
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn log_in(
    State(gate): State<Arc<Gate>>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
    sent: Result<Form<Credentials>, FormRejection>,
) -> Result<Response, Fault> {
    let Form(Credentials { name, password, next }) =
        sent.map_err(|_| Fault::bad_request("the form is not complete", "open the login page again"))?;
    let from = ends.remote.ip().to_canonical();
    let device = gate.device(&name, &headers).await;
    let begun = match &device {
        Some(device) => gate.attempts.begin_of_device(device, Instant::now()),
        None => gate.attempts.begin(&name, from, Instant::now()),
    };
    let attempt = match begun {
        Ok(attempt) => attempt,
        Err(pause) => {
            let seconds = pause.as_secs_f64().ceil();
            let why =
                format!("There were too many failed logins. Try again in {seconds} s; a one-time link works at once");
            let mut answer = show(&gate, &headers, &next, &name, Some(&why))?;
            *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            if let Ok(seconds) = HeaderValue::from_str(&seconds.to_string()) {
                answer.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            return Ok(answer);
        }
    };
    let pause = attempt.pause;
    match gate.verify(name.clone(), password).await {
        Ok(Some(who)) => {
            gate.attempts.succeeded(attempt);
            begin(&gate, &headers, ends.remote, who, own_path(&next), device)
        }
        Ok(None) => {
            let next_attempt = match pause.as_secs() {
                0 => String::new(),
                seconds => format!("; the next attempt from there is possible in {seconds} s"),
            };
            gate.audit(format_args!(
                "failed login as `{}` from {from}: the name or the password is wrong{next_attempt}",
                shown(&name)
            ));
            let why = "The name or the password is wrong";
            let mut answer = show(&gate, &headers, &next, &name, Some(why))?;
            *answer.status_mut() = StatusCode::FORBIDDEN;
            Ok(answer)
        }
        Err(error) => {
            gate.audit(format_args!("failed login as `{}` from {from}: {error}", shown(&name)));
            // Paths of the server are not a stranger's business.
            let remedy = "the log of `rasadmin serve` says what is wrong with them; a one-time link works";
            Err(Fault::unavailable("the dashboard's users cannot be used", remedy))
        }
    }
}

#[derive(Deserialize)]
struct Opened {
    key: String,
}

async fn open(
    State(gate): State<Arc<Gate>>,
    Extension(ends): Extension<Ends>,
    method: Method,
    headers: HeaderMap,
    opened: Result<Query<Opened>, QueryRejection>,
) -> Result<Response, Fault> {
    if method != Method::GET {
        // Programs that look at links before people do must not use them up.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let key = opened.map(|Query(opened)| opened.key).unwrap_or_default();
    if let Some(who) = gate.visits.use_link(&key, Instant::now()) {
        return begin(&gate, &headers, ends.remote, who, "/", None);
    }
    if gate.attempts.may_tell_of_link(Instant::now()) {
        let from = ends.remote.ip().to_canonical();
        gate.audit(format_args!("failed login from {from}: the one-time link is not known, too old, or used already"));
    }
    Err(Fault {
        status: StatusCode::FORBIDDEN,
        what: "this link has been used already, or is older than five minutes".into(),
        remedy: "start `rasadmin serve --open` again: it prints another one".into(),
    })
}

/// Begins a visit. One that the browser had before ends. A browser of a user with a password gets a token for its next logins,
/// if it has none.
fn begin(
    gate: &Gate,
    headers: &HeaderMap,
    from: SocketAddr,
    who: Identity,
    next: &str,
    device: Option<String>,
) -> Result<Response, Fault> {
    gate.end_visits(headers, from);
    let how = if who.proof == Proof::Link { " with a one-time link" } else { "" };
    let line = format!("login of `{}` ({}) from {}{how}", shown(&who.name), who.role, from.ip().to_canonical());
    let device = match &who.proof {
        Proof::Password(password) => Some(device.map_or_else(|| device::new(password), Ok).map_err(no_random)?),
        Proof::Link => None,
    };
    let token = gate.visits.begin(who, Instant::now()).map_err(no_random)?;
    gate.audit(format_args!("{line}"));
    let mut answer = Redirect::to(next).into_response();
    answer.headers_mut().append(header::SET_COOKIE, gate.cookies(headers).set(Cookie::Visit, &token));
    if let Some(device) = device {
        answer.headers_mut().append(header::SET_COOKIE, gate.cookies(headers).set(Cookie::Device, &device));
    }
    Ok(answer)
}

async fn log_out(State(gate): State<Arc<Gate>>, Extension(ends): Extension<Ends>, headers: HeaderMap) -> Response {
    gate.end_visits(&headers, ends.remote);
    let mut answer = Redirect::to("/login").into_response();
    answer.headers_mut().append(header::SET_COOKIE, gate.cookies(&headers).remove(Cookie::Visit));
    answer
}

/// Where a login may lead: to a path of this site, and nowhere else.
fn own_path(next: &str) -> &str {
    /// Longer ones are no page's.
    const LONGEST: usize = 2_048;
    let is_own = next.starts_with('/')
        && !next[1..].starts_with('/')
        && next.len() <= LONGEST
        // Browsers read a backslash as a slash, and leave out tabs and line ends.
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    if is_own && !matches!(path, "/login" | "/logout" | "/open") { next } else { "/" }
}

fn no_random(error: getrandom::Error) -> Fault {
    Fault::unavailable(format_args!("the system has no random numbers ({error})"), "try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_a_path_of_this_site_only() {
        for next in ["/", "/sessions", "/users?name=a%20b#x", "/.//evil.example"] {
            assert_eq!(own_path(next), next);
        }
        for next in [
            "",
            "sessions",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a b",
            "/ü",
            " /",
            "/login",
            "/login?next=/login",
            "/logout",
            "/open?key=x",
            &format!("/{}", "x".repeat(3_000)),
        ] {
            assert_eq!(own_path(next), "/", "{next}");
        }
    }

    #[test]
    fn what_a_stranger_has_typed_is_escaped() {
        let page = page("t", "/", "\"><script>alert(1)</script>", Some("The name is wrong")).into_string();
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;"), "{page}");
    }
}

//! What every request and every answer must have. It is around all routes, so no page can forget it.

use crate::fault::Fault;
use crate::gate::{Ends, Gate};
use crate::source::turns::answer_for;
use crate::visitor::Visitor;
use crate::{api, bearer, token};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, http};
use serde::Deserialize;
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::time::timeout;

/// The largest body of a request.
pub const LARGEST: usize = 64 << 10;

/// What browsers must not do with our answers, whatever is in them.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // For browsers that do not know frame-ancestors.
    (header::X_FRAME_OPTIONS, "DENY"),
    // With `no-referrer`, forms would have the origin `null`.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Puts the gate before all routes.
pub fn protect(routes: Router, gate: Arc<Gate>) -> Router {
    routes.layer(from_fn_with_state(gate, guard))
}

async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let is_asset = request.uri().path().starts_with("/assets/");
    let for_program = bearer::is_for_programs(request.uri().path());
    let mut answer = match timeout(gate.patience, pass(&gate, request, next)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(refusal)) if for_program => api::refused(refusal.into_fault()),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => {
            let what = "the request was not complete, or not answered, in time";
            let fault =
                fault(StatusCode::REQUEST_TIMEOUT, what, "try again; if it happens again, the server is too busy");
            let mut answer = if for_program { api::refused(fault) } else { fault.into_response() };
            // The rest of the request may still come.
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            answer
        }
    };
    if !for_program {
        answer = in_words(answer);
    }
    let keep = is_asset && answer.status().is_success();
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !keep {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}

/// A page instead of the bare line, or of nothing, with which the framework refuses a request.
fn in_words(answer: Response) -> Response {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_bare = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let (what, remedy) = match answer.status() {
        StatusCode::METHOD_NOT_ALLOWED => {
            ("this address cannot be asked for in this way", "go back to the first page, and use its links and buttons")
        }
        StatusCode::BAD_REQUEST => ("the address is not valid", "go back to the first page, and use its links"),
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("the form is not valid", "open its page again, and fill it in there")
        }
        _ => return answer,
    };
    if !is_bare {
        return answer;
    }
    let mut page = fault(answer.status(), what, remedy).into_response();
    if let Some(allowed) = answer.headers().get(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    page
}

/// Why a request does not reach its page.
enum Refusal {
    Fault(Fault),
    /// The visitor must log in first.
    LogIn {
        then: Option<String>,
    },
    /// As `LogIn`, for a program.
    Unknown,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Refusal {
    fn into_fault(self) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::LogIn { .. } | Self::Unknown => fault(
                StatusCode::UNAUTHORIZED,
                "the request has neither a token nor the cookie of a visit",
                "send the header `Authorization: Bearer TOKEN`; `rasadmin dashboard token add` makes a token",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Fault(fault) => fault.into_response(),
            Self::LogIn { then: None } => Redirect::to("/login?ended=1").into_response(),
            Self::LogIn { then: Some(then) } => {
                Redirect::to(&format!("/login?next={}", encoded(&then))).into_response()
            }
            Self::Unknown => (StatusCode::UNAUTHORIZED, "log in to the dashboard first\n").into_response(),
        }
    }
}

async fn pass(gate: &Arc<Gate>, mut request: Request, next: Next) -> Result<Response, Refusal> {
    let host = own_host(gate, &request)?.to_owned();
    if length(request.headers()).is_some_and(|length| length > LARGEST as u64) {
        return Err(too_large(request.uri().path()).into());
    }
    let changes = !request.method().is_safe();
    if changes {
        same_origin(gate, request.headers(), &host)?;
    }
    let path = request.uri().path();
    if let Some(token) = bearer::token(request.headers()).filter(|_| bearer::is_for_programs(path)) {
        // The browser that has a cookie does not send this header by itself, so no other site's page can: no form is needed.
        let from = request.extensions().get::<Ends>().map_or(gate.served.listen, |ends| ends.remote).ip();
        let program = gate.program(token, from).await?;
        // A program gets no form, so there is no token that it must send back.
        let csrf = String::new();
        let name = program.recorded();
        request.extensions_mut().insert(Visitor { name: name.clone(), role: program.role, csrf });
        request.extensions_mut().insert(program);
        return Ok(tokio::spawn(answer_for(&name, next.run(request))).await.map_err(Fault::from)?);
    }
    let visitor = gate.visitor(request.headers()).await;
    let path = request.uri().path();
    if visitor.is_none() && !is_public(path) {
        let is_program = request.headers().contains_key(header::AUTHORIZATION)
            || bearer::is_for_programs(path)
            || path == "/events"
            || request.headers().contains_key("x-live");
        return Err(match (is_program, changes) {
            (true, _) => Refusal::Unknown,
            (false, true) if path == "/logout" => Refusal::LogIn { then: Some("/".to_owned()) },
            (false, true) => Refusal::LogIn { then: None },
            (false, false) => Refusal::LogIn { then: Some(whole(request.uri())) },
        });
    }
    if changes && bearer::is_for_programs(path) {
        // A browser sends its cookie by itself, also if another site's page asks for it.
        let what = "the API takes a change only with a token, and not with the cookie of a visit";
        let remedy = "send the header `Authorization: Bearer TOKEN`, or use the dashboard's own pages";
        return Err(fault(StatusCode::FORBIDDEN, what, remedy).into());
    }
    if changes {
        let expected = expected_token(gate, path, request.headers(), visitor.as_ref().map(|(visitor, _)| visitor));
        request = with_token(request, &expected).await?;
    }
    // In a task of its own: a change is finished even if the browser goes away, and a panic ends this page alone.
    let task = match visitor {
        Some((visitor, stay)) => {
            let name = visitor.name.clone();
            request.extensions_mut().insert(visitor);
            request.extensions_mut().insert(stay);
            tokio::spawn(answer_for(&name, next.run(request)))
        }
        None => tokio::spawn(next.run(request)),
    };
    Ok(task.await.map_err(Fault::from)?)
}

/// The paths that everybody may ask for.
fn is_public(path: &str) -> bool {
    matches!(path, "/login" | "/open" | "/healthz") || path.starts_with("/assets/")
}

/// The request's host, if it is one of ours.
fn own_host<'r>(gate: &Gate, request: &'r Request) -> Result<&'r str, Fault> {
    let misdirected = || {
        let remedy = "use an address that `rasadmin serve` prints, or name this host with its option --name, with https:// before it if a proxy encrypts";
        fault(StatusCode::MISDIRECTED_REQUEST, "the dashboard is not served under this name", remedy)
    };
    let mut named = request.headers().get_all(header::HOST).iter();
    let (host, more) = (named.next().ok_or_else(misdirected)?, named.next());
    let host = host.to_str().map_err(|_| misdirected())?;
    let differs = request.uri().authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host));
    let local = request.extensions().get::<Ends>().map_or(gate.served.listen, |ends| ends.local);
    if more.is_some() || differs || !gate.served.is_ours(host, local.ip()) {
        return Err(misdirected());
    }
    Ok(host)
}

/// Refuses a change that another site's page asks for.
fn same_origin(gate: &Gate, headers: &HeaderMap, host: &str) -> Result<(), Fault> {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let mut origins = headers.get_all(header::ORIGIN).iter().map(text);
    let mut sites = headers.get_all("sec-fetch-site").iter().map(text);
    if origins.all(|origin| gate.served.is_origin_of(&origin, host)) && sites.all(|site| site == "same-origin") {
        return Ok(());
    }
    let what = "the request comes from a page of another site";
    Err(fault(StatusCode::FORBIDDEN, what, "use the dashboard's own pages"))
}

/// The token that the form must have. Before there is a visitor, it belongs to the cookie of the login's form.
fn expected_token(gate: &Gate, path: &str, headers: &HeaderMap, visitor: Option<&Visitor>) -> Vec<String> {
    match visitor {
        Some(visitor) if path != "/login" => vec![visitor.csrf.clone()],
        _ => gate.form_tokens(headers).iter().map(|token| token::of_forms(token)).collect(),
    }
}

#[derive(Deserialize)]
struct Sent {
    csrf: String,
}

/// The request, if its form has one of the tokens.
async fn with_token(request: Request, expected: &[String]) -> Result<Request, Fault> {
    let (parts, body) = request.into_parts();
    let mut limited = http::Request::new(body);
    DefaultBodyLimit::max(LARGEST).apply(&mut limited);
    let body = Bytes::from_request(limited, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(parts.uri.path()),
        _ => Fault::bad_request("the request ended before its body did", "try again"),
    })?;
    let mut form = http::Request::new(Body::from(body.clone()));
    *form.method_mut() = http::Method::POST;
    if let Some(value) = parts.headers.get(header::CONTENT_TYPE) {
        form.headers_mut().insert(header::CONTENT_TYPE, value.clone());
    }
    let sent = Form::<Sent>::from_request(form, &()).await.map(|Form(sent)| sent.csrf).unwrap_or_default();
    // All are compared, so that the time does not tell which.
    let matches = expected.iter().fold(false, |found, token| found | token::same(token, &sent));
    if !matches {
        let what = "the form is not from a page of this visit, or too old";
        return Err(fault(StatusCode::FORBIDDEN, what, "open the page again, and repeat what you did there"));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The answer to a request that is too large, at this path.
pub fn too_large(path: &str) -> Fault {
    let remedy = match path {
        "/rules/what-if" | "/api/v1/simulations" => {
            "try a long candidate with `rasadmin replay --config FILE` on the server"
        }
        _ => "send less",
    };
    fault(StatusCode::PAYLOAD_TOO_LARGE, "the request is larger than 64 KiB", remedy)
}

fn fault(status: StatusCode, what: &str, remedy: &str) -> Fault {
    Fault { status, what: what.to_owned(), remedy: remedy.to_owned() }
}

/// The path with what is asked.
fn whole(uri: &Uri) -> String {
    uri.path_and_query().map_or("/", |whole| whole.as_str()).to_owned()
}

/// A text within an address.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}"); // To a text: cannot fail.
        }
        out
    })
}

#[cfg(test)]
mod tests;

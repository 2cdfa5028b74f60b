//! Changes for programs: the same as those of the pages, by POST, with a token whose role is operator.
//!
//! | module | has |
//! |---|---|
//! | `table` | the paths |
//! | `body` | what a request says, in JSON |
//! | `seen` | what its sender has seen, and whether that still holds |
//! | `keys` | requests that come twice |
//! | `answer` | what came of a change |

mod answer;
pub(super) mod body;
mod keys;
mod seen;
mod table;

use super::asked::Asked;
use super::endpoint::json;
use super::error::{not_allowed, refused};
use crate::app::App;
use crate::bearer::Program;
use crate::changes::perform::{self, Asker};
use crate::changes::{How, Kind, Outcome, Proposal, Until, What};
use crate::fault::Fault;
use crate::gate::{Ends, Gate};
use crate::security::{LARGEST, too_large};
use crate::visitor::Role;
pub use answer::Changed;
use answer::answer;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use body::Order;
pub use keys::{HEADER, PATTERN};
use keys::{Key, Keys, Turn};
use rasadmin_policy::{Millis, timestamp};
use std::sync::Arc;
use std::time::Instant;
pub use table::{CHANGES, Change};
use tokio::sync::watch;

/// What the paths of changes use.
struct Shared {
    app: Arc<App>,
    gate: Arc<Gate>,
    keys: Keys,
}

/// The routes. Each checks the token's role: only [`operator`] lets a request through.
pub fn routes(app: Arc<App>, gate: Arc<Gate>) -> Router {
    let shared = Arc::new(Shared { app, gate, keys: Keys::default() });
    let router = CHANGES.iter().fold(Router::new(), |router, change| {
        let handle = move |State(shared): State<Arc<Shared>>,
                           program: Option<Extension<Program>>,
                           Extension(ends): Extension<Ends>,
                           headers: HeaderMap,
                           RawQuery(query): RawQuery,
                           body: Result<Bytes, BytesRejection>| async move {
            let asked = async {
                let program = operator(program)?;
                Asked::read(&[], std::iter::empty(), query.as_deref().unwrap_or_default())?;
                let key = Key::of(&headers)?;
                let order = (change.read)(&json_body(&headers, body, change.path)?)?;
                make(&shared, change.kind, &program, ends, key, order).await
            };
            asked.await.unwrap_or_else(refused)
        };
        router.route(change.path, post(handle).fallback(async || not_allowed("POST")))
    });
    router.layer(DefaultBodyLimit::max(LARGEST)).with_state(shared)
}

/// The program, if it may change something.
pub(super) fn operator(program: Option<Extension<Program>>) -> Result<Program, Fault> {
    let forbidden =
        |what: String, remedy: &str| Fault { status: StatusCode::FORBIDDEN, what, remedy: remedy.to_owned() };
    let Some(Extension(program)) = program else {
        let what = "the API takes a change only with a token".to_owned();
        return Err(forbidden(what, "send the header `Authorization: Bearer TOKEN`"));
    };
    if program.role != Role::Operator {
        let what = format!("the token `{}` may look, but change nothing: its role is {}", program.name, program.role);
        return Err(forbidden(what, "use a token of `rasadmin dashboard token add NAME --role operator`"));
    }
    Ok(program)
}

/// The body, if the request says that it is JSON.
pub(super) fn json_body(headers: &HeaderMap, body: Result<Bytes, BytesRejection>, path: &str) -> Result<Bytes, Fault> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Fault {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            what: "the body of the request is not declared as JSON".to_owned(),
            remedy: "send the header `Content-Type: application/json`, and JSON".to_owned(),
        });
    }
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(path),
        _ => Fault::bad_request("the request ended before its body did", "send the same request again"),
    })
}

/// Makes the change, unless it was made already.
async fn make(
    shared: &Arc<Shared>,
    kind: Kind,
    program: &Program,
    ends: Ends,
    key: Key,
    order: Order,
) -> Result<Response, Fault> {
    let request = order.digest(kind);
    if let Some(ended) = shared.keys.find(program, &key, &request, Instant::now())? {
        return outcome(ended, true).await;
    }
    let Order { fields, how, seen } = order;
    let by = how.clone();
    let read = shared.app.work(move |app| {
        let proposal = Proposal::read(app, kind, &fields).and_then(|found| exactly(found, &fields.session));
        let proposal = proposal.map_err(|fault| in_words_of_the_api(kind, fault))?;
        in_time(&by, app.source.now())?;
        seen.check(&proposal, by.keep_away)?;
        Ok(proposal)
    });
    let proposal = match read.await {
        Ok(proposal) => proposal,
        // Another request with this key may have made the change meanwhile.
        Err(fault) => match shared.keys.find(program, &key, &request, Instant::now())? {
            Some(ended) => return outcome(ended, true).await,
            None => return Err(fault),
        },
    };
    let (sender, ended) = match shared.keys.begin(program, &key, request, Instant::now())? {
        Turn::First(sender, ended) => (sender, ended),
        Turn::Again(ended) => return outcome(ended, true).await,
    };
    let asker = Asker { name: program.recorded(), from: ends.remote.ip() };
    let (app, gate) = (shared.app.clone(), shared.gate.clone());
    let (shared, program) = (shared.clone(), program.clone());
    perform::begin(app, gate, proposal, how, asker, move |outcome| {
        // Nothing was done, so that the same request can be tried again.
        if outcome.refusal.as_ref().is_some_and(|refusal| refusal.undone) {
            shared.keys.forget(&program, &key);
        }
        sender.send_replace(Some(Arc::new(outcome)));
    });
    outcome(ended, false).await
}

/// The answer, once the outcome is known; that it is not yet, if that takes too long.
async fn outcome(ended: watch::Receiver<Option<Arc<Outcome>>>, again: bool) -> Result<Response, Fault> {
    let outcome = perform::wait(ended).await;
    let (status, changed) = answer(outcome.as_deref())?;
    let text = json(&changed)?.text;
    let mut answer = (status, [(header::CONTENT_TYPE, "application/json")], text).into_response();
    if again {
        answer.headers_mut().insert(keys::REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(answer)
}

/// The proposal, if it is about the session that is named. A long number may also be a part of keys.
fn exactly(proposal: Proposal, named: &str) -> Result<Proposal, Fault> {
    let found = match &proposal.what {
        What::Disconnect { sessions, all: false, .. } => sessions.first().map(|row| row.id),
        What::Close { session } => Some(session.id),
        _ => None,
    };
    match (named.parse::<i64>(), found) {
        (Ok(number), Some(found)) if number != found => {
            Err(Fault::not_found(format_args!("there is no session {number}")))
        }
        _ => Ok(proposal),
    }
}

/// A block that would have ended already is not begun.
fn in_time(how: &How, now: Millis) -> Result<(), Fault> {
    match how.ends {
        Until::At(ends) if ends <= now => Err(Fault {
            status: StatusCode::CONFLICT,
            what: format!("the block would have ended already, at {}: nothing was done", timestamp(ends)),
            remedy: format!("name a later time: it is {}", timestamp(now)),
        }),
        _ => Ok(()),
    }
}

/// The same fault for a program: what a form would correct, and where to look.
fn in_words_of_the_api(kind: Kind, fault: Fault) -> Fault {
    let status = match fault.status {
        // The request has the right form, but names nobody and nothing that there can be.
        StatusCode::BAD_REQUEST => StatusCode::NOT_FOUND,
        status => status,
    };
    let look = match kind {
        Kind::Disconnect | Kind::Close => "GET /api/v1/sessions?live=true lists the sessions that are live",
        Kind::Block => "GET /api/v1/users lists the users that the ledger knows",
        Kind::Unblock => "GET /api/v1/blocks lists who is blocked",
        Kind::Release => "GET /api/v1/addresses lists the addresses that are held",
    };
    match status {
        StatusCode::NOT_FOUND | StatusCode::CONFLICT => {
            Fault { status, what: format!("{}: nothing was done", fault.what), remedy: look.to_owned() }
        }
        _ => fault,
    }
}

#[cfg(test)]
mod tests;

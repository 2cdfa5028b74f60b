//! What came of a change, for programs.

use crate::changes::Outcome;
use crate::fault::Fault;
use axum::http::StatusCode;
use rasadmin_pipe::Disconnected;
use schemars::JsonSchema;
use serde::Serialize;

/// What came of a change.
#[derive(Serialize, JsonSchema)]
pub struct Changed {
    /// Whether all of it is done. False with the status 202: it is not known yet.
    done: bool,
    /// Whether this change has changed anything. If it is done and has changed nothing, somebody else was faster.
    changed: bool,
    /// What happened, a sentence each, in the words of the commands.
    text: Vec<String>,
    /// What became of each session that was to be disconnected.
    sessions: Vec<SessionOutcome>,
}

/// What became of a session.
#[derive(Serialize, JsonSchema)]
struct SessionOutcome {
    /// Its key, the `acct_session_id` of sessions.
    session: String,
    /// `ended`: RRAS has reported its end. `asked`: RRAS was asked, and has not reported it yet. `not-live`: it was not
    /// connected. `failed`: RRAS was not asked, and the service tries again. `refused`: it is not disconnected.
    outcome: String,
    /// Why it failed, or was refused. Null otherwise.
    why: Option<String>,
}

/// The answer. None: the outcome is not known yet.
pub fn answer(outcome: Option<&Outcome>) -> Result<(StatusCode, Changed), Fault> {
    let Some(outcome) = outcome else {
        let text =
            "the rasadmin service is at it: send the same request again, with the same key, to see what came of it";
        let not_yet = Changed { done: false, changed: false, text: vec![text.to_owned()], sessions: Vec::new() };
        return Ok((StatusCode::ACCEPTED, not_yet));
    };
    if let Some(refusal) = &outcome.refusal {
        return Err(refusal.fault.clone());
    }
    let of = |Disconnected { session, outcome, why }: &Disconnected| SessionOutcome {
        session: session.clone(),
        outcome: outcome.clone(),
        why: why.clone(),
    };
    let Outcome { done, changed, lines, sessions, .. } = outcome;
    let sessions = sessions.iter().map(of).collect();
    Ok((StatusCode::OK, Changed { done: *done, changed: *changed, text: lines.clone(), sessions }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_known_is_no_success() {
        let (status, not_yet) = answer(None).unwrap();
        assert_eq!((status, not_yet.done, not_yet.changed), (StatusCode::ACCEPTED, false, false));
        assert!(not_yet.text[0].contains("with the same key"), "{:?}", not_yet.text);
        assert_eq!(answer(Some(&Outcome::bug())).err().unwrap().status, StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn what_became_of_each_session_is_as_the_service_says() {
        let one = |outcome: &str, why: Option<&str>| Disconnected {
            session: "018f".to_owned(),
            outcome: outcome.to_owned(),
            why: why.map(str::to_owned),
        };
        let mut outcome = Outcome { done: true, ..Outcome::default() };
        outcome.changed("session 1 is disconnected");
        outcome.failed("session 2 is not disconnected: busy");
        outcome.sessions = vec![one("ended", None), one("failed", Some("busy"))];
        let (status, changed) = answer(Some(&outcome)).unwrap();
        let sessions =
            r#"[{"session":"018f","outcome":"ended","why":null},{"session":"018f","outcome":"failed","why":"busy"}]"#;
        let text = r#"["session 1 is disconnected","session 2 is not disconnected: busy"]"#;
        let expected = format!(r#"{{"done":false,"changed":true,"text":{text},"sessions":{sessions}}}"#);
        assert_eq!((status, serde_json::to_string(&changed).unwrap()), (StatusCode::OK, expected));
    }
}

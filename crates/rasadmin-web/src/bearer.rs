//! Programs that prove who they are with a token: `Authorization: Bearer rasadmin_…`.

use crate::accounts::LONGEST_NAME;
use crate::attempts::shown;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::token::{self, Hash};
use crate::visitor::Role;
use axum::http::{HeaderMap, StatusCode, header};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The log has a line about a token once in this time.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// The paths of the API: programs ask for them, and get JSON also if something is wrong.
pub fn is_for_programs(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || path == "/metrics"
}

/// A program that has sent a token. Only [`Gate::program`] makes one: a visit's cookie is not enough for it.
#[derive(Clone, Debug)]
pub struct Program {
    /// The token's name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Which token it is.
    pub key: Hash,
}

impl Program {
    /// Its name, as the journal has it for a change. No user can have it: their names have no comma. The pipe cuts names
    /// after 64 characters.
    pub fn recorded(&self) -> String {
        const ENDING: &str = ", API token";
        let longest = LONGEST_NAME - ENDING.len();
        match self.name.char_indices().nth(longest) {
            None => format!("{}{ENDING}", self.name),
            Some(_) => format!("{}…{ENDING}", self.name.chars().take(longest - 1).collect::<String>()),
        }
    }
}

/// When the log last had a line about each token, by its name.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<String, Instant>>);

impl Seen {
    /// Whether the log has had no line about this token in the last hour.
    fn is_due(&self, name: &str, now: Instant) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, last| now.saturating_duration_since(*last) < EVERY);
        match seen.get(name) {
            Some(_) => false,
            None => seen.insert(name.to_owned(), now).is_none(),
        }
    }
}

/// The token that a request has. None if it has none, such as one with the password for a proxy in front.
pub fn token(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::AUTHORIZATION).iter();
    let tokens = values.filter_map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let (scheme, token) = text.split_once(' ').unwrap_or((&text, ""));
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    // Two are one that nobody has.
    tokens.reduce(|one, other| format!("{one} {other}"))
}

impl Gate {
    /// The program whose token this is.
    ///
    /// # Errors
    /// If nobody has it, or if the file of the users cannot be used.
    pub async fn program(self: &Arc<Self>, token: String, from: IpAddr) -> Result<Program, Fault> {
        let from = from.to_canonical();
        let (gate, text) = (self.clone(), token.clone());
        // It reads the users' file.
        let found = tokio::task::spawn_blocking(move || gate.accounts.of_token(&text)).await?;
        match found {
            Ok(Some(of)) => {
                if self.tokens_seen.is_due(&of.name, Instant::now()) {
                    self.audit(format_args!("the token `{}` ({}) is in use from {from}", shown(&of.name), of.role));
                }
                Ok(Program { name: of.name, role: of.role, key: token::hash(&token) })
            }
            Ok(None) => Err(self.refused(&token, from)),
            Err(error) => {
                // A program asks again and again: once an hour is enough.
                if self.tokens_seen.is_due("", Instant::now()) {
                    self.audit(format_args!("a token from {from} was not checked: {error}"));
                }
                let remedy = "the log of `rasadmin serve` says what is wrong with them";
                Err(Fault::unavailable("the dashboard's tokens cannot be used", remedy))
            }
        }
    }

    /// A wrong token is always refused at once: nobody guesses one, so nothing is gained by making programs wait. But the log
    /// must not be filled: it has a line as often as a wrong password could come.
    fn refused(&self, token: &str, from: IpAddr) -> Fault {
        if self.wrong_tokens.begin(token, from, Instant::now()).is_ok() {
            self.audit(format_args!("a wrong token from {from}"));
        }
        Fault {
            status: StatusCode::UNAUTHORIZED,
            what: "the token is not known".to_owned(),
            remedy: "`rasadmin dashboard token list` shows the tokens, and `token add` makes another one".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_token_is_read_from_the_header() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            });
            token(&headers)
        };
        assert_eq!(read(&["Bearer rasadmin_x"]).as_deref(), Some("rasadmin_x"));
        assert_eq!(read(&["bearer  rasadmin_x "]).as_deref(), Some("rasadmin_x"));
        assert_eq!(read(&["Bearer"]).as_deref(), Some(""));
        assert_eq!(read(&["Bearer a", "Bearer b"]).as_deref(), Some("a b"));
        assert_eq!((read(&[]), read(&["Basic YTpi"])), (None, None));
    }

    #[test]
    fn a_program_is_recorded_by_its_name_as_a_token() {
        let of = |name: &str| Program { name: name.to_owned(), role: Role::Operator, key: [0; 32] }.recorded();
        assert_eq!(of("helpdesk"), "helpdesk, API token");
        let longest = of(&"é".repeat(LONGEST_NAME));
        assert!(longest.ends_with("é…, API token") && longest.chars().count() == LONGEST_NAME, "{longest}");
        assert_eq!(of(&"x".repeat(53)), format!("{}, API token", "x".repeat(53)));
    }

    #[test]
    fn the_log_has_a_line_about_a_token_once_an_hour() {
        let (seen, start) = (Seen::default(), Instant::now());
        assert!(seen.is_due("a", start) && !seen.is_due("a", start) && seen.is_due("b", start));
        assert!(!seen.is_due("a", start + EVERY / 2) && seen.is_due("a", start + EVERY));
    }
}

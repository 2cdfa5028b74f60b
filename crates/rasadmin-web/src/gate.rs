//! The gate before every page: who the visitors are, and what the log says about them.

use crate::accounts::{Accounts, AccountsFault, Listed};
use crate::attempts::{Attempts, shown};
use crate::bearer::Seen;
use crate::cookie::{Cookie, Cookies};
use crate::device;
use crate::served::Served;
use crate::token::{self, Hash};
use crate::visitor::{Role, Visitor};
use crate::visits::{Identity, Proof, Visits};
use axum::http::{HeaderMap, header};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Takes a line about a login, a failed login, a logout or a change. It is printable.
pub type Audit = Arc<dyn Fn(&str) + Send + Sync>;

/// So many passwords are checked at the same moment: each needs 19 MiB.
const CHECKS: usize = 2;

/// The two ends of a request's connection.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Where the visitor is.
    pub remote: SocketAddr,
    /// Where the connection came to.
    pub local: SocketAddr,
}

/// The gate before every page.
pub struct Gate {
    /// The names that it is served under.
    pub served: Served,
    /// The visits.
    pub visits: Visits,
    /// The failed logins.
    pub attempts: Attempts,
    /// The wrong tokens, for the log. They are counted for themselves: a program with an old one must not keep people from
    /// logging in.
    pub(crate) wrong_tokens: Attempts,
    /// When the log last had a line about each token.
    pub(crate) tokens_seen: Seen,
    /// How long a request may take.
    pub patience: Duration,
    pub(crate) accounts: Accounts,
    checks: Semaphore,
    audit: Audit,
}

/// A visit, for what lasts longer than a request.
#[derive(Clone)]
pub struct Stay {
    gate: Arc<Gate>,
    key: Hash,
}

impl Gate {
    /// Without any visit.
    pub fn new(served: Served, accounts: Accounts, patience: Duration, audit: Audit) -> Self {
        let checks = Semaphore::new(CHECKS);
        Self {
            served,
            visits: Visits::default(),
            attempts: Attempts::default(),
            wrong_tokens: Attempts::default(),
            tokens_seen: Seen::default(),
            patience,
            accounts,
            checks,
            audit,
        }
    }

    /// The cookies' names and flags, for the host of a request.
    pub fn cookies(&self, headers: &HeaderMap) -> Cookies {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        Cookies { port: self.served.listen.port(), secure: self.served.is_secure(host) }
    }

    /// Who has sent a request, if they have a visit; and the visit.
    pub async fn visitor(self: &Arc<Self>, headers: &HeaderMap) -> Option<(Visitor, Stay)> {
        let tokens = self.visit_tokens(headers);
        if tokens.is_empty() {
            return None;
        }
        let gate = self.clone();
        // It reads the users' file.
        tokio::task::spawn_blocking(move || tokens.into_iter().find_map(|token| gate.visitor_with(&token)))
            .await
            .ok()?
    }

    /// What can be the tokens of visits in a request.
    pub fn visit_tokens(&self, headers: &HeaderMap) -> Vec<String> {
        self.tokens(Cookie::Visit, headers)
    }

    /// What can be the tokens of the login's form in a request.
    pub fn form_tokens(&self, headers: &HeaderMap) -> Vec<String> {
        self.tokens(Cookie::Form, headers)
    }

    /// The token of a browser that has logged in as this user before.
    pub async fn device(self: &Arc<Self>, name: &str, headers: &HeaderMap) -> Option<String> {
        let tokens = self.tokens(Cookie::Device, headers);
        if tokens.is_empty() {
            return None;
        }
        let (gate, name) = (self.clone(), name.to_owned());
        // It reads the users' file. If that cannot be used, the login will say so.
        tokio::task::spawn_blocking(move || {
            let password = gate.accounts.stored_password(&name).ok()??;
            tokens.into_iter().find(|token| device::is_of(token, &password))
        })
        .await
        .ok()?
    }

    fn tokens(&self, cookie: Cookie, headers: &HeaderMap) -> Vec<String> {
        let sent = self.cookies(headers).read(cookie, headers);
        sent.into_iter().filter(|text| token::is_well_formed(text)).map(str::to_owned).collect()
    }

    fn visitor_with(self: &Arc<Self>, token: &str) -> Option<(Visitor, Stay)> {
        let key = token::hash(token);
        let Identity { name, role, proof } = self.visits.look_up(&key, Instant::now())?;
        match self.is_still(&name, role, &proof) {
            Ok(true) => {
                let visitor = Visitor { name, role, csrf: token::of_forms(token) };
                Some((visitor, Stay { gate: self.clone(), key }))
            }
            Ok(false) => {
                self.visits.end(&key);
                self.audit(format_args!(
                    "the visit of `{}` has ended: the user was removed, or has another role or password",
                    shown(&name)
                ));
                None
            }
            // Nobody is let in by a file that cannot be used; but it may be mended.
            Err(_) => None,
        }
    }

    fn is_still(&self, name: &str, role: Role, proof: &Proof) -> Result<bool, AccountsFault> {
        match proof {
            Proof::Link => Ok(true),
            Proof::Password(hash) => Ok(self.accounts.role(name, hash)? == Some(role)),
        }
    }

    /// Whether a name and a password are a user's.
    ///
    /// # Errors
    /// If the file of the users cannot be used.
    pub async fn verify(self: &Arc<Self>, name: String, password: String) -> Result<Option<Identity>, AccountsFault> {
        // It is never closed.
        let _permit = self.checks.acquire().await;
        let gate = self.clone();
        let checked = tokio::task::spawn_blocking(move || gate.accounts.verify(&name, &password)).await;
        let Ok(checked) = checked else { return Ok(None) };
        Ok(checked?.map(|(Listed { name, role }, hash)| Identity { name, role, proof: Proof::Password(hash) }))
    }

    /// Ends the visits of a request. Tells whose they were.
    pub fn end_visits(&self, headers: &HeaderMap, from: SocketAddr) {
        for token in self.visit_tokens(headers) {
            let key = token::hash(&token);
            if let Some(who) = self.visits.peek(&key, Instant::now()) {
                self.audit(format_args!("logout of `{}` from {}", shown(&who.name), from.ip().to_canonical()));
            }
            self.visits.end(&key);
        }
    }

    /// Writes a line about who came and who could not.
    pub fn audit(&self, line: std::fmt::Arguments<'_>) {
        (self.audit)(&rasadmin_text::printable(&line.to_string()));
    }
}

impl Stay {
    /// Which visit it is.
    pub const fn key(&self) -> Hash {
        self.key
    }

    /// Whether the visit still lasts. This may wait for the disk.
    pub fn lasts(&self) -> bool {
        let who = self.gate.visits.peek(&self.key, Instant::now());
        who.is_some_and(|who| self.gate.is_still(&who.name, who.role, &who.proof).unwrap_or(false))
    }
}

//! Requests that come twice. Every request of a change has a key, which its sender makes up: the first request with it makes the
//! change, and later ones see what came of it.

use crate::bearer::Program;
use crate::changes::Outcome;
use crate::fault::Fault;
use crate::token::{self, Hash};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The header that has the key.
pub const HEADER: &str = "Idempotency-Key";

/// An answer has it if its request came before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a key looks like.
pub const PATTERN: &str = "^[!-~]{16,128}$";

/// How long a key is known.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// So many changes of one token are known. None is forgotten earlier: its retry would be a change of its own.
const MOST_OF_ONE: usize = 1_000;

/// So many are known in all.
const MOST: usize = 4_000;

/// A key, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(Hash);

type Ended = watch::Receiver<Option<Arc<Outcome>>>;

/// The changes of the last hour.
#[derive(Default)]
pub struct Keys(Mutex<VecDeque<Sent>>);

struct Sent {
    owner: Hash,
    key: Key,
    request: Hash,
    at: Instant,
    ended: Ended,
}

/// What a request with a key is.
#[derive(Debug)]
pub enum Turn {
    /// The first: it makes the change, and sends what came of it.
    First(watch::Sender<Option<Arc<Outcome>>>, Ended),
    /// Another has the change.
    Again(Ended),
}

impl Key {
    /// The key of a request.
    pub fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let mut all = headers.get_all(HEADER).iter();
        let (Some(key), None) = (all.next(), all.next()) else {
            let what = format!("the request has no header `{HEADER}`, or several");
            return Err(Fault::bad_request(
                what,
                "make up a key, such as a new UUID, and send the same one if you try again",
            ));
        };
        let key = key.as_bytes();
        if !(16..=128).contains(&key.len()) || !key.iter().all(u8::is_ascii_graphic) {
            let remedy = "send 16 to 128 visible ASCII characters, such as a new UUID: a short key is soon used again";
            return Err(Fault::bad_request(format!("the header `{HEADER}` has no valid key"), remedy));
        }
        Ok(Self(token::hash(&String::from_utf8_lossy(key))))
    }
}

impl Keys {
    /// What comes of an earlier request with this key. None if there was none.
    pub fn find(&self, program: &Program, key: &Key, request: &Hash, now: Instant) -> Result<Option<Ended>, Fault> {
        found(&self.all(now), program, key, request)
    }

    /// Uses a key.
    pub fn begin(&self, program: &Program, key: &Key, request: Hash, now: Instant) -> Result<Turn, Fault> {
        // Under one lock: another request with this key may come at the same moment.
        let mut all = self.all(now);
        if let Some(ended) = found(&all, program, key, &request)? {
            return Ok(Turn::Again(ended));
        }
        if all.len() >= MOST || all.iter().filter(|sent| sent.owner == program.key).count() >= MOST_OF_ONE {
            return Err(Fault {
                status: StatusCode::TOO_MANY_REQUESTS,
                what: format!("there were {MOST_OF_ONE} changes with this token within an hour, or {MOST} in all"),
                remedy: "try again later; refuse many users with a rule or a group".to_owned(),
            });
        }
        let (sender, ended) = watch::channel(None);
        all.push_back(Sent { owner: program.key, key: *key, request, at: now, ended: ended.clone() });
        Ok(Turn::First(sender, ended))
    }

    /// Forgets a request that has changed nothing.
    pub fn forget(&self, program: &Program, key: &Key) {
        self.all(Instant::now()).retain(|sent| !sent.is(program, key));
    }

    /// Those that are not too old.
    fn all(&self, now: Instant) -> MutexGuard<'_, VecDeque<Sent>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.front().is_some_and(|sent| now.saturating_duration_since(sent.at) >= KEPT) {
            all.pop_front();
        }
        all
    }
}

/// What comes of the request that has used a key. None if none has.
fn found(all: &VecDeque<Sent>, program: &Program, key: &Key, request: &Hash) -> Result<Option<Ended>, Fault> {
    let Some(sent) = all.iter().find(|sent| sent.is(program, key)) else { return Ok(None) };
    if sent.request != *request {
        return Err(Fault {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            what: format!("this `{HEADER}` was sent with another request: nothing was done"),
            remedy: "make up a new key for each change; only a retry has the key of the request before".to_owned(),
        });
    }
    Ok(Some(sent.ended.clone()))
}

impl Sent {
    fn is(&self, program: &Program, key: &Key) -> bool {
        self.owner == program.key && self.key == *key
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::visitor::Role;

    fn program(number: u8) -> Program {
        Program { name: "helpdesk".to_owned(), role: Role::Operator, key: [number; 32] }
    }

    fn key(number: usize) -> Key {
        Key(token::hash(&number.to_string()))
    }

    #[test]
    fn a_key_makes_one_change_of_its_token_within_an_hour() {
        let (keys, now, request) = (Keys::default(), Instant::now(), [7; 32]);
        let begin = |of: u8, number, now| keys.begin(&program(of), &key(number), request, now).unwrap();
        let Turn::First(sender, _) = begin(1, 1, now) else { panic!("it is the first") };
        assert!(matches!(begin(1, 1, now), Turn::Again(_)));
        assert!(matches!(begin(2, 1, now), Turn::First(..)), "another token's keys are its own");
        let other = keys.begin(&program(1), &key(1), [8; 32], now).unwrap_err();
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
        sender.send_replace(Some(Arc::new(Outcome::default())));
        let found = keys.find(&program(1), &key(1), &request, now).unwrap().unwrap();
        assert!(found.borrow().is_some());
        keys.forget(&program(1), &key(1));
        assert!(matches!(begin(1, 1, now), Turn::First(..)));
        assert!(matches!(begin(1, 1, now + KEPT), Turn::First(..)));
    }

    #[test]
    fn of_several_requests_with_one_key_at_the_same_moment_one_is_made() {
        const AT_ONCE: u8 = 4;
        let (keys, now) = (Keys::default(), Instant::now());
        for number in 0..900 {
            let together = std::sync::Barrier::new(AT_ONCE.into());
            let begin = |request: u8| {
                together.wait();
                keys.begin(&program(1), &key(number), [request; 32], now)
            };
            let begin = &begin;
            let begun: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..AT_ONCE).map(|request| scope.spawn(move || begin(request))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let first = begun.iter().filter(|begun| matches!(begun, Ok(Turn::First(..)))).count();
            let refused = begun.iter().filter_map(|begun| begun.as_ref().err());
            assert_eq!(first, 1, "round {number}");
            assert_eq!(refused.filter(|fault| fault.status == StatusCode::UNPROCESSABLE_ENTITY).count(), 3);
        }
    }

    #[test]
    fn no_key_is_forgotten_to_make_room() {
        let (keys, now) = (Keys::default(), Instant::now());
        let begin = |of: u8, number| keys.begin(&program(of), &key(number), [7; 32], now);
        for number in 0..MOST_OF_ONE {
            begin(1, number).unwrap();
        }
        assert_eq!(begin(1, MOST_OF_ONE).unwrap_err().status, StatusCode::TOO_MANY_REQUESTS);
        assert!(matches!(begin(1, 0), Ok(Turn::Again(_))));
        assert!(matches!(begin(2, 0), Ok(Turn::First(..))), "other tokens have room");
    }

    #[test]
    fn a_key_is_long_enough_to_be_new() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, value.parse().unwrap());
            }
            Key::of(&headers)
        };
        let key = "0c4f0f6e-52a5-4d2e-b1f5-7e0c5f0f8f3b";
        assert!(of(&[key]).is_ok());
        for wrong in [&[][..], &[key, key], &["1"], &["0123456789 abcdef"], &[&"x".repeat(129)]] {
            assert_eq!(of(wrong).unwrap_err().status, StatusCode::BAD_REQUEST, "{wrong:?}");
        }
    }
}

//! The visits: from a login to its end. And the one-time links, with which a visit can begin.
//!
//! Only the hashes of tokens are kept. All is in memory: when the dashboard stops, everybody must log in again.

use crate::token::{self, Hash};
use crate::visitor::Role;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A visit ends after this time.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// A visit without a request ends after this time.
const IDLE: Duration = Duration::from_secs(60 * 60);
/// So many visits are kept.
const MOST: usize = 1_000;
/// So many of one name, so that one user's logins do not end those of all others.
const MOST_OF_ONE: usize = 50;
/// A one-time link is good for this time.
pub const LINK: Duration = Duration::from_secs(5 * 60);
/// So many links wait to be used.
const MOST_LINKS: usize = 16;

/// Who a visitor is, and how they have proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The proof.
    pub proof: Proof,
}

/// How a visitor has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// They had a one-time link.
    Link,
    /// They are a user of the users' file. This is the hash of what the file has for their password: the visit ends if it
    /// changes.
    Password(Hash),
}

struct Visit {
    who: Identity,
    began: Instant,
    seen: Instant,
}

impl Visit {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began) >= LONGEST || now.saturating_duration_since(self.seen) >= IDLE
    }
}

struct Link {
    key: Hash,
    who: Identity,
    until: Instant,
}

/// All visits and links.
#[derive(Default)]
pub struct Visits {
    visits: Mutex<HashMap<Hash, Visit>>,
    links: Mutex<Vec<Link>>,
}

impl Visits {
    /// Begins a visit, and returns its token.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn begin(&self, who: Identity, now: Instant) -> Result<String, getrandom::Error> {
        let token = token::new()?;
        let mut visits = lock(&self.visits);
        visits.retain(|_, visit| !visit.is_over(now));
        if visits.values().filter(|visit| visit.who.name == who.name).count() >= MOST_OF_ONE {
            end_longest_unseen(&mut visits, |visit| visit.who.name == who.name);
        }
        if visits.len() >= MOST {
            end_longest_unseen(&mut visits, |_| true);
        }
        visits.insert(token::hash(&token), Visit { who, began: now, seen: now });
        Ok(token)
    }

    /// Whose visit this is; None if there is none, or if it is over. It counts as a request.
    pub fn look_up(&self, key: &Hash, now: Instant) -> Option<Identity> {
        let mut visits = lock(&self.visits);
        let visit = visits.get_mut(key)?;
        if visit.is_over(now) {
            visits.remove(key);
            return None;
        }
        visit.seen = now;
        Some(visit.who.clone())
    }

    /// As [`look_up`](Self::look_up), but it is no request.
    pub fn peek(&self, key: &Hash, now: Instant) -> Option<Identity> {
        lock(&self.visits).get(key).filter(|visit| !visit.is_over(now)).map(|visit| visit.who.clone())
    }

    /// Ends a visit.
    pub fn end(&self, key: &Hash) {
        lock(&self.visits).remove(key);
    }

    /// Makes a one-time link's key.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn link(&self, name: String, role: Role, now: Instant) -> Result<String, getrandom::Error> {
        let key = token::new()?;
        let who = Identity { name, role, proof: Proof::Link };
        let mut links = lock(&self.links);
        links.retain(|link| now < link.until);
        if links.len() >= MOST_LINKS {
            links.remove(0);
        }
        links.push(Link { key: token::hash(&key), who, until: now + LINK });
        Ok(key)
    }

    /// Uses a link's key: for whom it was made; None if it is not known, too old, or used already.
    pub fn use_link(&self, key: &str, now: Instant) -> Option<Identity> {
        let key = token::hash(key);
        let mut links = lock(&self.links);
        links.retain(|link| now < link.until);
        let at = links.iter().position(|link| token::same_hash(&link.key, &key))?;
        Some(links.remove(at).who)
    }
}

fn end_longest_unseen(visits: &mut HashMap<Hash, Visit>, of: impl Fn(&Visit) -> bool) {
    let longest = visits.iter().filter(|(_, visit)| of(visit)).min_by_key(|(_, visit)| visit.seen).map(|(key, _)| *key);
    if let Some(key) = longest {
        visits.remove(&key);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn who(name: &str) -> Identity {
        Identity { name: name.into(), role: Role::Viewer, proof: Proof::Link }
    }

    #[test]
    fn a_visit_is_found_by_its_token_alone_and_ends_when_it_is_told_to() {
        let (visits, now) = (Visits::default(), Instant::now());
        let token = visits.begin(who("alice"), now).unwrap();
        let key = token::hash(&token);
        assert_eq!(visits.look_up(&key, now), Some(who("alice")));
        assert_eq!(visits.look_up(&token::hash("another"), now), None);
        visits.end(&key);
        assert_eq!(visits.look_up(&key, now), None);
    }

    #[test]
    fn a_visit_ends_after_an_hour_without_a_request_and_after_twelve_hours() {
        let (visits, start) = (Visits::default(), Instant::now());
        let key = token::hash(&visits.begin(who("alice"), start).unwrap());
        assert!(visits.look_up(&key, start + 59 * MINUTE).is_some());
        assert!(visits.peek(&key, start + 118 * MINUTE).is_some(), "this is no request");
        assert!(visits.peek(&key, start + 119 * MINUTE).is_none());
        assert!(visits.look_up(&key, start + 119 * MINUTE).is_none());
        let key = token::hash(&visits.begin(who("alice"), start).unwrap());
        for minute in (30..720).step_by(30) {
            assert!(visits.look_up(&key, start + minute * MINUTE).is_some(), "{minute}");
        }
        assert!(visits.look_up(&key, start + 720 * MINUTE).is_none());
    }

    #[test]
    fn a_thousand_visits_are_kept_and_fifty_of_one_name() {
        let (visits, start) = (Visits::default(), Instant::now());
        let at = |number: usize| start + Duration::from_millis(number as u64);
        let first = token::hash(&visits.begin(who("first"), start).unwrap());
        let of_alice: Vec<_> = (0..60).map(|n| token::hash(&visits.begin(who("alice"), at(n)).unwrap())).collect();
        let left = of_alice.iter().filter(|key| visits.peek(key, at(60)).is_some()).count();
        assert_eq!(left, 50);
        assert!(visits.peek(&of_alice[9], at(60)).is_none() && visits.peek(&of_alice[10], at(60)).is_some());
        assert!(visits.look_up(&first, at(61)).is_some(), "another's");
        for number in 0..2_000 {
            visits.begin(who(&format!("user{number}")), at(100 + number)).unwrap();
        }
        assert_eq!(lock(&visits.visits).len(), 1_000);
        assert!(visits.peek(&first, at(3_000)).is_none());
    }

    #[test]
    fn a_link_works_once_and_for_five_minutes() {
        let (visits, start) = (Visits::default(), Instant::now());
        let key = visits.link("alice".into(), Role::Operator, start).unwrap();
        assert_eq!(visits.use_link(&token::new().unwrap(), start), None);
        let found = visits.use_link(&key, start + 4 * MINUTE).unwrap();
        assert_eq!((found.name.as_str(), found.role, found.proof), ("alice", Role::Operator, Proof::Link));
        assert_eq!(visits.use_link(&key, start + 4 * MINUTE), None);
        let key = visits.link("alice".into(), Role::Operator, start).unwrap();
        assert_eq!(visits.use_link(&key, start + 5 * MINUTE), None);
    }

    #[test]
    fn only_a_few_links_wait() {
        let (visits, now) = (Visits::default(), Instant::now());
        let keys: Vec<_> = (0..20).map(|_| visits.link("alice".into(), Role::Viewer, now).unwrap()).collect();
        assert_eq!(keys.iter().filter(|key| visits.use_link(key, now).is_some()).count(), MOST_LINKS);
    }

    #[test]
    fn the_tokens_themselves_are_not_kept() {
        let (visits, now) = (Visits::default(), Instant::now());
        let token = visits.begin(who("alice"), now).unwrap();
        let kept = *lock(&visits.visits).keys().next().unwrap();
        assert_eq!(kept, token::hash(&token));
        let key = visits.link("alice".into(), Role::Viewer, now).unwrap();
        assert_eq!(lock(&visits.links)[0].key, token::hash(&key));
    }
}

//! Forms that are sent once. The page of a form has a token; the first request with it does the change, and later ones,
//! such as those of a second click, see what came of it. What the page showed is kept beside it.

use super::outcome::Outcome;
use super::shown::Shown;
use crate::token;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a form can be sent, and its outcome be seen.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// So many forms of one visit are kept.
const MOST_OF_ONE: usize = 100;

/// So many are kept in all.
const MOST: usize = 2_000;

/// The forms that can be sent, and those that were.
#[derive(Default)]
pub struct Once(Mutex<VecDeque<Offered>>);

struct Offered {
    /// The visit: the token of its forms.
    owner: String,
    token: String,
    at: Instant,
    shown: Arc<Shown>,
    /// What comes of it, once it was sent.
    sent: Option<watch::Receiver<Option<Arc<Outcome>>>>,
}

/// What a request with a form's token is.
pub enum Started {
    /// The first: it does the change, and sends what came of it.
    First(watch::Sender<Option<Arc<Outcome>>>),
    /// Another has the change.
    Again,
    /// The token is too old, or of another visit.
    Unknown,
}

impl Once {
    /// A token for the form of a page that shows this.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn offer(&self, owner: &str, shown: Shown, now: Instant) -> Result<String, getrandom::Error> {
        let token = token::new()?;
        let mut all = self.all(now);
        if all.iter().filter(|one| one.owner == owner).count() >= MOST_OF_ONE {
            remove_one(&mut all, |one| one.owner == owner);
        }
        if all.len() >= MOST {
            remove_one(&mut all, |_| true);
        }
        let (owner, shown) = (owner.to_owned(), Arc::new(shown));
        all.push_back(Offered { owner, token: token.clone(), at: now, shown, sent: None });
        Ok(token)
    }

    /// What the page of a form showed.
    pub fn shown(&self, owner: &str, token: &str, now: Instant) -> Option<Arc<Shown>> {
        self.all(now).iter().find(|one| one.is(owner, token)).map(|one| one.shown.clone())
    }

    /// Uses a token.
    pub fn begin(&self, owner: &str, token: &str, now: Instant) -> Started {
        let mut all = self.all(now);
        match all.iter_mut().find(|one| one.is(owner, token)) {
            None => Started::Unknown,
            Some(Offered { sent: Some(_), .. }) => Started::Again,
            Some(offered) => {
                let (sender, receiver) = watch::channel(None);
                offered.sent = Some(receiver);
                Started::First(sender)
            }
        }
    }

    /// What came of a form that was sent, or will come.
    pub fn outcome(&self, owner: &str, token: &str, now: Instant) -> Option<watch::Receiver<Option<Arc<Outcome>>>> {
        self.all(now).iter().find(|one| one.is(owner, token))?.sent.clone()
    }

    /// Those that are not too old.
    fn all(&self, now: Instant) -> MutexGuard<'_, VecDeque<Offered>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.front().is_some_and(|one| now.saturating_duration_since(one.at) >= KEPT) {
            all.pop_front();
        }
        all
    }
}

/// Makes room among some. What came of a form that was sent may be asked for again: those that were never sent go first.
fn remove_one(all: &mut VecDeque<Offered>, among: impl Fn(&Offered) -> bool) {
    let unsent = all.iter().position(|one| among(one) && one.sent.is_none());
    if let Some(at) = unsent.or_else(|| all.iter().position(among)) {
        all.remove(at);
    }
}

impl Offered {
    fn is(&self, owner: &str, token: &str) -> bool {
        self.owner == owner && token::same(&self.token, token)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::kind::Kind;
    use super::*;

    fn page() -> Shown {
        Shown::nothing(Kind::Block, ("user", "bob".to_owned()), "Block bob".to_owned())
    }

    fn is_first(begun: &Started) -> bool {
        matches!(begun, Started::First(_))
    }

    #[test]
    fn a_form_is_sent_once_by_its_visit_within_an_hour() {
        let (once, now) = (Once::default(), Instant::now());
        let token = once.offer("anna", page(), now).unwrap();
        assert!(matches!(once.begin("bob", &token, now), Started::Unknown), "another visit's");
        assert!(matches!(once.begin("anna", "", now), Started::Unknown));
        assert!(once.outcome("anna", &token, now).is_none(), "not sent yet");
        assert!(is_first(&once.begin("anna", &token, now)));
        assert!(matches!(once.begin("anna", &token, now), Started::Again));
        assert!(once.outcome("anna", &token, now).is_some() && once.outcome("bob", &token, now).is_none());
        let later = now + KEPT;
        assert!(matches!(once.begin("anna", &token, later), Started::Unknown), "it is never sent again");
    }

    #[test]
    fn one_visit_does_not_use_up_the_forms_of_others() {
        let (once, now) = (Once::default(), Instant::now());
        let (annas, first) = (once.offer("anna", page(), now).unwrap(), once.offer("bob", page(), now).unwrap());
        for _ in 0..MOST {
            once.offer("bob", page(), now).unwrap();
        }
        assert!(is_first(&once.begin("anna", &annas, now)));
        assert!(matches!(once.begin("bob", &first, now), Started::Unknown));
        assert!(once.all(now).len() <= MOST_OF_ONE + 1);
    }

    #[test]
    fn what_came_of_a_form_is_kept_longer_than_forms_that_were_never_sent() {
        let (once, now) = (Once::default(), Instant::now());
        let sent = once.offer("anna", page(), now).unwrap();
        assert!(is_first(&once.begin("anna", &sent, now)));
        for _ in 0..MOST_OF_ONE {
            once.offer("anna", page(), now).unwrap();
        }
        assert!(matches!(once.begin("anna", &sent, now), Started::Again));
        for visit in 0..MOST {
            once.offer(&visit.to_string(), page(), now).unwrap();
        }
        assert!(once.outcome("anna", &sent, now).is_some(), "other visits do not use it up either");
        // If all were sent, the oldest goes.
        for _ in 0..MOST_OF_ONE {
            let token = once.offer("anna", page(), now).unwrap();
            assert!(is_first(&once.begin("anna", &token, now)));
        }
        assert!(once.outcome("anna", &sent, now).is_none());
        assert!(once.all(now).len() <= MOST);
    }
}

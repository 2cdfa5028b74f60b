//! `GET /events`: tells browsers that the ledger has changed, as server-sent events. They then fetch again what they show.
//!
//! One task looks at the ledger for all visitors, once a second, while anyone listens. However much has changed, each
//! browser gets one event `changed` for it. Its number grows with every change. A browser that sends back the number of
//! the page that it shows (`?seen=`), or of its last event (as browsers do when they connect again), gets an event at once
//! if it has missed something; one that sends none may have, so it gets one too.

mod ledger;
#[cfg(test)]
mod tests;

use crate::app::Shared;
use crate::fault::Fault;
use crate::gate::Stay;
use crate::token::Hash;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use ledger::Followed;
use serde::Deserialize;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// How many browsers may listen at once.
const PLACES: usize = 200;

/// How many of them one visit may have. A browser has six connections to a server.
const OF_VISIT: usize = 12;

/// How many of them all visits of one user may have.
const OF_USER: usize = 50;

/// The time between two looks at the ledger, and the least time between two events.
const BETWEEN: Duration = Duration::from_secs(1);

/// After so long without an event a comment is sent: proxies close a connection that is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long the ledger is still looked at when nobody listens any more: who opens another page is back in a moment.
const LINGER: Duration = Duration::from_secs(10);

/// What a browser sends back when it connects again.
const LAST: HeaderName = HeaderName::from_static("last-event-id");

/// What all streams share.
pub struct Events {
    /// Grows when the ledger has changed.
    number: watch::Sender<u64>,
    /// True when the server stops.
    stop: watch::Receiver<bool>,
    places: Arc<Semaphore>,
    /// How many each visit has, and each user.
    taken: Mutex<Taken>,
    ledger: Followed,
    /// Whether the task that looks is there.
    followed: Mutex<bool>,
}

/// A question whose answer may have to wait for the disk.
type Question = Arc<dyn Fn() -> bool + Send + Sync>;

/// Whether the ledger has changed since the last call.
type Look = Question;

/// What is in the address.
#[derive(Deserialize)]
pub struct Asked {
    /// The number of the page that the browser shows.
    seen: Option<u64>,
}

/// The stream of a browser.
pub async fn stream(
    State(app): Shared,
    Extension(stay): Extension<Stay>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let looking = app.clone();
    let look: Look = Arc::new(move || looking.events.ledger.changed(&looking.source.config().ledger));
    let who = (stay.key(), visitor.name);
    let news = app.events.listen(who, asked.last(&headers), look, Arc::new(move || stay.lasts()))?;
    Ok(Sse::new(news).into_response())
}

impl Asked {
    /// The last number that the browser has. When it connects again, the one in the address is older.
    fn last(&self, headers: &HeaderMap) -> Option<u64> {
        headers.get(LAST).and_then(|last| last.to_str().ok()?.parse().ok()).or(self.seen)
    }
}

impl Events {
    /// Without anyone who listens. `stop` becomes true when the server stops.
    pub fn new(stop: watch::Receiver<bool>) -> Self {
        // Larger than all numbers of an earlier process, so that a browser that had one of them gets an event.
        let begun = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis());
        Self {
            number: watch::Sender::new(u64::try_from(begun).unwrap_or(0)),
            stop,
            places: Arc::new(Semaphore::new(PLACES)),
            taken: Mutex::default(),
            ledger: Followed::default(),
            followed: Mutex::new(false),
        }
    }

    /// The number of what a page shows that is made after this call.
    pub fn number(&self) -> u64 {
        *self.number.borrow()
    }

    /// The events for a browser, until the server stops or the visit does not last.
    fn listen(
        self: &Arc<Self>,
        (visit, user): (Hash, String),
        seen: Option<u64>,
        look: Look,
        lasts: Question,
    ) -> Result<impl Stream<Item = Result<Event, Infallible>> + Send + 'static, Fault> {
        let seat = Seat::take(self, visit, user)?;
        let number = self.number.subscribe();
        let followed = self.follow(look);
        // The first look of a new task is a change for everybody, also for who has seen the number of before.
        let seen = if followed { seen } else { Some(*number.borrow()) };
        let listener = Listener { number, stop: self.stop.clone(), seen, heard: None, lasts, _seat: seat };
        Ok(unfold(listener, |mut listener| async {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        }))
    }

    /// Starts the task that looks, if it does not run. Returns whether it did.
    fn follow(self: &Arc<Self>, look: Look) -> bool {
        let was = std::mem::replace(&mut *lock(&self.followed), true);
        if !was {
            tokio::spawn(self.clone().look_again_and_again(look));
        }
        was
    }

    async fn look_again_and_again(self: Arc<Self>, look: Look) {
        let mut stop = self.stop.clone();
        let (mut first, mut listened) = (true, Instant::now());
        loop {
            // If a look panics, the next one may not.
            let changed = answer(&look).await;
            if changed || std::mem::take(&mut first) {
                self.number.send_modify(|number| *number += 1);
            }
            if self.number.receiver_count() > 0 {
                listened = Instant::now();
            } else if listened.elapsed() >= LINGER && self.leave() {
                return;
            }
            tokio::select! {
                () = sleep(BETWEEN) => {}
                () = stopped(&mut stop) => return,
            }
        }
    }

    /// Ends the task if nobody listens. Who begins to listen then starts another.
    fn leave(&self) -> bool {
        let mut followed = lock(&self.followed);
        *followed = self.number.receiver_count() > 0;
        if !*followed {
            self.ledger.close();
        }
        !*followed
    }
}

/// One browser.
struct Listener {
    number: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    /// The last number that the browser has.
    seen: Option<u64>,
    /// When it got that.
    heard: Option<Instant>,
    lasts: Question,
    _seat: Seat,
}

/// The places that are taken.
#[derive(Default)]
struct Taken {
    visits: HashMap<Hash, usize>,
    users: HashMap<String, usize>,
}

/// The seat of one browser.
struct Seat {
    events: Arc<Events>,
    visit: Hash,
    user: String,
    _of_all: OwnedSemaphorePermit,
}

impl Seat {
    fn take(events: &Arc<Events>, visit: Hash, user: String) -> Result<Self, Fault> {
        let full = |many: usize, who: &str| {
            Fault::unavailable(
                format_args!("{many} pages{who} already follow what changes"),
                "close pages of the dashboard that nobody looks at; until then, load this page again to see what is new",
            )
        };
        let of_all = events.places.clone().try_acquire_owned().map_err(|_| full(PLACES, ""))?;
        let mut taken = lock(&events.taken);
        if taken.visits.get(&visit).is_some_and(|own| *own >= OF_VISIT) {
            return Err(full(OF_VISIT, " of this visit"));
        }
        if taken.users.get(&user).is_some_and(|own| *own >= OF_USER) {
            return Err(full(OF_USER, " of this user"));
        }
        *taken.visits.entry(visit).or_default() += 1;
        *taken.users.entry(user.clone()).or_default() += 1;
        Ok(Self { events: events.clone(), visit, user, _of_all: of_all })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.events.taken);
        leave(&mut taken.visits, &self.visit);
        leave(&mut taken.users, &self.user);
    }
}

fn leave<K: Eq + std::hash::Hash>(taken: &mut HashMap<K, usize>, by: &K) {
    if let Some(own) = taken.get_mut(by) {
        *own -= 1;
        if *own == 0 {
            taken.remove(by);
        }
    }
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        let seen = self.seen;
        let heard = self.heard;
        let changed = async {
            if let Some(heard) = heard {
                sleep_until(heard + BETWEEN).await;
            }
            let number = self.number.wait_for(|number| Some(*number) != seen).await;
            number.ok().map(|number| *number)
        };
        let event = tokio::select! {
            biased;
            () = stopped(&mut self.stop) => return None,
            number = changed => {
                let number = number?;
                (self.seen, self.heard) = (Some(number), Some(Instant::now()));
                Event::default().event("changed").id(number.to_string()).data(number.to_string())
            }
            () = sleep(KEEP_ALIVE) => Event::default().comment(""),
        };
        answer(&self.lasts).await.then_some(event)
    }
}

/// Asks on a thread that may wait. The answer is no if there is none.
async fn answer(question: &Question) -> bool {
    let question = question.clone();
    tokio::task::spawn_blocking(move || question()).await.unwrap_or(false)
}

/// Waits until the server stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // If nobody can say so any more, it has.
    let _ = stop.wait_for(|stop| *stop).await.map(drop);
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

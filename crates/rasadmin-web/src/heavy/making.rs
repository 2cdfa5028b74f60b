//! Answers that are being made: each on a thread of its own, and one at a time, because they want the same disk. They go on
//! when the visitor who asked for one has left.

use crate::fault::Fault;
use crate::kept::{Found, Kept};
use crate::source::turns;
use axum::http::StatusCode;
use rasadmin_answers::show::grouped;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many answers of one kind may be waited for.
const MOST: usize = 16;

/// How many of them one caller may have asked for.
const FOR_ONE: usize = MOST / 2;

/// How long it is waited for before others get the turn of who waits.
const SHORT: Duration = Duration::from_millis(50);

/// How long the next visitor sees why an answer could not be made. A page that looks again does so sooner.
const RECENT: Duration = Duration::from_secs(10);

/// Only one answer is made at a time.
#[derive(Clone, Debug, Default)]
pub struct One(Arc<Mutex<()>>);

impl One {
    /// Waits until no other answer is being made.
    pub fn wait(&self) -> MutexGuard<'_, ()> {
        lock(&self.0)
    }
}

/// Answers of one kind.
#[derive(Debug)]
pub struct Heavy<K, V>(Arc<Inner<K, V>>);

#[derive(Debug)]
struct Inner<K, V> {
    kept: Kept<K, V>,
    making: Mutex<HashMap<K, Arc<Making<V>>>>,
}

impl<K, V> Default for Heavy<K, V> {
    fn default() -> Self {
        Self(Arc::new(Inner { kept: Kept::default(), making: Mutex::default() }))
    }
}

/// What there is of an answer.
#[derive(Debug)]
pub enum Answer<V> {
    /// All of it.
    Ready(Arc<V>),
    /// It is being made.
    Being(Share),
}

/// How much of an answer is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// How many sessions are read.
    pub done: u64,
    /// How many there are, as far as it is known: 0 if it is not.
    pub all: u64,
}

impl Share {
    /// For people.
    pub fn words(self) -> String {
        match self {
            Self { all: 0, .. } => "how far they are is not known yet".to_owned(),
            Self { done, all } => format!("{} of {} sessions are read", grouped(done), grouped(all)),
        }
    }
}

/// How far an answer is, for those who make it.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    all: AtomicU64,
}

impl Progress {
    pub fn set(&self, done: u64, all: u64) {
        self.done.store(done, Relaxed);
        self.all.store(all, Relaxed);
    }

    fn share(&self) -> Share {
        Share { done: self.done.load(Relaxed), all: self.all.load(Relaxed) }
    }
}

/// A result, and since when there is one.
type Ended<V> = (Result<Arc<V>, Fault>, Instant);

/// An answer that is being made.
#[derive(Debug)]
struct Making<V> {
    /// Who asked for it first.
    caller: Option<String>,
    progress: Progress,
    result: Mutex<Option<Ended<V>>>,
    over: Condvar,
}

impl<V> Making<V> {
    fn end(&self, result: Result<Arc<V>, Fault>) {
        lock(&self.result).get_or_insert((result, Instant::now()));
        self.over.notify_all();
    }

    fn is_over(&self) -> bool {
        lock(&self.result).is_some()
    }

    /// Whether what there is of it says something about now.
    fn is_current(&self, now: Instant) -> bool {
        lock(&self.result).as_ref().is_none_or(|(_, ended)| now.saturating_duration_since(*ended) <= RECENT)
    }

    /// Waits. Others get the turn of an answer that waits for long; if too many wait already, it does not.
    fn wait(&self, patience: Duration) -> Result<Answer<V>, Fault> {
        match self.wait_here(patience.min(SHORT)) {
            Ok(Answer::Being(_)) if patience > SHORT && turns::give_up() => self.wait_here(patience - SHORT),
            answer => answer,
        }
    }

    fn wait_here(&self, patience: Duration) -> Result<Answer<V>, Fault> {
        let waited = self.over.wait_timeout_while(lock(&self.result), patience, |result| result.is_none());
        let (result, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &*result {
            Some((result, _)) => result.clone().map(Answer::Ready),
            None => Ok(Answer::Being(self.progress.share())),
        }
    }
}

/// Ends an answer even if a bug ended the thread that made it.
struct Ends<V>(Arc<Making<V>>);

impl<V> Drop for Ends<V> {
    fn drop(&mut self) {
        self.0.end(Err(Fault {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            what: "a bug in rasadmin ended this page".to_owned(),
            remedy: "report it, with the page's address and the text in the log".to_owned(),
        }));
    }
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static, V: Send + Sync + 'static> Heavy<K, V> {
    /// The answer. If there is none, it is made; the caller waits for it as long as `patience`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn answer(
        &self,
        one: &One,
        asked: K,
        patience: Duration,
        make: impl FnOnce(&Progress) -> Result<V, Fault> + Send + 'static,
    ) -> Result<Answer<V>, Fault> {
        self.answer_at(Instant::now(), one, asked, patience, make)
    }

    /// The same, at this time.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn answer_at(
        &self,
        now: Instant,
        one: &One,
        asked: K,
        patience: Duration,
        make: impl FnOnce(&Progress) -> Result<V, Fault> + Send + 'static,
    ) -> Result<Answer<V>, Fault> {
        match self.0.kept.find(&asked, now) {
            Found::Current(answer) => Ok(Answer::Ready(answer)),
            Found::Old(answer) => {
                // If it fails, a later visitor causes another try.
                drop(self.begin(now, one, asked, make));
                Ok(Answer::Ready(answer))
            }
            Found::Missing => self.begin(now, one, asked, make)?.wait(patience),
        }
    }

    /// Whether any answer is kept.
    #[cfg(test)]
    pub fn has_any(&self) -> bool {
        self.0.kept.has_any()
    }

    /// Begins to make an answer, unless somebody has.
    fn begin(
        &self,
        now: Instant,
        one: &One,
        asked: K,
        make: impl FnOnce(&Progress) -> Result<V, Fault> + Send + 'static,
    ) -> Result<Arc<Making<V>>, Fault> {
        let mut all = lock(&self.0.making);
        if let Some(making) = all.get(&asked).cloned() {
            if making.is_over() {
                // It has failed: if that was just now, this visitor sees why, and the next one tries again.
                all.remove(&asked);
            }
            if making.is_current(now) {
                return Ok(making);
            }
        }
        all.retain(|_, making| !making.is_over());
        let busy = |what| Fault::unavailable(what, "try again in some seconds");
        let too_many = || busy("the dashboard makes too many figures at the moment");
        let caller = turns::caller();
        let of_caller = all.values().filter(|making| caller.is_some() && making.caller == caller).count();
        if all.len() >= MOST {
            return Err(too_many());
        }
        if of_caller >= FOR_ONE {
            return Err(busy("too many figures are being made for you at the moment"));
        }
        let (progress, result, over) = Default::default();
        let making = Arc::new(Making { caller, progress, result, over });
        let (inner, one, ends) = (self.0.clone(), one.clone(), Ends(making.clone()));
        let name = asked.clone();
        let work = move || {
            // A panic ends this answer, and not this process.
            rasadmin_service::works_for_duty();
            let _one = one.wait();
            let began = Instant::now();
            match make(&ends.0.progress) {
                Ok(value) => {
                    let kept = inner.kept.keep(asked.clone(), value, began, Instant::now());
                    lock(&inner.making).remove(&asked);
                    ends.0.end(Ok(kept));
                }
                Err(fault) => ends.0.end(Err(fault)),
            }
        };
        std::thread::Builder::new().name("figures".to_owned()).spawn(work).map_err(|_| too_many())?;
        all.insert(name, making.clone());
        Ok(making)
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

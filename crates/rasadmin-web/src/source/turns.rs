//! Turns: so many answers are made at once, and half of them for one caller. An answer that waits for figures from another
//! thread gives its turn to others.

use crate::fault::Fault;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many answers are made at once. Each may need a reader of the ledger, and the memory of a state.
const AT_ONCE: usize = 8;

/// How many of them are made for one caller: whoever asks for many pages waits, and nobody else does.
const FOR_ONE: usize = AT_ONCE / 2;

/// How many others may wait for figures at once. Each keeps a thread.
const WAITING: usize = 32;

/// How long a request waits for its turn.
const WAIT: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// Who asks for what this task answers.
    static CALLER: String;
}

/// Answers a request for a caller: a visitor's name, or a program's.
pub fn answer_for<F: Future>(caller: &str, answer: F) -> impl Future<Output = F::Output> + use<F> {
    CALLER.scope(caller.to_owned(), answer)
}

/// All turns.
pub struct Turns {
    free: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The turns of each caller for whom an answer is made, or waited for.
    callers: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Default for Turns {
    fn default() -> Self {
        let [free, waiting] = [AT_ONCE, WAITING].map(|permits| Arc::new(Semaphore::new(permits)));
        Self { free, waiting, callers: Mutex::default() }
    }
}

/// One turn. It is free again when this is dropped.
#[derive(Debug)]
pub struct Turn {
    permit: OwnedSemaphorePermit,
    /// The caller's part of it, until it is given to others.
    share: Option<OwnedSemaphorePermit>,
    waiting: Arc<Semaphore>,
    /// Whether it was given to others, so that the permit is one to wait.
    is_over: bool,
}

thread_local! {
    /// The turn of the answer that this thread makes.
    static MINE: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

impl Turns {
    /// The next turn.
    ///
    /// # Errors
    /// If none gets free in time.
    pub async fn next(&self) -> Result<Turn, Fault> {
        let busy =
            || Fault::unavailable("the dashboard has too many requests at the moment", "try again in some seconds");
        let both = async {
            let share = match CALLER.try_with(|caller| self.of(caller)) {
                Ok(caller) => Some(caller.acquire_owned().await?),
                Err(_) => None,
            };
            Ok::<_, tokio::sync::AcquireError>((share, self.free.clone().acquire_owned().await?))
        };
        match timeout(WAIT, both).await {
            Ok(Ok((share, permit))) => Ok(Turn { permit, share, waiting: self.waiting.clone(), is_over: false }),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    /// The turns of a caller.
    fn of(&self, caller: &str) -> Arc<Semaphore> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = callers.get(caller).and_then(Weak::upgrade) {
            return turns;
        }
        callers.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(FOR_ONE));
        callers.insert(caller.to_owned(), Arc::downgrade(&turns));
        turns
    }
}

impl Turn {
    /// Makes an answer on this thread. The turn is over when it is made, also by a panic.
    pub fn work<T>(self, work: impl FnOnce() -> T) -> T {
        struct Ends;
        impl Drop for Ends {
            fn drop(&mut self) {
                drop(MINE.take());
            }
        }
        let _ends = Ends;
        MINE.set(Some(self));
        work()
    }
}

/// Gives the turn of this thread to others, before it waits for another thread. False if too many wait already: then it must
/// not wait.
pub fn give_up() -> bool {
    MINE.with_borrow_mut(|mine| {
        let Some(turn) = mine.as_mut().filter(|turn| !turn.is_over) else { return true };
        let Ok(permit) = turn.waiting.clone().try_acquire_owned() else { return false };
        (turn.permit, turn.share, turn.is_over) = (permit, None, true);
        true
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_answers_are_made_at_once_and_others_wait() {
        let turns = Turns::default();
        let mut all = Vec::new();
        for _ in 0..AT_ONCE {
            all.push(turns.next().await.unwrap());
        }
        let fault = turns.next().await.unwrap_err();
        assert!(fault.what.contains("too many requests"), "{fault:?}");
        all.pop();
        assert!(turns.next().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_for_much_waits_and_others_do_not() {
        let turns = Turns::default();
        let mut greedy = Vec::new();
        for _ in 0..FOR_ONE {
            greedy.push(answer_for("greedy", turns.next()).await.unwrap());
        }
        assert!(answer_for("greedy", turns.next()).await.is_err());
        let other = answer_for("other", turns.next()).await.unwrap();
        assert_eq!(turns.free.available_permits(), AT_ONCE - FOR_ONE - 1);
        // An answer that waits for figures is not one of them.
        greedy.pop().unwrap().work(|| assert!(give_up()));
        greedy.push(answer_for("greedy", turns.next()).await.unwrap());
        drop((greedy, other));
        drop(answer_for("third", turns.next()).await.unwrap());
        assert_eq!(turns.callers.lock().unwrap().len(), 1, "who asks for nothing is forgotten");
    }

    #[tokio::test]
    async fn an_answer_that_waits_gives_its_turn_to_others_unless_too_many_wait() {
        let turns = Turns::default();
        assert!(give_up(), "a thread without a turn may wait");
        let free = || (turns.free.available_permits(), turns.waiting.available_permits());
        let others: Vec<_> = (0..WAITING).map(|_| turns.waiting.clone().try_acquire_owned().unwrap()).collect();
        turns.next().await.unwrap().work(|| {
            assert!(!give_up());
            assert_eq!(free(), (AT_ONCE - 1, 0));
        });
        drop(others);
        turns.next().await.unwrap().work(|| {
            assert!(give_up() && give_up());
            assert_eq!(free(), (AT_ONCE, WAITING - 1));
        });
        assert_eq!(free(), (AT_ONCE, WAITING));
    }
}

//! Turns: so many answers are made at once. An answer that waits for figures from another thread gives its turn to others.

use crate::fault::Fault;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many answers are made at once. Each may need a reader of the ledger, and the memory of a state.
const AT_ONCE: usize = 8;

/// How many others may wait for figures at once. Each keeps a thread.
const WAITING: usize = 32;

/// How long a request waits for its turn.
const WAIT: Duration = Duration::from_secs(10);

/// All turns.
pub struct Turns {
    free: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::new(Semaphore::new(WAITING)) }
    }
}

/// One turn. It is free again when this is dropped.
#[derive(Debug)]
pub struct Turn {
    permit: OwnedSemaphorePermit,
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
        match timeout(WAIT, self.free.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { permit, waiting: self.waiting.clone(), is_over: false }),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
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
        (turn.permit, turn.is_over) = (permit, true);
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

//! Turns: so many answers are made at once, and not all of them for one caller. An answer that waits for figures from another
//! thread gives its turn to others.

use crate::fault::Fault;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How many answers are made at once. Each may need a reader of the ledger, and the memory of a state.
const AT_ONCE: usize = 8;

/// How many of them are made for one caller, so that one who asks for many pages leaves some to others.
const FOR_ONE: usize = 6;

/// How many others may wait for figures at once. Each keeps a thread.
const WAITING: usize = 32;

/// How many of them wait for one caller.
const WAITING_FOR_ONE: usize = WAITING / 2;

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
    /// Each caller for whom an answer is made, or waited for.
    callers: Mutex<HashMap<String, Weak<Caller>>>,
}

/// What is left for a caller.
#[derive(Debug)]
struct Caller {
    name: String,
    free: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
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
    /// The same of what is left for the caller.
    share: Option<OwnedSemaphorePermit>,
    waiting: Arc<Semaphore>,
    caller: Option<Arc<Caller>>,
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
        let busy = |whose: &str| {
            let what = format!("{whose} too many requests at the moment");
            Fault::unavailable(what, "try again in some seconds")
        };
        let until = Instant::now() + WAIT;
        let caller = CALLER.try_with(|caller| self.of(caller)).ok();
        let share = match &caller {
            Some(caller) => {
                let share = timeout_at(until, caller.free.clone().acquire_owned()).await;
                Some(share.ok().and_then(Result::ok).ok_or_else(|| busy("you have"))?)
            }
            None => None,
        };
        let permit = timeout_at(until, self.free.clone().acquire_owned()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or_else(|| busy("the dashboard has"))?;
        Ok(Turn { permit, share, waiting: self.waiting.clone(), caller, is_over: false })
    }

    /// A caller.
    fn of(&self, name: &str) -> Arc<Caller> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(caller) = callers.get(name).and_then(Weak::upgrade) {
            return caller;
        }
        callers.retain(|_, caller| caller.strong_count() > 0);
        let [free, waiting] = [FOR_ONE, WAITING_FOR_ONE].map(|permits| Arc::new(Semaphore::new(permits)));
        let caller = Arc::new(Caller { name: name.to_owned(), free, waiting });
        callers.insert(name.to_owned(), Arc::downgrade(&caller));
        caller
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

/// For whom this thread makes an answer.
pub fn caller() -> Option<String> {
    MINE.with_borrow(|mine| Some(mine.as_ref()?.caller.as_ref()?.name.clone()))
}

/// Gives the turn of this thread to others, before it waits for another thread. False if too many wait already, of all
/// callers or of this one: then it must not wait.
pub fn give_up() -> bool {
    MINE.with_borrow_mut(|mine| {
        let Some(turn) = mine.as_mut().filter(|turn| !turn.is_over) else { return true };
        let Ok(permit) = turn.waiting.clone().try_acquire_owned() else { return false };
        let share = turn.caller.as_ref().map(|caller| caller.waiting.clone().try_acquire_owned());
        let Ok(share) = share.transpose() else { return false };
        (turn.permit, turn.share, turn.is_over) = (permit, share, true);
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
    async fn a_caller_who_asks_for_much_waits_and_others_do_not() {
        let turns = Turns::default();
        let mut greedy = Vec::new();
        for _ in 0..FOR_ONE {
            greedy.push(answer_for("greedy", turns.next()).await.unwrap());
        }
        let fault = answer_for("greedy", turns.next()).await.unwrap_err();
        assert!(fault.what.contains("you have too many requests"), "{fault:?}");
        let other = answer_for("other", turns.next()).await.unwrap();
        assert_eq!(turns.free.available_permits(), AT_ONCE - FOR_ONE - 1);
        // An answer that waits for figures is not one of them.
        greedy.pop().unwrap().work(|| assert!(give_up()));
        greedy.push(answer_for("greedy", turns.next()).await.unwrap());
        // Of those, too, it has a part.
        let others: Vec<_> =
            (1..WAITING_FOR_ONE).map(|_| turns.of("greedy").waiting.clone().try_acquire_owned().unwrap()).collect();
        greedy.pop().unwrap().work(|| assert!(give_up() && caller().as_deref() == Some("greedy")));
        let _last = turns.of("greedy").waiting.clone().try_acquire_owned().unwrap();
        answer_for("greedy", turns.next()).await.unwrap().work(|| assert!(!give_up()));
        drop((greedy, other, others));
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

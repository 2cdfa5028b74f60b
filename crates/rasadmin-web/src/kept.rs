//! Answers that take long to make are kept for a while: a page that many look at costs the ledger little, and who looks
//! again does not wait again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// At most so many answers are kept.
const MOST: usize = 64;

/// Making an answer again takes at most this part of the time.
const SHARE: u32 = 20;

/// An answer that is older is made again before it is shown.
const OLDEST: Duration = Duration::from_secs(300);

/// An answer that took less is made again before it is shown: nobody notices that.
const QUICK: Duration = Duration::from_millis(250);

/// Answers by what was asked.
#[derive(Debug)]
pub struct Kept<K, V> {
    answers: Mutex<HashMap<K, Answer<V>>>,
}

#[derive(Debug)]
struct Answer<V> {
    value: Arc<V>,
    made: Instant,
    took: Duration,
    /// When somebody last began to make it again.
    renewed: Option<Instant>,
}

/// What is known of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<V> {
    /// It is new enough.
    Current(Arc<V>),
    /// It can be shown, but the caller must make it again. No other caller gets the same answer as old meanwhile.
    Old(Arc<V>),
    /// It must be made first.
    Missing,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { answers: Mutex::default() }
    }
}

impl<K: Eq + Hash + Clone, V> Kept<K, V> {
    /// Looks for an answer.
    pub fn find(&self, asked: &K, now: Instant) -> Found<V> {
        let mut answers = self.answers();
        let Some(answer) = answers.get_mut(asked) else { return Found::Missing };
        let age = now.saturating_duration_since(answer.made);
        if age <= answer.took * SHARE {
            return Found::Current(answer.value.clone());
        }
        if age > OLDEST || answer.took < QUICK {
            return Found::Missing;
        }
        // If that has failed, it is tried again a while later.
        if answer.renewed.is_some_and(|begun| now.saturating_duration_since(begun) <= answer.took * SHARE) {
            return Found::Current(answer.value.clone());
        }
        answer.renewed = Some(now);
        Found::Old(answer.value.clone())
    }

    /// Keeps an answer that somebody began to make at `began`.
    pub fn keep(&self, asked: K, value: V, began: Instant, now: Instant) -> Arc<V> {
        let value = Arc::new(value);
        let took = now.saturating_duration_since(began);
        let mut answers = self.answers();
        if answers.len() >= MOST && !answers.contains_key(&asked) {
            let oldest = answers.iter().min_by_key(|(_, answer)| answer.made).map(|(asked, _)| asked.clone());
            oldest.and_then(|oldest| answers.remove(&oldest));
        }
        answers.insert(asked, Answer { value: value.clone(), made: now, took, renewed: None });
        value
    }

    /// Whether any answer is kept.
    #[cfg(test)]
    pub fn has_any(&self) -> bool {
        !self.answers().is_empty()
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<K, Answer<V>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn an_answer_is_made_again_behind_a_page_that_shows_the_old_one() {
        let (kept, start) = (Kept::default(), Instant::now());
        assert_eq!(kept.find(&1, start), Found::Missing);
        let first = kept.keep(1, "first", start, start + seconds(2));
        assert_eq!(kept.find(&1, start + seconds(42)), Found::Current(first.clone()), "2 s of work, 40 s of rest");
        assert_eq!(kept.find(&1, start + seconds(43)), Found::Old(first.clone()));
        assert_eq!(kept.find(&1, start + seconds(44)), Found::Current(first.clone()), "one caller makes it");
        assert_eq!(kept.find(&1, start + seconds(84)), Found::Old(first), "it has failed");
        let second = kept.keep(1, "second", start + seconds(84), start + seconds(85));
        assert_eq!(kept.find(&1, start + seconds(86)), Found::Current(second));
        assert_eq!(kept.find(&2, start), Found::Missing);
    }

    #[test]
    fn what_is_made_quickly_is_made_anew() {
        let (kept, start) = (Kept::default(), Instant::now());
        let made = start + Duration::from_millis(20);
        let first = kept.keep(1, "first", start, made);
        assert_eq!(kept.find(&1, made + Duration::from_millis(400)), Found::Current(first), "many visitors at once");
        assert_eq!(kept.find(&1, made + Duration::from_millis(401)), Found::Missing);
    }

    #[test]
    fn nobody_is_shown_what_is_older_than_five_minutes() {
        let (kept, start) = (Kept::default(), Instant::now());
        kept.keep(1, "first", start, start + seconds(1));
        assert_eq!(kept.find(&1, start + seconds(302)), Found::Missing);
    }

    #[test]
    fn the_oldest_answer_makes_room() {
        let (kept, start) = (Kept::default(), Instant::now());
        for number in 0..=MOST as u64 {
            let began = start + seconds(number);
            kept.keep(number, number, began, began + seconds(1));
        }
        let late = start + seconds(70);
        assert_eq!(kept.find(&0, late), Found::Missing);
        assert_ne!(kept.find(&1, late), Found::Missing);
    }
}

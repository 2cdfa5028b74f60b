//! Which events of a scenario come one after the other, and which may overlap.

use crate::scenario::Event;
use std::collections::HashMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

/// With several threads, events of different sessions may overlap if they are within this many seconds of each other.
const WINDOW: u32 = 60;

/// What to do with each event.
type Step<'a> = &'a (dyn Fn(&Event) + Sync);

/// Takes the step for every event. An event of the server never overlaps another.
pub(super) fn run(events: &[Event], threads: usize, step: Step<'_>) {
    for part in events.chunk_by(|one, next| one.concerns_session() && next.concerns_session()) {
        if threads <= 1 {
            part.chunk_by(|_, next| next.with_previous).for_each(|group| at_once(group, step));
        } else {
            windows(part).into_iter().for_each(|window| overlap(window, threads, step));
        }
    }
}

/// Takes the step for all events at the same moment, each in a thread of its own.
fn at_once(events: &[Event], step: Step<'_>) {
    if let [event] = events {
        return step(event);
    }
    let begin = Barrier::new(events.len());
    std::thread::scope(|scope| {
        for event in events {
            scope.spawn(|| {
                begin.wait();
                step(event);
            });
        }
    });
}

/// Splits the events so that no part spans more than [`WINDOW`] seconds.
fn windows(events: &[Event]) -> Vec<&[Event]> {
    let mut windows = Vec::new();
    let mut rest = events;
    while let Some(first) = rest.first() {
        let len = rest.partition_point(|event| event.at - first.at < WINDOW);
        let (window, after) = rest.split_at(len);
        windows.push(window);
        rest = after;
    }
    windows
}

/// Takes the step for the events in several threads: in order for those of one session, at once for different sessions.
fn overlap(events: &[Event], threads: usize, step: Step<'_>) {
    let mut of_session: Vec<Vec<&Event>> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    for event in events {
        let at = *index.entry(&event.session).or_insert_with(|| {
            of_session.push(Vec::new());
            of_session.len() - 1
        });
        of_session[at].push(event);
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(of_session.len()) {
            scope.spawn(|| {
                while let Some(events) = of_session.get(next.fetch_add(1, Ordering::Relaxed)) {
                    events.iter().for_each(|event| step(event));
                }
            });
        }
    });
}

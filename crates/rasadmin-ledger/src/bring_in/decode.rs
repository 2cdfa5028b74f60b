//! A record's JSON, also such as a newer version writes.

use rasadmin_engine::{Answer, Decision, Effect, Event, Record};
use serde_json::Value;

/// The record, and how many parts of it were passed over because this version does not know them. None: it is none.
pub(super) fn record(payload: &[u8]) -> Option<(Record, u64)> {
    match serde_json::from_slice(payload) {
        Ok(record) => Some((record, 0)),
        Err(_) => known_parts(payload),
    }
}

/// Does this version know it?
fn knows<T: serde::de::DeserializeOwned>(part: &Value) -> bool {
    serde_json::from_value::<T>(part.clone()).is_ok()
}

fn known_parts(payload: &[u8]) -> Option<(Record, u64)> {
    let mut whole: Value = serde_json::from_slice(payload).ok()?;
    let parts = whole.as_object_mut()?;
    let effects = parts.get_mut("effects")?.as_array_mut()?;
    let all = effects.len();
    effects.retain(knows::<Effect>);
    let mut unknown = (all - effects.len()) as u64;
    if parts.get("decision").is_some_and(|decision| !knows::<Option<Decision>>(decision)) {
        parts.remove("decision");
        unknown += 1;
    }
    // What stands for an event says nothing of anybody, and is no sign of RRAS's life.
    for (part, known, instead) in [
        ("event", parts.get("event").is_some_and(knows::<Event>), serde_json::to_value(Event::Look(Vec::new()))),
        ("answer", parts.get("answer").is_some_and(knows::<Answer>), serde_json::to_value(Answer::Nothing)),
    ] {
        if !known {
            parts.insert(part.to_owned(), instead.ok()?);
            unknown += 1;
        }
    }
    serde_json::from_value(whole).ok().map(|record| (record, unknown))
}

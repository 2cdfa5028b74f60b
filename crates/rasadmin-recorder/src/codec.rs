//! Records and checkpoints as bytes.

use rasadmin_engine::decision::{Answer, Decision};
use rasadmin_engine::state::{Checkpoint, VERSION};
use rasadmin_engine::{Effect, Event, Id, Process, Record, Stamp, State};
use serde::Deserialize;
use serde_json::Value;

/// The version of a checkpoint's bytes.
pub const CHECKPOINT: u32 = VERSION;

/// A record as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The record, without what this program does not know.
    pub record: Record,
    /// How many effects a newer program wrote that this one does not know: they are left out.
    pub unknown: usize,
}

/// A record of which some effects may be unknown.
#[derive(Deserialize)]
struct Loose {
    at: Stamp,
    id: Id,
    instance: Id,
    process: Process,
    #[serde(default)]
    late: bool,
    event: Event,
    #[serde(default)]
    decision: Option<Decision>,
    answer: Answer,
    #[serde(default)]
    session: Option<Id>,
    effects: Vec<Value>,
}

/// A record as the journal has it: JSON.
///
/// # Errors
///
/// None that a record of the engine's can cause.
pub fn encode(record: &Record) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(record)
}

/// Reads a record. Effects of a kind that this program does not know are left out.
///
/// # Errors
///
/// If it is not a record, or not one of this format.
pub fn decode(bytes: &[u8]) -> Result<Decoded, serde_json::Error> {
    let error = match serde_json::from_slice(bytes) {
        Ok(record) => return Ok(Decoded { record, unknown: 0 }),
        Err(error) => error,
    };
    let Ok(loose) = serde_json::from_slice::<Loose>(bytes) else { return Err(error) };
    let Loose { at, id, instance, process, late, event, decision, answer, session, effects } = loose;
    let all = effects.len();
    let effects: Vec<Effect> = effects.into_iter().filter_map(|effect| serde_json::from_value(effect).ok()).collect();
    let unknown = all - effects.len();
    Ok(Decoded {
        record: Record { at, id, instance, process, late, event, decision, answer, session, effects },
        unknown,
    })
}

/// A state as a checkpoint has it.
///
/// # Errors
///
/// None that a state can cause.
pub fn encode_state(state: &State) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(&Checkpoint::of(state))
}

/// Reads a state; [`State::derive`] comes next.
///
/// # Errors
///
/// If the bytes are not a state.
pub fn decode_state(bytes: &[u8]) -> Result<State, postcard::Error> {
    postcard::from_bytes::<Checkpoint>(bytes).map(Checkpoint::into_state)
}

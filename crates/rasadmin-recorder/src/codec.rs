//! Records and checkpoints as bytes.

use postcard::ser_flavors::Flavor;
use rasadmin_engine::callback::Took;
use rasadmin_engine::state::{Checkpoint, EarlierCheckpoint, Sink, Slices, VERSION};
use rasadmin_engine::{Answer, Decision, Effect, Event, Record, State};
use rasadmin_journal::{Error, Failed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io;
use std::path::Path;

/// The version of the checkpoint format.
pub const CHECKPOINT: u32 = VERSION;

/// Can this program read a checkpoint whose state has this version? It writes [`CHECKPOINT`], and reads the one before.
pub const fn reads_checkpoint(version: u32) -> bool {
    matches!(version, CHECKPOINT | EarlierCheckpoint::VERSION)
}

/// A decoded record.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The record, without unknown parts.
    pub record: Record,
    /// The number of parts that only a newer program knows (effects, the decision, event or answer). They are left out.
    pub unknown: u64,
}

/// Encodes a record for the journal, as JSON.
///
/// # Errors
///
/// None for a record that the engine made.
pub fn encode(record: &Record) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(record)
}

/// Decodes a record, and leaves out parts that this program does not know.
///
/// # Errors
///
/// If the bytes are not a record in this format.
pub fn decode(bytes: &[u8]) -> Result<Decoded, serde_json::Error> {
    let error = match serde_json::from_slice(bytes) {
        Ok(record) => return Ok(Decoded { record, unknown: 0 }),
        Err(error) => error,
    };
    known_parts(bytes).ok_or(error)
}

/// Does this program know it?
fn knows<T: DeserializeOwned>(part: &Value) -> bool {
    serde_json::from_value::<T>(part.clone()).is_ok()
}

fn known_parts(bytes: &[u8]) -> Option<Decoded> {
    let mut whole: Value = serde_json::from_slice(bytes).ok()?;
    let parts = whole.as_object_mut()?;
    let effects = parts.get_mut("effects")?.as_array_mut()?;
    let all = effects.len();
    effects.retain(knows::<Effect>);
    let mut unknown = (all - effects.len()) as u64;
    // How long calls took changes nothing, so what is not known of it is not counted.
    match parts.get_mut("took").map(Value::as_array_mut) {
        Some(Some(took)) => took.retain(knows::<Took>),
        Some(None) => drop(parts.remove("took")),
        None => {}
    }
    if parts.get("decision").is_some_and(|decision| !knows::<Option<Decision>>(decision)) {
        parts.remove("decision");
        unknown += 1;
    }
    // The replacement for an unknown event must not say anything about a user, nor count as activity of RRAS.
    for (part, known, instead) in [
        ("event", knows::<Event>(parts.get("event")?), serde_json::to_value(Event::RemoteSessions(Vec::new()))),
        ("answer", knows::<Answer>(parts.get("answer")?), serde_json::to_value(Answer::Nothing)),
    ] {
        if !known {
            parts.insert(part.to_owned(), instead.ok()?);
            unknown += 1;
        }
    }
    serde_json::from_value(whole).ok().map(|record| Decoded { record, unknown })
}

/// Encodes a state for a checkpoint.
///
/// # Errors
///
/// None for a state that the engine made.
pub fn encode_state(state: &State) -> postcard::Result<Vec<u8>> {
    let (mut slices, mut bytes) = (Slices::of(state), Bytes::default());
    while slices.next(&mut bytes)? {}
    Ok(bytes.0)
}

/// The error for a checkpoint that could not be encoded.
pub fn not_encoded(folder: &Path, error: &postcard::Error) -> Error {
    let source = io::Error::other(error.to_string());
    Error::Io(Failed { what: "write a checkpoint in", path: folder.to_owned(), source })
}

/// Encodes a checkpoint in slices. Postcard writes nothing around or between the parts of a value, so slices need no
/// frame.
#[derive(Debug, Default)]
pub struct Bytes(pub Vec<u8>);

impl Sink for Bytes {
    type Error = postcard::Error;

    fn put<T: Serialize>(&mut self, part: &T) -> postcard::Result<()> {
        postcard::serialize_with_flavor(part, Append(&mut self.0))
    }
}

/// Appends to the bytes.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Decodes a state. Returns None if the bytes are not a state in a format that [`reads_checkpoint`] knows. Call
/// [`State::derive`] next.
pub fn decode_state(bytes: &[u8]) -> Option<State> {
    // A state begins with its version.
    let (version, _) = postcard::take_from_bytes::<u32>(bytes).ok()?;
    let checkpoint = match version {
        EarlierCheckpoint::VERSION => postcard::from_bytes::<EarlierCheckpoint>(bytes).ok()?.upgraded(),
        _ => postcard::from_bytes(bytes).ok().filter(Checkpoint::is_known),
    };
    checkpoint.map(Checkpoint::into_state)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rasadmin_engine::callback::Callback;
    use rasadmin_engine::{Id, Process, Stamp};
    use serde_json::json;

    #[test]
    fn what_a_newer_program_wrote_is_left_out_part_by_part() {
        let record = Record {
            at: Stamp::default(),
            id: Id(1),
            instance: Id(2),
            process: Process(3),
            late: false,
            event: Event::Lost { events: 5 },
            decision: None,
            answer: Answer::Accept,
            session: Some(Id(4)),
            effects: vec![Effect::Lost { events: 5 }],
            took: vec![Took(Callback::AcceptNewLink, 7)],
        };
        let bytes = encode(&record).unwrap();
        assert_eq!(decode(&bytes).unwrap(), Decoded { record: record.clone(), unknown: 0 });
        let newer = |change: fn(&mut Value)| {
            let mut value = serde_json::from_slice(&bytes).unwrap();
            change(&mut value);
            decode(value.to_string().as_bytes()).ok()
        };
        let with = |record: Record, unknown| Some(Decoded { record, unknown });
        assert_eq!(
            newer(|value| value["effects"][0] = json!("beamed-up")),
            with(Record { effects: vec![], ..record.clone() }, 1)
        );
        assert_eq!(
            newer(|value| value["answer"] = json!("perhaps")),
            with(Record { answer: Answer::Nothing, ..record.clone() }, 1)
        );
        assert_eq!(newer(|value| value["decision"] = json!(7)), with(record.clone(), 1));
        assert_eq!(
            newer(|value| value["took"] = json!([["beam-up", 9]])),
            with(Record { took: vec![Took(Callback::Other, 9)], ..record.clone() }, 0)
        );
        for took in [json!([["accept-new-link", 5_000_000_000_u64], ["accept-new-link", 7]]), json!({})] {
            let mut value: Value = serde_json::from_slice(&bytes).unwrap();
            value["took"] = took;
            let decoded = decode(value.to_string().as_bytes()).unwrap();
            let known = if value["took"].is_array() { record.took.clone() } else { Vec::new() };
            assert_eq!(Some(decoded), with(Record { took: known, ..record.clone() }, 0));
        }
        let event = newer(|value| value["event"] = json!({ "teleported": { "to": "Mars" } })).unwrap();
        assert!(!event.record.event.is_of_rras(), "it is no sign of life");
        assert_eq!((event.record.effects, event.unknown), (record.effects.clone(), 1));
        assert_eq!(newer(|value| value["id"] = json!(7)), None, "without its identifier it is none");
        assert_eq!(newer(|value| drop(value.as_object_mut().unwrap().remove("event"))), None);
        assert_eq!(newer(|value| value["late"] = json!("often")), None);
    }
}

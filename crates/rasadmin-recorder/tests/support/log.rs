//! Collects the numbered messages of a test's thread.

use rasadmin_messages::Id;
use std::fmt::Debug;
use std::sync::{Mutex, Once};
use std::thread::ThreadId;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

static MESSAGES: Mutex<Vec<(ThreadId, Id, String)>> = Mutex::new(Vec::new());

/// The messages of this thread since the last call: number and text. The first call starts collecting.
pub fn messages() -> Vec<(Id, String)> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
    let mut all = MESSAGES.lock().unwrap();
    let own = |(thread, ..): &mut (ThreadId, Id, String)| *thread == std::thread::current().id();
    all.extract_if(.., own).map(|(_, id, text)| (id, text)).collect()
}

/// The texts of the messages since the last call, which must be exactly these.
#[track_caller]
pub fn exactly(expected: &[Id]) -> Vec<String> {
    let messages = messages();
    assert_eq!(messages.iter().map(|(id, _)| *id).collect::<Vec<_>>(), expected, "{messages:#?}");
    messages.into_iter().map(|(_, text)| text).collect()
}

struct Listener;

#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields(mut fields) = fields;
        let Some(at) = fields.iter().position(|(name, _)| *name == "message_id") else { return };
        let id = Id::from_number(fields.remove(at).1.parse().unwrap()).unwrap();
        let at = fields.iter().position(|(name, _)| *name == "message").unwrap();
        let text = fields.remove(at).1;
        // The inserts alone are enough to produce the same text and level.
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        let values: Vec<_> = fields.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(names, id.row().inserts);
        assert_eq!(id.row().fill(&values), text);
        assert_eq!(*event.metadata().level(), id.row().severity.level());
        MESSAGES.lock().unwrap().push((std::thread::current().id(), id, text));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

//! The answer if a DLL ended its process, or did not return.

use super::Arguments;
use crate::format::{count, shown};
use crate::supervised::Supervised;
use rasadmin_host::board::Step;
use rasadmin_host::exception::Exit;
use rasadmin_host::scenario::Scenario;
use rasadmin_host::supervise::{Death, How};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// A DLL ended its process, or did not return. The run ended there.
#[derive(Serialize, JsonSchema)]
pub struct Died {
    /// Whether the DLLs had started: false if it happened while they were loaded or initialised.
    started: bool,
    /// What happened.
    died: End,
    /// How many connections were attempted before.
    connects: u64,
    /// How many of them were accepted.
    accepted: u64,
    /// How many events of the scenario were done.
    events: u64,
    /// How many events the scenario has.
    of_events: u64,
    /// The first lines that the DLLs printed.
    printed: Vec<String>,
}

/// The end of a process.
#[derive(Serialize, JsonSchema)]
pub struct End {
    /// `exception`: the process crashed; `exit`: it ended the process; `thread`: it ended the calling thread; `hung`: it did
    /// not return; `idle`: nothing happened, although no call was in progress.
    kind: &'static str,
    /// The path of the DLL; null if no call was in progress.
    dll: Option<String>,
    /// `load`, `unload` or `call`; null if no call was in progress.
    step: Option<&'static str>,
    /// The function that was called; null if none was.
    function: Option<&'static str>,
    /// Where it happened, in words.
    place: String,
    /// What happened, in words.
    message: String,
    /// The argument past whose end memory was accessed, by its name in traces; null if that is not what happened.
    argument: Option<&'static str>,
    /// The code of the exception, or the number of the signal; null if there was none.
    exception: Option<u32>,
    /// The line of the scenario that led to the call; null if none did.
    line: Option<usize>,
    /// The session's label in the scenario; null if the call belongs to none.
    session: Option<String>,
}

impl End {
    /// Of a process that had these DLLs.
    pub fn new(death: &Death, dlls: &[PathBuf]) -> Self {
        let step = death.call.map(|call| call.step);
        Self {
            kind: match death.how {
                How::Process(Exit::Exception(_)) => "exception",
                How::Process(_) => "exit",
                How::Thread => "thread",
                How::Hung(_) => "hung",
                How::Idle(_) => "idle",
            },
            dll: death.dll().map(|dll| dlls.get(dll).map_or_else(|| "a DLL".into(), |path| shown(path))),
            step: step.map(|step| match step {
                Step::Load => "load",
                Step::Unload => "unload",
                Step::Call(_) => "call",
            }),
            function: match step {
                Some(Step::Call(function)) => Some(function.name()),
                _ => None,
            },
            place: death.place(),
            message: death.to_string(),
            argument: death.argument().map(|argument| argument.label()),
            exception: death.exception.map(|exception| exception.code),
            line: death.call.and_then(|call| call.line),
            session: None,
        }
    }
}

impl Died {
    /// What the child left.
    pub fn new(death: &Death, child: &Supervised, arguments: &Arguments) -> Self {
        let dlls = arguments.dlls.paths().map(|(paths, _)| paths).unwrap_or_default();
        let mut died = End::new(death, &dlls);
        let progress = death.progress;
        died.session = died.line.and_then(|line| {
            let scenario = Scenario::read(&arguments.scenario).ok()?;
            let event = scenario.events.iter().find(|event| event.line == line)?;
            Some(event.session.clone()).filter(|session| !session.is_empty())
        });
        Self {
            started: progress.total > 0,
            died,
            connects: progress.connects,
            accepted: progress.accepted,
            events: progress.events,
            of_events: progress.total,
            printed: child.printed().0,
        }
    }

    /// For people.
    pub fn text(&self, arguments: &Arguments) -> String {
        let end = &self.died;
        let name = arguments.scenario.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let dll = end.dll.as_deref().unwrap_or("a DLL");
        let place = &end.place;
        let headline = match (end.kind, self.started) {
            ("exception" | "exit", true) => "RRAS would have gone down",
            ("exception" | "exit", false) => "RRAS would not start: its process would have ended",
            (_, true) => "RRAS would have hung",
            (_, false) => "RRAS would never finish starting",
        };
        let mut out = format!("{name}: {headline}\n\n");
        let mut line = |text: String| {
            for line in rasadmin_text::wrap("  ", &text, 80) {
                out.push_str(&line);
                out.push('\n');
            }
        };
        line(format!("{dll}, {place}: {}.", end.message));
        if let (Some(number), true) = (end.line, self.started) {
            let session = end.session.as_ref().map(|session| format!(" (session {session})")).unwrap_or_default();
            line(format!("It happened at line {number} of the scenario{session}."));
        }
        if self.started {
            let refused = self.connects.saturating_sub(self.accepted);
            line(format!(
                "Until then: {} of {}, {} accepted, {refused} refused.",
                self.events,
                count(self.of_events, "event"),
                self.accepted
            ));
        }
        line(match (end.kind, self.started) {
            ("hung", true) => format!(
                "A call may take {} s here (--deadline). RRAS has no limit: every user who connects waits.",
                arguments.deadline
            ),
            ("hung", false) => {
                format!("A call may take {} s here (--deadline). RRAS has no limit.", arguments.deadline)
            }
            ("thread", _) => "A callback must return: RRAS owns the thread, and waits for the call.".into(),
            (_, true) => "RRAS runs DLLs in its own process: every VPN user would have been disconnected.".into(),
            (_, false) => "RRAS runs DLLs in its own process: the VPN would be down until the DLL is removed.".into(),
        });
        out.push('\n');
        if let Some(dll) = &end.dll {
            out.push_str(&format!("  find out more: rasadmin check {dll}\n"));
        }
        if let Some(trace) = &arguments.trace {
            out.push_str(&format!("  the calls before it: {}\n", trace.display()));
        }
        rasadmin_text::printable_lines(&out).into_owned()
    }
}

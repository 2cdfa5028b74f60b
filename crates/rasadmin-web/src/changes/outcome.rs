//! What came of a change.

use crate::fault::Fault;
use crate::parts;
use axum::http::StatusCode;
use maud::{Markup, html};
use rasadmin_pipe::Disconnected;

/// What came of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was asked for: the heading.
    pub title: String,
    /// Was all of it done?
    pub done: bool,
    /// What happened, a sentence each. Commands are between backticks.
    pub lines: Vec<String>,
    /// Where to go on: the address, and its name.
    pub back: (String, String),
    /// Has the service changed anything?
    pub changed: bool,
    /// What became of each session that was to be disconnected.
    pub sessions: Vec<Disconnected>,
    /// Why nothing was changed, or may have been changed. None if something was, or if there was no need.
    pub refusal: Option<Refusal>,
}

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What happened, and what to do about it.
    pub fault: Fault,
    /// Is it certain that nothing was changed?
    pub undone: bool,
}

impl Outcome {
    /// That the service has changed something.
    pub fn changed(&mut self, line: impl Into<String>) {
        self.changed = true;
        self.did(line);
    }

    /// What holds now, without a change.
    pub fn did(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// That nothing was changed, and why.
    pub fn refuse(&mut self, fault: Fault, undone: bool) {
        self.failed(fault.what.clone());
        if !self.changed {
            self.refusal = Some(Refusal { fault, undone });
        }
    }

    /// That something was not done.
    pub fn failed(&mut self, line: impl Into<String>) {
        self.done = false;
        self.lines.push(line.into());
    }

    /// The page's thread has panicked.
    pub fn bug() -> Self {
        let line = "A bug in rasadmin ended this change: it is not known what became of it. Look at the session or the \
                    user, and report the bug with the text in the log";
        let back = ("/sessions".to_owned(), "Sessions".to_owned());
        let fault = Fault {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            what: "a bug in rasadmin ended this change: it is not known what became of it".to_owned(),
            remedy: "look at the session or the user, and report the bug with the text in the log".to_owned(),
        };
        let refusal = Some(Refusal { fault, undone: false });
        Self { title: "Not known".to_owned(), lines: vec![line.to_owned()], back, refusal, ..Self::default() }
    }

    /// For a line of the log.
    pub fn in_short(&self) -> String {
        self.lines.join("; ")
    }

    /// The page.
    pub fn content(&self) -> Markup {
        html! {
            h1 tabindex="-1" autofocus { (parts::printable(&self.title)) }
            section.card.change {
                h2 { @if self.done { span.tag.live { "done" } } @else { span.tag.denied { "not done, or not all of it" } } }
                @for line in &self.lines { p.reason { (parts::commands(&parts::sentence(line))) "." } }
                p.turn { a.button.plain href=(self.back.0) { (self.back.1) } }
            }
        }
    }
}

/// The page before the outcome is known.
pub fn not_yet() -> Markup {
    html! {
        h1 tabindex="-1" autofocus { "Not done yet" }
        section.card.change {
            p.reason { "The rasadmin service is at it. This page looks again every two seconds; you can also leave it." }
        }
    }
}

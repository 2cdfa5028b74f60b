//! The report, line by line.

use crate::style::Tone;
use rasadmin_policy::Millis;
use rasadmin_text::{width_of, wrap};
use schemars::JsonSchema;
use serde::Serialize;

/// Whether a fact is good or bad.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// As it should be.
    Ok,
    /// Neither good nor bad.
    Note,
    /// Not bad, but worth a look: users were refused, for example.
    Notice,
    /// Somebody should look at it.
    Attention,
}

impl Mark {
    /// In the text.
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "-",
            Self::Notice => "notice",
            Self::Attention => "ATTENTION",
        }
    }
}

impl Mark {
    /// Whether it comes first.
    const fn is_loud(self) -> bool {
        matches!(self, Self::Attention | Self::Notice)
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Note => Tone::Quiet,
            Self::Notice => Tone::Notable,
            Self::Attention => Tone::Bad,
        }
    }
}

/// A fact.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Whether it is good or bad.
    mark: Mark,
    /// The subject: `configuration`, `journal` and so on.
    about: &'static str,
    /// The fact. Texts may change.
    text: String,
}

impl Fact {
    /// Writes it: its mark, its subject, and the text beside them.
    fn write(&self, out: &mut String, width: Option<usize>, colours: bool) {
        /// Before the text.
        const MARGIN: usize = 26;
        let about = format!("{:<13}", self.about);
        let padding = " ".repeat(9_usize.saturating_sub(self.mark.word().len()));
        let first = format!("{}{padding}  {about}  ", self.mark.tone().paint(self.mark.word(), colours));
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(MARGIN));
        let mut front = first;
        for line in self.text.lines().map(rasadmin_text::printable) {
            // What fits stays as it is: it can be a line of a file with a mark below it.
            let parts = if width_of(&line) <= room { vec![line.into_owned()] } else { wrap("", &line, room) };
            for part in parts {
                *out += &format!("{front}{part}\n");
                front = " ".repeat(MARGIN);
            }
        }
    }
}

/// The report.
#[derive(Default)]
pub struct Facts(Vec<Fact>);

impl Facts {
    /// Adds a fact; `about` is its subject.
    pub fn add(&mut self, mark: Mark, about: &'static str, text: impl Into<String>) {
        self.0.push(Fact { mark, about, text: text.into() });
    }

    /// The report as text: first what needs attention, then the rest. On a terminal it fits the width.
    pub fn text(&self, width: Option<usize>, colours: bool) -> String {
        let (loud, rest): (Vec<_>, Vec<_>) = self.0.iter().partition(|fact| fact.mark.is_loud());
        let mut out = self.verdict(colours) + "\n\n";
        for fact in &loud {
            fact.write(&mut out, width, colours);
        }
        if !loud.is_empty() && !rest.is_empty() {
            out.push('\n');
        }
        for fact in &rest {
            fact.write(&mut out, width, colours);
        }
        out
    }

    /// The first line.
    fn verdict(&self, colours: bool) -> String {
        let mut about: Vec<&str> = Vec::new();
        for fact in self.0.iter().filter(|fact| fact.mark == Mark::Attention) {
            if !about.contains(&fact.about) {
                about.push(fact.about);
            }
        }
        if about.is_empty() {
            return Tone::Good.paint("all is well", colours);
        }
        Tone::Bad.paint(format_args!("attention: {}", about.join(", ")), colours)
    }

    /// The facts, for programs.
    pub fn into_list(self) -> Vec<Fact> {
        self.0
    }

    /// Whether somebody should look at one of them.
    pub fn need_attention(&self) -> bool {
        self.0.iter().any(|fact| fact.mark == Mark::Attention)
    }
}

/// For programs: UTC, as RFC 3339 writes it.
pub fn rfc3339(millis: Millis) -> String {
    rasadmin_policy::timestamp(millis).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let mut facts = Facts::default();
        facts.add(Mark::Ok, "configuration", "/etc/rasadmin/rasadmin.toml, 59a8f25f5a8ab829");
        let why = "it is damaged; `rasadmin ledger check` says what to do\n  7 | a line\n    | ^^^^";
        facts.add(Mark::Attention, "ledger", why);
        facts.add(Mark::Notice, "refusals", "2 today");
        facts.add(Mark::Attention, "ledger", "it does not agree with the journal");
        facts.add(Mark::Note, "log", "it does not exist yet");
        facts
    }

    #[test]
    fn what_needs_attention_comes_first() {
        let text = facts().text(None, false);
        let starts: Vec<_> = text.lines().map(|line| line.split("  ").next().unwrap_or_default()).collect();
        let expected = ["attention: ledger", "", "ATTENTION", "", "", "notice", "ATTENTION", "", "ok", "-"];
        assert_eq!(starts, expected, "{text}");
        assert!(Facts::default().text(None, false).starts_with("all is well"));
    }

    #[test]
    fn it_fits_the_terminal_and_lines_of_files_stay_as_they_are() {
        for width in [60, 80, 120] {
            let text = facts().text(Some(width), false);
            assert!(text.lines().all(|line| width_of(line) <= width), "{width}:\n{text}");
            assert!(
                text.contains("\n                            7 | a line\n                              | ^^^^\n"),
                "{text}"
            );
        }
        let coloured = facts().text(Some(80), true);
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31mATTENTION\u{1b}[0m  ledger "), "{coloured:?}");
    }
}

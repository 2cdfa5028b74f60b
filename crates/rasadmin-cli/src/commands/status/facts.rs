//! The report, line by line.

use jiff::Timestamp;
use rasadmin_policy::Millis;
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
    /// Somebody should look at it.
    Attention,
}

impl Mark {
    /// In the text.
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "-",
            Self::Attention => "ATTENTION",
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

/// The report.
#[derive(Default)]
pub struct Facts(Vec<Fact>);

impl Facts {
    /// Adds a fact; `about` is its subject.
    pub fn add(&mut self, mark: Mark, about: &'static str, text: impl Into<String>) {
        self.0.push(Fact { mark, about, text: text.into() });
    }

    /// The report as text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for Fact { mark, about, text } in &self.0 {
            let mut parts = text.lines().map(rasadmin_text::printable);
            out += &format!("{:<9}  {about:<13}  {}\n", mark.word(), parts.next().unwrap_or_default());
            for part in parts {
                out += &format!("{:26}{part}\n", "");
            }
        }
        out
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

/// For people: UTC, to the second.
pub fn time(millis: Millis) -> String {
    Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// For programs: UTC, as RFC 3339 writes it.
pub fn rfc3339(millis: Millis) -> String {
    rasadmin_policy::timestamp(millis).to_string()
}

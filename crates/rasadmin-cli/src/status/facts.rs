//! The report, as it grows.

use crate::setup::printable;
use jiff::Timestamp;
use rasadmin_policy::Millis;
use serde_json::{Map, Value, json};

/// How a fact is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Ok,
    /// Neither good nor bad.
    Note,
    /// Someone should look at it.
    Attention,
}

impl Mark {
    /// In reports.
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "-",
            Self::Attention => "ATTENTION",
        }
    }

    /// In JSON.
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Attention => "attention",
        }
    }
}

/// The report, as it grows.
#[derive(Default)]
pub struct Facts {
    lines: Vec<(Mark, &'static str, String)>,
    pub data: Map<String, Value>,
}

impl Facts {
    /// Adds one; `about` says what it is about.
    pub fn add(&mut self, mark: Mark, about: &'static str, text: impl AsRef<str>) {
        self.lines.push((mark, about, text.as_ref().to_owned()));
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (mark, about, text) in &self.lines {
            let mut parts = text.lines().map(printable);
            out += &format!("{:<9}  {about:<13}  {}\n", mark.word(), parts.next().unwrap_or_default());
            for part in parts {
                out += &format!("{:26}{part}\n", "");
            }
        }
        out
    }

    /// For programs.
    pub fn json(mut self) -> Value {
        let facts =
            self.lines.iter().map(|(mark, about, text)| json!({ "mark": mark.name(), "about": about, "text": text }));
        self.data.insert("facts".into(), facts.collect());
        self.data.insert("all_well".into(), (!self.attention()).into());
        Value::Object(self.data)
    }

    /// Must someone look at something?
    pub fn attention(&self) -> bool {
        self.lines.iter().any(|(mark, ..)| *mark == Mark::Attention)
    }
}

/// UTC, to the second.
pub fn time(millis: Millis) -> String {
    Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

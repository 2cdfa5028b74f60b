//! The mistakes in TOML's syntax. The parser names the character it expected; its reader wants to know what to write.

use super::single_bracket;
use crate::config::{Mistake, quotes};
use std::collections::HashSet;
use std::ops::Range;
use toml::de::Error;

const DUPLICATE: &str = "duplicate key";
const UNQUOTED: &str = "string values must be quoted";
/// What the parser says of a list that does not end where its writer thought.
const IN_A_LIST: [&str; 3] =
    ["missing comma between array elements", "unexpected `=` in array", "missing array opening"];

/// In a file with more such mistakes, no others are looked for: RRAS waits meanwhile.
const MOST_UNCERTAIN: usize = 200;

/// The mistakes in the syntax of a file.
pub struct Syntax {
    pub mistakes: Vec<Mistake>,
    /// The text without what confuses the parser, if the rest can be read; all positions are the same.
    pub readable: Option<String>,
    /// The positions whose values are not certain. No other mistakes are reported there.
    pub uncertain: Vec<Range<usize>>,
}

impl Syntax {
    /// Adds what was found when the rest was read again. False if there is nothing new in it. Whatever else is found on a
    /// line that has a mistake is the same one, or follows from it.
    pub fn add(&mut self, again: Self, text: &str) -> bool {
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let line = |span: &Range<usize>| ends.partition_point(|&end| end < span.start);
        let known: HashSet<usize> = self.mistakes.iter().map(|mistake| line(&mistake.span)).collect();
        let before = self.mistakes.len();
        self.mistakes.extend(again.mistakes.into_iter().filter(|mistake| !known.contains(&line(&mistake.span))));
        self.uncertain.extend(again.uncertain.into_iter().filter(|span| !known.contains(&line(span))));
        self.readable = again.readable;
        self.mistakes.len() > before
    }
}

/// Words the mistakes in the syntax.
pub fn of_syntax(errors: &[Error], text: &str) -> Syntax {
    let mut found = Finding { mistakes: Vec::new(), readable: Some(text.as_bytes().to_vec()), uncertain: Vec::new() };
    // Two rules with one bracket are one table, in which every key is there twice. The text is searched once for each
    // list, however many such keys there are: RRAS waits meanwhile.
    let twice = |e: &&Error| e.message().starts_with(DUPLICATE);
    let merged = super::LISTS.into_iter().find_map(|list| {
        let is_list = |e: &Error| e.span().and_then(|span| text.get(span)) == Some(list);
        errors.iter().filter(twice).any(is_list).then(|| single_bracket(text, list))?
    });
    let without_twice = merged.is_some();
    found.mistakes.extend(merged);
    let unclosed = unclosed_list(errors, text);
    // What comes after the beginning of a list that does not end is read as a part of it.
    let end = unclosed.as_ref().map_or(usize::MAX, |mistake| mistake.span.start);
    if unclosed.is_some() {
        found.readable = None;
        found.mistakes.extend(unclosed);
    }
    let mut lines = quotes::Lines::of(text);
    let mut line = Line::around(text, 0);
    let mut explained = None;
    for e in errors.iter().filter(|e| !(without_twice && twice(e))) {
        let at = e.span().unwrap_or(0..0);
        if at.start >= end {
            continue;
        }
        // Thousands of mistakes can be on one line, so it is looked for once.
        if !(line.range.start..=line.range.end).contains(&at.start) {
            line = Line::around(text, at.start);
        }
        let empty = text.get(at.clone()).is_none_or(|written| written.trim().is_empty());
        if e.message().starts_with(UNQUOTED) && !empty && lines.mistake(at.start).is_none() {
            found.mistakes.push(unquoted(at, text));
        } else if explained.as_ref() != Some(&line.range) {
            // The first mistake of a line explains the others.
            explained = Some(line.range.clone());
            found.of_line(e, at, &line, &mut lines, text);
        }
    }
    let Finding { mistakes, readable, uncertain } = found;
    let readable = readable.filter(|_| uncertain.len() <= MOST_UNCERTAIN).and_then(|text| String::from_utf8(text).ok());
    Syntax { mistakes, readable, uncertain }
}

/// See [`Syntax`].
struct Finding {
    mistakes: Vec<Mistake>,
    readable: Option<Vec<u8>>,
    uncertain: Vec<Range<usize>>,
}

impl Finding {
    /// The first mistake of a line.
    fn of_line(&mut self, e: &Error, at: Range<usize>, line: &Line<'_>, lines: &mut quotes::Lines<'_>, text: &str) {
        let (what, expected) = e.message().split_once(", expected ").unwrap_or((e.message(), ""));
        self.uncertain.push(line.range.clone());
        if let Some(mistake) = lines.mistake(at.start) {
            self.mistakes.push(mistake);
        } else if what == DUPLICATE {
            self.uncertain.pop();
            self.mistakes.push(Mistake::at(at, what, "it was set before: remove one of the two"));
            return;
        } else if let Some((colon, help)) = line.colon() {
            let what = "a colon is not valid here";
            self.mistakes.push(Mistake::at(colon.clone(), what, help));
            self.replace(colon, b'=');
            self.uncertain.pop();
            return;
        } else if what.starts_with("unclosed") && line.text.trim_start().starts_with('[') {
            let what = format!("`{}` lacks a bracket at its end", line.content());
            let name = line.content().trim_matches(['[', ']', ' ']);
            let list = line.text.trim_start().starts_with("[[");
            let help = if list { format!("write [[{name}]]") } else { format!("write [{name}]") };
            self.mistakes.push(Mistake::at(line.content_range(), what, help));
        } else if what == "key with no value" {
            let what = format!("`{}` is not a setting", line.shown());
            let help = "write a key, `=` and a value; a comment begins with `#`";
            self.mistakes.push(Mistake::at(line.content_range(), what, help));
            self.replace(line.range.clone(), b' ');
            return;
        } else if what == "missing value for key" || (what == UNQUOTED && line.content().ends_with('=')) {
            let key = line.key();
            let what = format!("`{key}` has no value");
            self.mistakes.push(Mistake::at(
                line.content_range(),
                what,
                format!("write {key} = ..., or remove the line"),
            ));
            self.replace(line.range.clone(), b' ');
            return;
        } else if let Some((open, mark)) = line.open_text() {
            self.mistakes.push(endless((open, mark)));
        } else if IN_A_LIST[0] == what {
            self.mistakes.push(Mistake::at(at, "a comma is missing before this", "write a comma between two entries"));
        } else if let Some(value) = line.value(&at).filter(|_| !is_structural(what)) {
            self.mistakes.push(unquoted(value, text));
        } else {
            let help = if expected.is_empty() { String::new() } else { format!("expected {expected}") };
            self.mistakes.push(Mistake::at(at, what.replace('\n', ", "), help));
        }
        // A header or a list that is not certain makes uncertain what comes after it.
        let goes_on = line.text.trim_start().starts_with('[') || is_structural(what) || line.open_text().is_some();
        if goes_on {
            self.readable = None;
        }
    }

    /// Puts the same octet everywhere in a place.
    fn replace(&mut self, place: Range<usize>, with: u8) {
        if let Some(place) = self.readable.as_mut().and_then(|text| text.get_mut(place)) {
            place.fill(with);
        }
    }
}

/// Does the parser miss a bracket, a comma or a key? Otherwise it dislikes a value.
fn is_structural(what: &str) -> bool {
    ["missing", "unclosed", "extra", "unexpected", "cannot", "invalid inline", "invalid unquoted key"]
        .iter()
        .any(|word| what.starts_with(word))
        && !["unexpected leading zero", "unexpected sign", "missing escaped value"].contains(&what)
}

/// The mistake of a text without quotation marks.
fn unquoted(place: Range<usize>, text: &str) -> Mistake {
    let written = text.get(place.clone()).unwrap_or_default().trim();
    let what = format!("`{}` needs quotation marks", shortened(written));
    Mistake::at(place, what, format!("write {}", quoted(written)))
}

/// A text in the quotation marks that it needs.
fn quoted(text: &str) -> String {
    let shown = shortened(text);
    if text.contains(['\\', '"']) { format!("'{shown}'") } else { format!("\"{shown}\"") }
}

/// The mistake of a list that is not closed: what follows it is read as a part of it.
fn unclosed_list(errors: &[Error], text: &str) -> Option<Mistake> {
    let of_list = |e: &&Error| IN_A_LIST.iter().any(|what| e.message().starts_with(what));
    let unclosed = |e: &Error| e.message().starts_with("unclosed array,") || e.message().starts_with(IN_A_LIST[1]);
    let last = errors.iter().find(|e| unclosed(e))?.span()?.start;
    let first = errors.iter().find(of_list).and_then(Error::span).map_or(last, |span| span.start).min(last);
    let begin = lists_begin(text.get(..first)?)?;
    let line = Line::around(text, begin);
    if let Some(text) = line.open_text() {
        // The bracket is within a text that has no end.
        return Some(endless(text));
    }
    let what = format!("the list of `{}` has no end", line.key());
    Some(Mistake::at(begin..line.content_range().end, what, "write `]` after its last entry"))
}

/// The mistake of a text that has no end. `text` is its position, and its quotation mark.
fn endless((place, mark): (Range<usize>, char)) -> Mistake {
    Mistake::at(place, "this text has no end", format!("write {mark} at its end"))
}

/// Where the last list of a text begins.
fn lists_begin(text: &str) -> Option<usize> {
    let equals = text.rfind("= [").or_else(|| text.rfind("=["))?;
    Some(equals + text[equals..].find('[')?)
}

/// A line of the text.
struct Line<'t> {
    text: &'t str,
    range: Range<usize>,
}

impl<'t> Line<'t> {
    fn around(text: &'t str, position: usize) -> Self {
        let range = quotes::line(text, position);
        Self { text: &text[range.clone()], range }
    }

    /// The line without its comment and blanks.
    fn content(&self) -> &'t str {
        let mut within = None;
        let comment = self.text.char_indices().find(|&(_, c)| {
            match within {
                Some(mark) if c == mark => within = None,
                None if c == '"' || c == '\'' => within = Some(c),
                _ => {}
            }
            within.is_none() && c == '#'
        });
        self.text[..comment.map_or(self.text.len(), |(at, _)| at)].trim()
    }

    fn content_range(&self) -> Range<usize> {
        let begin = self.range.start + (self.text.len() - self.text.trim_start().len());
        begin..begin + self.content().len()
    }

    fn shown(&self) -> String {
        shortened(self.content())
    }

    /// What is before the first `=`.
    fn key(&self) -> &'t str {
        self.text.split('=').next().unwrap_or_default().trim()
    }

    /// The colon of `name: "x"`, with how to write the line.
    fn colon(&self) -> Option<(Range<usize>, String)> {
        let at = self.text.find(':')?;
        let (key, value) = (self.text[..at].trim(), self.content().split_once(':')?.1.trim());
        let is_key = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if key.is_empty() || value.is_empty() || !key.chars().all(is_key) {
            return None;
        }
        let colon = self.range.start + at;
        let written = toml::de::DeValue::parse(value).is_ok();
        let value = if written { shortened(value) } else { quoted(value) };
        Some((colon..colon + 1, format!("write {key} = {value}")))
    }

    /// A text in quotes that has no end, from its quotation mark, and that mark.
    fn open_text(&self) -> Option<(Range<usize>, char)> {
        let mut open = None;
        let mut chars = self.text.char_indices();
        while let Some((at, c)) = chars.next() {
            match open {
                None if c == '#' => return None,
                None if c == '"' || c == '\'' => open = Some((at, c)),
                Some((_, '"')) if c == '\\' => drop(chars.next()),
                Some((_, mark)) if c == mark => open = None,
                _ => {}
            }
        }
        let (at, mark) = open?;
        Some((self.range.start + at..self.range.start + self.text.trim_end().len(), mark))
    }

    /// The value without quotation marks that contains a position.
    fn value(&self, at: &Range<usize>) -> Option<Range<usize>> {
        let inside = at.start.checked_sub(self.range.start)?.min(self.text.len());
        let (before, after) = (self.text.get(..inside)?, self.text.get(inside..)?);
        let begin = before.rfind(['=', '[', ',', '{'])? + 1;
        let end = inside + after.find([',', ']', '}', '#']).unwrap_or(after.len());
        let value = self.text[begin..end].trim();
        let begin = begin + (self.text[begin..end].len() - self.text[begin..end].trim_start().len());
        let plain = !value.is_empty() && !value.contains(['"', '\'']);
        plain.then(|| self.range.start + begin..self.range.start + begin + value.len())
    }
}

fn shortened(text: &str) -> String {
    crate::shorten::shortened(text)
}

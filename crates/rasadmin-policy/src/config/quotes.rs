//! Quotation marks that mean something else than their writer thought: typographic ones, and double quotes, in which a
//! backslash begins an escape.

use super::Mistake;
use std::ops::Range;

/// The lines of a text. Thousands of mistakes can be on one line, so that of the last line is kept.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    last: Range<usize>,
    mistake: Option<Mistake>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut lines = Self { text, last: 0..0, mistake: None };
        lines.look(0);
        lines
    }

    /// The mistake in the quotation marks of the line that contains the position, if there is one.
    pub(super) fn mistake(&mut self, position: usize) -> Option<Mistake> {
        if !(self.last.start..=self.last.end).contains(&position) {
            self.look(position);
        }
        self.mistake.clone()
    }

    fn look(&mut self, position: usize) {
        let text = self.text;
        self.last = line(text, position);
        self.mistake = typographic(text, &self.last).or_else(|| {
            let literals = double_quoted(text, &self.last).into_iter();
            literals.map(|literal| escaped(text, literal)).find_map(|found| found)
        });
    }
}

/// The mistake that a backslash in double quotes is an escape. `literal` is the position of a value.
pub(super) fn escaped(text: &str, literal: Range<usize>) -> Option<Mistake> {
    let source = text.get(literal.clone())?;
    let inner = source.strip_prefix('"').filter(|inner| !inner.starts_with("\"\""))?;
    let closed = inner.strip_suffix('"');
    let inner = closed.unwrap_or(inner);
    if !misread(inner, closed.is_some()) {
        return None;
    }
    let literally = if inner.contains(['\'', '"', ',', ']']) { r"CORP\user" } else { inner };
    let help = format!("write single quotes: '{literally}'");
    Some(Mistake::at(literal, "in double quotes, a backslash begins an escape", help))
}

/// Does a text in double quotes have an escape that its writer hardly meant? A doubled backslash, a quote and a
/// character's number are meant; but not a quote in a text that then has no end.
fn misread(inner: &str, closed: bool) -> bool {
    let mut rest = inner;
    while let Some((_, after)) = rest.split_once('\\') {
        let number = |digits: usize| after.get(1..=digits).is_some_and(|n| n.chars().all(|c| c.is_ascii_hexdigit()));
        let meant = match after.chars().next() {
            Some('\\') => true,
            Some('"') => closed,
            Some('u') => number(4),
            Some('U') => number(8),
            _ => false,
        };
        if !meant {
            return true;
        }
        rest = &after[1..];
    }
    false
}

/// The line that contains a position, without its end.
pub(super) fn line(text: &str, position: usize) -> Range<usize> {
    let mut position = position.min(text.len());
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    let begin = text[..position].rfind('\n').map_or(0, |at| at + 1);
    begin..text[position..].find('\n').map_or(text.len(), |at| position + at)
}

fn typographic(text: &str, line: &Range<usize>) -> Option<Mistake> {
    const MARKS: [char; 10] = ['“', '”', '„', '‟', '«', '»', '‘', '’', '‚', '‛'];
    let (mut within, mut chars) = (None, text[line.clone()].char_indices());
    let (at, mark) = chars.find(|&(_, c)| {
        match within {
            None if c == '#' => within = Some('\n'), // A comment.
            None if c == '"' || c == '\'' => within = Some(c),
            Some(mark) if c == mark => within = None,
            _ => {}
        }
        within.is_none() && MARKS.contains(&c)
    })?;
    let begin = line.start + at;
    let what = format!("`{mark}` is a typographic quotation mark");
    let help = "write straight ones: \"staff\", or 'CORP\\user'; a text editor for programs does not change them";
    Some(Mistake::at(begin..begin + mark.len_utf8(), what, help))
}

/// The texts in double quotes on a line. The last one may be unclosed.
fn double_quoted(text: &str, line: &Range<usize>) -> Vec<Range<usize>> {
    let (mut found, mut open) = (Vec::new(), None);
    let mut chars = text[line.clone()].char_indices();
    while let Some((at, c)) = chars.next() {
        match (open, c) {
            (None, '#') => return found,
            (None, '"' | '\'') => open = Some((at, c)),
            (Some((begin, mark)), c) if c == mark => {
                if mark == '"' {
                    found.push(line.start + begin..line.start + at + 1);
                }
                open = None;
            }
            (Some((_, '"')), '\\') => drop(chars.next()),
            _ => {}
        }
    }
    if let Some((begin, '"')) = open {
        found.push(line.start + begin..line.end);
    }
    found
}

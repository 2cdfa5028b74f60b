//! Wraps text to lines of a given width.

/// The smallest width. Smaller ones count as this.
const NARROWEST: usize = 20;

/// The number of columns that a character takes on a terminal. East Asian wide characters take two.
fn columns(c: char) -> usize {
    match c as u32 {
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The number of columns that a text takes on a terminal.
pub fn width_of(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Wraps a text to lines of at most `width` columns. The first line begins with `first`, the others with as many spaces.
/// Words longer than a line are split.
pub fn wrap(first: &str, text: &str, width: usize) -> Vec<String> {
    let width = width.max(NARROWEST);
    // On a narrow terminal, the margin is limited to leave room for the text.
    let margin = width_of(first).min(width / 2);
    let room = width - margin;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        for piece in split_to_width(word, room) {
            let gap = usize::from(!line.is_empty());
            if width_of(&line) + gap + width_of(&piece) > room {
                lines.push(std::mem::take(&mut line));
            } else if gap == 1 {
                line.push(' ');
            }
            line.push_str(&piece);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    let indent = " ".repeat(margin);
    let fits = width_of(first) == margin;
    let mut all = Vec::new();
    if !fits {
        all.extend(split_to_width(first.trim_end(), width));
    }
    for (n, line) in lines.into_iter().enumerate() {
        let front = if n == 0 && fits { first } else { &indent };
        all.push(format!("{front}{line}").trim_end().to_owned());
    }
    all
}

/// Splits a word into pieces of at most `room` columns.
fn split_to_width(word: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        if used + columns(c) > room && used > 0 {
            pieces.push(String::new());
            used = 0;
        }
        used += columns(c);
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_asked() {
        let text =
            "A very-long-word-that-does-not-fit-in-any-line-of-this-width and short ones, 漢字漢字漢字漢字漢字漢字.";
        for width in 20..90 {
            for first in ["", "  remedy  ", "a front that is longer than half of the line  "] {
                for line in wrap(first, text, width) {
                    assert!(width_of(&line) <= width, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn further_lines_are_indented() {
        assert_eq!(wrap("  remedy  ", "one two three four", 22), ["  remedy  one two", "          three four"]);
        assert_eq!(wrap("x ", "", 80), ["x"]);
    }
}

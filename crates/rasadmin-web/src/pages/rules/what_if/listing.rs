//! A candidate's mistakes, each under its line.

use crate::parts;
use maud::{Markup, html};
use rasadmin_pipe::{Mistake, Refusal};
use std::ops::RangeInclusive;

/// So many lines are shown before and after a line with a mistake.
const AROUND: usize = 2;

/// The lines with mistakes, and those around them.
pub fn content(text: &str, refusal: &Refusal) -> Markup {
    let lines: Vec<_> = text.lines().collect();
    let all = refusal.mistakes.len() + refusal.more_mistakes;
    html! {
        section.card.mistakes role="alert" {
            h2 { "The candidate has " (all) @if all == 1 { " mistake" } @else { " mistakes" } ": it was not tried" }
            @for range in ranges(&refusal.mistakes, lines.len()) {
                ol.listing start=(range.start()) {
                    @for number in range {
                        li value=(number) {
                            code { (line(lines.get(number - 1).copied().unwrap_or_default())) }
                            @for mistake in refusal.mistakes.iter().filter(|mistake| at(mistake, lines.len()) == number) {
                                p.error { "column " (mistake.column) ": " (parts::commands(&mistake.what)) @if !mistake.help.is_empty() { "; " (parts::commands(&mistake.help)) } }
                            }
                        }
                    }
                }
            }
            @if refusal.more_mistakes > 0 { p.muted { (refusal.more_mistakes) " more are not shown. Correct these first." } }
        }
    }
}

/// A mistake at the end of the text is shown at its last line.
fn at(mistake: &Mistake, lines: usize) -> usize {
    mistake.line.clamp(1, lines.max(1))
}

fn line(text: &str) -> String {
    let text = parts::printable(text);
    if text.is_empty() { " ".to_owned() } else { text }
}

/// The numbers of the lines to show, without those twice that are near two mistakes.
fn ranges(mistakes: &[Mistake], lines: usize) -> Vec<RangeInclusive<usize>> {
    let mut found: Vec<RangeInclusive<usize>> = Vec::new();
    let mut wrong: Vec<_> = mistakes.iter().map(|mistake| at(mistake, lines)).collect();
    wrong.sort_unstable();
    for line in wrong {
        let (from, to) = (line.saturating_sub(AROUND).max(1), (line + AROUND).min(lines.max(1)));
        match found.last_mut() {
            Some(last) if from <= last.end() + 1 => *last = *last.start()..=to,
            _ => found.push(from..=to),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_near_two_mistakes_are_shown_once() {
        let wrong = |lines: &[usize]| {
            let mistake = |line: &usize| Mistake { line: *line, column: 1, what: String::new(), help: String::new() };
            lines.iter().map(mistake).collect::<Vec<_>>()
        };
        assert_eq!(ranges(&wrong(&[5, 9, 30, 1]), 31), [1..=11, 28..=31]);
        assert_eq!(ranges(&wrong(&[9]), 0), [1..=1], "the text is empty");
        assert_eq!(ranges(&wrong(&[40]), 31), [29..=31], "behind the end");
    }
}

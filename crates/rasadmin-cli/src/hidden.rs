//! What a person types without its being shown: a password.

use crate::error::{CommandError, Kind, OrCommandError, Result};
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use std::io::Write as _;

/// Asks on the terminal, and reads a line that is not shown.
pub fn ask(question: &str) -> Result<String> {
    let mut to = std::io::stderr();
    // A question that is not seen gets no answer.
    let _ = write!(to, "{question} ").and_then(|()| to.flush());
    let answer = Raw::begin().and_then(|_raw| read(event::read));
    let _ = writeln!(to);
    let answer = answer.or_error(Kind::System).map_err(|e| e.context("your answer cannot be read"))?;
    answer.ok_or_else(|| CommandError::new(Kind::Interrupted, "nothing was changed: you interrupted it"))
}

/// Keys come at once, and are not shown, until this is dropped.
struct Raw;

impl Raw {
    fn begin() -> std::io::Result<Self> {
        terminal::enable_raw_mode().map(|()| Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that has gone.
        let _ = terminal::disable_raw_mode();
    }
}

/// A line; None if it was interrupted.
fn read(mut next: impl FnMut() -> std::io::Result<Event>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    loop {
        let Event::Key(KeyEvent { code, modifiers, kind, .. }) = next()? else { continue };
        if kind == KeyEventKind::Release {
            continue;
        }
        // AltGr is Control and Alt on Windows, and makes characters.
        let control = modifiers.contains(KeyModifiers::CONTROL) && !modifiers.contains(KeyModifiers::ALT);
        match code {
            KeyCode::Char('c' | 'd' | 'z') if control => return Ok(None),
            KeyCode::Char('u') if control => line.clear(),
            KeyCode::Char('j' | 'm') if control => return Ok(Some(line)),
            KeyCode::Char(c) if !control => line.push(c),
            KeyCode::Backspace => {
                line.pop();
            }
            KeyCode::Enter => return Ok(Some(line)),
            KeyCode::Esc => return Ok(None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn typed(keys: &[(KeyCode, KeyModifiers)]) -> Option<String> {
        let mut keys = keys.iter();
        read(|| {
            let (code, modifiers) = keys.next().ok_or(std::io::ErrorKind::UnexpectedEof)?;
            Ok(Event::Key(KeyEvent::new(*code, *modifiers)))
        })
        .unwrap()
    }

    #[test]
    fn a_line_is_what_was_typed() {
        let none = KeyModifiers::NONE;
        let key = |c| (KeyCode::Char(c), none);
        let (enter, back) = ((KeyCode::Enter, none), (KeyCode::Backspace, none));
        assert_eq!(typed(&[key('a'), key('ü'), key('x'), back, (KeyCode::Left, none), enter]).unwrap(), "aü");
        assert_eq!(typed(&[back, enter]).unwrap(), "");
        let alt_gr = (KeyCode::Char('@'), KeyModifiers::CONTROL | KeyModifiers::ALT);
        let all_away = (KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(
            typed(&[key('a'), all_away, (KeyCode::Char('B'), KeyModifiers::SHIFT), alt_gr, enter]).unwrap(),
            "B@"
        );
        assert_eq!(typed(&[key('a'), (KeyCode::Char('c'), KeyModifiers::CONTROL)]), None);
        assert_eq!(typed(&[key('a'), (KeyCode::Esc, none)]), None);
    }

    #[test]
    fn what_windows_says_when_a_key_is_let_go_is_no_key() {
        let mut events = [
            Event::Key(KeyEvent::new(KeyCode::Char('a'), KeyModifiers::NONE)),
            Event::Key(KeyEvent::new_with_kind(KeyCode::Char('a'), KeyModifiers::NONE, KeyEventKind::Release)),
            Event::FocusLost,
            Event::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE)),
        ]
        .into_iter();
        assert_eq!(read(|| Ok(events.next().unwrap())).unwrap().unwrap(), "a");
    }
}

//! The terminal while a live screen is on it: another screen, without a cursor, and keys without Enter.

use crate::interrupt;
use crate::output::Output;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::queue;
use crossterm::terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a signal may wait until it is noticed.
const PATIENCE: Duration = Duration::from_millis(200);

/// Whether keys come without Enter.
static IS_RAW: AtomicBool = AtomicBool::new(false);

/// What comes after a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next one.
    Draw,
    /// The end.
    Quit,
}

/// The terminal. It is as before when this is dropped.
pub struct Terminal<'o> {
    out: &'o mut Output,
}

impl<'o> Terminal<'o> {
    pub fn open(out: &'o mut Output) -> io::Result<Self> {
        interrupt::catch();
        terminal::enable_raw_mode()?;
        IS_RAW.store(true, Ordering::Relaxed);
        let opened = Self { out };
        let to = &mut opened.out.bytes();
        queue!(to, EnterAlternateScreen, Hide)?;
        to.flush()?;
        Ok(opened)
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        (usize::from(columns.max(40)), usize::from(rows.max(5)))
    }

    /// Shows lines, and one at the bottom. A line that is there already does not flicker.
    pub fn draw(&mut self, lines: &[String], last: &str) -> io::Result<()> {
        let (_, rows) = self.size();
        let to = &mut self.out.bytes();
        queue!(to, MoveTo(0, 0))?;
        for line in lines {
            write!(to, "{line}")?;
            queue!(to, Clear(ClearType::UntilNewLine))?;
            write!(to, "\r\n")?;
        }
        queue!(to, Clear(ClearType::FromCursorDown))?;
        queue!(to, MoveTo(0, u16::try_from(rows - 1).unwrap_or(u16::MAX)))?;
        write!(to, "{last}")?;
        to.flush()
    }

    /// Waits for a key, a new size, a signal, or the end of the time.
    pub fn wait(&self, time: Duration) -> io::Result<Next> {
        let until = Instant::now() + time;
        loop {
            if interrupt::came() {
                return Ok(Next::Quit);
            }
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(Next::Draw);
            }
            if event::poll(rest.min(PATIENCE))?
                && let Some(next) = next(&event::read()?)
            {
                return Ok(next);
            }
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that has gone.
        let to = &mut self.out.bytes();
        let _ = queue!(to, Show, LeaveAlternateScreen).and_then(|()| to.flush());
        restore();
    }
}

/// Lets keys wait for Enter again. A panic comes here too.
pub fn restore() {
    if IS_RAW.swap(false, Ordering::Relaxed) {
        let _ = terminal::disable_raw_mode();
    }
}

/// What an event means, if anything.
fn next(event: &Event) -> Option<Next> {
    match event {
        Event::Resize(..) => Some(Next::Draw),
        Event::Key(key) if key.kind == KeyEventKind::Release => None,
        Event::Key(key) => match key.code {
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => Some(Next::Quit),
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Next::Quit),
            // Any other key shows the newest at once.
            _ => Some(Next::Draw),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    #[test]
    fn q_escape_and_control_c_quit() {
        let key = |code, modifiers| next(&Event::Key(KeyEvent::new(code, modifiers)));
        for code in [KeyCode::Char('q'), KeyCode::Char('Q'), KeyCode::Esc] {
            assert_eq!(key(code, KeyModifiers::NONE), Some(Next::Quit));
        }
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Next::Quit));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), Some(Next::Draw));
        assert_eq!(next(&Event::Resize(80, 24)), Some(Next::Draw));
        assert_eq!(next(&Event::FocusLost), None);
    }
}

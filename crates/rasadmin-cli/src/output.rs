//! Standard output: everything that a command prints goes through here, so that a full disk or a closed pipe is an
//! error.

use crate::error::{CommandError, Kind, Result};
use crate::style;
use crate::table::{self, Column};
use anstream::{AutoStream, ColorChoice};
use rasadmin_text::{printable_json, printable_lines};
use serde::Serialize;
use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::OnceLock;

/// Standard output. What is printed is complete only after [`flush`](Self::flush).
pub struct Output {
    out: Box<dyn Write>,
    /// The terminal's width, or what COLUMNS says for a pipe; `None`: lines may have any width.
    width: Option<usize>,
    is_terminal: bool,
    colours: bool,
}

impl Output {
    /// That of this process.
    pub fn standard() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let width = if is_terminal { table::terminal_width() } else { table::columns_variable() };
        // NO_COLOR, CLICOLOR, TERM and the like say no, and so does what is not a terminal.
        let colours = is_terminal && AutoStream::choice(&stdout) != ColorChoice::Never;
        // A Windows console must be told to understand colours. What goes elsewhere is not looked into.
        let out: Box<dyn Write> = match colours {
            true => Box::new(BufWriter::with_capacity(1 << 16, AutoStream::auto(stdout))),
            false => Box::new(BufWriter::with_capacity(1 << 16, stdout)),
        };
        Self { out, width, is_terminal, colours }
    }

    /// Into memory, for a process whose files DLLs may close or change.
    pub fn to_memory() -> (Self, Answer) {
        let answer = Answer::default();
        (Self { out: Box::new(answer.clone()), width: None, is_terminal: false, colours: false }, answer)
    }

    /// Whether a person reads it.
    pub const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// How wide its lines may be; `None` if this is not a terminal, and nobody says.
    pub const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether it shows colours.
    pub const fn colours(&self) -> bool {
        self.colours
    }

    /// What `write!` and `writeln!` call. Names and paths come from strangers: whatever they have in them that could
    /// control a terminal is escaped here. Only this command's colours pass.
    pub fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) -> Result<()> {
        let text = arguments.to_string();
        let text = if self.colours { style::printable_but_colours(&text) } else { printable_lines(&text) };
        self.out.write_all(text.as_bytes()).map_err(|e| CommandError::output(&e))
    }

    /// A file's text as it is, with its tabs and line ends: CSV, a configuration.
    pub fn file(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).map_err(|e| CommandError::output(&e))
    }

    /// An answer for programs.
    pub fn json(&mut self, answer: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string_pretty(answer)
            .map_err(|e| CommandError::new(Kind::Output, format!("the answer cannot be written as JSON: {e}")))?;
        writeln!(self, "{}", printable_json(&json))
    }

    /// A table. It fits the width, if there is one, and else has every column.
    pub fn table(&mut self, columns: &[Column], rows: Vec<Vec<String>>) -> Result<()> {
        let (table, left_out) = table::render(columns, rows, self.width);
        writeln!(self, "{table}")?;
        if !left_out.is_empty() {
            writeln!(self)?;
            let left_out = format!("no room for: {} (a wider terminal or --json has them)", left_out.join(", "));
            for line in rasadmin_text::wrap("  ", &left_out, self.width.unwrap_or(usize::MAX)) {
                writeln!(self, "{line}")?;
            }
        }
        Ok(())
    }

    /// Lines of text. None is wider than the width: the rest goes below the line's last column.
    pub fn text(&mut self, text: &str) -> Result<()> {
        let width = self.width;
        for line in text.lines().flat_map(|line| table::wrap_columns(line, width)) {
            writeln!(self, "{line}")?;
        }
        Ok(())
    }

    /// The bytes themselves, for exports and completions.
    pub fn bytes(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Makes sure that everything has reached the reader or the disk's cache.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(|e| CommandError::output(&e))
    }
}

/// What was printed into memory.
#[derive(Clone, Default)]
pub struct Answer(Rc<RefCell<Vec<u8>>>);

impl Answer {
    /// Takes it.
    pub fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl Write for Answer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A warning on standard error. If nobody can read it, the command goes on.
#[macro_export]
macro_rules! warning {
    ($($message:tt)*) => {
        $crate::output::note(format_args!("warning: {}", format_args!($($message)*)))
    };
}

/// A line on standard output, at once, for a command that runs until it is stopped. If nobody can read it, the command
/// goes on.
pub fn line(line: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", printable_lines(&line.to_string())).and_then(|()| out.flush());
}

/// A line on standard error. If nobody can read it, the command goes on.
pub fn note(line: fmt::Arguments<'_>) {
    // In one write: what another thread or process writes meanwhile does not come between.
    let line = printable_lines(&line.to_string()).into_owned() + "\n";
    let _ = match MESSAGES.get() {
        // Opened anew each time, because a DLL may have closed what is open.
        Some(path) => {
            File::options().append(true).create(true).open(path).and_then(|mut file| file.write_all(line.as_bytes()))
        }
        None => io::stderr().write_all(line.as_bytes()),
    };
}

/// From now on, messages go into this file: for a process that passes them on, or that has no standard error.
pub fn messages_to(path: PathBuf) {
    // It is set once, at the start.
    let _ = MESSAGES.set(path);
}

static MESSAGES: OnceLock<PathBuf> = OnceLock::new();

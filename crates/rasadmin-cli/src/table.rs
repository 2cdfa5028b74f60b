//! Tables that fit the terminal: long names are cut, columns that matter less are left out, the longest text is cut.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use rasadmin_text::{width_of, wrap};
use unicode_width::UnicodeWidthStr;

/// A column.
pub struct Column {
    title: &'static str,
    kind: Kind,
    /// 0: never left out; the highest goes first.
    rank: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Name,
    Number,
}

/// Text, aligned to the left.
pub const fn text(title: &'static str, rank: u8) -> Column {
    Column { title, kind: Kind::Text, rank }
}

/// A name: text of any length. One long name must not cost all others a column, so it is cut before one is left out.
pub const fn name(title: &'static str, rank: u8) -> Column {
    Column { title, kind: Kind::Name, rank }
}

/// A number, aligned to the right.
pub const fn number(title: &'static str, rank: u8) -> Column {
    Column { title, kind: Kind::Number, rank }
}

/// A text is not cut to less than this.
const LEAST: usize = 12;

/// A name is not cut to less than this to keep other columns: most names are shorter.
const MOST_NAMES: usize = 32;

/// A column that could be left out stays, cut, if so much of its texts remains.
const WORTH_CUTTING: usize = 20;

/// The least width that a table is fitted to.
const NARROWEST: usize = 40;

/// How wide standard output's terminal is.
pub fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0).max(NARROWEST))
}

/// How wide the reader behind a pipe wants it: `less` and the like do not say, but `watch` does.
pub fn columns_variable() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.trim().parse().ok().map(|width: usize| width.max(NARROWEST))
}

/// Lays a table out: the text, and the columns that do not fit the width. Without a width everything fits.
pub fn render(columns: &[Column], mut rows: Vec<Vec<String>>, width: Option<usize>) -> (String, Vec<&'static str>) {
    rows.iter_mut().flatten().for_each(|cell| *cell = printable(cell).into_owned());
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            rows.iter().filter_map(|row| row.get(at)).map(|c| c.width()).max().unwrap_or(0).max(column.title.width())
        })
        .collect();
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    // A column that is empty everywhere says nothing.
    shown.retain(|&at| columns[at].rank == 0 || rows.iter().any(|row| !row[at].is_empty()));
    let mut layout = Layout { columns, shown, widths };
    let mut left_out = width.map(|width| layout.fit(width)).unwrap_or_default();
    let Layout { shown, widths, .. } = layout;
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(shown.iter().map(|&at| columns[at].title));
    table.add_rows(
        rows.into_iter().map(|row| shown.iter().map(|&at| truncate_to_width(&row[at], widths[at])).collect::<Vec<_>>()),
    );
    for (column, &at) in table.column_iter_mut().zip(&shown) {
        column.set_padding((2, 0));
        if columns[at].kind == Kind::Number {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    left_out.reverse();
    (table.trim_fmt(), left_out)
}

/// The columns that are shown, and how wide each column is.
struct Layout<'c> {
    columns: &'c [Column],
    shown: Vec<usize>,
    widths: Vec<usize>,
}

impl Layout<'_> {
    fn total(&self) -> usize {
        self.shown.iter().map(|&at| self.widths[at] + 2).sum()
    }

    /// Fits it to a width. Returns the titles of the columns that it leaves out.
    fn fit(&mut self, width: usize) -> Vec<&'static str> {
        let natural = self.widths.clone();
        self.cut(width, MOST_NAMES, |kind| kind == Kind::Name);
        let left_out = self.leave_out(width);
        self.cut(width, LEAST, |kind| kind != Kind::Number);
        // Names get what is left of the room of the columns that were left out.
        for &at in &self.shown {
            if self.columns[at].kind == Kind::Name {
                let spare = width.saturating_sub(self.total());
                self.widths[at] = natural[at].min(self.widths[at] + spare);
            }
        }
        left_out
    }

    /// Cuts the longest columns of some kinds until the table fits, but none of them to less than `least`.
    fn cut(&mut self, width: usize, least: usize, kinds: fn(Kind) -> bool) {
        while self.total() > width {
            let texts = self.shown.iter().copied();
            let texts = texts.filter(|&at| kinds(self.columns[at].kind) && self.widths[at] > least);
            let Some(longest) = texts.max_by_key(|&at| self.widths[at]) else { break };
            let over = self.total() - width;
            self.widths[longest] = self.widths[longest].saturating_sub(over).max(least);
        }
    }

    /// Leaves columns out until the table fits.
    fn leave_out(&mut self, width: usize) -> Vec<&'static str> {
        let mut left_out = Vec::new();
        while self.total() > width {
            let ranked = self.shown.iter().copied().filter(|&at| self.columns[at].rank > 0);
            let Some(least) = ranked.max_by_key(|&at| self.columns[at].rank) else { break };
            let rest = self.widths[least].saturating_sub(self.total() - width);
            if self.columns[least].kind != Kind::Number && rest >= WORTH_CUTTING {
                self.widths[least] = rest;
                break;
            }
            self.shown.retain(|&at| at != least);
            left_out.push(self.columns[least].title);
        }
        left_out
    }
}

/// The beginning of a text that is too long, with a mark.
pub fn truncate_to_width(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        let mut next = short.clone();
        next.push(c);
        if next.width() >= width {
            break;
        }
        short = next;
    }
    short.push('…');
    short
}

/// A line that may have columns, which two spaces or more separate: if it is too wide, the rest goes below the last
/// column, or else below the beginning of the text.
pub fn wrap_columns(line: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width.filter(|width| width_of(line) > *width) else { return vec![line.to_owned()] };
    let text = line.len() - line.trim_start().len();
    let column = line.rfind("  ").map(|at| at + 2).filter(|at| *at > text && *at <= width / 2);
    if let Some(column) = column {
        return wrap(&line[..column], &line[column..], width);
    }
    let (indent, text) = line.split_at(text);
    let mut first = wrap(indent, text, width);
    first.truncate(1);
    // The rest is what has not been written yet, whatever became of the spaces.
    let written = first.iter().flat_map(|line| line.chars()).filter(|c| !c.is_whitespace()).count();
    let rest = text.char_indices().filter(|(_, c)| !c.is_whitespace()).nth(written);
    if let Some((rest, _)) = rest {
        first.extend(wrap(&format!("{indent}    "), &text[rest..], width));
    }
    first
}

pub use rasadmin_text::printable;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: Option<usize>) -> (Vec<String>, Vec<&'static str>) {
        let columns = [number("session", 0), text("user", 0), text("computer", 2), text("port", 1), text("empty", 1)];
        let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
        let rows = vec![
            row(["7", "CORP\\alice", "LAPTOP-7", "VPN2-1", ""]),
            row(["12", "CORP\\somebody with a long name", "PC\u{1b}[31m", "VPN2-127", ""]),
        ];
        let (table, left_out) = render(&columns, rows, width);
        (table.lines().map(|line| line.trim_end().to_owned()).collect(), left_out)
    }

    #[test]
    fn without_a_terminal_all_is_shown() {
        let (lines, left_out) = shown(None);
        assert_eq!(left_out, [""; 0]);
        assert_eq!(lines[0], "  session  user                            computer      port");
        assert_eq!(lines[2], "       12  CORP\\somebody with a long name  PC\\u{1b}[31m  VPN2-127");
    }

    #[test]
    fn on_a_terminal_it_fits() {
        for width in 40..70 {
            let (lines, _) = shown(Some(width));
            assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:#?}");
        }
        assert_eq!(shown(Some(60)).1, ["computer"]);
        let (lines, left_out) = shown(Some(40));
        assert_eq!(left_out, ["port", "computer"]);
        assert_eq!(lines[2], "       12  CORP\\somebody with a long na…");
    }

    #[test]
    fn a_column_of_long_texts_is_cut_before_it_is_left_out() {
        let columns = [text("user", 0), text("because", 2), text("port", 1)];
        let rows = || vec![["alice", "wrong user name or password (16)", "VPN2-127"].map(str::to_owned).to_vec()];
        let (table, left_out) = render(&columns, rows(), Some(42));
        assert_eq!((table.lines().nth(1).unwrap(), left_out), ("  alice  wrong user name or pas…  VPN2-127", vec![]));
        let (table, left_out) = render(&columns, rows(), Some(38));
        assert_eq!((table.lines().nth(1).unwrap(), left_out), ("  alice  VPN2-127", vec!["because"]));
    }

    #[test]
    fn a_long_name_is_cut_before_a_column_is_left_out() {
        let columns = [name("user", 0), text("address", 1), text("port", 2), text("end", 3)];
        let long = "x".repeat(100);
        let rows = || {
            let row = |user: &str| [user, "10.8.0.1", "VPN2-127", "instance ended"].map(str::to_owned).to_vec();
            vec![row(&long), row("alice")]
        };
        let shown = |width| {
            let (table, left_out) = render(&columns, rows(), Some(width));
            let line = table.lines().nth(1).unwrap();
            let name = line.split_whitespace().next().unwrap().width();
            assert!(table.lines().all(|line| line.trim_end().width() <= width), "{width}: {table}");
            (name, left_out)
        };
        assert_eq!(shown(200), (100, vec![]));
        // It gives no more than it must, down to a length that tells most names apart,
        assert_eq!(shown(120), (82, vec![]));
        assert_eq!(shown(70), (32, vec![]));
        // and gets the room that the left-out columns free.
        assert_eq!(shown(60), (38, vec!["end"]));
        assert_eq!(shown(40), (38, vec!["address", "port", "end"]));
    }

    #[test]
    fn what_is_too_wide_goes_below_its_column() {
        let wrapped = |line: &str, width| wrap_columns(line, Some(width));
        assert_eq!(wrap_columns("a line  of columns", None), ["a line  of columns"]);
        assert_eq!(
            wrapped("  > staff  allows: groups: wanted staff, found alice in staff", 40),
            ["  > staff  allows: groups: wanted staff,", "           found alice in staff"]
        );
        assert_eq!(
            wrapped("link (MprAdminAcceptNewLink): denied by the rule", 30),
            ["link (MprAdminAcceptNewLink):", "    denied by the rule"]
        );
        assert_eq!(
            wrapped("  address: 10.20.16.200, reserved for the user", 30),
            ["  address: 10.20.16.200,", "      reserved for the user"]
        );
        // A wide first column leaves the line to itself.
        let line = "  a rule with quite a long name  does not match: it is of nobody";
        assert!(wrapped(line, 40).iter().all(|line| width_of(line) <= 40), "{:?}", wrapped(line, 40));
    }
}

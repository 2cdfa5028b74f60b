//! The mistakes of tables that should be lists of tables, and the other way round.

use super::{LISTS, Mistake, header};
use std::ops::Range;

/// The mistake of a list where a table belongs: `[[pools.staff]]`, or `groups.staff = ["alice"]`. serde would take the
/// list's entries for the values of the table's keys.
pub fn list_for_table(table: &str, name: &str, key: &str, span: Range<usize>, text: &str) -> Mistake {
    let written = text.get(span.clone()).unwrap_or_default();
    if written.starts_with("[[") {
        let help = format!("write [{table}.{name}], with one bracket");
        return Mistake::at(header(text, span), format!("`{table}` is not a list"), help);
    }
    let help = format!("write {table}.{name}.{key} = {written}");
    let help = if written.len() > 80 { format!("write {table}.{name}.{key} = [...]") } else { help };
    Mistake::at(header(text, span), "a list is not valid here", help)
}

/// The mistake of a list's table with one bracket: `[rules]`.
pub fn single_bracket(text: &str, key: &str) -> Option<Mistake> {
    if !LISTS.contains(&key) {
        return None;
    }
    let table = format!("[{key}]");
    let mut begin = 0;
    let line = text.split_inclusive('\n').find(|line| {
        let found = line.split('#').next().unwrap_or_default().trim() == table;
        if !found {
            begin += line.len();
        }
        found
    })?;
    begin += line.find('[')?;
    let what = format!("`{table}` is a single table, and {key} are a list of tables");
    let help = format!("write [[{key}]] with two brackets above each of the {key}");
    Some(Mistake::at(begin..begin + table.len(), what, help))
}

/// The mistake of a table where a list of tables belongs: `[rules.office]`, or `rules = { ... }`. `name` is that of the
/// table within it.
pub fn single_table(list: &str, name: Option<&str>, span: Range<usize>, text: &str) -> Mistake {
    if let Some(mistake) = single_bracket(text, list).filter(|_| name.is_none()) {
        return mistake;
    }
    let what = format!("{list} are a list of tables, not a table");
    let help = match name {
        Some(name) => format!("write [[{list}]], and below it name = \"{name}\""),
        None => format!("write [[{list}]] above each of the {list}"),
    };
    Mistake::at(header(text, span), what, help)
}

/// The mistake of a list of tables where tables with names belong: `[[pools]]`.
pub fn list_of_tables(table: &str, name: Option<&str>, span: Range<usize>, text: &str) -> Mistake {
    let help = match name {
        Some(name) => format!("write [{table}.{name}] instead, without the key `name`"),
        None => format!("write [{table}.NAME], with a name of your choice"),
    };
    Mistake::at(header(text, span), format!("`{table}` is not a list"), help)
}

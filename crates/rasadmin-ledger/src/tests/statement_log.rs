//! The statements that a test's thread has run, with their results.

use crate::queries::Statement;
use crate::sqlite::ColumnError;
use crate::value::{Value, Values};
use std::cell::RefCell;

thread_local! {
    static STATEMENTS: RefCell<Vec<LoggedStatement>> = const { RefCell::new(Vec::new()) };
}

/// A statement that was run.
#[derive(Clone, Debug)]
pub struct LoggedStatement {
    pub name: String,
    /// The test on PostgreSQL runs the statement again with these values.
    #[cfg_attr(not(unix), expect(dead_code))]
    pub values: Vec<(&'static str, Value<'static>)>,
    pub answer: Answer,
}

/// The result of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The number of changed rows.
    Changed(usize),
    /// A direct change of a test: its name is its text.
    Done,
    /// The rows that were read. (Not all of them, if only the first one was wanted.)
    Rows(Vec<Vec<Option<String>>>),
}

fn note(what: impl Statement, values: &Values<'_>, answer: Answer) {
    let owned = |value: &Value<'_>| match value {
        Value::Null => Value::Null,
        Value::Integer(number) => Value::Integer(*number),
        Value::Text(text) => Value::Text(text.clone().into_owned().into()),
    };
    let values = values.iter().map(|(name, value)| (*name, owned(value))).collect();
    STATEMENTS.with_borrow_mut(|all| all.push(LoggedStatement { name: what.name().to_owned(), values, answer }));
}

pub fn changed(what: impl Statement, values: &Values<'_>, rows: usize) {
    note(what, values, Answer::Changed(rows));
}

pub fn asked(what: impl Statement, values: &Values<'_>) {
    note(what, values, Answer::Rows(Vec::new()));
}

/// Adds a row to the last query.
pub fn row<'r>(columns: impl Iterator<Item = Result<Value<'r>, ColumnError>>) {
    let text = |value: Result<Value<'r>, ColumnError>| match value {
        Ok(Value::Null) => None,
        Ok(Value::Integer(number)) => Some(number.to_string()),
        Ok(Value::Text(text)) => Some(text.into_owned()),
        Err(e) => Some(format!("{e:?}")),
    };
    STATEMENTS.with_borrow_mut(|all| {
        if let Some(LoggedStatement { answer: Answer::Rows(rows), .. }) = all.last_mut() {
            rows.push(columns.map(text).collect());
        }
    });
}

/// Logs a direct change of a test.
pub fn done(sql: &str) {
    STATEMENTS.with_borrow_mut(|all| {
        all.push(LoggedStatement { name: sql.to_owned(), values: Vec::new(), answer: Answer::Done })
    });
}

/// Takes all statements since the last call.
pub fn take() -> Vec<LoggedStatement> {
    STATEMENTS.take()
}

/// Puts statements back.
pub fn put_back(all: Vec<LoggedStatement>) {
    STATEMENTS.set(all);
}

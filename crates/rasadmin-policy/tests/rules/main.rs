//! The rules, from the file's types to decisions.
#![allow(clippy::unwrap_used)]

mod away;
mod calendar;
mod conditions;
mod explained;
mod grouping;
mod mistakes;
mod naive;
mod naive_cases;
mod spellings;
mod stages;
mod world;

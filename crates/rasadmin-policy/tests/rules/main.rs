//! The rules, from the file's types to decisions.
#![allow(clippy::unwrap_used)]

mod calendar;
mod conditions;
mod explained;
mod grouping;
mod mistakes;
mod naive;
mod naive_cases;
mod spellings;
mod stages;
mod unrecorded;
mod world;

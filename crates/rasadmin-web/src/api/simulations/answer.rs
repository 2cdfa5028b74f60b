//! What comes of a candidate, for programs.

use crate::api::error::ErrorDetails;
use crate::fault::Fault;
use axum::http::StatusCode;
use rasadmin_answers::replay;
use rasadmin_pipe::{Refusal, Simulation};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// A simulation that has begun.
#[derive(Serialize, JsonSchema)]
pub struct Started {
    /// Its number.
    pub number: u64,
}

/// A simulation that was to stop.
#[derive(Serialize, JsonSchema)]
pub struct Stopped {
    /// Its number.
    pub number: u64,
    /// Whether it was running. If not, it had ended already.
    pub was_running: bool,
}

/// How far a simulation is, or what came of it.
#[derive(Serialize, JsonSchema)]
pub struct SimulationAnswer {
    /// Its number.
    number: u64,
    /// How far it is.
    state: State,
    /// How many attempts are simulated. Null unless it runs.
    done: Option<u64>,
    /// How many attempts there are; 0 while they are read from the ledger. Null unless it runs.
    all: Option<u64>,
    /// What the candidate would have changed, as `rasadmin replay --json`. Null unless it has finished.
    #[schemars(schema_with = "result")]
    result: Option<replay::Answer>,
    /// How many users the result leaves out, because it has 100 already. Null unless it has finished.
    more_users: Option<u64>,
    /// Why it has failed, or who has stopped it, for people. Null if it has done neither.
    why: Option<String>,
}

/// How far a simulation is.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It runs.
    Running,
    /// It has finished.
    Finished,
    /// It has failed.
    Failed,
    /// It was stopped.
    Stopped,
}

/// A candidate with mistakes: it was not tried.
#[derive(Serialize, JsonSchema)]
pub struct NotValid {
    /// Why.
    error: ErrorDetails,
    /// Its mistakes, at most 20, in the order of its text.
    mistakes: Vec<MistakeRow>,
    /// How many more it has.
    more_mistakes: usize,
}

/// A mistake in a candidate.
#[derive(Serialize, JsonSchema)]
struct MistakeRow {
    /// The line, from 1.
    line: usize,
    /// The column, from 1, in characters.
    column: usize,
    /// What is wrong.
    what: String,
    /// What to write instead. Empty if there is nothing to say.
    help: String,
}

/// Within its place, because its name says nothing outside of its module.
fn result(generator: &mut SchemaGenerator) -> Schema {
    let answer = <replay::Answer as JsonSchema>::json_schema(generator).to_value();
    Schema::try_from(serde_json::json!({"anyOf": [answer, {"type": "null"}]})).unwrap_or_default()
}

impl SimulationAnswer {
    /// # Errors
    /// If the service is of another version.
    pub fn new(number: u64, simulation: Simulation) -> Result<Self, Fault> {
        let mut of =
            Self { number, state: State::Running, done: None, all: None, result: None, more_users: None, why: None };
        match simulation {
            Simulation::Running { done, all } => (of.done, of.all) = (Some(done), Some(all)),
            Simulation::Finished { answer, more_users } => {
                let answer = serde_json::from_value(answer).map_err(|error| {
                    Fault::unavailable(
                        format_args!("the service's answer cannot be read: {error}"),
                        "run the service and the dashboard of the same version",
                    )
                })?;
                (of.state, of.result, of.more_users) = (State::Finished, Some(answer), Some(more_users));
            }
            Simulation::Failed { why } => (of.state, of.why) = (State::Failed, Some(why)),
            Simulation::Stopped { why } => (of.state, of.why) = (State::Stopped, Some(why)),
        }
        Ok(of)
    }
}

impl NotValid {
    /// The mistakes of a refusal.
    pub fn new(refusal: Refusal) -> Self {
        let error = ErrorDetails::new(Fault {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            what: refusal.text,
            remedy: "correct the mistakes, and try again".to_owned(),
        });
        let row =
            |of: rasadmin_pipe::Mistake| MistakeRow { line: of.line, column: of.column, what: of.what, help: of.help };
        let mistakes = refusal.mistakes.into_iter().map(row).collect();
        Self { error, mistakes, more_mistakes: refusal.more_mistakes }
    }
}

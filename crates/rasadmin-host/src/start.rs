//! Starting the DLLs of a service, and the reasons for which RRAS does not start.

use crate::dll::{AdminDll, Returned};
use crate::module::LoadError;
use crate::record;
use mprapi::abi::{ERROR_INVALID_PARAMETER, NO_ERROR};
use mprapi::{FunctionId, Profile, Violation};
use rasadmin_trace::Call;
use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

/// The event in the System log when an admin DLL keeps the service from starting.
pub const EVENT_DLL_FAILED: u32 = 20113;
/// The event when the DLL is not a valid image for this system (error 191 to 193).
pub const EVENT_BAD_IMAGE: u32 = 20204;

/// Why the service did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartFailure {
    /// The DLL.
    pub dll: PathBuf,
    /// What was wrong with it.
    pub problem: StartProblem,
}

/// What keeps a service from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartProblem {
    /// The DLL could not be loaded.
    Load(LoadError),
    /// Its initialise function returned this code.
    Initialize(u32),
    /// It does not meet the profile's requirements.
    Invalid(Vec<Violation>),
    /// A process for the DLLs or for their address functions did not start. RRAS has no such failure, and no event.
    Process(String),
}

impl StartFailure {
    /// The error code with which the service ends.
    pub fn code(&self) -> u32 {
        match &self.problem {
            StartProblem::Load(error) => error.code,
            StartProblem::Initialize(code) => *code,
            StartProblem::Invalid(_) | StartProblem::Process(_) => ERROR_INVALID_PARAMETER,
        }
    }

    /// The event that RRAS writes.
    pub fn event(&self) -> u32 {
        match &self.problem {
            StartProblem::Load(error) if error.is_bad_image() => EVENT_BAD_IMAGE,
            _ => EVENT_DLL_FAILED,
        }
    }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, event) = (self.code(), self.event());
        write!(f, "{}: RRAS would not start (error {code}, event {event}): ", self.dll.display())?;
        match &self.problem {
            StartProblem::Load(error) => write!(f, "it cannot be loaded: {}", error.message),
            StartProblem::Initialize(code) => write!(f, "its initialise function answered {code}"),
            StartProblem::Invalid(violations) => {
                let list: Vec<_> = violations.iter().map(ToString::to_string).collect();
                f.write_str(&list.join("; "))
            }
            StartProblem::Process(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for StartFailure {}

/// Loads, initialises and validates the DLLs in order. If one fails, the service does not start: that DLL is freed, and
/// those before it are terminated and freed. `on_call` is called after each call of an initialise function or of TerminateDll.
pub(crate) fn start_dlls(
    paths: &[PathBuf],
    profile: Profile,
    on_call: &mut dyn FnMut(Call),
) -> Result<Vec<AdminDll>, StartFailure> {
    let mut started: Vec<AdminDll> = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let result = AdminDll::load(path, index).map_err(StartProblem::Load).and_then(|mut dll| {
            let start = Instant::now();
            let code = dll.initialize();
            let returned = Returned { result: Some(code), took: start.elapsed() };
            if let Some(call) = record::initialize_call(&dll, index, returned) {
                on_call(call);
            }
            if code != NO_ERROR {
                return Err(StartProblem::Initialize(code));
            }
            match dll.violations(profile) {
                violations if violations.is_empty() => Ok(dll),
                violations => Err(StartProblem::Invalid(violations)),
            }
        });
        match result {
            Ok(dll) => started.push(dll),
            Err(problem) => {
                for (index, dll) in started.iter().enumerate() {
                    if let Some(returned) = dll.call(FunctionId::TerminateDll, &mut []) {
                        let function = FunctionId::TerminateDll;
                        on_call(Call { function, dll: index, ..record::call_returning(returned) });
                    }
                }
                return Err(StartFailure { dll: path.clone(), problem });
            }
        }
    }
    Ok(started)
}

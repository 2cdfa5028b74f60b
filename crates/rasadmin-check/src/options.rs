//! The options of a check.

use mprapi::Profile;
use rasadmin_system::machine_policy::MachinePolicy;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The options of a check. The default is what `rasadmin check FILE` does.
#[derive(Clone, Debug)]
pub struct Options {
    /// The profile that decides. None: `shipping`. Failures under the other profiles are warnings.
    pub profile: Option<Profile>,
    /// Whether a skipped dynamic check is a failure.
    pub require_dynamic: bool,
    /// Run the static checks only.
    pub static_only: bool,
    /// How many times the DLL is loaded and unloaded.
    pub cycles: u32,
    /// How long a call of a function, or loading, may take.
    pub deadline: Duration,
    /// How long the dynamic checks of one DLL may take together. Checks that do not fit are skipped. The last call may take
    /// up to the deadline longer.
    pub bound: Duration,
    /// The seed of the random bytes.
    pub seed: u64,
    /// The program that runs the checks when it is called with [`crate::CHILD_SUBCOMMAND`]. None: this program.
    pub child: Option<PathBuf>,
    /// The folder in which rasadmin.dll's configuration, journal and log are kept, as for
    /// [`rasadmin_host::scratch::Scratch::keep`]. None: a temporary folder that is deleted.
    pub keep: Option<PathBuf>,
    /// The policies of the machine. None: this machine's.
    pub machine_policy: Option<MachinePolicy>,
    /// Variables set in the child processes' environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: None,
            require_dynamic: false,
            static_only: false,
            cycles: 200,
            deadline: Duration::from_secs(10),
            bound: Duration::from_secs(120),
            seed: 1,
            child: std::env::var_os("RASADMIN_CHECK_CHILD").map(PathBuf::from),
            keep: None,
            machine_policy: None,
            environment: Vec::new(),
        }
    }
}

impl Options {
    /// The profile that decides.
    pub fn deciding(&self) -> Profile {
        self.profile.unwrap_or(Profile::Shipping)
    }
}

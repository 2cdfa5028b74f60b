//! The header and the calls of a trace.

use mprapi::contract::ArgumentType;
use mprapi::{FunctionId, FunctionSet};
use serde::{Deserialize, Serialize};

/// The version of the format that this crate writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always `rasadmin`.
    pub trace: String,
    /// The format's version.
    pub version: u32,
    /// The program that wrote the trace, with its version.
    pub recorder: String,
    /// The DLLs that were called, in the order of DllPath.
    pub dlls: Vec<String>,
}

impl Header {
    /// A header of the current version.
    pub fn new(recorder: impl Into<String>, dlls: Vec<String>) -> Self {
        Self { trace: "rasadmin".into(), version: VERSION, recorder: recorder.into(), dlls }
    }
}

/// What an argument pointed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// The pointer was null.
    Null,
    /// The bytes of a structure, an address or notify_release, in memory order.
    Bytes(Vec<u8>),
    /// The UTF-16 units of a name, without the terminator.
    Text(Vec<u16>),
    /// A callbacks table. Pointers differ from run to run, so a trace has only the names of those that are set.
    Callbacks {
        /// `revision`.
        revision: u8,
        /// The functions whose pointers are not null.
        set: FunctionSet,
    },
}

/// One call of one function of one DLL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Position in the trace, from 1.
    pub seq: u64,
    /// Microseconds since the trace began.
    pub at_us: u64,
    /// Index of the DLL in [`Header::dlls`].
    pub dll: usize,
    /// The function.
    pub function: FunctionId,
    /// What each argument pointed to before the call, in the function's order.
    pub arguments: Vec<Buffer>,
    /// The result as 32 bits. None if the function returns nothing.
    pub result: Option<u32>,
    /// The arguments that the call changed, with their contents after the call.
    pub after: Vec<(ArgumentType, Buffer)>,
    /// How long the call took, in nanoseconds.
    pub took_ns: u64,
}

impl Call {
    /// What the argument of this type pointed to after the call, whether the call changed it or not.
    pub fn after(&self, ty: ArgumentType) -> Option<&Buffer> {
        let changed = self.after.iter().find(|(t, _)| *t == ty).map(|(_, buffer)| buffer);
        changed.or_else(|| {
            let position = self.function.row().arguments.iter().position(|a| a.ty == ty)?;
            self.arguments.get(position)
        })
    }
}

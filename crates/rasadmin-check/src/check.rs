//! The checks.

use serde::{Serialize, Serializer};
use std::fmt;

/// How a check gets its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From the file alone, without loading it. Works on every platform.
    Static,
    /// From running the DLL, in a child process.
    Dynamic,
}

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident $kind:ident;)+) => {
        /// A check. Its id is the variant's name in kebab case. [`Check::description`] says what it checks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check {
            $($(#[doc = $doc])+ $variant),+
        }

        impl Check {
            /// Every check, in the order in which they run.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// How the check gets its result.
            pub const fn kind(self) -> Kind {
                match self {
                    $(Self::$variant => Kind::$kind),+
                }
            }

            const fn variant_name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant)),+
                }
            }
        }
    };
}

checks! {
    /// The kind of file.
    Machine Static;
    /// .NET assemblies, and DLLs with nothing but resources.
    NativeCode Static;
    /// The flag FORCE_INTEGRITY.
    SignatureDemanded Static;
    /// Policies of this machine that keep DLLs out of RRAS's process.
    MachinePolicy Static;
    /// Whether the image still works when it is loaded at another address.
    Relocations Static;
    /// Decorated names: `_MprAdminAcceptNewLink@8`.
    DecoratedNames Static;
    /// Mangled names: `?MprAdminAcceptNewLink@@YAHPEAX0@Z`.
    MangledNames Static;
    /// Names with the wrong case: `mpradminacceptnewlink`.
    NameCase Static;
    /// Names of Windows NT 4.0: `RasAdminAcceptNewConnection`.
    Nt4Names Static;
    /// Names that are like one of the contract: `MprAdminReleaseIpAddress2`.
    UnknownNames Static;
    /// Exports without a name.
    OrdinalOnly Static;
    /// Exports that are forwarded to another DLL.
    ForwardedExports Static;
    /// Exports that lead to no code, or that Windows does not find.
    ExportTargets Static;
    /// Address pairs of which only one half is exported.
    AddressPairs Static;
    /// The profile `shipping`.
    ShippingRequirements Static;
    /// The profile `documented`.
    DocumentedRequirements Static;
    /// The profile `nt4`.
    Nt4Requirements Static;
    /// Whether it is called for IKEv2 connections.
    Ikev2 Static;
    /// Functions that never return from inside a callback.
    ForbiddenImports Static;
    /// Libraries that it needs and the loader does not find.
    Dependents Static;
    /// Libraries that are loaded at the first call.
    DelayLoads Static;
    /// Loading and initialising.
    Initialises Dynamic;
    /// The table that MprAdminInitializeDllEx fills in.
    CallbacksTable Dynamic;
    /// The end of the table.
    WritesPastTable Dynamic;
    /// The pointer that should stay null.
    PreAuthentication Dynamic;
    /// Ordinary calls.
    AnswersInTime Dynamic;
    /// How long ordinary calls take.
    SlowAnswers Dynamic;
    /// A pointer to the table that was kept.
    UsesTableLater Dynamic;
    /// Pointers to arguments that were kept.
    KeepsPointers Dynamic;
    /// Writes after an argument.
    WritesPastArguments Dynamic;
    /// Writes before an argument.
    WritesBeforeArguments Dynamic;
    /// Writes into arguments that are only read.
    WritesIntoArguments Dynamic;
    /// The end of RAS_CONNECTION_EX and AUTH_VALIDATION_EX.
    ReadsPastConnectionEx Dynamic;
    /// The end of RAS_CONNECTION_0 to 3.
    ReadsPastConnection Dynamic;
    /// The end of RAS_PORT_0 and 1.
    ReadsPastPort Dynamic;
    /// The end of a user's or port's name.
    ReadsPastName Dynamic;
    /// The end of an address.
    ReadsPastAddress Dynamic;
    /// Null pointers.
    NullPointers Dynamic;
    /// Fixed arrays without a terminator.
    UnterminatedArrays Dynamic;
    /// A name of 64 KiB.
    LongUserName Dynamic;
    /// Headers of a later Windows.
    UnknownHeaders Dynamic;
    /// Random bytes.
    RandomStructures Dynamic;
    /// Whether released addresses are used again.
    ReleaseAfterNotify Dynamic;
    /// Handles that others opened.
    ForeignHandles Dynamic;
    /// What the process shares.
    ProcessState Dynamic;
    /// Threads after TerminateDll.
    ThreadsAfterTerminate Dynamic;
    /// A second start.
    StartsAgain Dynamic;
    /// Handles over many sessions.
    HandlesPerCall Dynamic;
    /// Loading and unloading.
    LoadCycles Dynamic;
    /// Files in the current directory.
    CurrentDirectory Dynamic;
}

impl Check {
    /// What the check expects. The match is exhaustive, so a check without a description does not compile.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Machine => "It is a 64-bit DLL for x86-64.",
            Self::NativeCode => "It has code, and needs no .NET runtime.",
            Self::SignatureDemanded => "It does not demand a signature that it lacks.",
            Self::MachinePolicy => "No policy of this machine keeps it out of RRAS's process.",
            Self::Relocations => "It works at any address at which it is loaded.",
            Self::DecoratedNames => "No function of the contract is exported under a decorated (stdcall) name.",
            Self::MangledNames => "No function of the contract is exported under a mangled (C++ or Rust) name.",
            Self::NameCase => "Names are spelled with the right upper and lower case.",
            Self::Nt4Names => "No function is exported under its name of Windows NT 4.0.",
            Self::UnknownNames => "No export has a name that only looks like one of the contract.",
            Self::OrdinalOnly => "Functions are exported by name, not by ordinal only.",
            Self::ForwardedExports => "No function of the contract is forwarded to another DLL.",
            Self::ExportTargets => "Every exported function of the contract leads to code.",
            Self::AddressPairs => "Each address pair is exported whole or not at all.",
            Self::ShippingRequirements => "It has what shipping Windows Server requires (profile `shipping`).",
            Self::DocumentedRequirements => "It has what Microsoft's list requires (profile `documented`).",
            Self::Nt4Requirements => "It has what Windows NT 4.0 and 2000 require (profile `nt4`).",
            Self::Ikev2 => "It is called for IKEv2 connections.",
            Self::ForbiddenImports => "It imports no function that must never be called from a callback.",
            Self::Dependents => "The loader finds every DLL that it needs.",
            Self::DelayLoads => "The loader finds every DLL that it loads at a first call.",
            Self::Initialises => "It loads, and its initialise function returns 0.",
            Self::CallbacksTable => "The callbacks table it fills in is valid.",
            Self::WritesPastTable => "MprAdminInitializeDllEx writes nothing past the end of the callbacks table.",
            Self::PreAuthentication => "It does not take part in pre-authentication.",
            Self::AnswersInTime => "Every function answers an ordinary call.",
            Self::SlowAnswers => "Every function answers an ordinary call within 50 milliseconds.",
            Self::UsesTableLater => "It leaves the callbacks table alone after it has filled it in.",
            Self::KeepsPointers => "No function uses the arguments of an earlier call.",
            Self::WritesPastArguments => "No function writes past the end of an argument.",
            Self::WritesBeforeArguments => "No function writes before the start of an argument.",
            Self::WritesIntoArguments => "No function changes a structure or a name that it is given.",
            Self::ReadsPastConnectionEx => "No function reads or writes past the end of RAS_CONNECTION_EX.",
            Self::ReadsPastConnection => "No function reads or writes past the end of RAS_CONNECTION_0 to 3.",
            Self::ReadsPastPort => "No function reads or writes past the end of RAS_PORT_0 and 1.",
            Self::ReadsPastName => "No function reads or writes past the end of a user's or port's name.",
            Self::ReadsPastAddress => "No function reads or writes past the end of an address or of notify_release.",
            Self::NullPointers => "Every function survives null for each of its pointers.",
            Self::UnterminatedArrays => "Every function survives strings that fill their array to its end.",
            Self::LongUserName => "The address functions survive a user name of 64 KiB.",
            Self::UnknownHeaders => "Every function survives headers of unknown revision, type and size.",
            Self::RandomStructures => "Every function survives random bytes.",
            Self::ReleaseAfterNotify => "Released addresses can be assigned again.",
            Self::ForeignHandles => "No function closes a handle that is not its own.",
            Self::ProcessState => "No function changes what the whole process shares.",
            Self::ThreadsAfterTerminate => "No thread is left after MprAdminTerminateDll.",
            Self::StartsAgain => "It starts again after it was terminated.",
            Self::HandlesPerCall => "A session leaves no handle behind.",
            Self::LoadCycles => "Loading and unloading many times leaves nothing behind.",
            Self::CurrentDirectory => "It writes no file into the current directory.",
        }
    }

    /// Its id: the variant's name in kebab case.
    pub fn id(self) -> String {
        let mut id = String::new();
        for c in self.variant_name().chars() {
            if c.is_ascii_uppercase() && !id.is_empty() {
                id.push('-');
            }
            id.push(c.to_ascii_lowercase());
        }
        id
    }

    /// The check of this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|check| check.id() == id)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.id())
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_kebab_case_and_found_again() {
        for &check in Check::ALL {
            assert_eq!(Check::from_id(&check.id()), Some(check));
            assert!(check.description().ends_with('.'));
        }
        assert_eq!(Check::ReadsPastConnectionEx.id(), "reads-past-connection-ex");
        assert_eq!(Check::Ikev2.id(), "ikev2");
    }
}

//! Policies of this machine that keep admin DLLs out of RRAS's process (R-LOAD-7).

/// The key of the policy "Enable svchost.exe mitigation options", below HKEY_LOCAL_MACHINE.
pub const SVCHOST_KEY: &str = r"SYSTEM\CurrentControlSet\Control\SCMConfig";
/// Its value: 1 if the policy is on.
pub const SVCHOST_VALUE: &str = "EnableSvchostMitigationPolicy";

/// What App Control for Business (WDAC) does with DLLs that its policy does not allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppControl {
    /// It does not look at DLLs.
    #[default]
    Off,
    /// It records that they were loaded.
    Audit,
    /// It does not let them load.
    Enforced,
}

/// The policies of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachinePolicy {
    /// Whether svchost.exe, RRAS's process, loads only DLLs that Microsoft has signed.
    pub svchost_microsoft_only: bool,
    /// What App Control does with DLLs.
    pub app_control: AppControl,
}

/// Why a policy keeps a DLL out of RRAS's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The obstacle, in one sentence without a full stop.
    pub what: &'static str,
    /// The policy.
    pub cause: &'static str,
    /// What RRAS does because of it.
    pub effect: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

impl Obstacle {
    /// All of it, as a paragraph.
    pub fn text(&self) -> String {
        format!("{}. {} {} {}", self.what, self.cause, self.effect, self.remedy)
    }
}

const SVCHOST: Obstacle = Obstacle {
    what: "a policy of this machine lets RRAS load no admin DLL",
    cause: "\"Enable svchost.exe mitigation options\" is on (EnableSvchostMitigationPolicy is 1), so svchost.exe, RRAS's \
            process, loads only DLLs that Microsoft has signed.",
    effect: "On this machine loading fails (error 577 is to be expected), and the Remote Access service does not start.",
    remedy: "Turn the policy off for this server (Computer Configuration, Administrative Templates, System, Service \
             Control Manager Settings, Security Settings), and restart the server.",
};

const APP_CONTROL: Obstacle = Obstacle {
    what: "the DLL has no signature, and this machine enforces App Control",
    cause: "A policy of App Control for Business (WDAC) is in force for programs and DLLs. It can still allow a DLL by \
            its hash or path.",
    effect: "If the policy does not allow the DLL, loading fails with error 577, and the Remote Access service does not \
             start.",
    remedy: "Sign the DLL with a certificate that the policy allows, or add its hash to the policy, before you restart \
             Remote Access.",
};

impl MachinePolicy {
    /// From the value EnableSvchostMitigationPolicy, and from CodeIntegrityOptions of SYSTEM_CODEINTEGRITY_INFORMATION; None
    /// for what the machine does not have.
    pub const fn from_parts(svchost: Option<u32>, code_integrity: Option<u32>) -> Self {
        // The names are those of the page on NtQuerySystemInformation.
        const CODEINTEGRITY_OPTION_UMCI_ENABLED: u32 = 0x04;
        const CODEINTEGRITY_OPTION_UMCI_AUDITMODE_ENABLED: u32 = 0x08;
        let options = match code_integrity {
            Some(options) => options,
            None => 0,
        };
        let app_control = if options & CODEINTEGRITY_OPTION_UMCI_ENABLED == 0 {
            AppControl::Off
        } else if options & CODEINTEGRITY_OPTION_UMCI_AUDITMODE_ENABLED != 0 {
            AppControl::Audit
        } else {
            AppControl::Enforced
        };
        Self { svchost_microsoft_only: matches!(svchost, Some(1)), app_control }
    }

    /// The policies of this machine. For tests, `instead` is a key of HKEY_CURRENT_USER that takes the place of
    /// HKEY_LOCAL_MACHINE. No system but Windows has such policies.
    #[cfg(windows)]
    pub fn read(instead: Option<&str>) -> Self {
        Self::from_parts(windows::svchost(instead), windows::code_integrity())
    }

    /// The policies of this machine. No system but Windows has such policies.
    #[cfg(not(windows))]
    pub const fn read(_: Option<&str>) -> Self {
        Self::from_parts(None, None)
    }

    /// What keeps an admin DLL out of RRAS's process, if something does. `signed`: whether its file has a signature.
    pub const fn obstacle(self, signed: bool) -> Option<&'static Obstacle> {
        match self.app_control {
            _ if self.svchost_microsoft_only => Some(&SVCHOST),
            AppControl::Enforced if !signed => Some(&APP_CONTROL),
            _ => None,
        }
    }
}

#[cfg(windows)]
mod windows {
    use super::{SVCHOST_KEY, SVCHOST_VALUE};
    use windows_sys::Wdk::System::SystemInformation::{NtQuerySystemInformation, SYSTEM_INFORMATION_CLASS};
    use winreg::RegKey;
    use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE};

    pub(super) fn svchost(instead: Option<&str>) -> Option<u32> {
        let key = match instead {
            None => RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey(SVCHOST_KEY),
            Some(root) => RegKey::predef(HKEY_CURRENT_USER).open_subkey(format!(r"{root}\{SVCHOST_KEY}")),
        };
        key.ok()?.get_value(SVCHOST_VALUE).ok()
    }

    /// CodeIntegrityOptions. None if the system does not tell.
    #[allow(unsafe_code)] // A call of the system.
    pub(super) fn code_integrity() -> Option<u32> {
        /// SystemCodeIntegrityInformation.
        const CLASS: SYSTEM_INFORMATION_CLASS = 103;
        /// SYSTEM_CODEINTEGRITY_INFORMATION.
        #[repr(C)]
        struct Information {
            length: u32,
            options: u32,
        }
        const SIZE: u32 = size_of::<Information>() as u32;
        let mut information = Information { length: SIZE, options: 0 };
        // SAFETY: the structure is writable and has the size that is passed; its first member says so too, as the page on
        // NtQuerySystemInformation demands.
        let status =
            unsafe { NtQuerySystemInformation(CLASS, (&raw mut information).cast(), SIZE, std::ptr::null_mut()) };
        (status >= 0).then_some(information.options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_1_switches_the_policy_of_svchost_on() {
        for (value, on) in [(None, false), (Some(0), false), (Some(1), true), (Some(2), false)] {
            assert_eq!(MachinePolicy::from_parts(value, None).svchost_microsoft_only, on, "{value:?}");
        }
    }

    #[test]
    fn app_control_is_enforced_unless_it_only_audits() {
        for (options, expected) in [
            (None, AppControl::Off),
            // ENABLED alone is about drivers, and every machine has it.
            (Some(0x01), AppControl::Off),
            (Some(0x08), AppControl::Off),
            (Some(0x2401), AppControl::Off),
            (Some(0x05), AppControl::Enforced),
            (Some(0x0d), AppControl::Audit),
        ] {
            assert_eq!(MachinePolicy::from_parts(None, options).app_control, expected, "{options:x?}");
        }
    }

    #[test]
    fn a_signature_helps_against_app_control_and_not_against_the_policy_of_svchost() {
        let obstacle = |svchost, options, signed| {
            let policy = MachinePolicy::from_parts(Some(svchost), Some(options));
            policy.obstacle(signed).map(|obstacle| obstacle.what.contains("App Control"))
        };
        assert_eq!(obstacle(0, 0x01, false), None);
        assert_eq!(obstacle(0, 0x0d, false), None);
        assert_eq!(obstacle(0, 0x05, true), None);
        assert_eq!(obstacle(0, 0x05, false), Some(true));
        assert_eq!(obstacle(1, 0x05, true), Some(false));
        assert_eq!(obstacle(1, 0x01, false), Some(false));
    }

    #[cfg(windows)]
    #[test]
    fn the_value_is_read_from_the_registry() {
        use winreg::RegKey;
        use winreg::enums::HKEY_CURRENT_USER;
        let root = format!(r"Software\rasadmin-policy-{}", std::process::id());
        let read = || MachinePolicy::read(Some(&root)).svchost_microsoft_only;
        assert!(!read());
        let user = RegKey::predef(HKEY_CURRENT_USER);
        let (key, _) = user.create_subkey(format!(r"{root}\{SVCHOST_KEY}")).unwrap();
        assert!(!read());
        for (value, on) in [(1u32, true), (0, false)] {
            key.set_value(SVCHOST_VALUE, &value).unwrap();
            assert_eq!(read(), on);
        }
        key.set_value(SVCHOST_VALUE, &"1").unwrap();
        assert!(!read(), "the value must be a number");
        user.delete_subkey_all(&root).unwrap();
        // The system answers, whatever it says.
        assert!(windows::code_integrity().is_some());
    }

    #[cfg(not(windows))]
    #[test]
    fn no_other_system_has_them() {
        assert_eq!(MachinePolicy::read(None), MachinePolicy::default());
    }
}

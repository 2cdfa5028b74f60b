//! Policies of this machine that keep admin DLLs out of RRAS's process.

use super::facts::{Facts, Mark};
use super::registered::Registration;
use crate::setup::product::file_of;
use rasadmin_system::machine_policy::{AppControl, MachinePolicy};
use schemars::JsonSchema;
use serde::Serialize;

/// The policies of this machine that concern admin DLLs.
#[derive(Serialize, JsonSchema)]
pub struct Policy {
    /// Whether svchost.exe, RRAS's process, loads only DLLs that Microsoft has signed.
    svchost_microsoft_only: bool,
    /// What App Control for Business (WDAC) does with DLLs that it does not allow: `off`, `audit` or `enforced`.
    app_control: &'static str,
}

/// What the policies do to the DLLs of RRAS's list.
pub fn check(facts: &mut Facts, policy: MachinePolicy, registration: Option<&Registration>) -> Policy {
    let dlls = registration.map(Registration::loaded).unwrap_or_default();
    let unsigned = dlls.iter().filter(|dll| rasadmin_check::is_signed(&file_of(dll)) == Some(false));
    let unsigned: Vec<&str> = unsigned.copied().collect();
    if let Some(obstacle) = policy.obstacle(true) {
        facts.add(Mark::Attention, "policy", obstacle.text());
    } else if let Some(obstacle) = policy.obstacle(unsigned.is_empty()) {
        facts.add(Mark::Attention, "policy", format!("{}: {}", unsigned.join(", "), obstacle.text()));
    }
    Policy {
        svchost_microsoft_only: policy.svchost_microsoft_only,
        app_control: match policy.app_control {
            AppControl::Off => "off",
            AppControl::Audit => "audit",
            AppControl::Enforced => "enforced",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_stops_rras_needs_attention() {
        for (svchost, app_control, expected) in
            [(0, 0x01, "off"), (1, 0x01, "off"), (0, 0x0d, "audit"), (0, 5, "enforced")]
        {
            let mut facts = Facts::default();
            let policy = check(&mut facts, MachinePolicy::from_parts(Some(svchost), Some(app_control)), None);
            assert_eq!(policy.app_control, expected);
            // App Control concerns only a DLL that is registered and has no signature.
            assert_eq!(facts.need_attention(), svchost == 1, "{svchost} {app_control}");
            assert_eq!(
                facts.text(None, false).contains("lets RRAS load no admin DLL"),
                svchost == 1,
                "{}",
                facts.text(None, false)
            );
        }
    }
}

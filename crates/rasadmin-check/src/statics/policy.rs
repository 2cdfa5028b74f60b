//! Policies of this machine that keep a DLL out of RRAS's process.

use crate::check::Check;
use crate::finding::{Culprit, Finding, Outcome, Problem};
use crate::image::{Format, Image};
use crate::options::Options;
use rasadmin_system::machine_policy::{AppControl, MachinePolicy};

/// Only a warning: the DLL may be meant for another machine.
pub(super) fn check(image: &Image, options: &Options) -> Finding {
    let check = Check::MachinePolicy;
    let policy = options.machine_policy.unwrap_or_else(|| MachinePolicy::read(None));
    if image.format == Format::Pe
        && let Some(obstacle) = policy.obstacle(image.signed)
    {
        let problem = Problem {
            cause: obstacle.cause.into(),
            effect: obstacle.effect.into(),
            remedy: obstacle.remedy.into(),
            culprit: Culprit::Host,
        };
        return Finding::problem(check, Outcome::Warning, obstacle.what, problem);
    }
    let message = match policy.app_control {
        AppControl::Enforced => "App Control is enforced; loading shows whether it allows this DLL",
        AppControl::Audit => "App Control only records what it would forbid",
        AppControl::Off => "this machine has no such policy",
    };
    Finding::pass(check, message)
}

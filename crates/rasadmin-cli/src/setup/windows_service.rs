//! The steps that register a Windows service, change its registration, or remove it.

use super::steps::Step;
use crate::error::{Kind, OrCommandError, Result};
use crate::warning;
use rasadmin_setup::service::{Definition, Fault, RASADMIN, Registration, Service, Start, State, Why, query};
use std::path::PathBuf;

/// The registered service. Another product's service of that name is an error if ours is wanted, and otherwise stays.
pub fn registered(of: &'static Definition, ours_is_wanted: bool) -> Result<Option<Service>> {
    match query(of) {
        Err(fault @ Fault { why: Why::NotOurs(_), .. }) if !ours_is_wanted => {
            warning!("{fault}; it stays");
            Ok(None)
        }
        Err(fault @ Fault { why: Why::NotOurs(_), .. }) => Err(fault).or_error(Kind::System).map_err(|error| {
            error.hint(if of == &RASADMIN {
                "remove that service, or install without one: `rasadmin install --no-service`"
            } else {
                "remove that service, or install without the dashboard: `rasadmin install`"
            })
        }),
        queried => queried.or_error(Kind::System),
    }
}

/// The registration that install makes.
pub fn wanted(program: PathBuf, config: PathBuf) -> Registration {
    Registration { program, config, start: Start::Automatic }
}

/// The steps from the present registration to the wanted one; None means that no service is registered. If nothing
/// changes, a running service goes on. Otherwise it is stopped first, so that no process of the old program remains.
pub fn steps(of: &'static Definition, registered: Option<&Service>, wanted: Option<&Registration>) -> Vec<Step> {
    let before = registered.map(|service| &service.registration);
    let runs = registered.is_some_and(|service| service.state != State::Stopped);
    let mut steps = Vec::new();
    if before != wanted {
        if runs {
            steps.push(Step::StopService(of));
        }
        steps.push(Step::SetService { of, before: before.cloned(), after: wanted.cloned() });
    }
    if wanted.is_some() && !(runs && before == wanted) {
        steps.push(Step::StartService(of));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_setup::service::Ended;

    fn of(program: &str) -> Registration {
        wanted(program.into(), r"C:\ProgramData\rasadmin\rasadmin.toml".into())
    }

    fn service(registration: Registration, state: State) -> Service {
        Service { registration, state, process: None, ended: Ended::Well }
    }

    fn set(before: Option<&Registration>, after: Option<&Registration>) -> Step {
        Step::SetService { of: &RASADMIN, before: before.cloned(), after: after.cloned() }
    }

    #[test]
    fn the_service_is_registered_and_started_once() {
        let new = of("new.exe");
        assert_eq!(steps(&RASADMIN, None, None), []);
        assert_eq!(steps(&RASADMIN, None, Some(&new)), [set(None, Some(&new)), Step::StartService(&RASADMIN)]);
        assert_eq!(steps(&RASADMIN, Some(&service(new.clone(), State::Running)), Some(&new)), []);
        assert_eq!(steps(&RASADMIN, Some(&service(new.clone(), State::Starting)), Some(&new)), []);
        assert_eq!(
            steps(&RASADMIN, Some(&service(new.clone(), State::Stopped)), Some(&new)),
            [Step::StartService(&RASADMIN)]
        );
    }

    #[test]
    fn an_upgrade_stops_it_and_starts_the_new_program() {
        let (old, new) = (of("old.exe"), of("new.exe"));
        let changed = set(Some(&old), Some(&new));
        let running = service(old.clone(), State::Running);
        assert_eq!(
            steps(&RASADMIN, Some(&running), Some(&new)),
            [Step::StopService(&RASADMIN), changed.clone(), Step::StartService(&RASADMIN)]
        );
        let stopped = service(old, State::Stopped);
        assert_eq!(steps(&RASADMIN, Some(&stopped), Some(&new)), [changed, Step::StartService(&RASADMIN)]);
        // Install means that it shall run, also if somebody has disabled it.
        let disabled = Registration { start: Start::Disabled, ..new.clone() };
        let stopped = service(disabled.clone(), State::Stopped);
        assert_eq!(
            steps(&RASADMIN, Some(&stopped), Some(&new)),
            [set(Some(&disabled), Some(&new)), Step::StartService(&RASADMIN)]
        );
    }

    #[test]
    fn it_stops_before_it_is_removed() {
        let old = of("old.exe");
        let running = service(old.clone(), State::Running);
        assert_eq!(steps(&RASADMIN, Some(&running), None), [Step::StopService(&RASADMIN), set(Some(&old), None)]);
        let stopped = service(old.clone(), State::Stopped);
        assert_eq!(steps(&RASADMIN, Some(&stopped), None), [set(Some(&old), None)]);
    }
}

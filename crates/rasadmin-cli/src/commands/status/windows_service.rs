//! The Windows service `rasadmin`: whether it is registered, when it starts, and whether it runs.

use super::facts::{Facts, Mark};
use rasadmin_setup::service::{Ended, Fault, Registration, Service, Start, State};
use rasadmin_system::places;
use rasadmin_text::printable_path;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// The Windows service.
#[derive(Serialize, JsonSchema)]
pub struct WindowsService {
    /// Whether it is registered.
    registered: bool,
    /// When Windows starts it: `automatic` (with the computer), `manual` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'static str>,
    /// `stopped`, `starting`, `running` or `stopping`.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// The number of its process, if it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<u32>,
    /// The code with which it ended, if it ended with an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<u32>,
    /// The path of its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    /// The configuration that it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
}

const ABOUT: &str = "as a service";

/// How the service is registered. `config` is the configuration in force, and `serves` whether a process serves its
/// journal; None if there is none. Returns None if the registration cannot be read.
pub fn check(
    facts: &mut Facts,
    queried: Result<Option<Service>, Fault>,
    config: Option<&Path>,
    serves: Option<bool>,
) -> Option<WindowsService> {
    let service = match queried {
        Ok(service) => service,
        Err(fault) => {
            facts.add(Mark::Attention, ABOUT, fault.to_string());
            return None;
        }
    };
    let Some(service) = service else {
        facts.add(Mark::Note, ABOUT, "the rasadmin service is not registered; `rasadmin install` registers it");
        return Some(answer(None));
    };
    let (mark, text) = described(&service);
    facts.add(mark, ABOUT, text);
    // If it uses another configuration, it serves another journal.
    let ours = config.is_none_or(|config| same(config, &service.registration.config));
    if service.state == State::Running && serves == Some(false) && ours {
        let text = "but no process serves this journal, whatever Windows reports:\nRestart-Service rasadmin";
        facts.add(Mark::Attention, ABOUT, text);
    }
    check_files(facts, ABOUT, &service.registration, config);
    Some(answer(Some(&service)))
}

/// Whether a service's program exists, and whether it uses the configuration in force.
pub fn check_files(facts: &mut Facts, about: &'static str, registration: &Registration, config: Option<&Path>) {
    if !registration.program.is_file() {
        let program = printable_path(&registration.program);
        facts.add(Mark::Attention, about, format!("its program does not exist: {program}; run `rasadmin install`"));
    }
    if let Some(config) = config.filter(|config| !same(config, &registration.config)) {
        let (its, ours) = (printable_path(&registration.config), printable_path(config));
        let text = format!("it uses the configuration {its}, not {ours}; run `rasadmin install`");
        facts.add(Mark::Notice, about, text);
    }
}

/// Windows ignores case in names of files.
fn same(one: &Path, other: &Path) -> bool {
    one.to_string_lossy().to_lowercase() == other.to_string_lossy().to_lowercase()
}

fn described(service: &Service) -> (Mark, String) {
    const MEANWHILE: &str = "only commands bring records into the ledger (`rasadmin install --no-service` removes the \
                             service and makes a daily task instead)";
    let process = service.process.map_or_else(String::new, |process| format!(", process {process}"));
    match (service.registration.start, service.state) {
        (Start::Disabled, _) => {
            let remedy = "Set-Service rasadmin -StartupType Automatic; Start-Service rasadmin";
            (Mark::Attention, format!("the rasadmin service is disabled, so {MEANWHILE}:\n{remedy}"))
        }
        (_, State::Stopped) => {
            let why = match service.ended {
                Ended::Well => String::new(),
                ended => format!(" ({ended}; {} says more)", printable_path(places::service_log_file())),
            };
            (
                Mark::Attention,
                format!("the rasadmin service does not run{why}, so {MEANWHILE}:\nStart-Service rasadmin"),
            )
        }
        (_, State::Starting) => (Mark::Ok, "Windows is starting the rasadmin service".to_owned()),
        (_, State::Stopping) => (Mark::Note, "Windows is stopping the rasadmin service".to_owned()),
        (Start::Manual, State::Running) => {
            let remedy = "Set-Service rasadmin -StartupType Automatic";
            (
                Mark::Notice,
                format!("the rasadmin service runs{process}, but does not start with the computer:\n{remedy}"),
            )
        }
        (Start::Automatic, State::Running) => {
            (Mark::Ok, format!("the rasadmin service runs{process}, and starts with the computer"))
        }
    }
}

pub fn answer(service: Option<&Service>) -> WindowsService {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let registration = service.map(|service| &service.registration);
    WindowsService {
        registered: service.is_some(),
        start: registration.map(|registration| match registration.start {
            Start::Automatic => "automatic",
            Start::Manual => "manual",
            Start::Disabled => "disabled",
        }),
        state: service.map(|service| match service.state {
            State::Stopped => "stopped",
            State::Starting => "starting",
            State::Running => "running",
            State::Stopping => "stopping",
        }),
        process: service.and_then(|service| service.process),
        error: service.filter(|service| service.state == State::Stopped).and_then(|service| match service.ended {
            Ended::Well => None,
            Ended::Code(code) | Ended::Error(code) => Some(code),
        }),
        program: registration.map(|registration| path(&registration.program)),
        configuration: registration.map(|registration| path(&registration.config)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rasadmin_setup::service::Why;

    fn text(start: Start, state: State, ended: Ended, config: &str) -> String {
        let program = std::env::current_exe().unwrap();
        let registration = Registration { program, config: "C:/a/vpn.toml".into(), start };
        let process = (state == State::Running).then_some(4242);
        let mut facts = Facts::default();
        let service = Service { registration, state, process, ended };
        check(&mut facts, Ok(Some(service)), Some(Path::new(config)), Some(true)).unwrap();
        facts.text(None, false)
    }

    #[test]
    fn a_service_that_runs_is_well() {
        let text = text(Start::Automatic, State::Running, Ended::Well, "c:/A/VPN.toml");
        assert!(text.starts_with("all is well"), "{text}");
        assert!(text.contains("runs, process 4242, and starts with the computer"), "{text}");
    }

    #[test]
    fn what_does_not_run_needs_attention_and_says_what_to_do() {
        let disabled = text(Start::Disabled, State::Stopped, Ended::Well, "C:/a/vpn.toml");
        assert!(disabled.starts_with("attention: as a service"), "{disabled}");
        assert!(
            disabled.contains("is disabled") && disabled.contains("Set-Service rasadmin -StartupType Automatic; Start")
        );
        let stopped = text(Start::Automatic, State::Stopped, Ended::Well, "C:/a/vpn.toml");
        assert!(stopped.contains("does not run, so only commands") && stopped.contains("Start-Service rasadmin\n"));
        let failed = text(Start::Automatic, State::Stopped, Ended::Code(3), "C:/a/vpn.toml");
        assert!(failed.contains("does not run (error 3: another process runs the rasadmin service"), "{failed}");
        assert!(failed.contains("rasadmin-service.log says more)"), "{failed}");
    }

    #[test]
    fn a_service_that_runs_for_windows_only_needs_attention() {
        let registration = Registration {
            program: std::env::current_exe().unwrap(),
            config: "vpn.toml".into(),
            start: Start::Automatic,
        };
        let service = Service { registration, state: State::Running, process: Some(7), ended: Ended::Well };
        for (serves, well) in [(Some(false), false), (Some(true), true), (None, true)] {
            let mut facts = Facts::default();
            check(&mut facts, Ok(Some(service.clone())), None, serves).unwrap();
            let text = facts.text(None, false);
            assert_eq!(!text.contains("no process serves this journal") && !facts.need_attention(), well, "{text}");
        }
    }

    #[test]
    fn what_is_not_as_install_makes_it_is_a_notice() {
        let manual = text(Start::Manual, State::Running, Ended::Well, "C:/a/vpn.toml");
        assert!(manual.contains("notice") && manual.contains("does not start with the computer"), "{manual}");
        let other = text(Start::Automatic, State::Running, Ended::Well, "C:/b/vpn.toml");
        assert!(
            other.contains("uses the configuration C:/a/vpn.toml, not C:/b/vpn.toml; run `rasadmin install`"),
            "{other}"
        );
    }

    #[test]
    fn a_program_that_is_gone_and_a_service_of_another_product_need_attention() {
        let registration =
            Registration { program: "gone.exe".into(), config: "a.toml".into(), start: Start::Automatic };
        let service = Service { registration, state: State::Running, process: None, ended: Ended::Well };
        let mut facts = Facts::default();
        check(&mut facts, Ok(Some(service)), None, None).unwrap();
        let text = facts.text(None, false);
        assert!(text.contains("its program does not exist: gone.exe; run `rasadmin install`"), "{text}");
        let mut facts = Facts::default();
        assert!(
            check(&mut facts, Err(Fault { service: "rasadmin", why: Why::NotOurs("vendor.exe".into()) }), None, None)
                .is_none()
        );
        assert!(facts.text(None, false).contains("did not register: vendor.exe"));
        let mut facts = Facts::default();
        assert!(!check(&mut facts, Ok(None), None, None).unwrap().registered);
        assert!(!facts.need_attention());
    }
}

//! The Windows service `rasadmin-net`, which serves the dashboard.

use super::facts::{Facts, Mark};
use super::windows_service::{WindowsService, answer, check_files};
use crate::commands::serve::own_folder;
use rasadmin_setup::service::{Ended, Fault, Service, Start, State};
use rasadmin_text::printable_path;
use std::path::Path;

const ABOUT: &str = "the dashboard";

/// How the service is registered. `config` is the configuration in force. Returns None if it is not registered, or if that
/// cannot be read: most servers have none.
pub fn check(
    facts: &mut Facts,
    queried: Result<Option<Service>, Fault>,
    config: Option<&Path>,
) -> Option<WindowsService> {
    let service = match queried {
        Ok(service) => service?,
        Err(fault) => {
            facts.add(Mark::Attention, ABOUT, fault.to_string());
            return None;
        }
    };
    let (mark, text) = described(&service);
    facts.add(mark, ABOUT, text);
    check_files(facts, ABOUT, &service.registration, config);
    Some(answer(Some(&service)))
}

fn described(service: &Service) -> (Mark, String) {
    let log = || printable_path(own_folder(&service.registration.config).join("rasadmin-net.log"));
    match (service.registration.start, service.state) {
        (Start::Disabled, State::Stopped) => (
            Mark::Note,
            "its service rasadmin-net is disabled (`rasadmin install --no-dashboard` removes it)".to_owned(),
        ),
        (_, State::Stopped) => {
            let why = match service.ended {
                Ended::Well => String::new(),
                ended => format!(" ({ended}; {} says more)", log()),
            };
            (Mark::Attention, format!("its service rasadmin-net does not run{why}:\nStart-Service rasadmin-net"))
        }
        (_, State::Starting) => (Mark::Ok, "Windows is starting its service rasadmin-net".to_owned()),
        (_, State::Stopping) => (Mark::Note, "Windows is stopping its service rasadmin-net".to_owned()),
        (_, State::Running) => {
            let process = service.process.map_or_else(String::new, |process| format!(", process {process}"));
            (Mark::Ok, format!("the service rasadmin-net serves it{process}; {} says where", log()))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rasadmin_setup::service::{Registration, Why};

    fn text(start: Start, state: State, ended: Ended) -> String {
        let program = std::env::current_exe().unwrap();
        let registration = Registration { program, config: "C:/a/vpn.toml".into(), start };
        let service = Service { registration, state, process: None, ended };
        let mut facts = Facts::default();
        check(&mut facts, Ok(Some(service)), Some(Path::new("C:/b/vpn.toml"))).unwrap();
        facts.text(None, false)
    }

    #[test]
    fn it_says_whether_the_dashboard_is_served_and_what_to_do() {
        let runs = text(Start::Automatic, State::Running, Ended::Well);
        assert!(runs.contains("rasadmin-net serves it") && runs.contains("rasadmin-net.log says where"), "{runs}");
        assert!(runs.contains("it uses the configuration C:/a/vpn.toml, not C:/b/vpn.toml"), "{runs}");
        let failed = text(Start::Automatic, State::Stopped, Ended::Code(2));
        assert!(failed.starts_with("attention: the dashboard"), "{failed}");
        assert!(failed.contains("does not run (error 2") && failed.contains("Start-Service rasadmin-net"), "{failed}");
        let disabled = text(Start::Disabled, State::Stopped, Ended::Well);
        assert!(
            disabled.contains("disabled") && !disabled.starts_with("attention"),
            "somebody wants it so: {disabled}"
        );
    }

    #[test]
    fn without_a_service_it_says_nothing() {
        let mut facts = Facts::default();
        assert!(check(&mut facts, Ok(None), None).is_none());
        assert_eq!(facts.into_list().len(), 0);
        let mut facts = Facts::default();
        let fault = Fault { service: "rasadmin-net", why: Why::NotOurs("vendor.exe".into()) };
        assert!(check(&mut facts, Err(fault), None).is_none() && facts.need_attention());
    }
}

//! The Service Control Manager of this computer.

mod privileges;

use super::{Account, Changed, Definition, Ended, Fault, Lack, Registration, Service, Start, State, Why};
use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};
use windows_service::Error as Refused;
use windows_service::service::{
    Service as Handle, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceSidType, ServiceStartType, ServiceState,
    ServiceStatus, ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_LEVEL, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL, ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_SERVICE_MARKED_FOR_DELETE, ERROR_SERVICE_NEVER_STARTED, ERROR_SERVICE_NOT_ACTIVE, NO_ERROR,
};

/// How long a start or a stop may take. The service needs a second for either, or ten if a disk does not answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait until a deleted service is gone. It goes at once, unless a program has it open.
const DELETION: Duration = Duration::from_secs(5);

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The pauses before Windows starts it again, after the first failure, the second, and every further one.
const RESTARTS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(60)];

/// After a day without failures, the next one is a first one again.
const RESET: Duration = Duration::from_secs(24 * 60 * 60);

/// The registered service; None if it is not registered.
///
/// # Errors
/// [`Why::NotOurs`], or if it cannot be read.
pub fn query(of: &'static Definition) -> Result<Option<Service>, Fault> {
    named(of, look(of))
}

/// Registers the service, changes its registration, or deletes it. It neither starts nor stops it.
///
/// # Errors
/// If it cannot be done. A registration that cannot be completed is taken back.
pub fn set(of: &'static Definition, registration: Option<&Registration>) -> Result<Changed, Fault> {
    named(of, change(of, registration))
}

/// Starts the service, and waits until it runs.
///
/// # Errors
/// If it does not start.
pub fn start(of: &'static Definition) -> Result<(), Fault> {
    named(of, begin(of))
}

/// Stops the service, and waits until it has ended.
///
/// # Errors
/// If it does not stop.
pub fn stop(of: &'static Definition) -> Result<(), Fault> {
    named(of, end(of))
}

fn named<T>(of: &Definition, done: Result<T, Why>) -> Result<T, Fault> {
    done.map_err(|why| Fault { service: of.name, why })
}

fn look(of: &Definition) -> Result<Option<Service>, Why> {
    let Some(handle) = open(of, ServiceAccess::QUERY_CONFIG | ServiceAccess::QUERY_STATUS)? else { return Ok(None) };
    let config = handle.query_config()?;
    let status = handle.query_status()?;
    let start = match config.start_type {
        ServiceStartType::OnDemand => Start::Manual,
        ServiceStartType::Disabled => Start::Disabled,
        // The others are for drivers.
        _ => Start::Automatic,
    };
    let command_line = config.executable_path.to_string_lossy().into_owned();
    let registration = Registration::parse(of, &command_line, start).ok_or(Why::NotOurs(command_line))?;
    let process = status.process_id.filter(|process| *process != 0);
    Ok(Some(Service { registration, state: state(&status), process, ended: ended(&status) }))
}

fn change(of: &Definition, registration: Option<&Registration>) -> Result<Changed, Why> {
    let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::DELETE;
    match (open(of, access)?, registration) {
        (None, None) => Ok(Changed::Fully),
        (Some(handle), None) => delete(of, handle),
        (Some(handle), Some(registration)) => {
            // It keeps the account that an administrator gave it.
            handle.change_config(&info(of, registration, None))?;
            complete(of, &handle)
        }
        (None, Some(registration)) => {
            let info = info(
                of,
                registration,
                match of.account {
                    Account::System => None,
                    Account::Own => Some(of.account_name().into()),
                },
            );
            // START: a service may only have restarts if the caller could start it.
            let handle = manager(ServiceManagerAccess::CREATE_SERVICE)?.create_service(&info, access)?;
            complete(of, &handle).inspect_err(|_| {
                let _ = handle.delete(); // The first error matters more.
            })
        }
    }
}

fn begin(of: &Definition) -> Result<(), Why> {
    let handle = existing(of, ServiceAccess::START | ServiceAccess::QUERY_STATUS)?;
    match handle.start::<OsString>(&[]) {
        Err(error) if code(&error) == Some(ERROR_SERVICE_ALREADY_RUNNING) => {}
        started => started?,
    }
    let status = wait(&handle, |state| matches!(state, State::Running | State::Stopped))?;
    match state(&status) {
        State::Running => Ok(()),
        _ => Err(Why::DidNotStart(ended(&status))),
    }
}

fn end(of: &Definition) -> Result<(), Why> {
    let handle = existing(of, ServiceAccess::STOP | ServiceAccess::QUERY_STATUS)?;
    // While it starts, it accepts no request.
    let status = wait(&handle, |state| state != State::Starting)?;
    if state(&status) == State::Running {
        match handle.stop() {
            Err(error) if matches!(code(&error), Some(ERROR_SERVICE_NOT_ACTIVE | ERROR_SERVICE_CANNOT_ACCEPT_CTRL)) => {
            }
            stopped => {
                stopped?;
            }
        }
    }
    wait(&handle, |state| state == State::Stopped).map(drop)
}

fn delete(of: &Definition, handle: Handle) -> Result<Changed, Why> {
    match handle.delete() {
        Err(error) if code(&error) == Some(ERROR_SERVICE_MARKED_FOR_DELETE) => {}
        deleted => deleted?,
    }
    // Our own handle keeps it, too.
    drop(handle);
    let deadline = Instant::now() + DELETION;
    while open(of, ServiceAccess::QUERY_STATUS)?.is_some() {
        if Instant::now() >= deadline {
            return Ok(Changed::MarkedForDeletion);
        }
        std::thread::sleep(PAUSE);
    }
    Ok(Changed::Fully)
}

/// Without an account, a new service gets LocalSystem, and an existing one keeps its own.
fn info(of: &Definition, registration: &Registration, account: Option<OsString>) -> ServiceInfo {
    let arguments = of.arguments.iter().map(OsString::from);
    ServiceInfo {
        name: of.name.into(),
        display_name: of.name.into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: match registration.start {
            Start::Automatic => ServiceStartType::AutoStart,
            Start::Manual => ServiceStartType::OnDemand,
            Start::Disabled => ServiceStartType::Disabled,
        },
        error_control: ServiceErrorControl::Normal,
        executable_path: registration.program.clone(),
        launch_arguments: arguments.chain([registration.config.clone().into_os_string()]).collect(),
        dependencies: Vec::new(),
        account_name: account,
        account_password: None,
    }
}

/// What is not part of the registration itself: the description, the restarts, and the limits of the account.
fn complete(of: &Definition, handle: &Handle) -> Result<Changed, Why> {
    let mut lacks = Vec::new();
    // Wine has none of these settings.
    let mut add = |lack: Lack, done: Result<(), Refused>| match done {
        Err(error) if code(&error) == Some(ERROR_INVALID_LEVEL) => {
            lacks.push(lack);
            Ok(())
        }
        done => done,
    };
    if of.account == Account::Own {
        add(Lack::Privileges, privileges::keep_none(handle))?;
        // The SID of its account is in its token.
        add(Lack::Privileges, handle.set_config_service_sid_info(ServiceSidType::Unrestricted))?;
        add(Lack::DelayedStart, handle.set_delayed_auto_start(true))?;
    }
    handle.set_description(of.description)?;
    let restart = |delay| ServiceAction { action_type: ServiceActionType::Restart, delay };
    handle.update_failure_actions(ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(RESET),
        reboot_msg: None,
        command: None,
        actions: Some(RESTARTS.map(restart).to_vec()),
    })?;
    add(Lack::RestartAfterErrors, handle.set_failure_actions_on_non_crash_failures(true))?;
    Ok(if lacks.is_empty() { Changed::Fully } else { Changed::Without(lacks) })
}

fn manager(access: ServiceManagerAccess) -> Result<ServiceManager, Why> {
    Ok(ServiceManager::local_computer(None::<&str>, access)?)
}

fn open(of: &Definition, access: ServiceAccess) -> Result<Option<Handle>, Why> {
    match manager(ServiceManagerAccess::CONNECT)?.open_service(of.name, access) {
        Err(error) if code(&error) == Some(ERROR_SERVICE_DOES_NOT_EXIST) => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

fn existing(of: &Definition, access: ServiceAccess) -> Result<Handle, Why> {
    let missing = || Why::System(io::Error::from_raw_os_error(ERROR_SERVICE_DOES_NOT_EXIST.cast_signed()));
    open(of, access)?.ok_or_else(missing)
}

fn wait(handle: &Handle, until: impl Fn(State) -> bool) -> Result<ServiceStatus, Why> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = handle.query_status()?;
        if until(state(&status)) {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(Why::TooSlow(status.process_id));
        }
        std::thread::sleep(PAUSE);
    }
}

fn state(status: &ServiceStatus) -> State {
    match status.current_state {
        ServiceState::Stopped => State::Stopped,
        ServiceState::StartPending => State::Starting,
        ServiceState::StopPending => State::Stopping,
        ServiceState::Running | ServiceState::Paused | ServiceState::PausePending | ServiceState::ContinuePending => {
            State::Running
        }
    }
}

fn ended(status: &ServiceStatus) -> Ended {
    match status.exit_code {
        ServiceExitCode::Win32(NO_ERROR | ERROR_SERVICE_NEVER_STARTED) => Ended::Well,
        ServiceExitCode::Win32(error) => Ended::Error(error),
        ServiceExitCode::ServiceSpecific(code) => Ended::Code(code),
    }
}

/// The error of Windows.
fn code(error: &Refused) -> Option<u32> {
    match error {
        Refused::Winapi(error) => error.raw_os_error().map(i32::cast_unsigned),
        _ => None,
    }
}

impl From<Refused> for Why {
    fn from(error: Refused) -> Self {
        match (code(&error), error) {
            (Some(ERROR_SERVICE_MARKED_FOR_DELETE), _) => Self::MarkedForDeletion,
            (_, Refused::Winapi(error)) => Self::System(error),
            (_, error) => Self::System(io::Error::other(error)),
        }
    }
}

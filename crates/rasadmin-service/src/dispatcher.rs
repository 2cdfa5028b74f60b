//! The service as the Service Control Manager of Windows runs it: what it reports, and how it is asked to stop.

use crate::service::STOPPING;
use crate::stop::Stop;
use std::ffi::OsString;
use std::io;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::{Error, define_windows_service, service_dispatcher};

/// The service's name. Windows does not look at it, because the process runs no other service.
const NAME: &str = "rasadmin";

/// How long a start may take before Windows calls it hung. It takes a second, unless a disk does not answer.
const STARTING: Duration = Duration::from_secs(30);

/// `ERROR_FAILED_SERVICE_CONTROLLER_CONNECT`.
const NO_MANAGER: i32 = 1063;

/// Gets the request to stop, and what to call when the service has started. Returns the exit code; 0 if it was asked to
/// stop.
type Work = Box<dyn FnOnce(&Stop, &dyn Fn()) -> u32 + Send>;

/// What the service does. Windows calls a function without arguments of ours, so it is kept here.
static WORK: Mutex<Option<Work>> = Mutex::new(None);

static STOP: LazyLock<Stop> = LazyLock::new(Stop::default);

static STATUS: OnceLock<ServiceStatusHandle> = OnceLock::new();

/// Why the Service Control Manager does not run the service.
#[derive(Debug)]
pub enum NotDispatched {
    /// It did not start this process.
    NotAService,
    /// It refuses.
    Refused(io::Error),
}

/// Runs the service for the Service Control Manager, which must have started this process. Returns when the service has
/// ended.
///
/// # Errors
///
/// If the service was not run.
pub fn dispatch(work: impl FnOnce(&Stop, &dyn Fn()) -> u32 + Send + 'static) -> Result<(), NotDispatched> {
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
    service_dispatcher::start(NAME, entry).map_err(|error| match error {
        Error::Winapi(error) if error.raw_os_error() == Some(NO_MANAGER) => NotDispatched::NotAService,
        Error::Winapi(error) => NotDispatched::Refused(error),
        error => NotDispatched::Refused(io::Error::other(error)),
    })
}

define_windows_service!(entry, main);

fn main(_: Vec<OsString>) {
    // `control` is a function and captures nothing: windows-service frees the handler's memory after a request to stop,
    // and Windows may call the handler again.
    let registered = service_control_handler::register(NAME, control);
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (Ok(status), Some(work)) = (registered, work) else {
        // Nothing can be reported. Windows sees that the process has ended, and starts it again.
        std::process::exit(2);
    };
    STATUS.get_or_init(|| status);
    report(ServiceState::StartPending, 0);
    let code = work(&STOP, &|| report(ServiceState::Running, 0));
    report(ServiceState::Stopped, code);
}

fn control(request: ServiceControl) -> ServiceControlHandlerResult {
    match request {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            report(ServiceState::StopPending, 0);
            STOP.request();
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    }
}

/// Reports a state. If that fails, the Service Control Manager itself has ended: there is nobody to report it to.
fn report(state: ServiceState, code: u32) {
    let (accepted, hint) = match state {
        ServiceState::Running => (ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN, Duration::ZERO),
        ServiceState::StartPending => (ServiceControlAccept::empty(), STARTING),
        ServiceState::StopPending => (ServiceControlAccept::empty(), STOPPING + Duration::from_secs(5)),
        _ => (ServiceControlAccept::empty(), Duration::ZERO),
    };
    let exit_code = match code {
        0 => ServiceExitCode::NO_ERROR,
        code => ServiceExitCode::ServiceSpecific(code),
    };
    if let Some(status) = STATUS.get() {
        let _ = status.set_service_status(ServiceStatus {
            service_type: ServiceType::OWN_PROCESS,
            current_state: state,
            controls_accepted: accepted,
            exit_code,
            checkpoint: u32::from(hint != Duration::ZERO),
            wait_hint: hint,
            process_id: None,
        });
    }
}

//! rasadmin.dll: a RAS administration DLL for Windows Routing and Remote Access.
//!
//! It finds its configuration, and lets the recorder decide events and write the journal. The environment variable
//! RASADMIN_LOG names the log; by default it is `%ProgramData%\rasadmin\rasadmin.log`, and
//! `/var/log/rasadmin/rasadmin.log` on other systems. Numbered messages also go to the system's log. A scratch run has
//! its own files: see `config_location`.

mod call;
mod clock;
mod config_location;
mod disk_space;
mod event;
#[cfg(feature = "torture")]
mod kill_process;
mod system_log;
#[cfg(all(test, unix))]
mod tests;
#[cfg(feature = "torture")]
mod torture;
mod version_marker;

use call::Call;
use clock::Clock;
use config_location::Location;
use disk_space::DiskSpace;
use rasadmin_engine::callback::Callback;
use rasadmin_engine::config::{Change, StartProblem, Watch};
use rasadmin_engine::{Now, config};
use rasadmin_messages::Message;
use rasadmin_recorder::{Assigned, Recorder};
use rasadmin_sdk::tracing::info;
use rasadmin_sdk::{
    AddressRequest, AdminDll, AssignIpv4, AssignIpv6, Assignment, CallsInside, Connection, Environment,
    InitializeError, InterfaceId, Link, Refusal, Verdict, export_admin_dll, log,
};
use rasadmin_system::places;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tests that use the environment take turns.
#[cfg(test)]
static ENVIRONMENT: Mutex<()> = Mutex::new(());

struct Product {
    recorder: Recorder,
    config: PathBuf,
    watch: Mutex<Watch>,
    /// The origin of the watch's times, to which the monotonic clock is added.
    started: Instant,
    clock: Clock,
    /// None in a scratch run, which ignores disk space.
    disk_space: Option<DiskSpace>,
}

impl Product {
    /// Returns the time of a call. Also checks now and then whether the configuration has changed, and the disk space.
    fn now(&self) -> Now {
        let now = self.clock.now();
        if let Some(disk_space) = &self.disk_space {
            disk_space.check(now.at.mono);
        }
        // The watch uses the events' clock, so in a scratch run a minute of the scenario is a minute.
        let moment = self.started.checked_add(Duration::from_millis(now.at.mono.0)).unwrap_or(self.started);
        let change = self.watch.lock().unwrap_or_else(PoisonError::into_inner).check(moment);
        if let Some(change) = change {
            change.report(&self.config);
            match change {
                Change::Valid(config) => self.recorder.set_config(config, now),
                Change::Broken(errors) => self.recorder.config_is_broken(&errors.to_string(), now),
            }
        }
        now
    }

    fn verdict(what: &str, about: &dyn std::fmt::Debug, verdict: rasadmin_recorder::Verdict) -> Verdict {
        match verdict {
            rasadmin_recorder::Verdict::Accept => {
                info!(?about, "{what} accepted");
                Verdict::Accept
            }
            // The engine has reported the reason.
            rasadmin_recorder::Verdict::Reject(_) => Verdict::reject(""),
        }
    }
}

impl AdminDll for Product {
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        #[cfg(feature = "torture")]
        torture::install();
        system_log::open();
        // A log that cannot be opened must not keep the VPN from starting.
        let location = Location::find();
        let path = location.log_file();
        if let Err(error) = log::open(&path) {
            let message = Message::LogNotOpened { file: &path.display(), error: &error };
            // Not eprintln!, which panics if nothing can be written.
            let _ = writeln!(std::io::stderr(), "rasadmin: {message}");
            message.emit();
        }
        let path = location.config_file()?;
        let clock = Clock::new(location.is_scratch());
        let now = clock.now();
        let started = config::for_computer(&places::server_name()).start(&path).map_err(|errors| {
            Message::ConfigNeverGood { errors: &errors }.emit();
            InitializeError::new(config_location::CONFIG_IS_BAD, "")
        })?;
        if let Some(problem) = &started.problem {
            problem.report();
        }
        let recorder = Recorder::start(started.config.clone(), &places::server_name(), now);
        if let Some(StartProblem::Broken(errors)) = &started.problem {
            recorder.config_is_broken(&errors.to_string(), now);
        }
        let (version, file, journal) = (&version_marker::version(), &path.display(), recorder.folder());
        Message::Started { version, file, hash: &started.config.hash, journal: &journal.display() }.emit();
        let disk_space = (!location.is_scratch()).then(|| DiskSpace::new(recorder.folder()));
        if let Some(disk_space) = &disk_space {
            disk_space.check(now.at.mono);
        }
        let watch = Mutex::new(started.watch);
        Ok(Self { recorder, config: path, watch, started: Instant::now(), clock, disk_space })
    }

    fn terminate(&self) {
        self.recorder.stop(self.clock.now());
        Message::Stopped {}.emit();
    }

    /// Leaves the journal open, because a running call may hold its lock and closing it could wait forever. It is
    /// closed when the last call has returned; the next start finds it as after a crash.
    fn terminate_among_calls(&self, calls: &CallsInside) {
        self.recorder.leave();
        Message::StoppedAmongCalls { calls }.emit();
    }

    fn accept_connection(&self, connection: &Connection) -> Verdict {
        let call = Call::begin(self, Callback::AcceptNewConnection);
        let event = event::connection(connection);
        let about = (&event.user, &event.computer, &event.source, event.handle);
        Self::verdict("connection", &about, self.recorder.accept_connection(&event, call.now))
    }

    fn connection_hangup(&self, connection: &Connection) {
        let call = Call::begin(self, Callback::ConnectionHangupNotification);
        let event = event::connection(connection);
        self.recorder.hangup(&event, call.now);
        info!(user = ?event.user, handle = event.handle, usage = ?event.usage, "connection ended");
    }

    fn accept_link(&self, link: &Link) -> Verdict {
        let call = Call::begin(self, Callback::AcceptNewLink);
        let event = event::link(link);
        Self::verdict("link", &(&event.port, &event.device, event.handle), self.recorder.accept_link(&event, call.now))
    }

    fn link_hangup(&self, link: &Link) {
        let call = Call::begin(self, Callback::LinkHangupNotification);
        let event = event::link(link);
        self.recorder.link_hangup(&event, call.now);
        info!(port = ?event.port, handle = event.handle, seconds = event.usage.seconds, "link ended");
    }

    fn accept_reauthentication(&self, connection: &Connection) -> Verdict {
        let call = Call::begin(self, Callback::AcceptReauthentication);
        let event = event::connection(connection);
        let about = (&event.user, event.quarantine, event.handle);
        Self::verdict("reauthentication", &about, self.recorder.reauthenticate(&event, call.now))
    }

    fn accept_endpoint_change(&self, connection: &Connection) -> Verdict {
        let call = Call::begin(self, Callback::AcceptTunnelEndpointChange);
        let event = event::connection(connection);
        let about = (&event.user, &event.source, event.handle);
        Self::verdict("endpoint change", &about, self.recorder.endpoint_change(&event, call.now))
    }
}

/// The engine has reported the reason.
fn reported(_: String) -> Refusal {
    Refusal::new("")
}

impl AssignIpv4 for Product {
    fn assign_ipv4(&self, request: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal> {
        let call = Call::begin(self, Callback::GetIpAddressForUser);
        let address = match self.recorder.assign(&event::ipv4(request), call.now).map_err(reported)? {
            Assigned::Number(number) => u32::try_from(number).map(Ipv4Addr::from_bits),
            Assigned::AsOffered => Ok(request.address()),
        };
        let address = address.map_err(|_| Refusal::new("no IPv4 address"))?;
        info!(user = ?request.user(), port = ?request.port(), %address, "IPv4 address given");
        Ok(Assignment::of(address))
    }

    fn release_ipv4(&self, request: &AddressRequest<Ipv4Addr>) {
        let call = Call::begin(self, Callback::ReleaseIpAddress);
        self.recorder.release(&event::ipv4_release(request), call.now);
        info!(user = ?request.user(), port = ?request.port(), address = %request.address(), "IPv4 address released");
    }
}

impl AssignIpv6 for Product {
    fn assign_ipv6(&self, request: &AddressRequest<Ipv6Addr>) -> Result<Assignment<InterfaceId>, Refusal> {
        let call = Call::begin(self, Callback::GetIpv6AddressForUser);
        let (user, port) = (request.user(), request.port());
        let identifier = match self.recorder.assign(&event::ipv6(request), call.now).map_err(reported)? {
            Assigned::Number(number) => InterfaceId(number.to_be_bytes()),
            // Which half has the identifier is unproven. If only the other half has one, the offer is kept unchanged.
            Assigned::AsOffered => request.offered_identifier(),
        };
        info!(?user, ?port, identifier = %Ipv6Addr::from_bits(u64::from_be_bytes(identifier.0).into()), "IPv6 identifier given");
        Ok(Assignment::of(identifier))
    }

    fn release_ipv6(&self, request: &AddressRequest<Ipv6Addr>) {
        let call = Call::begin(self, Callback::ReleaseIpv6AddressForUser);
        self.recorder.release(&event::ipv6_release(request), call.now);
        info!(user = ?request.user(), port = ?request.port(), address = %request.address(), "IPv6 identifier released");
    }
}

export_admin_dll!(Product, ipv4, ipv6);

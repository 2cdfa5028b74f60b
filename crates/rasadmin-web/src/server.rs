//! The server: it binds an address, serves the pages there, and stops on request.

use crate::accounts::{Accounts, AccountsFault};
use crate::connections::{self, Limits, Serving};
use crate::events::Events;
use crate::gate::{Audit, Gate};
use crate::served::{Served, host_of, is_name};
use crate::tls::{Encryption, Tls, TlsFault};
use crate::visitor::Role;
use crate::{App, Source, changes, heavy, hsts, login, noted, private_file, security, tls};
use rasadmin_text::{printable, printable_path};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How often it is asked whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How the dashboard is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address and the port. Port 0 is any that is free.
    pub listen: SocketAddr,
    /// More names that browsers use for it, as in [`Served`].
    pub names: Vec<String>,
    /// The encryption, if there is one.
    pub tls: Option<Tls>,
    /// Whether an address that other computers reach may be served without TLS.
    pub insecure: bool,
    /// The file of the users.
    pub users: PathBuf,
    /// For whom a one-time link is made: the name, as the journal has it for a change. They are an operator.
    pub link_for: Option<String>,
    /// What clients may ask of the server.
    pub limits: Limits,
}

/// Why the dashboard is not served.
#[derive(Debug)]
pub enum NotServed {
    /// Other computers could read what is sent.
    WithoutTls(SocketAddr),
    /// The certificate cannot be used.
    Tls(TlsFault),
    /// This cannot be a host's name.
    Name(String),
    /// The file of the users cannot be used.
    Users(AccountsFault),
    /// The address cannot be used.
    Address(SocketAddr, io::Error),
    /// The system has no threads or no random numbers.
    System(String),
}

impl fmt::Display for NotServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithoutTls(listen) => write!(
                f,
                "{listen}: other computers reach this address, so the dashboard must be encrypted: use --tls-certificate \
                 and --tls-key with the files of a certificate, or --self-signed without one, or --insecure if you trust \
                 everyone in the network, because passwords can then be read on the way"
            ),
            Self::Tls(fault) => fault.fmt(f),
            Self::Name(name) => {
                write!(
                    f,
                    "`{}` is not the name of a host: give it as `name` or `name:port`, \
                     and with `https://` before it if a proxy encrypts",
                    printable(name)
                )
            }
            Self::Users(fault) => fault.fmt(f),
            Self::Address(listen, error) => {
                write!(
                    f,
                    "{listen}: the dashboard cannot be served there: {error}; choose another address with --listen"
                )
            }
            Self::System(why) => write!(f, "the dashboard cannot be served: {why}"),
        }
    }
}

impl std::error::Error for NotServed {}

/// What a person needs to look at the dashboard.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The address and the port.
    pub address: SocketAddr,
    /// The first page's address for a browser.
    pub page: String,
    /// The one-time link, if one was wanted.
    pub link: Option<String>,
    /// The SHA-256 fingerprint of the certificate, if there is one.
    pub fingerprint: Option<String>,
}

/// Serves the dashboard until `stop` says so, which is asked ten times a second. `ready` is called once.
///
/// # Errors
/// If it cannot begin.
pub fn serve(
    source: Source,
    options: Options,
    stop: impl Fn() -> bool,
    audit: Audit,
    ready: impl FnOnce(Ready),
) -> Result<(), NotServed> {
    if options.tls.is_none() && !options.insecure && !options.listen.ip().to_canonical().is_loopback() {
        return Err(NotServed::WithoutTls(options.listen));
    }
    if let Some(name) = options.names.iter().find(|name| !is_name(host_of(name))) {
        return Err(NotServed::Name(name.clone()));
    }
    let accounts = Accounts::new(&options.users);
    // With a link, somebody can log in even so.
    if options.link_for.is_none() {
        accounts.check().map_err(NotServed::Users)?;
    }
    if let Some(who) = private_file::reader(&options.users) {
        let (file, remedy) = (printable_path(&options.users), rasadmin_rights::private_remedy(&options.users));
        audit(&format!("warning: {file}: the hashes of the users' passwords are not private: {who}; {remedy}"));
    }
    let encrypted =
        |tls| Encryption::new(tls, &options.names, options.listen.ip(), audit.clone()).map_err(NotServed::Tls);
    let encryption = options.tls.map(encrypted).transpose()?.map(Arc::new);
    let system = |error: &dyn fmt::Display| NotServed::System(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .thread_name("dashboard")
        // A panic in a page ends that page, and not this process.
        .on_thread_start(rasadmin_service::works_for_duty)
        .build()
        .map_err(|e| system(&e))?;
    let served = runtime.block_on(async {
        let listener =
            TcpListener::bind(options.listen).await.map_err(|error| NotServed::Address(options.listen, error))?;
        let address = listener.local_addr().map_err(|error| NotServed::Address(options.listen, error))?;
        let mut served = Served { listen: address, names: options.names, secure: encryption.is_some() };
        let page = page(&served, encryption.as_deref());
        // With TLS, no other site's name can lead here. This one is in a self-signed certificate.
        served.names.extend(served.secure.then(tls::computer).flatten());
        let gate = Arc::new(Gate::new(served.clone(), accounts, options.limits.request, audit));
        let key = options.link_for.map(|name| gate.visits.link(name, Role::Operator, Instant::now())).transpose();
        let link = key.map_err(|e| system(&e))?.map(|key| format!("{page}open?key={key}"));
        let (stopping, stopped) = watch::channel(false);
        let app = Arc::new(App { source, events: Arc::new(Events::new(stopped.clone())) });
        begin_early(&app, stopped.clone());
        let changes = changes::routes(app.clone(), gate.clone());
        let mut routes = security::protect(
            noted::write_down(app.routes(), gate.clone()).merge(login::routes(gate.clone())).merge(changes),
            gate,
        );
        if encryption.as_ref().is_some_and(|encryption| encryption.is_of_files()) {
            routes = hsts::remember(routes);
        }
        let fingerprint = encryption.as_ref().map(|encryption| encryption.fingerprint());
        let serving = Serving { routes, limits: options.limits, encryption, served };
        let serving = tokio::spawn(connections::accept(listener, serving, stopped));
        ready(Ready { address, page, link, fingerprint });
        while !stop() {
            tokio::time::sleep(LOOK).await;
        }
        let _ = stopping.send(true); // If nobody listens, it has stopped.
        serving.await.map_err(|e| system(&e))
    });
    // A page that still waits for the disk does not keep this process.
    runtime.shutdown_timeout(Duration::from_millis(500));
    served
}

/// Makes what takes long before somebody asks for it. Without a thread, the first visitor waits.
fn begin_early(app: &Arc<App>, stopped: watch::Receiver<bool>) {
    let app = app.clone();
    let work = move || {
        rasadmin_service::works_for_duty();
        heavy::warm(&app, || *stopped.borrow());
    };
    let _ = std::thread::Builder::new().name("early".to_owned()).spawn(work);
}

/// The first page's address for a browser. A certificate from files is for a name: the first that is known.
fn page(served: &Served, encryption: Option<&Encryption>) -> String {
    let scheme = if served.secure { "https" } else { "http" };
    let name = served.names.first().filter(|_| encryption.is_some_and(Encryption::is_of_files));
    match name {
        Some(name) if host_of(name).contains(':') => format!("{scheme}://{}/", host_of(name)),
        Some(name) => format!("{scheme}://{}:{}/", host_of(name), served.listen.port()),
        None => format!("{scheme}://{}/", shown(served.listen)),
    }
}

/// The address for a browser on this computer.
fn shown(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

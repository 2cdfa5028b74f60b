//! `rasadmin serve`.

#[cfg(windows)]
mod as_service;

use crate::commands::dashboard;
use crate::context::{ContextArguments, absolute};
use crate::error::{CommandError, Exit, Kind, Result};
use crate::{interrupt, output, times, warning};
use clap::Args;
use rasadmin_policy::config::{Dashboard, Encryption};
use rasadmin_system::places;
use rasadmin_web::server::{self, NotServed, Options, Ready};
use rasadmin_web::tls::Tls;
use rasadmin_web::{Limits, Source, accounts};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Serve the dashboard for a browser, until Ctrl-C
///
/// Its pages show what the ledger and the configuration have, and what the rasadmin service knows. Running it
/// lets others see the ledger, so every visitor proves who they are: with a one-time link, or with a name and a
/// password of `rasadmin dashboard user add`.
///
/// What no option says is in the table [dashboard] of the configuration. A change of it needs a restart of this command.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin serve --open
  rasadmin serve --listen 127.0.0.1:9000 --name vpn1.example.com
  rasadmin serve --listen 0.0.0.0:8600 --self-signed
  rasadmin serve --listen 0.0.0.0:8600 --tls-certificate a.pem --tls-key a.key

Exit codes: 0 it was asked to stop; 2 it could not be served.")]
pub struct Arguments {
    /// The address and the port. Port 0 is any that is free [default: that of the configuration, else 127.0.0.1:8600]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Print a link that lets in one browser, once, within 5 minutes, as an operator
    #[arg(long)]
    open: bool,
    /// Encrypt with this certificate: a PEM file with the server's certificate, then those of its issuers
    ///
    /// The file and that of the key are read again when they change.
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with_all = ["self_signed", "insecure"])]
    tls_certificate: Option<PathBuf>,
    /// The private key of the certificate: a PEM file with PKCS#8, SEC1 or RSA, without a password
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Encrypt with a certificate that the command makes for itself, and keeps beside the users' file
    ///
    /// Browsers warn about it. Compare the fingerprint that they show with the one that the command prints.
    #[arg(long, conflicts_with = "insecure")]
    self_signed: bool,
    /// Serve an address that other computers reach, without encryption: passwords can be read on the way
    #[arg(long)]
    insecure: bool,
    /// Another name by which browsers find the dashboard, such as that of a proxy in front. Can be repeated
    ///
    /// If the proxy encrypts, write https:// before its name.
    #[arg(long, value_name = "HOST")]
    name: Vec<String>,
    /// Use this configuration instead of the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read the users from this file [default: that of the configuration, else dashboard-users.toml beside it]
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// The Service Control Manager starts it like this
    #[cfg(windows)]
    #[arg(long, hide = true, conflicts_with = "open")]
    as_service: bool,
}

impl Arguments {
    /// Whether the Service Control Manager has started this process.
    const fn is_service(&self) -> bool {
        #[cfg(windows)]
        return self.as_service;
        #[cfg(not(windows))]
        false
    }
}

/// The file of the self-signed certificate.
const SELF_SIGNED: &str = "dashboard-self-signed.pem";

/// Where a line of text goes.
type Lines = Arc<dyn Fn(&str) + Send + Sync>;

pub fn run(arguments: Arguments) -> Result {
    let file = ContextArguments { config: arguments.config.clone(), ..ContextArguments::default() }.file()?;
    #[cfg(windows)]
    if arguments.as_service {
        return as_service::run(arguments, file);
    }
    interrupt::catch();
    let lines: Lines = Arc::new(|line: &str| output::line(format_args!("{line}")));
    serve(&arguments, &file, interrupt::came, &lines, &|| ())?;
    Ok(Exit::Success)
}

/// Serves until `stop` says so. `ready` is called when browsers can connect.
fn serve(arguments: &Arguments, file: &Path, stop: impl Fn() -> bool, lines: &Lines, ready: &dyn Fn()) -> Result<()> {
    let source = Source::open(file, &places::server_name())?;
    let options = options(arguments, file, &source.config().dashboard)?;
    let zone = source.config().zone.clone();
    let (listen, is_self_signed) = (options.listen, matches!(options.tls, Some(Tls::SelfSigned { .. })));
    if options.insecure && !listen.ip().to_canonical().is_loopback() {
        warning!("{listen}: nothing is encrypted: anyone on the way can read passwords and take over a visit");
    }
    if !arguments.open && accounts::list(&options.users).is_ok_and(|all| all.is_empty()) {
        let has_tokens = accounts::tokens::list(&options.users).is_ok_and(|all| !all.is_empty());
        let who = if has_tokens { "only programs with a token are answered, and no person" } else { "nobody" };
        warning!("{who} can log in: add a user with `rasadmin dashboard user add`, or use --open");
    }
    let audit = Arc::new({
        let lines = lines.clone();
        move |line: &str| lines(&format!("{}  {line}", times::show(times::now(), &zone)))
    });
    server::serve(source, options, stop, audit, |Ready { page, link, fingerprint, .. }| {
        lines(&format!("the dashboard is at {page} (Ctrl-C ends it)"));
        if let Some(link) = link {
            lines(&format!("for one browser, once, within 5 minutes: {link}"));
        }
        if let Some(fingerprint) = fingerprint {
            lines(&format!("the certificate's SHA-256 fingerprint is {fingerprint}"));
            if is_self_signed {
                lines("browsers warn that they do not know the certificate: compare the fingerprint that they show");
            }
        }
        ready();
    })
    .map_err(not_served)
}

/// The folder of what the service itself writes. Beside the configuration, it may write nothing.
pub fn own_folder(config: &Path) -> PathBuf {
    config.with_file_name("rasadmin-net")
}

/// The options of the command, and for the others what the configuration says.
fn options(arguments: &Arguments, file: &Path, configured: &Dashboard) -> Result<Options> {
    let users = arguments.users.as_deref().map(absolute).transpose()?.unwrap_or_else(|| configured.users.clone());
    let beside =
        if arguments.is_service() { own_folder(file).join(SELF_SIGNED) } else { users.with_file_name(SELF_SIGNED) };
    let self_signed = || Tls::SelfSigned { file: beside.clone() };
    let (tls, insecure) = match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            (Some(Tls::Files { certificate: absolute(certificate)?, key: absolute(key)? }), false)
        }
        _ if arguments.self_signed => (Some(self_signed()), false),
        _ if arguments.insecure => (None, true),
        _ => match configured.encryption.clone() {
            Encryption::None => (None, false),
            Encryption::Files { certificate, key } => (Some(Tls::Files { certificate, key }), false),
            Encryption::SelfSigned => (Some(self_signed()), false),
            Encryption::Insecure => (None, true),
        },
    };
    let names = if arguments.name.is_empty() { &configured.names } else { &arguments.name };
    let account = || rasadmin_rights::account_name().unwrap_or_else(|| "administrator".to_owned());
    Ok(Options {
        listen: arguments.listen.unwrap_or(configured.listen),
        names: names.clone(),
        link_for: arguments.open.then(account),
        limits: Limits::default(),
        tls,
        insecure,
        users,
    })
}

fn not_served(why: NotServed) -> CommandError {
    match why {
        NotServed::WithoutTls(_) | NotServed::Name(_) => CommandError::usage(why),
        NotServed::Tls(_) => CommandError::new(Kind::File, why),
        NotServed::Users(fault) => dashboard::failed(fault),
        NotServed::Address(..) | NotServed::System(_) => CommandError::new(Kind::System, why),
    }
}

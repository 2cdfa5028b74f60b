//! Shows what RRAS lists, as JSON, to try the real calls on a server (docs/field-test.md).
//!
//! `rras look` lists the instance, the connections and their ports. `rras disconnect PORT` reads the port and its
//! connection again, shows them, and disconnects the port with this handle. `rras disconnect-unread PORT` reads nothing
//! before, to see what RRAS answers for a port that does not exist any more. On systems without RRAS, the environment
//! variable `RRAS_SOCKET` names a Unix socket where another program answers for it.

use rasadmin_rras::{PortHandle, Rras, Watched};
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["look"] => rras().and_then(|rras| look(&rras)),
        ["disconnect", port] => rras().and_then(|rras| disconnect(&rras, PortHandle(port.parse()?))),
        ["disconnect-unread", port] => rras().and_then(|rras| disconnect_unread(&rras, PortHandle(port.parse()?))),
        _ => Err("write `rras look`, `rras disconnect PORT` or `rras disconnect-unread PORT`".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(windows)]
fn rras() -> Result<Watched, Box<dyn Error>> {
    Ok(Watched::new(rasadmin_rras::Mprapi::system()?, DEADLINE)?)
}

#[cfg(unix)]
fn rras() -> Result<Watched, Box<dyn Error>> {
    let address = std::env::var_os("RRAS_SOCKET").ok_or("RRAS_SOCKET does not name a socket")?;
    let address = rasadmin_rras::socket::Address::read(address.as_ref())?;
    Ok(Watched::new(rasadmin_rras::Socket::new(address), DEADLINE)?)
}

fn look(rras: &dyn Rras) -> Result<(), Box<dyn Error>> {
    println!("instance {}", serde_json::to_string(&rras.instance()?)?);
    let began = Instant::now();
    let connections = rras.connections()?;
    println!("{} connections, listed in {} ms", connections.len(), began.elapsed().as_millis());
    for listed in &connections {
        println!("connection {}", serde_json::to_string(listed)?);
        // A client may disconnect after the list was read; the others are still of interest.
        match rras.connection(listed.handle) {
            Ok(again) => {
                let same = again.guid == listed.guid && again.user == listed.user;
                println!("    read again: {}", if same { "the same GUID and user" } else { "another GUID or user" });
            }
            Err(error) => println!("    read again: {error}"),
        }
        match rras.ports(listed.handle) {
            Ok(ports) => {
                for port in ports {
                    println!("    port {}", serde_json::to_string(&port)?);
                }
            }
            Err(error) => println!("    ports: {error}"),
        }
    }
    Ok(())
}

fn disconnect(rras: &dyn Rras, handle: PortHandle) -> Result<(), Box<dyn Error>> {
    let port = rras.port(handle)?;
    println!("port {}", serde_json::to_string(&port)?);
    println!("connection {}", serde_json::to_string(&rras.connection(port.connection)?)?);
    disconnect_unread(rras, handle)
}

fn disconnect_unread(rras: &dyn Rras, handle: PortHandle) -> Result<(), Box<dyn Error>> {
    rras.disconnect(handle)?;
    println!("disconnected");
    Ok(())
}

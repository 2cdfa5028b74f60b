//! A scripted RRAS in this process, which other processes ask on a port.

use rasadmin_rras::socket::{self, Address, Listener};
use rasadmin_rras::{Rras, Scripted};
use std::path::PathBuf;
use std::sync::Arc;

/// Answers until the process ends. The result is for `--rras`.
pub fn serve(rras: &Scripted) -> PathBuf {
    let any = Address::Port(([127, 0, 0, 1], 0).into());
    let (listener, answers): (_, Arc<dyn Rras>) = (Listener::bind(&any).unwrap(), Arc::new(rras.clone()));
    let address = listener.address().unwrap().to_string();
    std::thread::spawn(move || socket::serve(&listener, &answers));
    address.into()
}

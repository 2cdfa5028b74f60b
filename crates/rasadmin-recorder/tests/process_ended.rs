//! One process of an instance is killed while another keeps running: the next process that joins closes its sessions.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::ClosedBy;
use rasadmin_engine::{Name, Tunnel::Sstp};
use rasadmin_messages::Id;
use rasadmin_recorder::{Recorder, Verdict};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use support::With;
use support::log::{exactly, messages};

/// The environment variable that names the other process's folder.
const CHILD: &str = "RASADMIN_PROCESS_ENDED";

const CONFIG: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.9"]
"#;

fn start(folder: &Path) -> Recorder {
    Recorder::start(support::config(folder, CONFIG), &Name::new("VPN1"), support::system())
}

fn begin(recorder: &Recorder, handle: u64, port: &str) -> String {
    let user = format!("user{handle}");
    let given = support::ipv4(recorder.assign(&support::address(&user, port, ""), support::system())).unwrap();
    let event = support::connection(handle, &user).with(|e| e.addresses = vec![support::number(&given)]);
    assert_eq!(recorder.accept_connection(&event, support::system()), Verdict::Accept);
    assert_eq!(recorder.accept_link(&support::link(handle, port, Sstp), support::system()), Verdict::Accept);
    given
}

fn live(recorder: &Recorder) -> Vec<u64> {
    let mut live: Vec<u64> = recorder.look(|state| state.live().map(|session| session.handle).collect());
    live.sort_unstable();
    live
}

/// The other process is this test, run once more.
#[test]
fn the_next_that_joins_closes_its_sessions_and_keeps_their_leases() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let recorder = start(Path::new(&folder));
        println!("\ngiven {}", begin(&recorder, 1, "VPN2-1"));
        let _ = std::io::stdin().read_line(&mut String::new());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path());
    begin(&first, 2, "VPN2-2");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_next_that_joins_closes_its_sessions_and_keeps_their_leases", "--nocapture"]);
    let mut child = command.env(CHILD, folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let given = lines.find_map(|line| line.strip_prefix("given ").map(str::to_owned)).unwrap();
    // While it lives, who joins closes nothing.
    messages();
    start(folder.path()).leave();
    begin(&first, 3, "VPN2-3");
    assert_eq!(live(&first), [1, 2, 3]);
    child.kill().unwrap();
    child.wait().unwrap();
    begin(&first, 4, "VPN2-4");
    assert_eq!(live(&first), [1, 2, 3, 4], "nobody has joined since");
    messages();
    let next = start(folder.path());
    assert_eq!(live(&next), [2, 3, 4]);
    assert!(exactly(&[Id::ProcessClosed])[0].ends_with("sessions 1"));
    let records = support::records(&next.folder());
    let ended: Vec<_> = records.iter().flat_map(|record| record.ended()).map(|ended| ended.by).collect();
    assert_eq!(ended, [ClosedBy::ProcessEnded]);
    // Its client may be online: the address is held until it is released.
    let address = support::number(&given);
    assert!(next.look(|state| state.lease_at(address).is_some()));
    // It is, and the session is opened again. Who joins now does not close it once more.
    next.reauthenticate(&support::connection(1, "user1"), support::system());
    let last = start(folder.path());
    begin(&first, 5, "VPN2-5");
    assert_eq!((live(&first), live(&last)), (vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4]));
    exactly(&[]);
    next.hangup(&support::connection(1, "user1"), support::system());
    next.release(&support::release("user1", "VPN2-1", &given), support::system());
    assert!(next.look(|state| state.lease_at(address).is_none()));
}

//! The product under a host written in C, so that the ABI is not proved by Rust alone. It is a Windows program.
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

const EXPECTED: &str = "\
MprAdminInitializeDllEx 0
revision 2
pointers 111111111110
PPP session
  GetIpAddressForUser 0: 10.8.0.5 notify 1
  GetIpv6AddressForUser 0: 00000000000000002a00000000000005 notify 1
  AcceptNewConnectionEx 1
  AcceptNewLink 1
  AcceptReauthenticationEx 1
  hangups and releases
IKEv2 session
  GetIpAddressForUser 0: 10.8.0.5 notify 1
  GetIpv6AddressForUser 0: 00000000000000002a00000000000005 notify 1
  AcceptNewConnectionEx 1
  AcceptNewLink 1
  AcceptReauthenticationEx 1
  AcceptTunnelEndpointChangeEx 1
  hangups and releases
MprAdminAcceptNewConnection 1
MprAdminAcceptNewConnection2 1
MprAdminAcceptNewConnection3 1
MprAdminAcceptReauthentication 1
with null 0
TerminateDll 0
AcceptNewConnectionEx after terminate 0
FreeLibrary 1
gone 1
";

#[test]
fn a_host_in_c_sees_what_the_contract_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let fixtures = std::env::var_os("RASADMIN_FIXTURES").map_or(root.join("target/fixtures"), PathBuf::from);
    let test = std::env::current_exe().unwrap();
    let dll = test.ancestors().nth(2).unwrap().join("rasadmin.dll");
    let log = tempfile::tempdir().unwrap();
    let config = log.path().join("rasadmin.toml");
    std::fs::write(&config, "default.action = \"allow\"\n").unwrap();
    let mut command = Command::new(fixtures.join("windows").join("chost.exe"));
    let output = command
        .arg(dll)
        .env("RASADMIN_CONFIG", config)
        .env("RASADMIN_LOG", log.path().join("rasadmin.log"))
        .env("RASADMIN_SYSTEM_LOG", "off")
        .output();
    let output = output.unwrap_or_else(|e| panic!("chost.exe: {e}: run `cargo xtask fixtures`"));
    let text = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    assert_eq!(text, EXPECTED, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    let log = std::fs::read_to_string(log.path().join("rasadmin.log")).unwrap();
    assert!(log.contains(r#"connection accepted about=("CORP\alice", "LAPTOP-7""#), "{log}");
    assert!(log.contains(r#"link accepted about=("VPN0-1", "WAN Miniport (IKEv2)""#), "{log}");
}

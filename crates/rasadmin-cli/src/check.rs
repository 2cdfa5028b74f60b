//! `rasadmin check`: placeholder until the library is there.
use clap::Args;

#[derive(Args)]
pub struct Arguments {}
#[derive(Args)]
pub struct ChildArguments {}
pub fn check(_: Arguments) -> Result<u8, String> {
    Ok(0)
}
pub fn child(_: ChildArguments) -> u8 {
    0
}

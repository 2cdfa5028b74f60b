//! A client that asks to connect without PPP authentication.

use crate::wide::WideStr;
use mprapi::abi::AUTH_VALIDATION_EX;

/// An SSTP client that asks to connect without PPP authentication.
#[derive(Clone)]
pub struct PreAuthentication {
    fixed: AUTH_VALIDATION_EX,
    auth_info: Vec<u8>,
}

impl PreAuthentication {
    pub(crate) fn new(fixed: AUTH_VALIDATION_EX, auth_info: Vec<u8>) -> Self {
        Self { fixed, auth_info }
    }

    /// hRasConnection.
    pub fn handle(&self) -> u64 {
        self.fixed.hRasConnection.addr() as u64
    }

    /// The user's name.
    pub fn user(&self) -> WideStr<'_> {
        WideStr::from_array(&self.fixed.wszUserName)
    }

    /// The domain.
    pub fn logon_domain(&self) -> WideStr<'_> {
        WideStr::from_array(&self.fixed.wszLogonDomain)
    }

    /// AuthInfo: undocumented bytes about the client's authentication.
    pub fn auth_info(&self) -> &[u8] {
        &self.auth_info
    }
}

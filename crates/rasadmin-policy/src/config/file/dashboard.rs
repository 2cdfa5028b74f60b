//! `[dashboard]`: how the dashboard is served.

use super::At;
use serde::Deserialize;

/// The dashboard, which `rasadmin serve` serves; its options count for more than this table. If other computers reach the
/// address, exactly one of `certificate` with `key`, `self_signed` and `insecure` is needed.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// The address and the port: `127.0.0.1:8600`, which is the default.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub listen: Option<At<String>>,
    /// More names by which browsers find it, with a port or without. With `https://` before it, it is the name of a proxy
    /// in front that encrypts.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub names: Vec<At<String>>,
    /// A PEM file with the server's certificate, then those of its issuers. The path is relative to this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub certificate: Option<At<String>>,
    /// A PEM file with the certificate's private key. The path is relative to this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub key: Option<At<String>>,
    /// Is it encrypted with a certificate that it makes for itself? Default: false.
    #[cfg_attr(test, schemars(with = "Option<bool>"))]
    pub self_signed: Option<At<bool>>,
    /// May other computers reach it without encryption? Default: false. With true, passwords can be read on the way.
    #[cfg_attr(test, schemars(with = "Option<bool>"))]
    pub insecure: Option<At<bool>>,
    /// The file of its users. The path is relative to this file. Default: `dashboard-users.toml` beside this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub users: Option<At<String>>,
}

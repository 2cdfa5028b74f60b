//! Reads and writes `HKLM\SOFTWARE\Microsoft\RAS\AdminDll`. On systems without RRAS every operation fails.

use crate::registration::Value;
use std::fmt;

pub use rasadmin_host::registry::{KEY, VALUE as DLL_PATH};

/// The other value of the key: a name to display.
pub const DISPLAY_NAME: &str = "DisplayName";

/// The product's own key, below the same root. Its value ConfigPath names the configuration.
pub const OWN_KEY: &str = r"SOFTWARE\rasadmin";
/// The value that names the configuration.
pub const CONFIG_PATH: &str = "ConfigPath";

/// The key of the Event Log source, below the same root. Its value EventMessageFile names the DLL with the texts.
pub const EVENT_SOURCE: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application\rasadmin";

/// The key of the system's environment, below the same root.
pub const ENVIRONMENT: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment";
/// The value with the folders in which shells look for programs.
pub const PATH: &str = "Path";

/// The values in these keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registered {
    /// DllPath; None if it is missing.
    pub dll_path: Option<Value>,
    /// DisplayName; None if it is missing. A value that is not a text counts as another vendor's.
    pub display_name: Option<String>,
    /// ConfigPath of the product's own key; None if it is missing or empty.
    pub config_path: Option<String>,
    /// The DLL in which the Event Viewer looks up the texts; None if it is missing.
    pub event_source: Option<String>,
}

/// A failure to read or write the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFault(String);

impl fmt::Display for RegistryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegistryFault {}

/// The key on this system.
#[cfg(windows)]
#[derive(Debug)]
pub struct Registry {
    root: winreg::RegKey,
    path: String,
    own: String,
    events: String,
    environment: String,
    shown: String,
}

#[cfg(windows)]
mod windows {
    use super::{
        CONFIG_PATH, DISPLAY_NAME, DLL_PATH, ENVIRONMENT, EVENT_SOURCE, KEY, OWN_KEY, PATH, Registered, Registry,
        RegistryFault,
    };
    use crate::registration::{Kind, Value};
    use std::io::{self, ErrorKind};
    use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, REG_EXPAND_SZ, REG_SZ};
    use winreg::{RegKey, RegValue};

    const MESSAGE_FILE: &str = "EventMessageFile";

    impl Registry {
        /// RRAS's own key; or, for tests, the same path below a key of HKEY_CURRENT_USER.
        ///
        /// # Errors
        /// On a system without RRAS.
        pub fn open(instead: Option<&str>) -> Result<Self, RegistryFault> {
            Ok(match instead {
                None => Self {
                    root: RegKey::predef(HKEY_LOCAL_MACHINE),
                    path: KEY.into(),
                    own: OWN_KEY.into(),
                    events: EVENT_SOURCE.into(),
                    environment: ENVIRONMENT.into(),
                    shown: format!(r"HKLM\{KEY}"),
                },
                Some(folder) => Self {
                    root: RegKey::predef(HKEY_CURRENT_USER),
                    path: format!(r"{folder}\{KEY}"),
                    own: format!(r"{folder}\{OWN_KEY}"),
                    events: format!(r"{folder}\{EVENT_SOURCE}"),
                    environment: format!(r"{folder}\{ENVIRONMENT}"),
                    shown: format!(r"HKCU\{folder}\{KEY}"),
                },
            })
        }

        /// The key, as text for messages.
        pub fn shown(&self) -> &str {
            &self.shown
        }

        fn fault(&self, value: &str, what: impl std::fmt::Display) -> RegistryFault {
            RegistryFault(format!("{}, value {value}: {what}", self.shown))
        }

        fn cannot(&self, value: &str, verb: &str, e: &io::Error) -> RegistryFault {
            match e.kind() {
                ErrorKind::PermissionDenied => {
                    self.fault(value, format!("it cannot be {verb}: access is denied; run this as an administrator"))
                }
                _ => self.fault(value, format!("it cannot be {verb}: {e}")),
            }
        }

        /// Reads the values.
        ///
        /// # Errors
        /// If a value cannot be read, or DllPath has a type that RRAS does not read or that cannot be preserved.
        pub fn read(&self) -> Result<Registered, RegistryFault> {
            let own = self.root.open_subkey(&self.own).and_then(|key| key.get_value::<String, _>(CONFIG_PATH));
            let config_path = own.ok().filter(|path| !path.is_empty());
            let events = self.root.open_subkey(&self.events).and_then(|key| key.get_value::<String, _>(MESSAGE_FILE));
            let event_source = events.ok();
            let key = match self.root.open_subkey(&self.path) {
                Ok(key) => key,
                Err(e) if e.kind() == ErrorKind::NotFound => {
                    return Ok(Registered { config_path, event_source, ..Registered::default() });
                }
                Err(e) => return Err(self.cannot(DLL_PATH, "read", &e)),
            };
            let value = |name: &str| match key.get_raw_value(name) {
                Ok(value) => Ok(Some(value)),
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
                Err(e) => Err(self.cannot(name, "read", &e)),
            };
            let dll_path = value(DLL_PATH)?.map(|value| self.dll_path(&value)).transpose()?;
            let display_name = value(DISPLAY_NAME)?.map(|value| match value.vtype {
                REG_SZ | REG_EXPAND_SZ => text(&value.bytes).unwrap_or_default(),
                _ => String::new(),
            });
            Ok(Registered { dll_path, display_name, config_path, event_source })
        }

        fn dll_path(&self, value: &RegValue<'_>) -> Result<Value, RegistryFault> {
            let kind = match value.vtype {
                REG_SZ => Kind::Sz,
                REG_EXPAND_SZ => Kind::ExpandSz,
                _ => {
                    let what = "it must be REG_SZ or REG_EXPAND_SZ: with any other type RRAS does not start (error \
                                1015); rewrite it with regedit";
                    return Err(self.fault(DLL_PATH, what));
                }
            };
            let text = text(&value.bytes).ok_or_else(|| {
                let what = "it has text after its terminator, or text that is not valid UTF-16, which cannot be preserved; \
                            rewrite it with regedit";
                self.fault(DLL_PATH, what)
            })?;
            Ok(Value { kind, text })
        }

        /// Writes DllPath, or removes it.
        ///
        /// # Errors
        /// If it cannot be written.
        pub fn set_dll_path(&self, value: Option<&Value>) -> Result<(), RegistryFault> {
            self.set(&self.path, DLL_PATH, value.map(raw))
        }

        /// Writes DisplayName, or removes it.
        ///
        /// # Errors
        /// If it cannot be written.
        pub fn set_display_name(&self, name: Option<&str>) -> Result<(), RegistryFault> {
            self.set(&self.path, DISPLAY_NAME, name.map(sz))
        }

        /// Writes ConfigPath, or removes it.
        ///
        /// # Errors
        /// If it cannot be written.
        pub fn set_config_path(&self, path: Option<&str>) -> Result<(), RegistryFault> {
            self.set(&self.own, CONFIG_PATH, path.map(sz))
        }

        /// Sets the DLL with the texts of the Event Log source, or removes the source. Events that were written stay,
        /// and are then shown without their text.
        ///
        /// # Errors
        /// If it cannot be written.
        pub fn set_event_source(&self, dll: Option<&str>) -> Result<(), RegistryFault> {
            let done = match dll {
                Some(dll) => self.write_event_source(dll),
                None => match self.root.delete_subkey_all(&self.events) {
                    Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
                    done => done,
                },
            };
            done.map_err(|e| {
                let what = match e.kind() {
                    ErrorKind::PermissionDenied => "access is denied; run this as an administrator".to_owned(),
                    _ => e.to_string(),
                };
                RegistryFault(format!("the Event Log's source {EVENT_SOURCE} cannot be changed: {what}"))
            })
        }

        /// Reads the system's PATH; None if there is none.
        ///
        /// # Errors
        /// If it cannot be read, or is not a text.
        pub fn search_path(&self) -> Result<Option<Value>, RegistryFault> {
            let fault = |what: String| RegistryFault(format!("the system's PATH ({ENVIRONMENT}) {what}"));
            let key = self.root.open_subkey(&self.environment);
            let value = match key.and_then(|key| key.get_raw_value(PATH)) {
                Ok(value) => value,
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(fault(format!("cannot be read: {e}"))),
            };
            let kind = match value.vtype {
                REG_SZ => Some(Kind::Sz),
                REG_EXPAND_SZ => Some(Kind::ExpandSz),
                _ => None,
            };
            let value = kind.zip(text(&value.bytes)).map(|(kind, text)| Value { kind, text });
            value.map(Some).ok_or_else(|| fault("is not a text, so it was left alone".into()))
        }

        /// Writes the system's PATH, or removes it.
        ///
        /// # Errors
        /// If it cannot be written.
        pub fn set_search_path(&self, value: Option<&Value>) -> Result<(), RegistryFault> {
            let written = self.root.create_subkey(&self.environment).and_then(|(key, _)| match value {
                Some(value) => key.set_raw_value(PATH, &raw(value)),
                None => key.delete_value(PATH),
            });
            written.map_err(|e| RegistryFault(format!("the system's PATH ({ENVIRONMENT}) cannot be written: {e}")))
        }

        fn write_event_source(&self, dll: &str) -> io::Result<()> {
            let (key, _) = self.root.create_subkey(&self.events)?;
            let file = Value { kind: Kind::ExpandSz, text: dll.to_owned() };
            key.set_raw_value(MESSAGE_FILE, &raw(&file))?;
            // Errors, warnings, information.
            key.set_value("TypesSupported", &7_u32)
        }

        /// Checks that the key can be written, without changing anything.
        ///
        /// # Errors
        /// If it cannot.
        pub fn may_write(&self) -> Result<(), RegistryFault> {
            let mut path = self.path.as_str();
            loop {
                let access = winreg::enums::KEY_SET_VALUE | winreg::enums::KEY_CREATE_SUB_KEY;
                match self.root.open_subkey_with_flags(path, access) {
                    Ok(_) => return Ok(()),
                    Err(e) if e.kind() == ErrorKind::NotFound => match path.rsplit_once('\\') {
                        Some((parent, _)) => path = parent,
                        None => return Ok(()),
                    },
                    Err(e) => return Err(self.cannot(DLL_PATH, "written", &e)),
                }
            }
        }

        fn set(&self, path: &str, name: &str, to: Option<RegValue<'_>>) -> Result<(), RegistryFault> {
            let (key, _) = self.root.create_subkey(path).map_err(|e| self.cannot(name, "written", &e))?;
            let verb = if to.is_some() { "written" } else { "removed" };
            let done = match to {
                Some(value) => key.set_raw_value(name, &value),
                None => match key.delete_value(name) {
                    Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
                    done => done,
                },
            };
            done.map_err(|e| self.cannot(name, verb, &e))
        }
    }

    fn raw(value: &Value) -> RegValue<'static> {
        let vtype = match value.kind {
            Kind::Sz => REG_SZ,
            Kind::ExpandSz => REG_EXPAND_SZ,
        };
        let bytes: Vec<u8> = value.text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        RegValue { bytes: bytes.into(), vtype }
    }

    fn sz(text: &str) -> RegValue<'static> {
        raw(&Value { kind: Kind::Sz, text: text.to_owned() })
    }

    /// The text up to the terminator; None if more follows it, or it is not valid UTF-16.
    fn text(bytes: &[u8]) -> Option<String> {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let end = units.iter().position(|&unit| unit == 0).unwrap_or(units.len());
        let (text, behind) = units.split_at(end);
        let whole = bytes.len().is_multiple_of(2) && behind.iter().all(|&unit| unit == 0);
        String::from_utf16(text).ok().filter(|_| whole)
    }
}

/// The key does not exist on this system, so there is no value of this type.
#[cfg(not(windows))]
#[derive(Debug)]
pub struct Registry(std::convert::Infallible);

#[cfg(not(windows))]
#[allow(missing_docs, clippy::missing_errors_doc)]
impl Registry {
    /// # Errors
    /// Always, because there is no RRAS on this system.
    pub fn open(_: Option<&str>) -> Result<Self, RegistryFault> {
        Err(RegistryFault("there is no Routing and Remote Access on this system".into()))
    }

    pub fn shown(&self) -> &str {
        match self.0 {}
    }

    pub fn read(&self) -> Result<Registered, RegistryFault> {
        match self.0 {}
    }

    pub fn set_dll_path(&self, _: Option<&Value>) -> Result<(), RegistryFault> {
        match self.0 {}
    }

    pub fn set_display_name(&self, _: Option<&str>) -> Result<(), RegistryFault> {
        match self.0 {}
    }

    pub fn set_config_path(&self, _: Option<&str>) -> Result<(), RegistryFault> {
        match self.0 {}
    }

    pub fn set_event_source(&self, _: Option<&str>) -> Result<(), RegistryFault> {
        match self.0 {}
    }

    pub fn search_path(&self) -> Result<Option<Value>, RegistryFault> {
        match self.0 {}
    }

    pub fn set_search_path(&self, _: Option<&Value>) -> Result<(), RegistryFault> {
        match self.0 {}
    }

    pub fn may_write(&self) -> Result<(), RegistryFault> {
        match self.0 {}
    }
}

//! DLLs that the supported versions of Windows Server have in System32.

/// Without `.dll`, sorted.
const KNOWN: &[&str] = &[
    "activeds",
    "advapi32",
    "authz",
    "avrt",
    "bcrypt",
    "cabinet",
    "cfgmgr32",
    "clusapi",
    "combase",
    "comctl32",
    "comdlg32",
    "credui",
    "crypt32",
    "cryptbase",
    "cryptnet",
    "cryptui",
    "dbgeng",
    "dbghelp",
    "dhcpcsvc",
    "dhcpcsvc6",
    "dnsapi",
    "dsrole",
    "dwmapi",
    "esent",
    "fltlib",
    "fwpuclnt",
    "gdi32",
    "gpapi",
    "hid",
    "httpapi",
    "imagehlp",
    "imm32",
    "iphlpapi",
    "kerberos",
    "kernel32",
    "kernelbase",
    "ktmw32",
    "logoncli",
    "mpr",
    "mprapi",
    "mprmsg",
    "msasn1",
    "mscoree",
    "msi",
    "msvcp_win",
    "msvcrt",
    "mswsock",
    "msxml3",
    "msxml6",
    "ncrypt",
    "netapi32",
    "netutils",
    "newdev",
    "normaliz",
    "nsi",
    "ntdll",
    "ntdsapi",
    "odbc32",
    "ole32",
    "oleaut32",
    "pdh",
    "powrprof",
    "propsys",
    "psapi",
    "rasapi32",
    "rasman",
    "rpcrt4",
    "rsaenh",
    "rtutils",
    "samcli",
    "samlib",
    "schannel",
    "sechost",
    "secur32",
    "setupapi",
    "shell32",
    "shlwapi",
    "snmpapi",
    "srvcli",
    "sspicli",
    "sxs",
    "tapi32",
    "taskschd",
    "tbs",
    "tdh",
    "ucrtbase",
    "user32",
    "userenv",
    "uxtheme",
    "version",
    "virtdisk",
    "wer",
    "wevtapi",
    "wininet",
    "winhttp",
    "winmm",
    "winscard",
    "winspool",
    "winsta",
    "wintrust",
    "wldap32",
    "ws2_32",
    "wsock32",
    "wtsapi32",
    "xmllite",
];

/// Whether the library is a DLL of the system. The loader itself resolves the `api-ms-win-` names.
pub(super) fn is_system_dll(library: &str) -> bool {
    let library = library.to_ascii_lowercase();
    if library.starts_with("api-ms-win-") || library.starts_with("ext-ms-") {
        return true;
    }
    let name = library.strip_suffix(".dll").or_else(|| library.strip_suffix(".drv"));
    name.is_some_and(|name| KNOWN.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_dlls_are_recognised() {
        for library in ["KERNEL32.dll", "api-ms-win-crt-heap-l1-1-0.dll", "winspool.drv", "mprapi.dll"] {
            assert!(is_system_dll(library), "{library}");
        }
        for library in ["libgcc_s_seh-1.dll", "vcruntime140.dll", "kernel32", "vendor.dll", ""] {
            assert!(!is_system_dll(library), "{library}");
        }
    }
}

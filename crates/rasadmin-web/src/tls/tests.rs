#![allow(clippy::unwrap_used)]
use super::*;
use jiff::Span;
use rcgen::{CertificateParams, KeyPair};
use std::fs;

/// A folder with a certificate and its key.
fn issued() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let made = CertificateParams::new(vec!["vpn1.example".into()]).unwrap().self_signed(&key).unwrap();
    fs::write(folder.path().join("c"), self_signed::pem("CERTIFICATE", made.der())).unwrap();
    fs::write(folder.path().join("k"), self_signed::pem("PRIVATE KEY", key.serialized_der())).unwrap();
    folder
}

/// The fault of the two files.
fn fault(folder: &Path) -> String {
    let (certificate, key) = (folder.join("c"), folder.join("k"));
    let tls = Tls::Files { certificate: certificate.clone(), key: key.clone() };
    Pair::read(&certificate, &key).and_then(|pair| config(pair, &tls)).unwrap_err().to_string()
}

#[test]
fn each_fault_of_a_file_has_its_remedy() {
    let folder = issued();
    let (folder, c, k) = (folder.path(), folder.path().join("c"), folder.path().join("k"));
    let (certificate, key) = (fs::read(&c).unwrap(), fs::read(&k).unwrap());
    let text = String::from_utf8(key.clone()).unwrap();
    let unfinished = text.split("-----END").next().unwrap().as_bytes().to_vec();
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
                  -----END RSA PRIVATE KEY-----\n";
    for (at, bytes, part) in [
        (&c, vec![], "it is not a PEM file"),
        (&c, b"\x30\x82\x01\x02".to_vec(), "openssl pkcs12 -in FILE.pfx"),
        (&c, key.clone(), "no certificate is in it"),
        (&c, b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n".to_vec(), "is not base64"),
        (&c, self_signed::pem("CERTIFICATE", b"nonsense").into_bytes(), "they cannot be used"),
        (&k, b"\x30\x82\x01\x02".to_vec(), "it is not a PEM file"),
        (&k, certificate.clone(), "no private key is in it"),
        (&k, unfinished, "has no end"),
        (&k, text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY").into_bytes(), "openssl pkey -in FILE"),
        (&k, legacy.as_bytes().to_vec(), "is encrypted with a password"),
        (&k, self_signed::pem("PRIVATE KEY", b"nonsense").into_bytes(), "they cannot be used"),
        (&k, vec![b'x'; (1 << 20) + 1], "larger than 1 MiB"),
    ] {
        fs::write(at, bytes).unwrap();
        let text = fault(folder);
        assert!(text.contains(part), "{text}");
        assert!(text.starts_with(at.to_str().unwrap()) || text.contains("they cannot be used"), "{text}");
        fs::write(&c, &certificate).unwrap();
        fs::write(&k, &key).unwrap();
    }
    fs::write(&k, KeyPair::generate().map(|key| self_signed::pem("PRIVATE KEY", key.serialized_der())).unwrap())
        .unwrap();
    assert!(fault(folder).contains("does not belong to the first certificate"), "{}", fault(folder));
}

/// As `openssl ecparam -genkey` and `openssl genrsa -traditional` write them.
#[test]
fn keys_come_in_three_forms_and_files_with_a_mark_or_together() {
    let folder = issued();
    let (c, k) = (folder.path().join("c"), folder.path().join("k"));
    let together = [&b"\xEF\xBB\xBF"[..], &fs::read(&c).unwrap(), &fs::read(&k).unwrap()].concat();
    fs::write(&c, together).unwrap();
    let tls = Tls::Files { certificate: c.clone(), key: c.clone() };
    config(Pair::read(&c, &c).unwrap(), &tls).unwrap();
    for (form, is) in [("EC PRIVATE KEY", "Sec1"), ("RSA PRIVATE KEY", "Pkcs1"), ("PRIVATE KEY", "Pkcs8")] {
        fs::write(&k, self_signed::pem(form, b"any")).unwrap();
        let key = Pair::read(&c, &k).unwrap().key;
        let of = match key {
            rustls::pki_types::PrivateKeyDer::Sec1(_) => "Sec1",
            rustls::pki_types::PrivateKeyDer::Pkcs1(_) => "Pkcs1",
            rustls::pki_types::PrivateKeyDer::Pkcs8(_) => "Pkcs8",
            _ => "another",
        };
        assert_eq!(of, is);
    }
}

fn kept(file: &Path, names: &[&str], listen: &str, now: Timestamp) -> String {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    fingerprint(&self_signed::pair(file, &Hosts::new(&names, listen.parse().unwrap()), now).unwrap())
}

#[test]
fn a_self_signed_certificate_is_kept_until_a_month_before_its_end_or_another_name() {
    let folder = tempfile::tempdir().unwrap();
    // In a scratch folder only the owner matters: Wine lets everyone read every file.
    fs::write(folder.path().join(private::SCRATCH), "").unwrap();
    let file = folder.path().join("self-signed.pem");
    let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
    let first = kept(&file, &["vpn1.example:8443"], "0.0.0.0", now);
    let of = Pair::read(&file, &file).unwrap().chain.remove(0);
    assert_eq!(certificate::ends(&of), Some("2028-11-28T00:00:00Z".parse().unwrap()));
    for host in ["vpn1.example", "localhost", "127.0.0.1", "::1", rasadmin_system::places::server_name().as_str()] {
        assert!(certificate::is_for(&of, host), "{host}");
    }
    assert!(!certificate::is_for(&of, "vpn2.example"));
    let later = |days: i64| now.checked_add(Span::new().hours(24 * days)).unwrap();
    assert_eq!(kept(&file, &[], "127.0.0.1", later(600)), first);
    assert_eq!(kept(&file, &["VPN1.example"], "::", later(698)), first);
    let second = kept(&file, &["vpn1.example"], "0.0.0.0", later(700));
    assert_ne!(second, first);
    let third = kept(&file, &["vpn2.example"], "0.0.0.0", later(700));
    assert_ne!(third, second);
    let fourth = kept(&file, &["vpn2.example"], "10.0.0.1", later(700));
    assert_ne!(fourth, third);
    assert_eq!(kept(&file, &["vpn2.example"], "::ffff:10.0.0.1", later(700)), fourth);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left there");
}

#[test]
fn what_browsers_will_not_like_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["vpn1.example".into()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 2);
    let der = params.self_signed(&key).unwrap();
    let text = self_signed::pem("CERTIFICATE", der.der()) + &self_signed::pem("PRIVATE KEY", key.serialized_der());
    let file = folder.path().join("both.pem");
    fs::write(&file, text).unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let audit: Audit = Arc::new({
        let lines = lines.clone();
        move |line: &str| lines.lock().unwrap().push(line.to_owned())
    });
    let names = ["vpn1.example".to_owned(), "other.example:8443".to_owned()];
    let tls = Tls::Files { certificate: file.clone(), key: file };
    Encryption::new(tls, &names, "10.0.0.1".parse().unwrap(), audit).unwrap();
    let lines = lines.lock().unwrap();
    let browsers: Vec<_> = lines.iter().filter(|line| line.contains("browsers refuse it")).collect();
    assert_eq!(browsers.len(), 2, "{lines:#?}");
    assert!(browsers[0].contains("the certificate ended at 2020-01-02T00:00:00Z"), "{lines:#?}");
    assert!(browsers[1].contains("is not for `other.example`"), "{lines:#?}");
}

#[cfg(unix)]
#[test]
fn a_key_of_others_in_a_file_is_reported() {
    use std::os::unix::fs::PermissionsExt;
    let folder = issued();
    let key = folder.path().join("k");
    // Whatever the umask is.
    fs::set_permissions(folder.path().join("c"), fs::Permissions::from_mode(0o644)).unwrap();
    let lines = |mode: u32| {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let audit: Audit = Arc::new({
            let lines = lines.clone();
            move |line: &str| lines.lock().unwrap().push(line.to_owned())
        });
        let tls = Tls::Files { certificate: folder.path().join("c"), key: key.clone() };
        Encryption::new(tls, &[], "10.0.0.1".parse().unwrap(), audit).unwrap();
        std::mem::take(&mut *lines.lock().unwrap())
    };
    assert_eq!(lines(0o600), Vec::<String>::new());
    let [line] = &lines(0o644)[..] else { panic!("one line") };
    assert!(line.contains("the private key is not private: it can be read by ") && line.contains("chmod"), "{line}");
    let [line] = &lines(0o666)[..] else { panic!("one line") };
    assert!(line.contains("the private key is not trusted: it can be written by everyone"), "{line}");
    // The rights of a link say nothing. Programs that renew certificates keep one to the present file.
    fs::rename(&key, folder.path().join("k-2")).unwrap();
    std::os::unix::fs::symlink("k-2", &key).unwrap();
    assert_eq!(lines(0o600), Vec::<String>::new());
    fs::set_permissions(folder.path().join("c"), fs::Permissions::from_mode(0o666)).unwrap();
    let [line] = &lines(0o600)[..] else { panic!("one line") };
    assert!(line.contains("the certificate is not trusted: it can be written by everyone"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("self-signed.pem");
    let hosts = Hosts::new(&[], "127.0.0.1".parse().unwrap());
    let now = Timestamp::now();
    self_signed::pair(&file, &hosts, now).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let fault = self_signed::pair(&file, &hosts, now).unwrap_err();
    assert!(matches!(fault, TlsFault::Untrusted { .. }), "{fault}");
    assert!(fault.to_string().contains("can be read by"), "{fault}");
}

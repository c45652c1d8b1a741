//! Whose certificates does an upstream's have to come from? The machine's authorities, or a house's own.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::ConfigError;

/// The authorities of a PEM file, whose path is relative to the configuration's folder. They alone are
/// trusted then.
///
/// # Errors
/// Where it cannot be read, or holds no certificate that can vouch for others.
pub fn authorities(file: &Path, config_path: &Path) -> Result<RootCertStore, ConfigError> {
    let path = config_path.parent().unwrap_or(Path::new("")).join(file);
    let fault = |reason: String| ConfigError::Inconsistent {
        path: config_path.to_owned(),
        reason: format!("`ca_file`: {}: {reason}", path.display()),
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(&path);
    for certificate in certificates.map_err(|error| fault(error.to_string()))? {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        roots.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(fault("it holds no certificate".to_owned())),
        false => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("folder");
        std::fs::create_dir_all(&folder).unwrap();
        let config = folder.join("portico.toml");
        for text in
            [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
        {
            if let Some(text) = text {
                std::fs::write(folder.join("ca.pem"), text).unwrap();
            }
            let error = authorities(Path::new("ca.pem"), &config).unwrap_err().to_string();
            assert!(error.contains("`ca_file`") && error.contains("ca.pem"), "{error}");
        }
    }
}

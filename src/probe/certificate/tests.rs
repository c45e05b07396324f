//! Certificates as they are, and nearly as they are.

#![cfg(unix)] // `rcgen` makes the certificates

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::Index;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Certificate, CertificateValidity};
use crate::probe::tests::{HOST, named, now};

/// The dates of RDS's roots go beyond 2049, where their form changes.
#[test]
fn every_root_of_amazon_can_be_read() {
    let mut count = 0;
    for pem in [
        include_str!("../../provider/amazon_roots/rds.pem"),
        include_str!("../../provider/amazon_roots/amazon.pem"),
    ] {
        for root in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let root = Certificate::read(&root.unwrap()).unwrap();
            assert!(
                root.is_self_issued && !root.common_name.is_empty(),
                "{root:?}"
            );
            assert_eq!(root.issuer, root.subject);
            assert_eq!(root.validity(now()), CertificateValidity::Valid, "{root:?}");
            count += 1;
        }
    }
    assert_eq!(count, 27 * 3 + 5);
}

proptest! {
    #![proptest_config(crate::text::mutation::cases())]

    /// Certificates are read from whoever answers.
    #[test]
    fn no_certificate_is_too_strange(
        changes in prop::collection::vec(
            (any::<Index>(), any::<u8>()),
            0..6,
        ),
        end in any::<Index>(),
        is_cut in any::<bool>(),
    ) {
        static SAMPLE: OnceLock<Vec<u8>> = OnceLock::new();
        let sample = SAMPLE.get_or_init(|| {
            let names = vec![HOST.to_owned(), "10.0.0.1".to_owned(), "::1".to_owned()];
            let mut params = CertificateParams::new(names).unwrap();
            params.distinguished_name = named("Root");
            let key = KeyPair::generate().unwrap();
            params.self_signed(&key).unwrap().der().to_vec()
        });
        let whole = Certificate::read(sample).unwrap();
        prop_assert_eq!(&whole.names, &[HOST, "10.0.0.1", "::1"]);
        let mut bytes = sample.clone();
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        if let Some(read) = Certificate::read(&bytes) {
            for text in read.names.iter().chain([&read.subject, &read.issuer, &read.common_name]) {
                prop_assert!(!text.contains(char::is_control));
                prop_assert!(text.len() < 4_000);
            }
        }
    }
}

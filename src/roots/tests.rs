//! Root certificates that a provider names as data, by the example of the fake provider.
//!
//! Which file a request is verified by, and what a user has to save where pgcred cannot get one.

use super::*;
use crate::provider;

/// Returns a request for a host of the fake provider.
fn request(label: &str) -> Request {
    let host = format!("{label}.fake.invalid");
    Request {
        connection: None,
        provider: provider::find_by_host(&host).expect("the provider is in the table"),
        sign_host: host.clone(),
        host,
        sign_port: 5432,
        port: 5432,
        user: "guest".to_owned(),
        dbname: "postgres".to_owned(),
        keywords: Vec::new(),
        target_has_address: false,
        roots: Some(RootsChoice::Provider),
        region: None,
        profile: None,
        aliases: Vec::new(),
        lines_of_others: Vec::new(),
        vars: Vec::new(),
        lifetime_seconds: 900,
    }
}

fn policy() -> AskPolicy {
    provider::fake::control::policy()
}

#[test]
fn public_roots_are_those_of_the_system() {
    let request = request("db");
    let roots = choose_roots(&request)
        .unwrap()
        .expect("the server is verified");
    let expected = match env::system_root_certificates() {
        Some(file) => TrustedRoots::System(file),
        None => TrustedRoots::UsersChoice("system".to_owned()),
    };
    assert_eq!(roots, expected);
    assert_eq!(roots.file_for_java(), None);
    assert!(matches!(
        renew_file(&request, &policy()),
        Ok(RootsRenewal::BySystem)
    ));
}

#[test]
fn private_roots_are_a_file_of_pgcreds_own() {
    let request = request("private");
    let roots = choose_roots(&request)
        .unwrap()
        .expect("the server is verified");
    let TrustedRoots::ProviderRoots(set, file) = &roots else {
        panic!("{roots:?}");
    };
    assert!(file.ends_with("fake.pem"), "{}", file.display());
    assert_eq!(roots.file_for_java(), Some(file.display().to_string()));
    assert_eq!(
        store::bundled_text(set).unwrap(),
        "# carried by pgcred\na certificate"
    );
    assert!(matches!(
        renew_file(&request, &policy()),
        Ok(RootsRenewal::ByPgcred)
    ));
}

/// A file that is not there never means other roots: those of the system would believe many more.
#[test]
fn a_chosen_file_without_certificates_verifies_nobody() {
    let mut request = request("db");
    request.roots = Some(RootsChoice::File("/nowhere/roots.pem".to_owned()));
    let error = verifying_certificates(&request, &policy()).unwrap_err();
    let expected = "no root certificate can be read from /nowhere/roots.pem";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_set_that_cannot_be_had_names_what_to_save() {
    let request = request("private");
    let RequiredRoots::Private(mut set) = required_roots(&request) else {
        panic!("the roots are private");
    };
    set.bundled = None;
    let error = download_roots(&set, &request, &policy()).unwrap_err();
    let none = "pgcred has no root certificates of the fake service";
    assert_eq!(error.to_string(), none);
    assert!(
        error
            .hint_text()
            .is_some_and(|hint| hint.contains("save the file of the fake's administrator,"))
    );
    set.address = Some("https://fake.invalid/roots.pem".to_owned());
    let error = download_roots(&set, &request, &policy()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{none}: pgcred downloads nothing for this service")
    );
    assert!(
        error
            .hint_text()
            .is_some_and(|hint| hint.contains("curl -O https://fake.invalid/roots.pem"))
    );
}

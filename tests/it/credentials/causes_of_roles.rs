//! Every way in which a role or a web identity fails, with its exit code, its error and the hint
//! that helps.

use crate::credentials::cause::{CHECK_NETWORK, CORP, KEYS, ROLE, SSO, cause, check};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::HOST;
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub};

#[test]
fn causes_of_roles() {
    skip_unless!(PYTHON);
    let role = |words, exit, says, hint| {
        cause(exit, says, hint)
            .words(words)
            .config(&format!("{ROLE}source_profile = keys"), KEYS)
    };
    let wrong =
        |profile: &str, says, hint| cause(2, says, hint).config(&format!("{ROLE}{profile}"), KEYS);
    let settings = "check role_arn, duration_seconds and mfa_serial of the profile";
    check(&[
        role(
            "error-AccessDenied",
            1,
            "cannot assume the role R: STS refused: AccessDenied: the stub",
            "allow this in the role's trust policy",
        ),
        role(
            "error-ExpiredToken",
            3,
            "STS refused: ExpiredToken",
            "renew the credentials that assume the role, then try again",
        ),
        role(
            "error-InvalidClientTokenId",
            1,
            "STS refused: InvalidClientTokenId",
            "correct the access key that assumes the role",
        ),
        role(
            "error-SignatureDoesNotMatch",
            1,
            "STS refused: SignatureDoesNotMatch",
            "correct the access key that assumes the role",
        ),
        role(
            "error-ValidationError",
            1,
            "STS refused: ValidationError",
            settings,
        ),
        role(
            "error-RegionDisabledException",
            1,
            "STS refused: RegionDisabledException",
            "check the role's settings",
        ),
        role("", 1, "STS cannot be reached", CHECK_NETWORK)
            .set("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        role("", 1, "STS cannot be reached", CHECK_NETWORK)
            .set("AWS_ENDPOINT_URL", "http://sts.example.invalid"),
        role(
            "garbage",
            1,
            "the answer of STS cannot be understood",
            "try again; if it fails again, check the endpoint settings",
        ),
        wrong(
            "",
            "role_arn, but neither source_profile nor credential_source",
            "add source_profile = NAME",
        ),
        wrong(
            "source_profile = nope",
            "there is no source_profile `nope`",
            "correct source_profile",
        ),
        wrong(
            "source_profile = keys\ncredential_source = Environment",
            "both source_profile and",
            "remove one of them",
        ),
        wrong(
            "credential_source = Moon",
            "credential_source `Moon` is unknown",
            "write Environment, EcsContainer or",
        ),
        wrong(
            "source_profile = default",
            "source_profile goes in a circle: default -> default",
            "let one of them have",
        ),
        wrong(
            "source_profile = keys\nduration_seconds = 60",
            "duration_seconds is less than 900",
            "correct duration_seconds",
        ),
        wrong(
            "source_profile = keys\nexternal_id = x",
            "external_id is shorter than two characters",
            "correct external_id",
        ),
        cause(2, "role_arn is not the ARN of a role", "correct role_arn")
            .config("role_arn = R\nsource_profile = keys", KEYS),
        cause(
            2,
            "cannot assume its role: empty has no credentials",
            "correct its source_profile or credential_source",
        )
        .config(
            &format!("{ROLE}source_profile = empty"),
            "[profile empty]\n",
        ),
        cause(
            3,
            "cannot assume its role: Environment has no credentials",
            "correct its source_profile or credential_source",
        )
        .config(&format!("{ROLE}credential_source = Environment"), ""),
        cause(
            3,
            "needs an MFA code, and there is no terminal to ask on",
            "run `aws sts get-caller-identity --profile default`",
        )
        .config(
            &format!("{ROLE}source_profile = keys\nmfa_serial = arn:aws:iam::{ACCOUNT}:mfa/me"),
            KEYS,
        ),
        // The error of the source is reported for the profile of the source.
        cause(
            3,
            "profile `s`: nobody has logged in to SSO yet",
            "run `pgcred login --profile s`",
        )
        .config(
            &format!("{ROLE}source_profile = s"),
            &format!("[profile s]\n{SSO}{CORP}"),
        ),
    ]);
}

#[test]
fn causes_of_web_identities() {
    skip_unless!(PYTHON);
    let web = |words, exit, says, hint| {
        let cause = cause(exit, says, hint)
            .words(words)
            .file("jwt", STUB_SECRET);
        cause
            .set("AWS_WEB_IDENTITY_TOKEN_FILE", "@HOME/jwt")
            .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/W")
    };
    let trust = "let the role's trust policy allow the issuer of the token";
    check(&[
        web(
            "error-ExpiredTokenException",
            3,
            "by web identity: STS refused: ExpiredTokenException",
            "let the program that wrote the token in ",
        ),
        web(
            "error-AccessDenied",
            1,
            "cannot assume the role W by web identity: STS refused: AccessDenied",
            trust,
        ),
        web(
            "error-InvalidIdentityToken",
            1,
            "STS refused: InvalidIdentityToken",
            trust,
        ),
        web("", 1, "STS cannot be reached", CHECK_NETWORK)
            .set("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        web(
            "",
            2,
            "jwt: the web identity token is empty",
            "let the program that writes the file write a token to it",
        )
        .file("jwt", ""),
        web(
            "",
            2,
            "web identity: the role's name is not the ARN of a role",
            "correct AWS_ROLE_ARN",
        )
        .set("AWS_ROLE_ARN", "R"),
        web(
            "",
            2,
            "web identity: cannot read /nowhere",
            "check AWS_WEB_IDENTITY_TOKEN_FILE",
        )
        .set("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
        cause(
            2,
            "web identity has a token file, but no role",
            "set AWS_ROLE_ARN, or role_arn in the profile",
        )
        .set("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
    ]);
}

/// AWS names the ARN of the role in its own error.
#[test]
fn account_numbers_are_shown_only_with_debug() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let sandbox = cause(1, "", "")
        .words("error-AccessDenied")
        .config(&format!("{ROLE}source_profile = keys"), KEYS)
        .sandbox(&stub);
    let run = sandbox.run(&["token", HOST, "--no-cache"]);
    run.assert_fails(1, "arn:aws:iam::************:role/R");
    let run = sandbox.run(&["token", HOST, "--no-cache", "--debug"]);
    run.assert_fails(1, &format!("arn:aws:iam::{ACCOUNT}:role/R"));
}

//! Every way in which a credentials source fails, with its exit code, its error and the hint that
//! helps.

use std::fs;

use crate::credentials::cause::{
    BY_HAND, CHECK_NETWORK, CLUSTER, CONFIGURE_SSO, CONTAINER, CORP, FOR_KEYS, FOR_LOGIN, FOR_SSO,
    IMDS, OF_CONTAINER, OF_INSTANCE, ROLE, SSO, cause, check, process,
};
use crate::credentials::chain::login_key;
use crate::credentials::faults::{LOGIN_FILE, LOGIN_SESSION, SSO_FILE, login, sso_token};
use crate::support::desk::{
    BROWSER, FAR, NOTIFIER, PAST, at_terminal, calls, desk, install, sso_log_in, wait_for,
};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::HOST;
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub};

#[test]
fn causes_in_variables_and_files() {
    skip_unless!(PYTHON);
    let keys = |says, hint| cause(2, says, hint).set("AWS_ACCESS_KEY_ID", "k");
    let ends = |exit, end: &str, says, hint| {
        let cause = cause(exit, says, hint)
            .set("AWS_ACCESS_KEY_ID", "k")
            .set("AWS_SECRET_ACCESS_KEY", STUB_SECRET);
        cause.set("AWS_CREDENTIAL_EXPIRATION", end)
    };
    check(&[
        cause(
            3,
            "no AWS credentials in the environment, default profile, container or",
            "write a profile into ",
        ),
        cause(
            3,
            "no AWS credentials in profile `p`, the environment",
            "name one with --profile PROFILE or AWS_PROFILE: the profiles are default, p",
        )
        .config("", "[profile p]\n")
        .set("AWS_PROFILE", "p"),
        cause(2, "there is no AWS profile `nope`", "write a profile into ")
            .set("AWS_PROFILE", "nope"),
        cause(
            2,
            "AWS_PROFILE or AWS_DEFAULT_PROFILE is set, but empty",
            "unset it",
        )
        .set("AWS_PROFILE", ""),
        keys(
            "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not",
            "set both, or unset AWS_ACCESS_KEY_ID",
        ),
        ends(
            2,
            "soon",
            "AWS_CREDENTIAL_EXPIRATION is not a time",
            "write it like 2030-01-01T00:15:00Z",
        ),
        ends(
            3,
            PAST,
            "have expired: the environment provided some that expired",
            FOR_KEYS,
        ),
        cause(
            2,
            "profile `default` in the configuration file has aws_access_key_id, but no",
            "add it, or remove",
        )
        .config("aws_access_key_id = k", ""),
        cause(
            2,
            "profile `default` in the credentials file has aws_access_key_id, but no",
            "add it, or remove",
        )
        .file(".aws/credentials", "[default]\naws_access_key_id = k\n"),
        cause(
            2,
            "profile `default` in the configuration file has an empty key",
            "fill it in, or remove it",
        )
        .config("aws_access_key_id = k\naws_secret_access_key =", ""),
        cause(2, ".aws/config, line 2: ", "correct ")
            .file(".aws/config", "[default]\nno assignment\n"),
        cause(2, ".aws/credentials, line 1: ", "correct ").file(".aws/credentials", "[default\n"),
        cause(
            2,
            "no region for",
            "name it with --region REGION, AWS_REGION, or `region` in the profile",
        )
        .set("AWS_ACCESS_KEY_ID", "k")
        .set("AWS_SECRET_ACCESS_KEY", "s")
        .target(CLUSTER),
        cause(
            2,
            "`us east` is not the name of a region",
            "correct AWS_REGION, AWS_DEFAULT_REGION or `region`",
        )
        .set("AWS_REGION", "us east")
        .target(CLUSTER),
        cause(
            2,
            "profile `default`: there is no [services local]",
            "add that section, or remove `services`",
        )
        .config("services = local", "")
        .set("AWS_ENDPOINT_URL", ""),
        cause(
            2,
            "the endpoint of STS must begin with http:// or https://: `sts`",
            "correct or unset AWS_ENDPOINT_URL_STS",
        )
        .set("AWS_ENDPOINT_URL_STS", "sts"),
        cause(
            2,
            "cannot read /nowhere/file",
            "correct or unset AWS_CREDENTIAL_FILE",
        )
        .set("AWS_CREDENTIAL_FILE", "/nowhere/file"),
    ]);
}

#[test]
fn causes_of_sso() {
    skip_unless!(PYTHON);
    let sso = |words, exit, says, hint| {
        cause(exit, says, hint)
            .words(words)
            .config(SSO, CORP)
            .file(SSO_FILE, sso_token("ssotoken", FAR))
    };
    let wrong =
        |profile: &str, says, sections| cause(2, says, CONFIGURE_SSO).config(profile, sections);
    let no_role =
        "check sso_role_name and sso_account_id of the profile: this user has no such role there";
    let settings = "try again; if it fails again, check sso_region, sso_account_id and \
                    sso_role_name of the profile";
    check(&[
        cause(
            3,
            "profile `default`: nobody has logged in to SSO yet",
            FOR_SSO,
        )
        .config(SSO, CORP),
        cause(3, "profile `default`: the SSO session has expired", FOR_SSO)
            .words("error-InvalidGrantException")
            .config(SSO, CORP)
            .file(SSO_FILE, sso_token("ssotoken", PAST)),
        sso(
            "error-UnauthorizedException",
            3,
            "the SSO session was ended by AWS",
            FOR_SSO,
        ),
        sso(
            "error-ForbiddenException",
            1,
            "cannot get credentials of the SSO role dev",
            no_role,
        ),
        sso(
            "error-ResourceNotFoundException",
            1,
            "the SSO portal refused: ResourceNotFoundException",
            no_role,
        ),
        sso(
            "error-TooManyRequestsException",
            1,
            "the SSO portal refused: TooManyRequestsException",
            settings,
        ),
        sso(
            "error-InvalidRequestException",
            1,
            "the SSO portal refused: InvalidRequestException",
            settings,
        ),
        sso(
            "past",
            3,
            "have expired: the SSO portal provided some that expired",
            "try again; if it fails again, check this machine's clock",
        ),
        wrong(SSO, "profile `default`: there is no [sso-session corp]", ""),
        wrong(
            "sso_session = corp\nsso_role_name = dev",
            "profile `default` uses SSO but lacks sso_account_id",
            CORP,
        ),
        wrong(
            "sso_account_id = 1\nsso_role_name = dev",
            "lacks sso_start_url, sso_region",
            "",
        ),
        wrong(
            "sso_session = corp\nsso_account_id = 1\nsso_region = eu-west-1",
            "sso_region differs from that of",
            CORP,
        ),
        sso("", 1, "the SSO portal cannot be reached", CHECK_NETWORK)
            .set("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:1"),
    ]);
}

#[test]
fn causes_of_aws_login() {
    skip_unless!(PYTHON);
    let session = format!("login_session = {LOGIN_SESSION}");
    let sign_in = |words, exit, says, hint| {
        cause(exit, says, hint)
            .words(words)
            .config(&session, "")
            .file(LOGIN_FILE, login("ASIAOLD", PAST))
    };
    check(&[
        cause(
            3,
            "profile `default`: nobody has logged in with `aws login` yet",
            FOR_LOGIN,
        )
        .config(&session, ""),
        sign_in(
            "",
            3,
            "what `aws login` has stored cannot be used: no refreshToken",
            FOR_LOGIN,
        )
        .file(LOGIN_FILE, "{}"),
        sign_in("", 3, "the key of the login session is damaged", FOR_LOGIN).file(
            LOGIN_FILE,
            login("ASIAOLD", PAST).replace(&login_key(), "no key"),
        ),
        sign_in(
            "error-TOKEN_EXPIRED",
            3,
            "the login session has expired",
            FOR_LOGIN,
        ),
        sign_in(
            "error-USER_CREDENTIALS_CHANGED",
            3,
            "the password has changed since the login",
            FOR_LOGIN,
        ),
        sign_in(
            "error-INSUFFICIENT_PERMISSIONS",
            1,
            "lacks the permission signin:CreateOAuth2Token",
            "ask the administrator",
        ),
        sign_in(
            "error-OTHER",
            1,
            "cannot renew the `aws login` session: AWS sign-in refused",
            "try again; if it fails again, run `aws login`",
        ),
        sign_in("", 1, "AWS sign-in cannot be reached", CHECK_NETWORK)
            .set("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ]);
}

#[test]
fn causes_of_programs() {
    skip_unless!(PYTHON);
    let prints = |json: &str, says| process(&format!("echo '{json}'"), 1, says, BY_HAND);
    let key = "\"AccessKeyId\": \"k\"";
    let secret = format!("\"SecretAccessKey\": \"{STUB_SECRET}\"");
    check(&[
        cause(
            1,
            "there is no program nobody-has-this",
            "give its whole path, or add its directory to PATH",
        )
        .config("credential_process = nobody-has-this", ""),
        process(
            "echo first >&2; echo 'log in to the vault' >&2; exit 3",
            1,
            "failed: log in to the vault",
            BY_HAND,
        ),
        process("exit 3", 1, "failed: exit status: 3", BY_HAND),
        process("kill -9 $$", 1, "failed: signal: 9", BY_HAND),
        process("", 1, "printed nothing", BY_HAND),
        prints("no JSON", "printed text that is not JSON"),
        prints(
            &format!("{{\"Version\": 2, {key}, {secret}}}"),
            "printed JSON without `\"Version\": 1`",
        ),
        prints(
            &format!("{{\"Version\": 1, {key}}}"),
            "printed no SecretAccessKey",
        ),
        prints(
            &format!("{{\"Version\": 1, {secret}}}"),
            "printed no AccessKeyId",
        ),
        prints(
            &format!("{{\"Version\": 1, {key}, {secret}, \"Expiration\": \"soon\"}}"),
            "an Expiration that is not a time",
        ),
        process(
            &format!("echo '{{\"Version\": 1, {key}, {secret}, \"Expiration\": \"{PAST}\"}}'"),
            3,
            "have expired: its credential_process provided some that expired",
            BY_HAND,
        ),
        cause(
            2,
            "has a quote that is not closed",
            "correct credential_process",
        )
        .config("credential_process = 'a", ""),
        process(
            &format!("echo 'not for arn:aws:iam::{ACCOUNT}:role/R' >&2; exit 1"),
            1,
            "failed: not for arn",
            BY_HAND,
        ),
    ]);
}

#[test]
fn causes_of_containers_and_instances() {
    skip_unless!(PYTHON);
    let container =
        |exit, address: &str, says, hint| cause(exit, says, hint).set(CONTAINER, address);
    let instance = |words, exit, says, hint| cause(exit, says, hint).words(words).set(IMDS, "@");
    let asked = "cannot get container credentials from AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let form = "use an https address, a loopback address, or an address of AWS's own";
    check(&[
        container(1, "@/ecs/needauth", asked, OF_CONTAINER),
        container(1, "@/nothing", asked, OF_CONTAINER),
        container(1, "http://127.0.0.1:1/", asked, OF_CONTAINER),
        container(
            3,
            "@/ecs/past",
            "have expired: the container's credential service",
            "try again; if it fails again, restart",
        ),
        container(
            1,
            "@/ecs/forever",
            "the answer has no Expiration",
            OF_CONTAINER,
        ),
        container(
            2,
            "http://example.com/",
            "the host `example.com` may not be asked",
            form,
        ),
        container(2, "ftp://127.0.0.1/", "neither http nor https", form),
        container(
            2,
            "@/ecs/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN: the token has a line end in it",
            "store the token without the line end",
        )
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "STUBSECRET\n1"),
        container(
            2,
            "@/ecs/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: cannot read /nowhere",
            "correct or unset AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        )
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere"),
        instance(
            "error-AssumeRoleUnauthorizedAccess",
            1,
            "returned AssumeRoleUnauthorizedAccess instead",
            OF_INSTANCE,
        ),
        instance(
            "no-role",
            3,
            "no AWS credentials in the environment",
            "write a profile into ",
        ),
        instance(
            "500",
            1,
            "the instance metadata refused (HTTP 500)",
            "try again, or name a profile with --profile",
        ),
        cause(
            2,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http:// address",
            "correct or unset",
        )
        .set(IMDS, "nowhere"),
    ]);
}

/// Every kind of child process: the credentials program, the program for the MFA code, the login at
/// a terminal and in the background, the browser, and the desktop.
#[test]
fn no_child_process_has_the_password_and_each_has_a_usable_path() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let mut sandbox = desk(&stub.url(""));
    // PATH has the fakes first, because this machine may have the real programs. ~/bin is searched
    // last.
    fs::create_dir(sandbox.path("fakes")).expect("a directory");
    for name in [BROWSER, NOTIFIER] {
        let fake = sandbox.path(&format!("bin/{name}"));
        std::os::unix::fs::symlink(fake, sandbox.path("fakes").join(name)).expect("a link");
    }
    let path = format!("{}:/usr/bin:/bin", sandbox.path("fakes").display());
    sandbox.set("PATH", &path).set("PGPASSWORD", "hunter2");
    let mut config = String::from_utf8(sandbox.read(".aws/config")).expect("text");
    config += "[profile process]\ncredential_process = source\n[profile m]\n\
        source_profile = process\nmfa_serial = s\n";
    sandbox.write(".aws/config", config + ROLE);
    install(
        &sandbox,
        "source",
        &format!(
            "echo '{{\"Version\":1,\"AccessKeyId\":\"k\",\"SecretAccessKey\":\"{STUB_SECRET}\"}}'"
        ),
    );
    install(&sandbox, "code", "echo 123456");
    sandbox
        .set("PGCRED_MFA_CODE_COMMAND", "code")
        .ok(&["token", HOST, "--profile", "m"]);
    let logs_in = |arguments: &[&str], terminal: bool| {
        let _ = fs::remove_file(sandbox.path(SSO_FILE));
        let arguments = [&["token", HOST, "--profile", "p", "--no-cache"], arguments].concat();
        let run = if terminal {
            at_terminal(&sandbox, &arguments)
        } else {
            sandbox.run(&arguments)
        };
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    logs_in(&[], true); // without the AWS CLI
    install(&sandbox, "aws", &sso_log_in());
    logs_in(&[], true);
    fs::rename(sandbox.path("aws.env"), sandbox.path("aws-at-terminal.env")).expect("a file");
    logs_in(&["--login"], false);
    wait_for("the notification", || calls(&sandbox, NOTIFIER).len() == 1);
    for name in [
        "source",
        "code",
        "aws-at-terminal",
        "aws",
        BROWSER,
        NOTIFIER,
    ] {
        let environment = String::from_utf8(sandbox.read(&format!("{name}.env"))).expect("text");
        assert!(!environment.contains("hunter2"), "{name} has PGPASSWORD");
        let found = environment
            .lines()
            .find_map(|line| line.strip_prefix("PATH="))
            .expect("PATH");
        let own = sandbox.path("bin").display().to_string();
        let behind = found
            .strip_prefix(&path)
            .expect("the path that was there, first");
        assert!(
            behind.starts_with(":/usr/local/bin:") && behind.split(':').any(|part| part == own),
            "{found}"
        );
    }
}

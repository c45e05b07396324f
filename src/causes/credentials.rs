//! Lists the causes that lie in credentials: AWS has none from you, or does not take those that it
//! gets.
//!
//! There are rows of the table here, and nothing else. A row here is mended by a login or in the
//! AWS files and variables; what is wrong around them, such as a region, is in `aws.rs`. Many are
//! found by the reason that an error carries (`checks/credentials/error_finding.rs` of doctor).

use super::text::certain;
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "aws.expired",
        title: "the AWS credentials that sign the token end before it does",
        meaning: "A token dies with the credentials that signed it. Those of a role or of \
            SSO may have only minutes left, and then the server refuses a token that looks \
            valid.",
        fix: "Log in again, and issue the token with the new credentials.",
        templates: &[
            "pgcred login --profile {profile}",
            "pgcred refresh {target}",
        ],
        texts: &[
            certain(&["assumed role has expired"]),
            certain(&[
                "expiredtoken",
                "security token included in the request is expired",
            ])
            .unless(&["webidentity"]),
            certain(&["security token included in the request is expired"]),
            certain(&["requestexpired"]),
        ],
        detection: CauseDetection::Checks(&["token.issued", "token.life", "aws.identity"]),
    },
    Cause {
        id: "aws.login",
        title: "you have to log in to AWS again",
        meaning: "The login of SSO or of `aws login` has ended, or there was none yet.",
        fix: "Log in; the browser opens, and everything that waits goes on by itself.",
        templates: &["pgcred login --profile {profile}"],
        texts: &[
            certain(&["sso session associated with this profile has expired"]),
            certain(&["sso session has expired"]),
            certain(&["error loading sso token"]),
            certain(&["token has expired and refresh failed"]),
            certain(&["your session has expired", "reauthenticate"]),
            certain(&["to refresh this sso session run aws sso login"]),
            certain(&["nobody has logged in to sso"]),
            certain(&["sso token", "expired"]),
            certain(&["unauthorizedexception: session token not found or invalid"]),
            certain(&["the sso access token has expired"]),
            certain(&["failed to refresh cached sso token"]),
            certain(&["token for", "does not exist", "sso"]),
        ],
        detection: CauseDetection::Checks(&["credentials.login", "token.issued", "aws.identity"]),
    },
    Cause {
        id: "aws.none",
        title: "no AWS credentials were found",
        meaning: "No profile, no variables and no role of the machine provides any. A desktop \
            program does not see what your shell exports.",
        fix: "Name a profile, and keep it with the connection. `aws configure \
            list-profiles` shows the names.",
        templates: &[
            "aws configure list-profiles",
            "pgcred add NAME {host} --profile {profile}",
        ],
        texts: &[
            certain(&["unable to locate credentials"]),
            certain(&["nocredentialserror"]),
            certain(&["no credentials were found"]),
            certain(&["could not load credentials from any providers"]),
            certain(&["no aws credentials in the environment"]),
            certain(&["failed to refresh cached credentials, no ec2 imds role found"]),
            certain(&["unable to load credentials from any of the providers"]),
            certain(&["unable to load aws credentials"]),
            certain(&["no valid credential sources"]),
            certain(&["nocredentialproviders"]),
            certain(&["unable to get iam security credentials from ec2"]),
            certain(&["missing credentials in config"]),
            certain(&["credentialsnotloaded"]),
            certain(&["the credential provider was not enabled"]),
        ],
        detection: CauseDetection::Checks(&["token.issued", "aws.identity"]),
    },
    Cause {
        id: "aws.profile",
        title: "there is no AWS profile of that name",
        meaning: "The name is mistyped, or the program reads another ~/.aws/config: another \
            user's, another home directory, or AWS_CONFIG_FILE.",
        fix: "Compare with the names that there are; capital letters count.",
        templates: &["aws configure list-profiles"],
        texts: &[
            certain(&["config profile", "could not be found"]),
            certain(&["there is no aws profile"]),
            certain(&["failed to get shared config profile"]),
            certain(&["profile", "could not be found in shared credentials"]),
            certain(&["could not resolve credentials using profile"]),
        ],
        detection: CauseDetection::Checks(&["credentials.source"]),
    },
    Cause {
        id: "aws.config",
        title: "the AWS configuration has an error",
        meaning: "A line of ~/.aws/config or ~/.aws/credentials cannot be read, or a profile \
            lacks something that it needs.",
        fix: "Correct the line; the debug lines name the file and the line of each value.",
        templates: &["pgcred token {target} --debug"],
        texts: &[
            certain(&["unable to parse config file"]),
            certain(&["configparser", ".aws"]),
            certain(&["partial credentials found"]),
            certain(&["missing the following required sso configuration"]),
            certain(&["infinite loop in credential configuration"]),
            certain(&["failed to load shared config file"]),
        ],
        detection: CauseDetection::Checks(&[
            "credentials.source",
            "aws.reach",
            "aws.identity",
            "token.issued",
        ]),
    },
    Cause {
        id: "aws.stale.env",
        title: "AWS keys in the environment are wrong or old, and win over the profile",
        meaning: "AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN of an earlier session are still \
            set in this shell, or the access key was deleted.",
        fix: "Remove them from the environment. If the profile itself has keys, replace \
            those.",
        templates: &["unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"],
        texts: &[
            certain(&["security token included in the request is invalid"]),
            certain(&["invalidclienttokenid"]),
            certain(&["unrecognizedclientexception"]),
            certain(&["invalidaccesskeyid"]),
            certain(&["does not exist in our records"]),
        ],
        detection: CauseDetection::Checks(&["credentials.environment", "aws.identity"]),
    },
    Cause {
        id: "aws.refused",
        title: "AWS refuses to give credentials",
        meaning: "AWS was reached and said no, for a reason that stands in its own words in \
            the error.",
        fix: "Read what AWS says. If it names a role or a profile, compare it with the settings.",
        templates: &["pgcred token {target} --debug"],
        texts: &[],
        detection: CauseDetection::Checks(&["token.issued"]),
    },
    Cause {
        id: "aws.secret",
        title: "the secret key does not belong to the access key",
        meaning: "AWS computes another signature than the request has. A secret key was cut \
            or mixed up, or was pasted with a space.",
        fix: "Write both keys again, from the same place.",
        templates: &["aws configure --profile {profile}"],
        texts: &[
            certain(&["signaturedoesnotmatch", "request signature we calculated"]),
            certain(&["signaturedoesnotmatch"]).unless(&["signature expired"]),
        ],
        detection: CauseDetection::Checks(&["aws.identity"]),
    },
    Cause {
        id: "aws.sso.role",
        title: "SSO does not give you this role in this account",
        meaning: "The profile names an account and a permission set that is not assigned to \
            you, or not any more.",
        fix: "Compare sso_account_id and sso_role_name of the profile with what the \
            access portal shows, or ask the administrator.",
        templates: &["aws configure sso --profile {profile}"],
        texts: &[
            certain(&["forbiddenexception", "no access"]),
            certain(&["getrolecredentials", "no access"]),
        ],
        detection: CauseDetection::Checks(&["token.issued"]),
    },
    Cause {
        id: "aws.role",
        title: "you may not assume the role of the profile",
        meaning: "Either the role does not trust you, or your own policies do not allow \
            sts:AssumeRole. AWS does not say which.",
        fix: "Compare the principal in the message with the role's trust policy.",
        templates: &[
            "aws sts get-caller-identity --profile {profile}",
            "aws iam get-role --role-name {role} --query \
                Role.AssumeRolePolicyDocument",
        ],
        texts: &[certain(&["is not authorized to perform: sts:assumerole"])],
        detection: CauseDetection::Checks(&["token.issued"]),
    },
    Cause {
        id: "aws.mfa",
        title: "the MFA code is wrong, or none was given",
        meaning: "The role asks for a code of an MFA device. A code works once, and for half \
            a minute.",
        fix: "Wait for the next code, then give it. A tool with windows cannot ask for \
            one: use a session that lasts.",
        templates: &["pgcred token {target} --mfa-code CODE"],
        texts: &[
            certain(&["multifactorauthentication failed"]),
            certain(&["invalid mfa one time pass code"]),
            certain(&["no mfa code was given"]),
            certain(&["enter mfa code"]),
        ],
        detection: CauseDetection::Checks(&["token.issued"]),
    },
    Cause {
        id: "aws.webidentity",
        title: "the token of the web identity has expired or is not trusted",
        meaning: "A container or a CI job gives AWS a token of its own, and AWS refuses it: \
            it has ended, or the account does not know its issuer.",
        fix: "Let the platform renew the file that AWS_WEB_IDENTITY_TOKEN_FILE names, \
            and compare the role's trust policy with the issuer.",
        templates: &["aws iam list-open-id-connect-providers"],
        texts: &[
            certain(&["invalididentitytoken"]),
            certain(&["no openidconnect provider found"]),
            certain(&["assumerolewithwebidentity", "expiredtoken"]),
            certain(&["assumerolewithwebidentity", "not authorized"]),
        ],
        detection: CauseDetection::Checks(&["token.issued"]),
    },
    Cause {
        id: "aws.process",
        title: "the program that gives the credentials has failed",
        meaning: "The profile has credential_process, and that program failed or printed \
            something else than credentials. Often it is not in the PATH of a desktop program.",
        fix: "Run it by hand, and write its whole path into the profile.",
        templates: &["pgcred token {target} --debug"],
        texts: &[
            certain(&["error when retrieving credentials from custom-process"]),
            certain(&["credential_process", "failed"]),
            certain(&["error in credential process"]),
            certain(&["processprovidererror"]),
        ],
        detection: CauseDetection::Checks(&["token.issued"]),
    },
];

//! What a server answers to a right token, and the cause that `pgcred doctor` names for it.

use standin::{Answer, Kind};

use super::server::{PROXY_HOST, Server};
use crate::support::sandbox::{HOST, RDS_HOST};

fn expected(answer: Answer) -> &'static str {
    use Answer as A;
    match answer {
        A::DsqlAccessDenied | A::DsqlIamFailed => "dsql.denied",
        A::DsqlExpired | A::DsqlNotYetCurrent => "clock",
        A::DsqlWrongAction => "dsql.action",
        A::DsqlNotAuthorized | A::DsqlResourceDenied => "iam.dsql",
        A::DsqlDeniedByOrganization => "iam.deny",
        A::DsqlKeyUnknown => "aws.stale.env",
        A::DsqlKeyExpired => "aws.expired",
        A::DsqlRoleMissing | A::DsqlRoleNoLogin => "dsql.role",
        A::DsqlWakingUp => "dsql.state",
        A::DsqlTooMany | A::DsqlRateExceeded => "dsql.limits",
        A::DsqlNoSni => "tls.sni",
        A::RdsPamFailed => "rds.pam",
        A::RdsPasswordFailed | A::RdsAsksScram | A::RdsAsksMd5 => "role.rds_iam.missing",
        A::RdsNoHbaEntry | A::RdsNoHbaEntryOld | A::RdsHbaRejects => "rds.hba",
        A::RdsRoleMissing | A::RdsRoleNoLogin => "rds.role",
        A::RdsDatabaseMissing => "rds.database",
        A::RdsConnectDenied => "rds.connect",
        A::RdsTimedOut => "rds.iam.throttle",
        A::RdsTooMany | A::RdsSlotsReserved => "rds.full",
        A::RdsStartingUp | A::RdsShuttingDown => "rds.state",
        A::ProxyIamFailed | A::ProxyRoleFailed => "rds.proxy.signed",
        A::ProxyNoCredentials => "rds.proxy.secret",
        A::ProxyMethod | A::ProxyAsksScram => "rds.proxy.method",
        A::ProxyNeedsTls | A::ProxyIamNeedsTls => "tls.proxy",
    }
}

fn prove(kind: Kind, host: &'static str) {
    let server = Server::of(host);
    let mut wrong = Vec::new();
    for answer in Answer::ALL {
        if answer.kind() != kind {
            continue;
        }
        server.standin.set_answer(Some(*answer));
        let report = server.report(&[]);
        let expected = (Some("login.accepted"), Some(expected(*answer)));
        if report.first() != expected {
            wrong.push(format!("{}: {:?}", answer.name(), report.first()));
        }
        assert!(report.check("login.accepted")["because"].is_string());
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn what_aurora_dsql_answers() {
    prove(Kind::Dsql, HOST);
}

#[test]
fn what_rds_answers() {
    prove(Kind::Rds, RDS_HOST);
}

#[test]
fn what_rds_proxy_answers() {
    prove(Kind::RdsProxy, PROXY_HOST);
}

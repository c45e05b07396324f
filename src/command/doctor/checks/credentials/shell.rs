//! Checks what only the variables of this shell say: keys that beat a profile, and a profile that a
//! program of the desktop does not know.

use super::{no_source_finding, signer_summary};
use crate::authority::{Authority, NoAnswerReason, ShellSettings, SignerSummary};
use crate::command::doctor::context::ExaminedTarget;
use crate::command::doctor::finding::Finding;
use crate::text::quote::typed;
use crate::time::{Time, spoken_duration};

pub(super) fn examine_environment(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    match signer_summary(examined) {
        Some(summary) => {
            let authority = examined.request.provider.authority;
            judge_environment(authority, &summary, Time::now())
        }
        None => no_source_finding(),
    }
}

fn judge_environment(authority: &dyn Authority, summary: &SignerSummary, now: Time) -> Finding {
    let Some(keys) = &summary.variable_keys else {
        let title = authority.title();
        return Finding::ok(format!("no {title} key is in a variable"));
    };
    let cause = authority.cause_of_no_answer(NoAnswerReason::KeyUnknown);
    let variable = keys.variable;
    let profile = summary.profile.as_deref().unwrap_or("default");
    if !keys.are_signing {
        return Finding::ok(format!(
            "the key in {variable} counts for nothing here, because profile `{profile}` is named"
        ));
    }
    if let Some(end) = keys.expires_at
        && end <= now
    {
        let ago = spoken_duration(end.until(now));
        let detail = format!("the key in {variable} signs, and it expired {ago} ago");
        return Finding::fail(cause, detail);
    }
    if let Some(profile_variable) = summary.profile_variable {
        let detail =
            format!("the key in {variable} signs, and {profile_variable} counts for nothing");
        return Finding::warn(cause, detail);
    }
    let kind = if keys.are_temporary {
        "temporary key"
    } else {
        "key"
    };
    Finding::ok(format!("the {kind} in {variable} signs"))
}

pub(super) fn examine_desktop(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let shell = examined.request.provider.authority.shell_settings();
    if examined.request.profile.is_some() || (shell.key.is_none() && shell.profile.is_none()) {
        return Finding::ok("who signs does not depend on this shell");
    }
    let deadline = examined.examination.deadline;
    let Some(tools) = examined.examination.jobs.tools(deadline) else {
        return Finding::skip("the tools' files could not be read in time");
    };
    let mut set_up_tools = Vec::new();
    for tool in tools {
        if !tool.set_up.is_empty() {
            set_up_tools.push((tool.name, tool.title));
        }
    }
    judge_desktop(
        &shell,
        &set_up_tools,
        examined.request.connection.as_deref(),
    )
}

/// Judges variables that decide who signs, where no profile is kept with the connection. The tools
/// that are set up have the name that `setup` takes, and a title.
fn judge_desktop(
    shell: &ShellSettings,
    tools: &[(&str, &str)],
    connection: Option<&str>,
) -> Finding {
    let signer = match (shell.key, &shell.profile) {
        (Some(key), _) => format!("the key in {key}"),
        (None, Some(profile)) => format!("the profile `{profile}`"),
        (None, None) => return Finding::ok("who signs does not depend on this shell"),
    };
    let Some((first, _)) = tools.first() else {
        return Finding::ok(format!("{signer} is this shell's; no tool is set up"));
    };
    let titles: Vec<&str> = tools.iter().map(|(_, title)| *title).collect();
    let titles = titles.join(", ");
    let detail = format!("{signer} is known to this shell only, and not to: {titles}");
    let finding = Finding::warn("tool.path", detail);
    let profile = shell.profile.as_deref().unwrap_or("PROFILE");
    let Some(name) = connection else {
        let profile = typed(profile);
        return finding.with_command(format!("pgcred add NAME HOST --profile {profile}"));
    };
    finding
        .with_advice(format!(
            "write profile = \"{profile}\" into [connections.{name}] of config.toml"
        ))
        .with_command(format!("pgcred setup {first}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{aws, summary};
    use super::*;
    use crate::authority::VariableKeys;
    use crate::command::doctor::finding::FindingStatus;

    const NOW: Time = Time::from_unix(1_800_000_000);

    fn with_keys(signs: bool, end: Option<Time>, profile: Option<&'static str>) -> Finding {
        let mut summary = summary(Ok(String::new()));
        summary.variable_keys = Some(VariableKeys {
            variable: "AWS_ACCESS_KEY_ID",
            are_signing: signs,
            are_temporary: end.is_some(),
            expires_at: end,
        });
        summary.profile_variable = profile;
        judge_environment(aws(), &summary, NOW)
    }

    #[test]
    fn keys_in_variables_are_stale_or_in_the_way_of_a_profile() {
        let (past, future) = (Some(NOW), Some(NOW.plus(900)));
        for (finding, status, says) in [
            (
                judge_environment(aws(), &summary(Ok(String::new())), NOW),
                FindingStatus::Ok,
                "no AWS key",
            ),
            (
                with_keys(true, past, None),
                FindingStatus::Fail,
                "it expired",
            ),
            (
                with_keys(true, future, None),
                FindingStatus::Ok,
                "temporary key",
            ),
            (
                with_keys(true, None, None),
                FindingStatus::Ok,
                "the key in AWS_ACCESS_KEY_ID signs",
            ),
            (
                with_keys(true, None, Some("AWS_PROFILE")),
                FindingStatus::Warn,
                "AWS_PROFILE counts for nothing",
            ),
            (
                with_keys(false, past, None),
                FindingStatus::Ok,
                "profile `dev` is named",
            ),
        ] {
            assert_eq!(finding.status, status, "{}", finding.detail);
            assert!(finding.detail.contains(says), "{}", finding.detail);
            let is_bad = status != FindingStatus::Ok;
            assert_eq!(finding.cause.is_some(), is_bad, "{}", finding.detail);
        }
    }

    #[test]
    fn a_tool_does_not_know_what_only_this_shell_says() {
        let settings = |key, profile: Option<&str>| ShellSettings {
            variables: Vec::new(),
            key,
            profile: profile.map(str::to_owned),
        };
        let shell = settings(None, Some("my dev"));
        let dbeaver = &[("dbeaver", "DBeaver")][..];
        let finding = judge_desktop(&shell, dbeaver, Some("prod"));
        assert_eq!(finding.status, FindingStatus::Warn);
        assert_eq!(finding.cause, Some("tool.path"));
        assert_eq!(finding.commands, ["pgcred setup dbeaver"]);
        let advice = finding.advice.expect("an advice");
        assert!(advice.contains("profile = \"my dev\" into [connections.prod]"));
        let of_key = settings(Some("AWS_ACCESS_KEY_ID"), None);
        let finding = judge_desktop(&of_key, dbeaver, None);
        assert_eq!(finding.commands, ["pgcred add NAME HOST --profile PROFILE"]);
        for (shell, tools) in [(shell, &[][..]), (settings(None, None), dbeaver)] {
            assert_eq!(judge_desktop(&shell, tools, None).status, FindingStatus::Ok);
        }
    }
}

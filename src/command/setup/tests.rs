//! Plans over several tools: each edit begins with what the one before it leaves, and undoing gives
//! every byte back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::plan::{PlanRequest, SetupPlan};
use super::targets::TargetChoice;
use crate::command::preferences::Preferences;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::output::Output;
use crate::provider::fake::control;
use crate::resolve::ConnectionOptions;
use crate::setup::{
    EditDestination, FileDrafts, FileOwnership, Machine, Os, SetupEdit, SetupMethod, Tool,
    ToolEntry, ToolFiles, ToolKind, ToolTarget,
};
use crate::sys::fs;

const CONFIG: &str = "\
[connections.one]
host = \"one.dsql.us-east-1.on.aws\"
[connections.two]
host = \"two.dsql.us-east-1.on.aws\"
proxy = { port = 15432 }
";

fn preferences(config: &str, path: &Path) -> Preferences {
    Preferences {
        output: Output::SILENT,
        ask_policy: control::policy(),
        config: Config::parse(config).unwrap(),
        config_path: Some(path.to_owned()),
        config_changed: None,
    }
}

/// A machine whose files are all below one directory.
fn machine(directory: &Path) -> Machine {
    let mut machine = Machine::current(None).unwrap();
    machine.os = Os::Linux;
    machine.home = directory.join("home");
    machine.config_home = directory.join("home/.config");
    machine.pgcred_config = directory.join("home/.config/pgcred");
    machine.service_file = directory.join("service.conf");
    machine
}

/// A tool that keeps its lines in the file that `psql` uses, below everything else.
struct SharedFile;

static SHARING: Tool = Tool {
    name: "sharing",
    title: "a tool with psql's file",
    kind: ToolKind::Passfile,
    method: SetupMethod::Files(&SharedFile),
    ..Tool::DEFAULT
};

static BROKEN: Tool = Tool {
    name: "broken",
    title: "a tool that cannot be set up",
    method: SetupMethod::Files(&BrokenFile),
    ..Tool::DEFAULT
};

const LINE: &str = "# sharing ";
const OWNERSHIP: FileOwnership = FileOwnership::Part {
    users_part: |text| Ok(Some(without_lines(text))),
    is_equivalent: |one, other| one == other,
};

fn without_lines(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !line.starts_with(LINE)).collect()
}

impl ToolFiles for SharedFile {
    fn set_up(&self, machine: &Machine, targets: &[ToolTarget]) -> Result<Vec<SetupEdit>> {
        let path = machine.service_file.clone();
        let edit = SetupEdit::changing(machine, path, &OWNERSHIP, |text| {
            let mut text = without_lines(text);
            for target in targets {
                text.extend([LINE, &target.name, "\n"]);
            }
            Ok(text)
        });
        Ok(vec![edit?])
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<SetupEdit>> {
        let path = machine.service_file.clone();
        Ok(vec![SetupEdit::restoring(machine, path, &OWNERSHIP)?])
    }

    fn preview(&self, _: &Machine, _: &[ToolTarget]) -> String {
        String::new()
    }

    fn remove(&self, machine: &Machine, _: &[String]) -> Result<Vec<SetupEdit>> {
        self.undo(machine)
    }

    fn configured_names(&self, _: &Machine) -> Vec<String> {
        Vec::new()
    }

    fn inspect(&self, _: &Machine) -> Vec<ToolEntry> {
        Vec::new()
    }

    fn steps(&self, _: &Machine, _: &[ToolTarget]) -> Vec<String> {
        Vec::new()
    }
}

struct BrokenFile;

impl ToolFiles for BrokenFile {
    fn set_up(&self, _: &Machine, _: &[ToolTarget]) -> Result<Vec<SetupEdit>> {
        Err(Error::usage("its file is not JSON"))
    }

    fn undo(&self, _: &Machine) -> Result<Vec<SetupEdit>> {
        Ok(Vec::new())
    }

    fn preview(&self, _: &Machine, _: &[ToolTarget]) -> String {
        String::new()
    }

    fn remove(&self, machine: &Machine, _: &[String]) -> Result<Vec<SetupEdit>> {
        self.undo(machine)
    }

    fn configured_names(&self, _: &Machine) -> Vec<String> {
        Vec::new()
    }

    fn inspect(&self, _: &Machine) -> Vec<ToolEntry> {
        Vec::new()
    }

    fn steps(&self, _: &Machine, _: &[ToolTarget]) -> Vec<String> {
        Vec::new()
    }
}

fn plan(
    tools: &[&'static Tool],
    first_edits: Vec<SetupEdit>,
    names: &[String],
    machine: &Machine,
    preferences: &Preferences,
) -> SetupPlan {
    let request = PlanRequest {
        tools,
        choice: TargetChoice {
            names,
            options: &ConnectionOptions::default(),
            users: &[],
            uses_gateway: false,
            is_silent: false,
        },
        with_scheduler: false,
        first_edits,
    };
    SetupPlan::new(request, machine, preferences)
}

fn path_of(edit: &SetupEdit) -> PathBuf {
    match &edit.destination {
        EditDestination::File(path) => path.clone(),
        EditDestination::Crontab => panic!("these tools edit files"),
    }
}

/// Makes the edits one after the other, as `command::edits` does: each only if the file is as the
/// edit expects it.
fn make<'a>(edits: impl IntoIterator<Item = &'a SetupEdit>) {
    for edit in edits {
        if edit.changes_something() {
            let (before, after) = (edit.old_text.as_deref(), edit.new_text.as_deref());
            fs::replace(&path_of(edit), before, after, edit.backup_text.as_deref()).unwrap();
        }
    }
}

/// Every tool that is set up by files, with a tool that shares the file of another. Schedulers are
/// among them, except cron, whose text is no file.
fn all_tools() -> Vec<&'static Tool> {
    let mut tools = Vec::new();
    for tool in TOOLS {
        if tool.files().is_some() && tool.name != "cron" {
            tools.push(tool);
        }
    }
    tools.push(&SHARING);
    tools
}

#[test]
fn edits_of_all_tools_at_once_are_composed_and_undone_to_the_byte() {
    let directory = fs::new_private_directory().unwrap();
    let home = directory.path("home");
    let mut machine = machine(&directory.path(""));
    std::fs::create_dir_all(home.join(".DBeaverData/workspace6/General/.dbeaver")).unwrap();
    let mine = "[mine]\nhost=h\n\n";
    fs::write_unsynced(&machine.service_file, mine.as_bytes()).unwrap();
    let preferences = preferences(CONFIG, &machine.pgcred_config.join("config.toml"));
    let tools = all_tools();
    let plan = plan(&tools, Vec::new(), &[], &machine, &preferences);
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    assert_eq!(plan.parts.len(), tools.len());

    let mut texts: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
    for edit in plan.edits() {
        if let Some(text) = texts.insert(path_of(edit), edit.new_text.clone()) {
            assert_eq!(edit.old_text, text, "{}", edit.destination);
        }
    }
    make(plan.edits());
    let text = fs::read_plain(&machine.service_file).unwrap().unwrap();
    assert!(
        text.contains("[one]\n") && text.contains("[two]\n"),
        "{text}"
    );
    assert!(
        text.ends_with("[mine]\nhost=h\n\n# sharing one\n# sharing two\n"),
        "{text}"
    );

    for order in ["as they are", "from the last"] {
        let mut tools = tools.clone();
        if order == "from the last" {
            tools.reverse();
        }
        let again = self::plan(&tools, Vec::new(), &[], &machine, &preferences);
        if order == "from the last" {
            make(again.edits());
        } else {
            assert!(again.edits().iter().all(|edit| !edit.changes_something()));
        }
        for tool in tools {
            let edits = tool.files().unwrap().undo(&machine).unwrap();
            machine.planned_files.add(&edits);
            make(&edits);
        }
        machine.planned_files = FileDrafts::default();
        let text = fs::read_plain(&machine.service_file).unwrap();
        assert_eq!(text.as_deref(), Some(mine), "{order}");
        let left = home.join(".DBeaverData/workspace6/General/.dbeaver/data-sources-pgcred.json");
        assert!(!left.exists() && !machine.pgcred_config.join("pgadmin-servers.json").exists());
    }
}

#[test]
fn an_error_of_one_tool_or_connection_stays_with_it() {
    let directory = fs::new_private_directory().unwrap();
    let machine = machine(&directory.path(""));
    let before = fs::list(&directory.path(""));
    let config = format!("{CONFIG}[connections.three]\nhost = \"elsewhere.example.com\"\n");
    let preferences = preferences(&config, &machine.pgcred_config.join("config.toml"));
    let psql = TOOLS.iter().find(|tool| tool.name == "psql").unwrap();
    let plan = plan(
        &[&BROKEN, psql, &SHARING],
        Vec::new(),
        &[],
        &machine,
        &preferences,
    );
    let named: Vec<&str> = plan
        .parts
        .iter()
        .map(|part| part.tool.unwrap().name)
        .collect();
    assert_eq!(named, ["psql", "sharing"]);
    let errors: Vec<String> = plan.errors.iter().map(Error::to_string).collect();
    assert_eq!(errors.len(), 2, "each once: {errors:?}");
    assert_eq!(errors[0], "broken: its file is not JSON");
    assert!(errors[1].starts_with("three: "), "{errors:?}");
    let after = fs::list(&directory.path(""));
    assert_eq!(after, before, "a plan writes nothing");
}

/// The guided set-up plans with a configuration that is not written yet.
#[test]
fn the_configuration_may_be_one_that_is_to_be_written() {
    let directory = fs::new_private_directory().unwrap();
    let machine = machine(&directory.path(""));
    let file = machine.pgcred_config.join("config.toml");
    let preferences = preferences("", &file).with_config(Config::parse(CONFIG).unwrap());
    let first = SetupEdit {
        destination: EditDestination::File(file.clone()),
        old_text: None,
        new_text: Some(CONFIG.to_owned()),
        backup_text: None,
    };
    let psql = TOOLS.iter().find(|tool| tool.name == "psql").unwrap();
    let names = ["one".to_owned(), "new.dsql.us-east-1.on.aws".to_owned()];
    let plan = plan(
        &[psql, &SHARING],
        vec![first],
        &names,
        &machine,
        &preferences,
    );
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    assert!(plan.parts[0].tool.is_none());
    make(plan.edits());
    let written = Config::parse(&fs::read_plain(&file).unwrap().unwrap()).unwrap();
    let names: Vec<&str> = written
        .connections
        .iter()
        .map(|known| &*known.name)
        .collect();
    assert_eq!(
        names,
        ["one", "two", "new"],
        "the new one once, though two tools need it"
    );
}

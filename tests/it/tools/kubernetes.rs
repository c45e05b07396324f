//! The manifest of the side-car is valid by the schemas of Kubernetes, and its command writes the
//! passfile as the user of the pod.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;

use serde_json::Value;

use crate::support::needs::{ROOT, package, python, skip_unless};
use crate::support::sandbox::{KEY_ID, Run, SECRET, Sandbox};
use crate::support::sources::root;

const READ: &str = "import json, sys, kubernetes_validate, yaml\n\
    documents = list(yaml.safe_load_all(open(sys.argv[1])))\n\
    for document in documents:\n    \
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)\n\
    print(json.dumps(documents))\n";

#[test]
fn the_side_car_writes_tokens_for_its_pod() {
    skip_unless!(ROOT, package("kubernetes_validate"));
    let sandbox = Sandbox::empty();
    let mut read = sandbox.command(&python());
    read.args(["-c", READ])
        .arg(root().join("integrations/kubernetes/sidecar.yaml"));
    let read = Run::of(read);
    assert_eq!(read.code, 0, "{}", read.stderr);
    let documents: Value = serde_json::from_str(&read.stdout).expect("JSON");
    let (config, pod) = (&documents[0]["data"]["config.toml"], &documents[1]["spec"]);
    let side_car = &pod["initContainers"][0];

    let run = sandbox.path("run");
    fs::create_dir(&run).expect("a directory");
    for directory in [sandbox.home(), &run] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).expect("a mode");
    }
    let toml = config
        .as_str()
        .expect("text")
        .replace("YOUR-CLUSTER-ID", "foo0bar1baz2quux3quuux4abc");
    let toml = sandbox.write("config.toml", toml);
    let authority = rcgen::generate_simple_self_signed(Vec::new()).expect("a certificate");
    let image = sandbox.write("image/ca-certificates.crt", authority.cert.pem());
    let image = image.parent().expect("a directory");
    // Every user can read it there. `installed` does not write it from this process, which would
    // keep others from running it.
    sandbox.installed("image/pgcred");
    let place = |text: &str| {
        let text = text.replace("/opt/pgcred", &image.display().to_string());
        let text = text.replace("/etc/pgcred/config.toml", &toml.display().to_string());
        text.replace("/run/pgcred", &run.display().to_string())
    };
    let words = side_car["command"]
        .as_array()
        .expect("a command")
        .iter()
        .map(|word| place(word.as_str().expect("text")));
    let words: Vec<String> = words.filter(|word| word != "--watch").collect();
    let mut command = std::process::Command::new(&words[0]);
    command.args(&words[1..]).env_clear().current_dir("/");
    for variable in side_car["env"].as_array().expect("variables") {
        let text = |field: &str| place(variable[field].as_str().expect("text"));
        command.env(text("name"), text("value"));
    }
    command
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    let user = u32::try_from(
        pod["securityContext"]["runAsUser"]
            .as_u64()
            .expect("a user"),
    )
    .expect("a user");
    command.uid(user).gid(user);
    let refreshed = Run::of(command);
    assert_eq!(refreshed.code, 0, "{}", refreshed.stderr);

    let passfile = run.join("pgpass");
    let metadata = fs::metadata(&passfile).expect("a passfile");
    assert_eq!((metadata.mode() & 0o777, metadata.uid()), (0o600, user));
    assert!(
        fs::read_to_string(&passfile)
            .expect("text")
            .contains(":5432:*:app:foo0bar1baz2quux3quuux4abc.dsql")
    );
    let of_program = &pod["containers"][0]["env"][0];
    let same = side_car["env"]
        .as_array()
        .expect("variables")
        .contains(of_program);
    assert!(
        same && of_program["name"] == "PGPASSFILE",
        "the program finds the same passfile"
    );
}

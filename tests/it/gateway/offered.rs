//! Which connections the gateway offers, and on which port: `add --proxy`, `list`, and what `proxy`
//! itself refuses.

use std::net::TcpListener;

use serde_json::Value;

use crate::gateway::machine::free_port;
use crate::support::sandbox::{HOST, RDS_HOST, Sandbox};

fn connections(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.ok(&["list", "--format", "json"])).expect("JSON")
}

#[test]
fn a_connection_gets_a_port_that_it_keeps() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "shop", HOST, "--proxy"]);
    sandbox.ok(&["add", "books", RDS_HOST, "--user", "app", "--proxy"]);
    let listed = connections(&sandbox);
    let (first, second) = (&listed[0]["proxy"]["port"], &listed[1]["proxy"]["port"]);
    assert!(
        first.as_u64() >= Some(15_432) && second.as_u64() > first.as_u64(),
        "{listed}"
    );
    // Another change leaves the port alone, and so does the option without a value.
    sandbox.ok(&["add", "shop", "--profile", "dev", "--replace"]);
    sandbox.ok(&["add", "books", "--proxy", "--replace"]);
    assert_eq!(connections(&sandbox)[0]["proxy"]["port"], *first);
    assert_eq!(connections(&sandbox)[1]["proxy"]["port"], *second);
    sandbox.ok(&["add", "books", "--proxy=15999", "--replace"]);
    assert_eq!(connections(&sandbox)[1]["proxy"]["port"], 15_999);
}

#[test]
fn the_list_says_whether_somebody_listens() {
    let sandbox = Sandbox::with_keys();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    sandbox.ok(&["add", "shop", HOST, &format!("--proxy={port}")]);
    assert_eq!(connections(&sandbox)[0]["proxy"]["listening"], true);
    assert!(
        sandbox
            .ok(&["list"])
            .contains(&format!("127.0.0.1:{port} is open"))
    );
    drop(listener);
    assert_eq!(connections(&sandbox)[0]["proxy"]["listening"], false);
    assert!(sandbox.ok(&["list"]).contains("`pgcred proxy` does"));
}

#[test]
fn what_cannot_be_offered_is_refused() {
    let sandbox = Sandbox::with_keys();
    let port = free_port().to_string();
    sandbox
        .run(&["proxy"])
        .assert_fails(4, "no connection is offered by the gateway");
    sandbox.ok(&["add", "shop", HOST]);
    sandbox
        .run(&["proxy", "shop"])
        .assert_fails(2, "shop has no port for the gateway");
    for address in [
        "0.0.0.0:15432",
        "[::]:15432",
        "10.0.0.1:15432",
        "localhost:15432",
        "x",
    ] {
        let run = sandbox.run(&["proxy", "shop", "--listen", address]);
        run.assert_fails(2, "not an address for a gateway");
    }
    sandbox
        .run(&["proxy", "shop", HOST, "--listen", &port])
        .assert_fails(2, "--listen is for one target");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    sandbox
        .run(&["proxy", "shop", "--listen", &address])
        .assert_fails(1, &format!("cannot listen on {address}"));
    sandbox.ok(&["add", "shop", &format!("--proxy={port}"), "--replace"]);
    sandbox.ok(&[
        "add",
        "books",
        RDS_HOST,
        "--user",
        "app",
        &format!("--proxy={port}"),
    ]);
    sandbox
        .run(&["proxy"])
        .assert_fails(2, "shop and books have the same port");
}

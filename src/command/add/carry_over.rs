//! Keeps what a connection that is changed has had: everything that the user has not named. It is
//! pure.
//!
//! Where the host becomes another one, what describes the old host would send the client, or sign
//! the token, for the old one: it goes away, and the user is told.

use crate::config::Connection;

/// Fills what the user has not named from the connection that is there. Returns the keys that go
/// away with the old host.
pub(super) fn carry_over(new: &mut Connection, old: &Connection) -> Vec<&'static str> {
    let has_same_host = match &new.target.host {
        Some(host) => Some(host) == old.target.host.as_ref(),
        None => true,
    };
    let mut dropped_keys = Vec::new();
    if has_same_host {
        carry_value(&mut new.target.port, old.target.port.as_ref());
        carry_value(&mut new.region, old.region.as_ref());
        carry_value(&mut new.provider, old.provider.as_ref());
        carry_value(&mut new.sign_host, old.sign_host.as_ref());
    } else {
        dropped_keys = keys_of_old_host(new, old);
    }
    for (keyword, value) in &old.target.options {
        if !has_option(new, keyword) && !dropped_keys.contains(&keyword.as_str()) {
            new.target.set_option(keyword, value.clone());
        }
    }
    carry_value(&mut new.target.host, old.target.host.as_ref());
    carry_value(&mut new.target.user, old.target.user.as_ref());
    carry_value(&mut new.target.dbname, old.target.dbname.as_ref());
    carry_value(&mut new.profile, old.profile.as_ref());
    carry_value(&mut new.roots, old.roots.as_ref());
    carry_value(&mut new.lifetime, old.lifetime.as_ref());
    carry_value(&mut new.gateway, old.gateway.as_ref());
    if new.provider == old.provider {
        carry_vars(new, old);
    } else if !has_same_host && new.vars.is_empty() && !old.vars.is_empty() {
        dropped_keys.push("vars");
    }
    if new.aliases.is_empty() {
        new.aliases.clone_from(&old.aliases);
    }
    dropped_keys
}

/// Keeps the value of each placeholder that the user has not named.
fn carry_vars(new: &mut Connection, old: &Connection) {
    for (name, value) in &old.vars {
        if new.vars.iter().all(|(new_name, _)| new_name != name) {
            new.vars.push((name.clone(), value.clone()));
        }
    }
    new.vars.sort();
}

fn keys_of_old_host(new: &Connection, old: &Connection) -> Vec<&'static str> {
    let mut dropped_keys = Vec::new();
    for (key, is_named, was_there) in [
        ("port", new.target.port.is_some(), old.target.port.is_some()),
        ("region", new.region.is_some(), old.region.is_some()),
        ("provider", new.provider.is_some(), old.provider.is_some()),
        (
            "sign_host",
            new.sign_host.is_some(),
            old.sign_host.is_some(),
        ),
        (
            "hostaddr",
            has_option(new, "hostaddr"),
            has_option(old, "hostaddr"),
        ),
    ] {
        if was_there && !is_named {
            dropped_keys.push(key);
        }
    }
    dropped_keys
}

fn has_option(connection: &Connection, keyword: &str) -> bool {
    let options = &connection.target.options;
    options.iter().any(|(name, _)| name == keyword)
}

fn carry_value<T: Clone>(new: &mut Option<T>, old: Option<&T>) {
    if new.is_none() {
        *new = old.cloned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::Region;
    use crate::config::Config;

    const OLD: &str = "[connections.p]\nhost = 'h'\nport = 1\nuser = 'u'\ndbname = 'd'\n\
        sslmode = 'require'\nhostaddr = '127.0.0.1'\nroots = 'system'\nprofile = 'f'\n\
        region = 'us-east-1'\nprovider = 'rds'\nsign_host = 's'\nexpires_in = 'max'\n\
        aliases = ['a']\ndiscovered = true\n";

    fn old() -> Connection {
        Config::parse(OLD).unwrap().connections.remove(0)
    }

    #[test]
    fn what_is_not_named_stays() {
        let mut new = Connection {
            name: "p".into(),
            profile: Some("other".into()),
            ..Connection::default()
        };
        assert!(carry_over(&mut new, &old()).is_empty());
        let expected = Connection {
            profile: Some("other".into()),
            discovered: false,
            ..old()
        };
        new.target.options.sort();
        assert_eq!(new, expected);
        new.aliases.clear();
        new.target.host = Some("h".into());
        assert!(carry_over(&mut new, &old()).is_empty());
        assert_eq!(new.aliases, old().aliases);
    }

    fn vars(of: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
        of.iter().map(owned).collect()
    }

    #[test]
    fn each_var_is_a_value_of_its_own() {
        let mut old = old();
        old.vars = vars(&[("a", "1"), ("b", "2")]);
        let mut new = Connection {
            vars: vars(&[("b", "3")]),
            ..Connection::default()
        };
        assert!(carry_over(&mut new, &old).is_empty());
        assert_eq!(new.vars, vars(&[("a", "1"), ("b", "3")]));
        let mut new = Connection::default();
        new.target.host = Some("other".into());
        assert_eq!(carry_over(&mut new, &old).last(), Some(&"vars"));
        assert_eq!(new.vars, []);
    }

    #[test]
    fn what_describes_another_host_goes() {
        let mut new = Connection {
            region: Some(Region::from_trusted_name("eu-west-1")),
            ..Connection::default()
        };
        new.target.host = Some("other".into());
        let gone = carry_over(&mut new, &old());
        assert_eq!(gone, ["port", "provider", "sign_host", "hostaddr"]);
        assert_eq!((new.target.port, &new.sign_host), (None, &None));
        assert_eq!(new.region, Some(Region::from_trusted_name("eu-west-1")));
        assert_eq!(new.target.options, [("sslmode".into(), "require".into())]);
        assert_eq!((new.lifetime, new.aliases), (old().lifetime, old().aliases));
    }
}

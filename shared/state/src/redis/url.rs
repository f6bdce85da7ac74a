//! Decides what the URL of a Redis store says; nothing is connected here.
//!
//! ```text
//! redis://[user:password@]host[:6379][/db][?options]             one server
//! rediss://…                                                     the same over TLS
//! redis+sentinel://[user:password@]host[:26379],…/master[/db]    the master that the sentinels name
//! redis+cluster://[user:password@]host[:6379],…                  a cluster
//! ```
//!
//! | option | says | default |
//! |---|---|---|
//! | `prefix` | what every key begins with, 1 to 64 letters, digits, `-`, `_`, `.` | `sampan` |
//! | `wait` | replicas that must have a decision before it counts (`WAIT`) | 0 |
//! | `wait_ms` | how long they may take, in milliseconds | 500 |
//! | `eviction` | `refuse` or `allow` a `maxmemory-policy` other than `noeviction` | `refuse` |
//! | `tls` | `true`: TLS to sentinels and cluster nodes too | `false` |
//! | `ca` | file of the authorities (PEM) that a server's certificate may be from | the system's |
//! | `cert`, `key` | files of a certificate of our own and its key (PEM), for servers that ask for one | none |
//! | `sentinel_user`, `sentinel_password` | credentials of the sentinels | none |

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use super::open::OpenError;

/// Which servers a store is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Topology {
    /// One server.
    Single,
    /// The master of this name, as the sentinels say.
    Sentinel {
        /// Its name.
        master: String,
    },
    /// A cluster.
    Cluster,
}

/// A host name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
}

/// A user name and a password, each of which may be missing.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials {
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        let password = |of: &Self| of.password.as_ref().map(|password| password.expose_secret().to_owned());
        self.user == other.user && password(self) == password(other)
    }
}

impl Eq for Credentials {}

/// Replicas that must have a decision before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Confirm {
    pub(super) replicas: u32,
    pub(super) within: Duration,
}

/// Where a store is on Redis, and how it is used. Shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisUrl {
    pub(super) topology: Topology,
    pub(super) hosts: Vec<Host>,
    pub(super) tls: bool,
    pub(super) ca: Option<PathBuf>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) credentials: Credentials,
    pub(super) sentinel_credentials: Credentials,
    pub(super) db: i64,
    pub(super) prefix: String,
    pub(super) confirm: Option<Confirm>,
    pub(super) allows_eviction: bool,
}

impl RedisUrl {
    /// Returns whether the text begins as the URL of a Redis store does.
    pub fn is_one(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }
}

/// What a name needs no code for.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const SCHEMES: [&str; 4] = ["redis://", "rediss://", "redis+sentinel://", "redis+cluster://"];

fn wrong(why: impl Into<String>) -> OpenError {
    OpenError::Url { why: why.into() }
}

impl FromStr for RedisUrl {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, OpenError> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("it has no scheme such as redis://"))?;
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        // A password may hold anything but these in its percent-encoded form.
        let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (topology, port, db) = match scheme {
            "redis" | "rediss" => (Topology::Single, 6379, path),
            "redis+sentinel" => {
                let (master, db) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(wrong("it names no master: redis+sentinel://host:26379/MASTER"));
                }
                (Topology::Sentinel { master: decode(master)? }, 26379, db)
            }
            "redis+cluster" => (Topology::Cluster, 6379, path),
            other => return Err(wrong(format!("`{other}` is no scheme of a store; there are {}", SCHEMES.join(" ")))),
        };
        let mut url = Self {
            hosts: parse_hosts(authority, port)?,
            tls: scheme == "rediss",
            ca: None,
            cert: None,
            key: None,
            credentials: login.map(parse_login).transpose()?.unwrap_or_default(),
            sentinel_credentials: Credentials::default(),
            db: parse_db(db, &topology)?,
            prefix: "sampan".to_owned(),
            confirm: None,
            allows_eviction: false,
            topology,
        };
        if url.topology == Topology::Single && url.hosts.len() > 1 {
            return Err(wrong("it names several hosts; use redis+cluster:// or redis+sentinel://"));
        }
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            url.set(name, &decode(value)?)?;
        }
        if !url.tls && (url.ca.is_some() || url.cert.is_some() || url.key.is_some()) {
            return Err(wrong("ca, cert and key are for TLS: rediss://, or tls=true"));
        }
        if url.cert.is_some() != url.key.is_some() {
            return Err(wrong("cert and key belong together"));
        }
        Ok(url)
    }
}

impl RedisUrl {
    fn set(&mut self, name: &str, value: &str) -> Result<(), OpenError> {
        let number = || value.parse::<u32>().map_err(|_| wrong(format!("{name} is a whole number, not `{value}`")));
        let default = Confirm { replicas: 0, within: Duration::from_millis(500) };
        match name {
            "prefix" => {
                let is_valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                if value.is_empty() || value.len() > 64 || !value.chars().all(is_valid) {
                    return Err(wrong("prefix is 1 to 64 letters, digits, `-`, `_` or `.`"));
                }
                value.clone_into(&mut self.prefix);
            }
            "wait" => self.confirm = Some(Confirm { replicas: number()?, ..self.confirm.unwrap_or(default) }),
            "wait_ms" => {
                let within = Duration::from_millis(number()?.clamp(1, 60_000).into());
                self.confirm = Some(Confirm { within, ..self.confirm.unwrap_or(default) });
            }
            "eviction" => {
                self.allows_eviction = match value {
                    "refuse" => false,
                    "allow" => true,
                    _ => return Err(wrong(format!("eviction is refuse or allow, not `{value}`"))),
                }
            }
            "tls" => {
                self.tls = match value {
                    "true" => true,
                    "false" if !self.tls => false,
                    _ => return Err(wrong("tls is true or false, and rediss:// is TLS already")),
                }
            }
            "ca" => self.ca = Some(value.into()),
            "cert" => self.cert = Some(value.into()),
            "key" => self.key = Some(value.into()),
            "sentinel_user" => self.sentinel_credentials.user = Some(value.to_owned()),
            "sentinel_password" => self.sentinel_credentials.password = Some(value.to_owned().into()),
            other => {
                let known = "prefix, wait, wait_ms, eviction, tls, ca, cert, key, sentinel_user, sentinel_password";
                // Behind an unencoded `?` of a password stands the rest of it, and the host.
                return Err(match other.contains('@') {
                    true => wrong("a `?` in a password is written %3F"),
                    false => wrong(format!("`{other}` is no option; there are {known}")),
                });
            }
        }
        Ok(())
    }
}

fn decode(text: &str) -> Result<String, OpenError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| wrong("a part of it is not UTF-8 after decoding"))
}

fn encode(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, PLAIN)
}

fn parse_login(login: &str) -> Result<Credentials, OpenError> {
    let (user, password) = login.split_once(':').ok_or_else(|| wrong("credentials are user:password or :password"))?;
    let user = Some(decode(user)?).filter(|user| !user.is_empty());
    let password = Some(decode(password)?).filter(|password| !password.is_empty());
    Ok(Credentials { user, password: password.map(SecretString::from) })
}

fn parse_hosts(authority: &str, default_port: u16) -> Result<Vec<Host>, OpenError> {
    authority.split(',').map(|host| parse_host(host, default_port)).collect()
}

fn parse_host(text: &str, default_port: u16) -> Result<Host, OpenError> {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        // An IPv6 address stands in brackets.
        Some((address, port)) => (address, port.strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let port = match port {
        None => default_port,
        // Not shown: it is a password when the host was forgotten.
        Some(port) => {
            port.parse().map_err(|_| wrong("what follows a host is no port; a password needs user:password@"))?
        }
    };
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || "[]/@".contains(c)) {
        return Err(wrong("it names no host"));
    }
    Ok(Host { name: name.to_owned(), port })
}

fn parse_db(text: &str, topology: &Topology) -> Result<i64, OpenError> {
    match text {
        "" => Ok(0),
        "0" => Ok(0),
        _ if *topology == Topology::Cluster => Err(wrong("a cluster has only the database 0")),
        other => match other.parse::<u32>() {
            Ok(number) => Ok(number.into()),
            Err(_) => Err(wrong("what follows the hosts is no database; it is a number")),
        },
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match &self.topology {
            Topology::Single if self.tls => "rediss",
            Topology::Single => "redis",
            Topology::Sentinel { .. } => "redis+sentinel",
            Topology::Cluster => "redis+cluster",
        };
        write!(f, "{scheme}://")?;
        match (&self.credentials.user, &self.credentials.password) {
            (None, None) => {}
            (user, Some(_)) => write!(f, "{}:***@", encode(user.as_deref().unwrap_or_default()))?,
            (Some(user), None) => write!(f, "{}:@", encode(user))?,
        }
        for (number, host) in self.hosts.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let Host { name, port } = host;
            if name.contains(':') { write!(f, "{comma}[{name}]:{port}")? } else { write!(f, "{comma}{name}:{port}")? }
        }
        if let Topology::Sentinel { master } = &self.topology {
            write!(f, "/{}", encode(master))?;
        }
        if self.db != 0 {
            write!(f, "/{}", self.db)?;
        }
        write!(f, "?prefix={}", self.prefix)?;
        if self.tls && scheme != "rediss" { f.write_str("&tls=true") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> RedisUrl {
        text.parse().unwrap()
    }

    fn why(text: &str) -> String {
        text.parse::<RedisUrl>().unwrap_err().to_string()
    }

    #[test]
    fn the_four_forms_are_read() {
        let url = parse("redis://127.0.0.1:7001/3?prefix=blue");
        assert_eq!((url.db, url.prefix.as_str(), url.tls), (3, "blue", false));
        assert_eq!(parse("rediss://cache").hosts, [Host { name: "cache".to_owned(), port: 6379 }]);
        assert!(parse("rediss://cache").tls);
        let url = parse("redis+sentinel://a:1,b,[::1]:9/main/2?tls=true");
        assert_eq!(url.topology, Topology::Sentinel { master: "main".to_owned() });
        assert_eq!(url.hosts.iter().map(|host| host.port).collect::<Vec<_>>(), [1, 26379, 9]);
        assert_eq!((url.db, url.tls), (2, true));
        assert_eq!(parse("redis+cluster://a,b:2?wait=1&wait_ms=90").confirm.unwrap().within.as_millis(), 90);
    }

    #[test]
    fn a_password_is_read_and_never_shown() {
        let url = parse("redis://app:p%40ss:w%2Frd@host/1?sentinel_password=s3cret");
        assert_eq!(url.credentials.password.as_ref().unwrap().expose_secret(), "p@ss:w/rd");
        for shown in [url.to_string(), format!("{url:?}")] {
            assert!(!shown.contains("ss:w") && !shown.contains("s3cret"), "{shown}");
        }
        assert_eq!(url.to_string(), "redis://app:***@host:6379/1?prefix=sampan");
    }

    #[test]
    fn what_is_shown_is_an_address_again_whatever_is_in_its_names() {
        for text in
            ["redis://a%2Fb%40c:@host", "redis+sentinel://a/m%3Ain%2F1/2?tls=true", "redis+cluster://[::1]?tls=true"]
        {
            let url = parse(text);
            let again = parse(&url.to_string());
            assert_eq!((&again.topology, &again.credentials, again.tls), (&url.topology, &url.credentials, url.tls));
        }
    }

    #[test]
    fn a_password_with_a_slip_around_it_is_not_told() {
        for text in ["redis://app:s3cret", "redis://:s3cret?x@host", "redis://:x?s3cret@host", "redis://:1/s3cret"] {
            assert!(!why(text).contains("s3cret"), "{}", why(text));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(why("redis://").contains("host"));
        assert!(why("redis://a:port").contains("is no port"));
        assert!(why("redis://a/x").contains("is no database"));
        assert!(why("redis://a,b").contains("several hosts"));
        assert!(why("redis+sentinel://a").contains("no master"));
        assert!(why("redis+cluster://a/1").contains("database 0"));
        assert!(why("redis://a?prefix={x}").contains("prefix"));
        assert!(why("redis://a?colour=red").contains("`colour` is no option"));
        assert!(why("http://a").contains("`http` is no scheme"));
        assert!(why("redis://user@a").contains("user:password"));
    }
}

//! The settings: what stands in `config/denyset-gateway.toml`, each key with its
//! default and what is allowed. Unknown keys are refused, with their place. It
//! reads one file and knows nothing of what is done with it.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::header::HeaderName;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::limits::{
    CONNECTIONS, IDLE_SECONDS, LISTENERS_MAX, LISTS_MAX, MAX_AGE_SECONDS, SETTINGS_BYTES_MAX,
};

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// Where the daemon is found.
    pub daemon: DaemonPlaces,
    /// Who is listened to.
    pub listen: Listening,
    /// How `/check` answers.
    pub check: CheckRules,
}

/// Where the daemon is found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct DaemonPlaces {
    /// The folder of its packed lists.
    #[serde(deserialize_with = "absolute")]
    pub lists_dir: PathBuf,
    /// Its control socket.
    #[serde(deserialize_with = "absolute")]
    pub control_socket: PathBuf,
}

/// Who is listened to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Listening {
    /// The Unix socket.
    #[serde(deserialize_with = "absolute")]
    pub socket: PathBuf,
    /// Its permissions.
    #[serde(deserialize_with = "mode")]
    pub socket_mode: u32,
    /// TCP sockets, each on a loopback address.
    #[serde(deserialize_with = "loopbacks")]
    pub tcp: Vec<SocketAddr>,
    /// Connections at the most.
    #[serde(deserialize_with = "connections")]
    pub connections_max: u64,
    /// How long a connection may be without a whole request.
    #[serde(deserialize_with = "idle")]
    pub idle_seconds: u64,
}

/// How `/check` answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct CheckRules {
    /// The header with the client's address.
    #[serde(deserialize_with = "header")]
    pub address_header: HeaderName,
    /// The lists that are asked if the request names none; empty for all that are
    /// there to refuse.
    #[serde(deserialize_with = "lists")]
    pub lists: Vec<String>,
    /// How old what is known may be; 0 for any age.
    #[serde(deserialize_with = "max_age")]
    pub max_age_seconds: u64,
}

impl Default for DaemonPlaces {
    fn default() -> Self {
        Self {
            lists_dir: "/run/denyset/lists".into(),
            control_socket: "/run/denyset/control.sock".into(),
        }
    }
}

impl Default for Listening {
    fn default() -> Self {
        Self {
            socket: "/run/denyset-gateway/http.sock".into(),
            socket_mode: 0o660,
            tcp: Vec::new(),
            connections_max: CONNECTIONS.0,
            idle_seconds: IDLE_SECONDS.0,
        }
    }
}

impl Default for CheckRules {
    fn default() -> Self {
        Self {
            address_header: HeaderName::from_static("x-real-ip"),
            lists: Vec::new(),
            max_age_seconds: MAX_AGE_SECONDS.0,
        }
    }
}

impl CheckRules {
    /// Before which moment nothing counts that is known, in seconds since 1970, when
    /// it is `now`.
    pub(crate) fn oldest(&self, now: SystemTime) -> u64 {
        if self.max_age_seconds == 0 {
            return 0;
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        now.as_secs().saturating_sub(self.max_age_seconds)
    }
}

/// Why there are no settings. Always to be answered with `EX_CONFIG` of
/// `sysexits.h`.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the settings {}: {source}; `-c FILE` names others", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}:{column}: {message}", file.display())]
    Mistake {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

impl GatewaySettings {
    /// Reads a file; without one, all is at its default unless the file was
    /// named by somebody.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(file: &Path, is_named: bool) -> Result<Self, SettingsError> {
        let mut text = String::new();
        let read = File::open(file)
            .and_then(|opened| opened.take(SETTINGS_BYTES_MAX).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => {
                Ok(Self::default())
            }
            Err(source) => Err(SettingsError::Read { file: file.to_owned(), source }),
            Ok(_) => Self::parse(&text, file),
        }
    }

    /// The settings that this text is; `file` names it in mistakes.
    ///
    /// # Errors
    /// [`SettingsError::Mistake`], the first one.
    pub fn parse(text: &str, file: &Path) -> Result<Self, SettingsError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.get(..at).unwrap_or(text);
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            SettingsError::Mistake {
                file: file.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                message: error.message().to_owned(),
            }
        })
    }
}

fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
    (_, min, max): (u64, u64, u64),
) -> Result<u64, D::Error> {
    let number = i64::deserialize(deserializer)?;
    let allowed = u64::try_from(number).ok().filter(|number| (min..=max).contains(number));
    allowed.ok_or_else(|| D::Error::custom(format!("{number}, allowed is {min} to {max}")))
}

fn connections<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    number(deserializer, CONNECTIONS)
}

fn idle<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    number(deserializer, IDLE_SECONDS)
}

fn max_age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    number(deserializer, MAX_AGE_SECONDS)
}

fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    let is_good = path.is_absolute() && path.file_name().is_some();
    is_good.then_some(path).ok_or_else(|| D::Error::custom("a path from / on is allowed"))
}

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| D::Error::custom("permissions as for chmod are allowed, \"0660\""))
}

/// Whoever can reach the sockets is answered, so they are for this host alone.
fn loopbacks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    let addresses = Vec::<SocketAddr>::deserialize(deserializer)?;
    if addresses.len() > LISTENERS_MAX {
        return Err(D::Error::custom(format!("at most {LISTENERS_MAX} addresses are allowed")));
    }
    match addresses.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) => Err(D::Error::custom(format!(
            "{address} is not on the loopback interface; put a web server in front for others"
        ))),
        None => Ok(addresses),
    }
}

fn header<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderName, D::Error> {
    let name = String::deserialize(deserializer)?;
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| D::Error::custom("the name of a header is allowed, \"X-Real-IP\""))
}

fn lists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let lists = Vec::<String>::deserialize(deserializer)?;
    if lists.len() > LISTS_MAX {
        return Err(D::Error::custom(format!("at most {LISTS_MAX} lists are allowed")));
    }
    match lists.iter().find(|list| list.is_empty()) {
        Some(_) => Err(D::Error::custom("a list has a name")),
        None => Ok(lists),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GatewaySettings, String> {
        let parsed = GatewaySettings::parse(text, Path::new("gateway.toml"));
        parsed.map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_that_is_shipped_has_every_key_at_its_default() {
        let text = include_str!("../../../config/denyset-gateway.toml");
        assert_eq!(parse(text), Ok(GatewaySettings::default()));
        assert_eq!(parse(""), Ok(GatewaySettings::default()));
        // A key that is not set there would be at its default as well.
        for key in [
            "lists-dir",
            "control-socket",
            "socket",
            "socket-mode",
            "tcp",
            "connections-max",
            "idle-seconds",
            "address-header",
            "lists",
            "max-age-seconds",
        ] {
            assert!(text.contains(&format!("\n{key} = ")), "{key}");
        }
    }

    #[test]
    fn a_mistake_is_refused_with_its_place() {
        let check = |text: &str, want: &str| {
            let error = parse(text).expect_err(text);
            assert!(error.starts_with("gateway.toml:"), "{error}");
            assert!(error.contains(want), "{error}, not {want}");
        };
        check("[check]\nlists = []\nmax-aeg = 7\n", ":3:1: unknown field `max-aeg`");
        check("[cheque]\n", ":1:2: unknown field `cheque`");
        check("[check]\nmax-age-seconds = -1\n", ":2:19: -1, allowed is 0 to");
        check("[listen]\ntcp = [\"192.0.2.1:80\"]\n", ":2:7: 192.0.2.1:80 is not on the loopback");
        check("[listen]\ntcp = [\"[::1]:80\", \"localhost:80\"]\n", ":2:");
        check("[listen]\nsocket-mode = \"0999\"\n", ":2:15: permissions");
        check("[listen]\nsocket = \"http.sock\"\n", ":2:10: a path from / on");
        check("[listen]\nconnections-max = 0\n", ":2:19: 0, allowed is 1 to");
        check("[check]\naddress-header = \"X Real\"\n", ":2:18: the name of a header");
        check("[check\n", ":1:");
        assert!(parse("[listen]\ntcp = [\"127.0.0.1:80\", \"[::1]:0\"]\n").is_ok());
    }

    #[test]
    fn a_file_may_be_missing_unless_it_was_named() {
        let nowhere = Path::new("/nowhere/gateway.toml");
        let settings = GatewaySettings::read(nowhere, false).expect("the defaults");
        assert_eq!(settings, GatewaySettings::default());
        assert!(matches!(GatewaySettings::read(nowhere, true), Err(SettingsError::Read { .. })));
    }
}

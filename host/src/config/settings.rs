//! Settings that flags and the environment can give as well.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;
use orlop::serve::{Origins, TrustedProxies};

use super::{Anonymous, Config, ConnectionSettings, DEFAULT_FILE, Error, Listen, LogFormat};

/// Settings of every command.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The configuration file [default: ./orlop.toml]
    #[arg(long, env = "ORLOP_CONFIG", value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// Where compiled drivers are kept [default: the user's cache folder]
    #[arg(long, env = "ORLOP_CACHE_DIR", value_name = "FOLDER", global = true)]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Where drivers are looked for by name, beside the built-in ones
    #[arg(long, env = "ORLOP_DRIVER_DIR", value_name = "FOLDER", global = true)]
    pub(crate) driver_dir: Option<PathBuf>,

    /// Which log lines go to standard error, such as `debug` or `orlop=trace,warn`
    #[arg(long, env = "ORLOP_LOG", value_name = "FILTER", global = true)]
    pub(crate) log: Option<String>,

    /// What log lines look like: `text` or `json` [default: text]
    #[arg(long, env = "ORLOP_LOG_FORMAT", value_name = "FORMAT", global = true)]
    pub(crate) log_format: Option<LogFormat>,
}

/// Settings of the commands that listen.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ListenSettings {
    /// Where to listen: ADDRESS:PORT, unix:FILE or systemd, several with commas; port 0 takes a free one [default: 127.0.0.1:5244]
    #[arg(long, env = "ORLOP_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<Listen>,

    #[command(flatten)]
    pub(crate) connections: ConnectionSettings,

    /// The folder of what outlives the process: tasks, locks, shares, keys [default: the user's state folder]
    #[arg(long, env = "ORLOP_STATE_DIR", value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,

    /// A PostgreSQL database rather than the folder, which several hosts may share: postgres://user@host/database
    #[arg(long, env = "ORLOP_STATE", value_name = "URL", hide_env_values = true)]
    pub(crate) state: Option<String>,

    /// What anyone may do who can reach the server: `read` or `write`
    ///
    /// Must be set to listen on anything but loopback without users.
    #[arg(long, env = "ORLOP_ANONYMOUS", value_name = "RIGHTS")]
    pub(crate) anonymous: Option<Anonymous>,

    /// Proxies whose X-Forwarded-For and X-Forwarded-Proto count, such as `127.0.0.1,10.0.0.0/8`
    #[arg(long, env = "ORLOP_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub(crate) trusted_proxies: Option<TrustedProxies>,

    /// The origins whose pages may use the server, with commas between them, such as https://app.example
    #[arg(long, env = "ORLOP_CORS_ORIGINS", value_name = "ORIGINS")]
    pub(crate) cors_origins: Option<Origins>,
}

impl Settings {
    /// The configuration file's path.
    pub(crate) fn file(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE))
    }

    /// Reads the configuration file, and puts the flags over it.
    pub(crate) fn load(&self) -> Result<Config, Error> {
        Ok(self.over(Config::load(self.file())?))
    }

    /// As [`Settings::load`] for commands that need no file: none is there unless it was named.
    pub(crate) fn load_if_there(&self) -> Result<Config, Error> {
        if self.config.is_none() && !self.file().exists() {
            return Ok(self.over(Config::default()));
        }
        self.load()
    }

    /// The settings alone, without a file.
    pub(crate) fn alone(&self) -> Config {
        self.over(Config::default())
    }

    fn over(&self, config: Config) -> Config {
        Config {
            cache_dir: self
                .cache_dir
                .clone()
                .or(config.cache_dir)
                .or_else(user_cache),
            driver_dir: self.driver_dir.clone().or(config.driver_dir),
            log: self.log.clone().or(config.log),
            log_format: self.log_format.or(config.log_format),
            ..config
        }
    }
}

impl ListenSettings {
    /// Puts the flags over a configuration.
    pub(crate) fn over(&self, config: Config) -> Config {
        Config {
            listen: self.listen.clone().or(config.listen),
            connections: self.connections.over(config.connections),
            anonymous: self.anonymous.or(config.anonymous),
            trusted_proxies: self.trusted_proxies.clone().or(config.trusted_proxies),
            cors_origins: self.cors_origins.clone().or(config.cors_origins),
            state_dir: self
                .state_dir
                .clone()
                .or(config.state_dir)
                .or_else(user_state),
            state: self.state.clone().or(config.state),
            ..config
        }
    }
}

/// `$XDG_CACHE_HOME/orlop`, or `~/.cache/orlop`; none for a user without a home.
fn user_cache() -> Option<PathBuf> {
    user_folder("XDG_CACHE_HOME", ".cache")
}

/// `$XDG_STATE_HOME/orlop`, or `~/.local/state/orlop`; none for a user without a home.
fn user_state() -> Option<PathBuf> {
    user_folder("XDG_STATE_HOME", ".local/state")
}

fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
    };
    absolute(variable)
        .or_else(|| Some(absolute("HOME")?.join(below_home)))
        .map(|folder| folder.join("orlop"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        listen: ListenSettings,
    }

    fn file() -> Config {
        let text =
            "listen = \"127.0.0.1:1\"\nanonymous = \"read\"\ncache_dir = \"/file\"\nlog = \"warn\"";
        Config::parse(Path::new("/orlop.toml"), text.to_owned()).unwrap()
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let flags = ["orlop", "--listen", "127.0.0.1:2", "--cache-dir", "/flag"];
        let program = Program::try_parse_from(flags).unwrap();
        let config = program.listen.over(program.settings.over(file()));
        assert_eq!(config.listen.unwrap().to_string(), "127.0.0.1:2");
        assert_eq!(config.cache_dir.unwrap(), Path::new("/flag"));
        assert_eq!(config.anonymous, Some(Anonymous::Read));
        assert_eq!(config.log.as_deref(), Some("warn"));
    }

    #[test]
    fn each_setting_has_one_name_everywhere() {
        for argument in Program::command().get_arguments() {
            let Some(flag) = argument.get_long().filter(|flag| *flag != "help") else {
                continue;
            };
            let key = flag.replace('-', "_");
            let variable = format!("ORLOP_{}", key.to_uppercase());
            assert_eq!(argument.get_env().unwrap().to_str().unwrap(), variable);
            // The file cannot name itself; it knows all the others, so the value is to blame, not the key.
            if key != "config" {
                let text = format!("{key} = false");
                let error = Config::parse(Path::new("f"), text).unwrap_err();
                assert!(
                    error
                        .to_string()
                        .starts_with(&format!("f:1: {key}: must be ")),
                    "{error}"
                );
            }
        }
    }
}

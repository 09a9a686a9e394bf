//! How connections are taken, as flags, the environment and the file say it.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Args;
use orlop::serve::{Patience, ServeOptions, TlsFiles};

use super::{Error, section::Section};

/// How connections are taken. What is not set keeps its default.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub(crate) struct ConnectionSettings {
    /// The mode of socket files, such as 0660 [default: 0660]
    #[arg(long, env = "ORLOP_SOCKET_MODE", value_name = "MODE")]
    pub(crate) socket_mode: Option<SocketMode>,

    /// The certificate for TLS and those between it and the authority's, in PEM
    #[arg(long, env = "ORLOP_TLS_CERTIFICATE", value_name = "FILE")]
    pub(crate) tls_certificate: Option<PathBuf>,

    /// The certificate's private key, in PEM
    #[arg(long, env = "ORLOP_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Connections at once; more wait [default: 4096]
    #[arg(long, env = "ORLOP_MAX_CONNECTIONS", value_name = "COUNT", value_parser = count)]
    pub(crate) max_connections: Option<usize>,

    /// How long to wait for the head of a request [default: 30]
    #[arg(long, env = "ORLOP_IDLE_SECONDS", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) idle_seconds: Option<Duration>,

    /// How long to wait for more of a request's body [default: 60]
    #[arg(long, env = "ORLOP_BODY_SECONDS", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) body_seconds: Option<Duration>,

    /// How long to wait for a client to take more of an answer [default: 120]
    #[arg(long, env = "ORLOP_WRITE_SECONDS", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) write_seconds: Option<Duration>,

    /// How long requests may take to finish when the server is told to end [default: 25]
    #[arg(long, env = "ORLOP_DRAIN_SECONDS", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) drain_seconds: Option<Duration>,
}

impl ConnectionSettings {
    /// Reads the keys at the top of the file.
    pub(super) fn read(root: &mut Section<'_>) -> Result<Self, Error> {
        Ok(Self {
            socket_mode: root.parsed("socket_mode")?,
            tls_certificate: root.path("tls_certificate")?,
            tls_key: root.path("tls_key")?,
            max_connections: root.count("max_connections")?,
            idle_seconds: root.patience("idle_seconds")?,
            body_seconds: root.patience("body_seconds")?,
            write_seconds: root.patience("write_seconds")?,
            drain_seconds: root.seconds("drain_seconds")?,
        })
    }

    /// Puts these settings over others.
    pub(super) fn over(&self, other: Self) -> Self {
        Self {
            socket_mode: self.socket_mode.or(other.socket_mode),
            tls_certificate: self.tls_certificate.clone().or(other.tls_certificate),
            tls_key: self.tls_key.clone().or(other.tls_key),
            max_connections: self.max_connections.or(other.max_connections),
            idle_seconds: self.idle_seconds.or(other.idle_seconds),
            body_seconds: self.body_seconds.or(other.body_seconds),
            write_seconds: self.write_seconds.or(other.write_seconds),
            drain_seconds: self.drain_seconds.or(other.drain_seconds),
        }
    }

    /// The certificate's files.
    ///
    /// # Errors
    /// A text that says which key is missing, for one without the other.
    pub(crate) fn tls(&self) -> Result<Option<TlsFiles>, String> {
        match (self.tls_certificate.clone(), self.tls_key.clone()) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err("`tls_certificate` is set, and `tls_key` is not".to_owned()),
            (None, Some(_)) => Err("`tls_key` is set, and `tls_certificate` is not".to_owned()),
        }
    }

    /// Fills them into the server's options.
    ///
    /// # Errors
    /// As [`tls`](Self::tls).
    pub(crate) fn fill(&self, options: ServeOptions) -> Result<ServeOptions, String> {
        let defaults = Patience::default();
        let patience = defaults
            .with_idle(self.idle_seconds.unwrap_or(defaults.idle))
            .with_body(self.body_seconds.unwrap_or(defaults.body))
            .with_write(self.write_seconds.unwrap_or(defaults.write));
        let mode = self.socket_mode.map_or(options.socket_mode, |mode| mode.0);
        let max_connections = self.max_connections.unwrap_or(options.max_connections);
        let grace = self.drain_seconds.unwrap_or(options.grace);
        Ok(options
            .with_socket_mode(mode)
            .with_tls(self.tls()?)
            .with_max_connections(max_connections)
            .with_patience(patience)
            .with_grace(grace))
    }
}

/// The mode of a file, in octal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketMode(pub(crate) u32);

impl FromStr for SocketMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u32::from_str_radix(text, 8)
            .ok()
            .filter(|mode| *mode <= 0o777)
            .map(Self)
            .ok_or("must be a mode in octal, such as 0660")
    }
}

fn count(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or("must be a whole number from 1")
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or("must be a number of seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        for (text, mode) in [("0660", 0o660), ("600", 0o600), ("0777", 0o777)] {
            assert_eq!(text.parse(), Ok(SocketMode(mode)));
        }
        for text in ["", "0888", "1777", "rw", "-1"] {
            assert!(text.parse::<SocketMode>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_certificate_comes_with_its_key() {
        let mut settings = ConnectionSettings::default();
        assert_eq!(settings.tls(), Ok(None));
        settings.tls_certificate = Some("c.pem".into());
        assert!(settings.tls().unwrap_err().contains("`tls_key` is not"));
        settings.tls_key = Some("k.pem".into());
        assert!(settings.tls().unwrap().is_some());
    }
}

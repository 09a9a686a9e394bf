//! A server that runs: SIGHUP reads its configuration again.

use std::io;

use orlop::{Namespace, serve::Reload};

use super::{first_look, options};
use crate::{
    cli::{Usage, reason, service},
    config::{Config, Drivers, Listen, ListenSettings, Settings},
};

/// What a server runs by.
pub(super) struct Running {
    pub(super) settings: Settings,
    pub(super) listen_settings: ListenSettings,
    /// Where it really listens.
    pub(super) listen: Listen,
    pub(super) config: Config,
    pub(super) drivers: Drivers,
    pub(super) namespace: Namespace,
    pub(super) reload: Reload,
}

impl Running {
    /// Reads the configuration again at each signal, for ever.
    pub(super) async fn follow(mut self, mut hangups: Hangups) {
        while hangups.recv().await {
            service::reloading();
            match self.renew().await {
                Ok(()) => {
                    tracing::info!("reloaded the configuration");
                    service::ready("reloaded the configuration");
                }
                Err(error) => {
                    let error = reason(&error);
                    tracing::error!(error, "the configuration stays as it was");
                    service::ready("the configuration is wrong, and stays as it was; see the log");
                }
            }
        }
    }

    /// Takes over what the file says now, all of it or nothing.
    async fn renew(&mut self) -> anyhow::Result<()> {
        let config = self.listen_settings.over(self.settings.load()?);
        self.listen.permit(config.anonymous).map_err(Usage)?;
        let options = options(&config, &self.listen)?;
        self.drivers.renew(&config);
        let before = Some((&self.config, &self.namespace));
        let namespace = config.open_over(&mut self.drivers, before).await?;
        if let Some(files) = &options.tls {
            self.reload.certificate(files)?;
        }
        self.say_what_waits(&config);
        self.reload.serve(namespace.clone(), options);
        tokio::spawn(first_look(namespace.clone()));
        self.namespace = namespace;
        self.config = config;
        Ok(())
    }

    /// Some settings are looked at only when the program starts.
    fn say_what_waits(&self, config: &Config) {
        let old = &self.config;
        let (before, now) = (&old.connections, &config.connections);
        let listen = config.listen.clone().unwrap_or_default();
        for (key, changed) in [
            ("listen", listen != self.listen),
            ("socket_mode", now.socket_mode != before.socket_mode),
            (
                "tls_certificate",
                now.tls_certificate.is_some() != before.tls_certificate.is_some(),
            ),
            ("cache_dir", config.cache_dir != old.cache_dir),
            ("state_dir", config.state_dir != old.state_dir),
            ("state", config.state != old.state),
            ("log", config.log != old.log),
            ("log_format", config.log_format != old.log_format),
        ] {
            if changed {
                tracing::warn!("`{key}` was changed: that takes a restart");
            }
        }
    }
}

/// The signal that asks for the configuration to be read again.
pub(super) struct Hangups {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

/// Begins to listen for it.
#[cfg(unix)]
pub(super) fn hangups() -> io::Result<Hangups> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok(Hangups {
        signal: signal(SignalKind::hangup())?,
    })
}

#[cfg(not(unix))]
pub(super) fn hangups() -> io::Result<Hangups> {
    Ok(Hangups {})
}

impl Hangups {
    #[cfg(unix)]
    async fn recv(&mut self) -> bool {
        self.signal.recv().await.is_some()
    }

    #[cfg(not(unix))]
    async fn recv(&mut self) -> bool {
        std::future::pending().await
    }
}

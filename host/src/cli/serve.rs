//! `orlop serve`.

mod running;

use clap::Args;
use orlop::{
    Access, Namespace,
    serve::{Bound, ServeOptions, Server},
    state::{State, StatePlace},
};

use self::running::Running;
use super::{Interrupt, Output, Usage, service};
use crate::config::{Config, Drivers, Listen, ListenSettings, Settings};

/// Serve the mounts of the configuration file
///
/// SIGHUP reads the configuration file again. SIGINT and SIGTERM end the server when the requests under way are
/// answered; a second signal ends it at once.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example of an orlop.toml:
  listen = \"127.0.0.1:5244\"

  [[mount]]
  path = \"/photos\"
  driver = \"s3\"

  [mount.config]
  bucket = \"photos\"
  endpoint = \"https://s3.eu-central-1.amazonaws.com\"
  access_key_id = \"AKIA...\"
  secret_access_key = { env = \"S3_SECRET\" }

What a driver can be told: orlop driver inspect s3")]
pub(super) struct Serve {
    #[command(flatten)]
    settings: ListenSettings,
}

impl Serve {
    pub(super) async fn run(
        self,
        settings: Settings,
        config: Config,
        output: &Output,
        interrupt: Interrupt,
    ) -> anyhow::Result<()> {
        // From here on, the signal no longer ends the program.
        let hangups = running::hangups()?;
        raise_file_limit();
        // Before the first instance is counted.
        orlop::serve::record_metrics();
        let config = self.settings.over(config);
        let listen = config.listen.clone().unwrap_or_default();
        listen
            .permit(&config.users, config.anonymous)
            .map_err(Usage)?;
        let options = options(&config, &listen)?;
        let state = interrupt.or(open_state(&config)).await?;
        let mut drivers = Drivers::new(&config)?;
        let namespace = interrupt.or(config.open_over(&mut drivers, None)).await?;
        for mount in namespace.mounts() {
            tracing::info!(mount = %format_args!("/{}", mount.path()), "mounted");
        }
        let server = Server::new(namespace.clone(), state, options)
            .bind()
            .await?;
        tokio::spawn(first_look(namespace.clone()));
        let urls = server.urls().join(" and ");
        output.line(format!("Orlop listens on {urls}"))?;
        service::ready(&format!("listens on {urls}"));
        let running = Running {
            settings,
            listen_settings: self.settings,
            listen,
            config,
            drivers,
            namespace,
            reload: server.reload(),
        };
        // Both end with the runtime.
        tokio::spawn(running.follow(hangups));
        tokio::spawn(service::stay_alive());
        run(server, &interrupt).await
    }
}

/// A connection takes a file descriptor, and a download two. The soft limit is commonly 1,024, for programs that
/// use `select`.
fn raise_file_limit() {
    #[cfg(unix)]
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Looks into each mount, so that the log and `/readyz` tell from the start which of them work.
async fn first_look(namespace: Namespace) {
    let looks = namespace.mounts().iter().map(|mount| async {
        if let Err(error) = namespace.list(mount.path(), None, 1).await {
            let path = format_args!("/{}", mount.path());
            tracing::warn!(mount = %path, %error, "the mount does not work yet; `orlop check` says more");
        }
    });
    futures::future::join_all(looks).await;
}

/// What the configuration says of the servers.
pub(crate) fn options(config: &Config, listen: &Listen) -> anyhow::Result<ServeOptions> {
    let anonymous = match config.anonymous {
        Some(anonymous) => anonymous.access(),
        // Where there are users, who is none may nothing.
        None if !config.users.is_empty() => Access::none(),
        None => Access::full(),
    };
    let options = ServeOptions::default()
        .with_listen(listen.0.iter().cloned())
        .with_anonymous(anonymous)
        .with_users(config.users.clone())
        .with_trusted_proxies(config.trusted_proxies.clone().unwrap_or_default())
        .with_cors_origins(config.cors_origins.clone().unwrap_or_default())
        .with_spool(config.state_dir.as_ref().map(|folder| folder.join("spool")));
    Ok(config.connections.fill(options).map_err(Usage)?)
}

async fn open_state(config: &Config) -> anyhow::Result<State> {
    let place = match (&config.state, &config.state_dir) {
        (Some(url), _) => StatePlace::Postgres(url.clone()),
        (None, Some(folder)) => StatePlace::Folder(folder.clone()),
        (None, None) => {
            anyhow::bail!("there is no home folder to keep the state in: set `state_dir`")
        }
    };
    let mut state = State::open(place).await?;
    state.hold()?;
    Ok(state)
}

/// Serves until the first signal, and then what is under way, but no longer than until the second.
pub(crate) async fn run(server: Bound, interrupt: &Interrupt) -> anyhow::Result<()> {
    let end = interrupt.clone();
    let serving = server.run(async move {
        end.first().await;
        tracing::info!("ending, once the requests under way are answered");
        service::stopping();
    });
    tokio::select! {
        () = serving => Ok(()),
        () = interrupt.second() => {
            tracing::warn!("ending at once");
            Ok(())
        }
    }
}

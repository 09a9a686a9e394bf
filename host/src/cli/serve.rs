//! `orlop serve`.

use clap::Args;
use orlop::{
    Access, Namespace,
    serve::{Bound, ServeOptions, Server},
    state::{State, StatePlace},
};

use super::{Interrupt, Output, Usage};
use crate::config::{Anonymous, Config, Listen, ListenSettings};

/// Serve the mounts of the configuration file
///
/// SIGINT and SIGTERM end it when the requests under way are answered; a second signal ends it at once.
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
        config: Config,
        output: &Output,
        interrupt: Interrupt,
    ) -> anyhow::Result<()> {
        // Before the first instance is counted.
        orlop::serve::record_metrics();
        let config = self.settings.over(config);
        let listen = config.listen.unwrap_or(Listen::DEFAULT);
        listen.permit(config.anonymous).map_err(Usage)?;
        let state = interrupt.or(open_state(&config)).await?;
        let namespace = interrupt.or(config.open()).await?;
        for mount in namespace.mounts() {
            tracing::info!(mount = %format_args!("/{}", mount.path()), "mounted");
        }
        let options = options(&config, listen);
        let server = Server::new(namespace.clone(), state, options)
            .bind()
            .await?;
        tokio::spawn(first_look(namespace));
        output.line(format!("Orlop listens on {}", url(&server)))?;
        run(server, &interrupt).await
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
pub(crate) fn options(config: &Config, listen: Listen) -> ServeOptions {
    let anonymous = config
        .anonymous
        .map_or_else(Access::full, Anonymous::access);
    ServeOptions::default()
        .with_listen(listen.0)
        .with_anonymous(anonymous)
        .with_cors_origins(config.cors_origins.clone().unwrap_or_default())
}

async fn open_state(config: &Config) -> anyhow::Result<State> {
    let place = match (&config.state, &config.state_dir) {
        (Some(url), _) => StatePlace::Postgres(url.clone()),
        (None, Some(folder)) => StatePlace::Folder(folder.clone()),
        (None, None) => {
            anyhow::bail!("there is no home folder to keep the state in: set `state_dir`")
        }
    };
    Ok(State::open(place).await?)
}

/// Where a browser finds the server.
pub(crate) fn url(server: &Bound) -> String {
    format!("http://{}/", server.address())
}

/// Serves until the first signal, and then what is under way, but no longer than until the second.
pub(crate) async fn run(server: Bound, interrupt: &Interrupt) -> anyhow::Result<()> {
    let end = interrupt.clone();
    let serving = server.run(async move {
        end.first().await;
        tracing::info!("ending, once the requests under way are answered");
    });
    tokio::select! {
        () = serving => Ok(()),
        () = interrupt.second() => {
            tracing::warn!("ending at once");
            Ok(())
        }
    }
}

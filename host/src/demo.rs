//! `orlop demo`: all of Orlop with no account, over an S3 server of its own.

mod bucket;
mod keys;
mod picture;
mod samples;
mod storage;

use clap::Args;
use orlop::{Download, Mount, Namespace, Path, VolumeOptions, serve::Server, state::State};

use self::{keys::Keys, storage::Storage};
use crate::{
    cli::{Interrupt, Output, Usage, serve},
    config::{Config, DriverSource, Drivers, Listen, ListenSettings},
};

/// Where the sample files appear.
const MOUNT: &str = "demo";

/// Try Orlop without any account
///
/// Starts an S3 server in this process over a folder of sample files, mounts it through the sandboxed S3
/// driver at /demo, and serves it. The files are gone when it ends.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  orlop demo
  orlop demo --port 0       on a free port, which it prints")]
pub(crate) struct Demo {
    #[command(flatten)]
    settings: ListenSettings,
    /// The port to listen on; 0 takes a free one
    #[arg(long)]
    port: Option<u16>,
}

impl Demo {
    pub(crate) async fn run(
        self,
        config: Config,
        output: &Output,
        interrupt: Interrupt,
    ) -> anyhow::Result<()> {
        // Before the first instance is counted.
        orlop::serve::record_metrics();
        let config = self.settings.over(config);
        let listen = self.listen(&config);
        let is_local = listen.is_loopback();
        listen
            .permit(&config.users, config.anonymous)
            .map_err(Usage)?;
        // The folder goes away with this value, however this function ends.
        let storage = interrupt.or(Storage::start(Keys::random()?)).await?;
        let server = interrupt
            .or(async {
                let namespace = open(&config, &storage, is_local).await?;
                let options = serve::options(&config, &listen)?.with_spool(None);
                let state = State::in_memory().await?;
                Ok(Server::new(namespace, state, options).bind().await?)
            })
            .await?;
        let urls = server.urls();
        output.line(welcome(
            urls.first().map_or("", |url| url.trim_end_matches('/')),
        ))?;
        serve::run(server, &interrupt).await
    }

    fn listen(&self, config: &Config) -> Listen {
        let mut listen = config.listen.clone().unwrap_or_default();
        if let Some(port) = self.port {
            listen.set_port(port);
        }
        listen
    }
}

/// Mounts the bucket, and fills it through the driver.
async fn open(config: &Config, storage: &Storage, is_local: bool) -> anyhow::Result<Namespace> {
    let source = DriverSource::Named("s3".to_owned());
    let driver = Drivers::new(config)?.load(&source, None).await?;
    let options = VolumeOptions::new(storage.driver_config()).with_name(format!("/{MOUNT}"));
    let volume = driver.open(options).await?;
    let path = Path::parse(MOUNT)?;
    let mount = || {
        // A redirect would lead other machines to their own loopback address.
        let download = if is_local {
            Download::Redirect
        } else {
            Download::Proxy
        };
        Mount::new(path.clone(), volume.clone()).with_download(download)
    };
    samples::write(&Namespace::new(vec![mount()])?, &path).await?;
    storage.add_big_file(samples::BIG_FILE).await?;
    Ok(Namespace::new(vec![mount()])?)
}

fn welcome(server: &str) -> String {
    format!(
        "\
Orlop listens on {server}/

  {server}/{MOUNT}/ shows the sample files. Things to try:

  curl -H 'Accept: application/json' {server}/{MOUNT}/
  curl -L {server}/d/{MOUNT}/hello.txt
  curl {server}/p/{MOUNT}/hello.txt
  curl -r 0-99 -o part.bin {server}/p/{MOUNT}/{big}
  echo ahoy | curl -T - {server}/d/{MOUNT}/upload.txt
  curl -X DELETE {server}/d/{MOUNT}/upload.txt
  curl '{server}/api/v1/list?path=/{MOUNT}&limit=3'

/d/ redirects to the storage where it can, /p/ goes through Orlop.
Ctrl-C ends it and removes the files.",
        big = samples::BIG_FILE
    )
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use orlop::{Kind, Location, ReadRequest};

    use super::*;

    /// All that is in a folder, at any depth.
    async fn tree(namespace: &Namespace, root: Path) -> Vec<Location> {
        let mut found = Vec::new();
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            let page = namespace.list(&folder, None, 1000).await.unwrap();
            assert_eq!(page.next, None);
            for entry in &page.entries {
                let path = Path::parse(format!("{folder}/{}", entry.name)).unwrap();
                if entry.kind == Kind::Directory {
                    folders.push(path.clone());
                    found.push(Location::directory(path));
                } else {
                    found.push(Location::file(path));
                }
            }
        }
        found
    }

    #[tokio::test]
    async fn every_sample_can_be_read_through_the_driver() {
        let storage = Storage::start(Keys::random().unwrap()).await.unwrap();
        let namespace = open(&Config::default(), &storage, true).await.unwrap();
        let found = tree(&namespace, Path::parse(MOUNT).unwrap()).await;
        let files = found
            .iter()
            .filter(|location| location.want == Some(Kind::File));
        assert_eq!(files.clone().count(), samples::samples().len() + 1);
        for file in files.filter(|file| file.path.name() != samples::BIG_FILE) {
            let request = ReadRequest::default();
            let mut reading = namespace.read(&file.path, request).await.unwrap();
            let mut content = Vec::new();
            while let Some(bytes) = reading.body.next().await {
                content.extend(bytes.unwrap());
            }
            if file.path.as_str().contains("odd names") {
                let name = String::from_utf8(content.clone()).unwrap();
                assert!(file.path.as_str().ends_with(name.trim_end()), "{file}");
            }
            assert_eq!(content.len() as u64, reading.size, "{file}");
        }
        let empty = Path::parse("demo/empty").unwrap();
        assert!(found.contains(&Location::directory(empty.clone())));
        assert!(tree(&namespace, empty).await.is_empty());
        let big = Path::parse(format!("{MOUNT}/{}", samples::BIG_FILE)).unwrap();
        let big = namespace.stat(&Location::file(big)).await.unwrap();
        assert!(big.size > 50_000_000);
        assert!(big.etag.is_some());
    }

    #[test]
    fn a_port_goes_over_the_address() {
        let demo = Demo {
            settings: ListenSettings::default(),
            port: Some(0),
        };
        assert_eq!(demo.listen(&Config::default()).to_string(), "127.0.0.1:0");
    }
}

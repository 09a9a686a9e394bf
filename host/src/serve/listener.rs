//! Sockets that take connections.

use std::{
    fmt, io,
    net::SocketAddr,
    path::Path,
    task::{Context, Poll},
};

#[cfg(not(unix))]
use tokio::net::TcpStream as UnixStream;
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio_util::either::Either;

use super::ListenAddress;

/// A connection, before anything was said on it.
pub(super) type Socket = Either<TcpStream, UnixStream>;

/// A socket that takes connections.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, SocketFile),
}

/// A socket's file. One that we made goes away with us; one that was handed over is its maker's.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct SocketFile {
    path: Option<std::path::PathBuf>,
    is_ours: bool,
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Some(path) = self.path.as_ref().filter(|_| self.is_ours) {
            // Somebody else may have taken it away.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Listener {
    /// Takes an address. Handed-over sockets may be several.
    pub(super) async fn bind(address: &ListenAddress, mode: u32) -> io::Result<Vec<Self>> {
        match address {
            ListenAddress::Tcp(address) => Ok(vec![Self::Tcp(TcpListener::bind(address).await?)]),
            ListenAddress::Unix(path) => Ok(vec![socket_file(path, mode)?]),
            ListenAddress::Inherited => inherited(),
        }
    }

    /// Its address, if it has one in a network.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix(..) => None,
        }
    }

    /// The next connection, and who it is from.
    pub(super) fn poll_accept(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(Socket, Option<SocketAddr>)>> {
        match self {
            Self::Tcp(listener) => listener.poll_accept(context).map_ok(|(stream, peer)| {
                // Answers are written whole; waiting to fill a packet only delays them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY was refused");
                }
                keep_little_unsent(&stream);
                // A dual-stack socket shows IPv4 clients in IPv6 clothes.
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                (Either::Left(stream), Some(peer))
            }),
            #[cfg(unix)]
            Self::Unix(listener, _) => listener
                .poll_accept(context)
                .map_ok(|(stream, _)| (Either::Right(stream), None)),
        }
    }
}

/// The most bytes that wait in the kernel for their turn to be sent. Without a limit it takes megabytes for each
/// client that is slow, and a thousand of them leave no room for the others.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 << 10;

/// Keeps the kernel from taking more than it can soon send.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn keep_little_unsent(stream: &TcpStream) {
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT was refused");
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn keep_little_unsent(_: &TcpStream) {}

/// Where clients find it.
impl fmt::Display for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(formatter),
                Err(_) => formatter.write_str("an unknown address"),
            },
            #[cfg(unix)]
            Self::Unix(_, file) => match &file.path {
                Some(path) => write!(formatter, "unix:{}", path.display()),
                None => formatter.write_str("an unnamed socket"),
            },
        }
    }
}

/// Makes a socket file with this mode. It takes its place in one step, so that nobody connects who may not, and
/// what a server that was killed has left there goes away.
#[cfg(unix)]
fn socket_file(path: &Path, mode: u32) -> io::Result<Listener> {
    use std::{
        fs,
        os::unix::{
            fs::{FileTypeExt as _, PermissionsExt as _},
            net::UnixStream,
        },
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something that is no socket has this name",
            ));
        }
        Ok(_) => {
            if UnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
        }
    }
    let mut unborn = path.as_os_str().to_owned();
    unborn.push(format!(".{}", std::process::id()));
    let unborn = std::path::PathBuf::from(unborn);
    let bound = || {
        let listener = UnixListener::bind(&unborn)?;
        fs::set_permissions(&unborn, fs::Permissions::from_mode(mode))?;
        fs::rename(&unborn, path)?;
        io::Result::Ok(listener)
    };
    let listener = bound().inspect_err(|_| {
        let _ = fs::remove_file(&unborn);
    })?;
    let file = SocketFile {
        path: Some(path.to_path_buf()),
        is_ours: true,
    };
    Ok(Listener::Unix(listener, file))
}

#[cfg(not(unix))]
fn socket_file(_: &Path, _: u32) -> io::Result<Listener> {
    Err(io::ErrorKind::Unsupported.into())
}

fn inherited() -> io::Result<Vec<Listener>> {
    let mut handed = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..handed.len() {
        #[cfg(unix)]
        if let Ok(Some(listener)) = handed.take_unix_listener(index) {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            let file = SocketFile {
                path: address.as_pathname().map(Path::to_path_buf),
                is_ours: false,
            };
            listeners.push(Listener::Unix(UnixListener::from_std(listener)?, file));
            continue;
        }
        if let Some(listener) = handed.take_tcp_listener(index)? {
            listener.set_nonblocking(true)?;
            listeners.push(Listener::Tcp(TcpListener::from_std(listener)?));
        }
    }
    if listeners.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the service manager handed over no socket (LISTEN_FDS): start it through a socket unit",
        ));
    }
    Ok(listeners)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    async fn bind(path: &Path) -> io::Result<Vec<Listener>> {
        Listener::bind(&ListenAddress::Unix(path.to_path_buf()), 0o640).await
    }

    #[tokio::test]
    async fn a_socket_file_has_its_mode_and_goes_away_with_its_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orlop.sock");
        let listeners = bind(&path).await.unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        drop(listeners);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn only_what_nobody_listens_on_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orlop.sock");
        // A listener of the standard library leaves its file, as a killed server does.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listeners = bind(&path).await.unwrap();
        let error = bind(&path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
        drop(listeners);
        std::fs::write(&path, "precious").unwrap();
        let error = bind(&path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::soon;

/// A connection on which a test writes whatever it likes.
pub(crate) struct Raw {
    stream: TcpStream,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: soon("a connection", TcpStream::connect(address))
                .await
                .unwrap(),
        }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        soon(
            "the other side to read",
            self.stream.write_all(bytes.as_ref()),
        )
        .await
        .unwrap();
    }

    /// Reads until a text has come, and gives all that came.
    pub(crate) async fn read_until(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        let mut chunk = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains(text) {
            let count = soon(text, self.stream.read(&mut chunk)).await.unwrap();
            assert!(count > 0, "closed after {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&chunk[..count]);
        }
        String::from_utf8(seen).unwrap()
    }

    /// Reads to the end of the connection, and gives all that came.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut seen = Vec::new();
        // A connection that is reset has ended too.
        let _ = soon("the connection's end", self.stream.read_to_end(&mut seen)).await;
        String::from_utf8_lossy(&seen).into_owned()
    }

    /// Writes what the other side may no longer want, and reads to the end.
    pub(crate) async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
        let (mut read, mut write) = soon("a connection", TcpStream::connect(address))
            .await
            .unwrap()
            .into_split();
        let bytes = bytes.as_ref().to_vec();
        let writing = tokio::spawn(async move {
            let _ = write.write_all(&bytes).await;
            // Not closed: the server must end it by itself.
            write
        });
        let mut seen = Vec::new();
        let _ = soon("the answer's end", read.read_to_end(&mut seen)).await;
        writing.abort();
        String::from_utf8_lossy(&seen).into_owned()
    }

    /// Sends one request without a body, of which the path is sent as it is, and gives the status.
    pub(crate) async fn status(address: SocketAddr, method: &str, path: &str) -> u16 {
        let mut raw = Self::connect(address).await;
        raw.write(format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        ))
        .await;
        let head = raw.read_until("\r\n").await;
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

//! A service that does not stop talking.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::harness::{Config, Mount, World, s3};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
/// What the host takes of one answer, in the driver's name, is 8 MiB; the rest is what sockets hold.
const TAKEN: u64 = 24 * MIB;

/// How the length of an answer is told.
#[derive(Clone, Copy, Debug)]
enum Length {
    Told,
    Chunked,
}

/// Answers every request with this status and ten gigabytes, and counts the bytes that anyone took.
async fn babbler(status: &'static str, length: Length) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(babble(connection, status, length, Arc::clone(&counter)));
        }
    });
    (address, sent)
}

async fn babble(
    mut connection: TcpStream,
    status: &'static str,
    length: Length,
    sent: Arc<AtomicU64>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await?);
    }
    let told = match length {
        Length::Told => format!("content-length: {}", 10 * GIB),
        Length::Chunked => "transfer-encoding: chunked".to_owned(),
    };
    let start = format!("HTTP/1.1 {status}\r\ncontent-type: application/xml\r\n{told}\r\n\r\n");
    connection.write_all(start.as_bytes()).await?;
    // It begins like an error of the service.
    let mut piece = b"<Error><Code>AccessDenied</Code><Message>".to_vec();
    piece.resize(64 << 10, b'x');
    for _ in 0..10 * GIB / piece.len() as u64 {
        if let Length::Chunked = length {
            let size = format!("{:x}\r\n", piece.len());
            connection.write_all(size.as_bytes()).await?;
        }
        connection.write_all(&piece).await?;
        sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        if let Length::Chunked = length {
            connection.write_all(b"\r\n").await?;
        }
        piece.fill(b'x');
    }
    Ok(())
}

#[tokio::test]
async fn ten_gigabytes_where_a_short_answer_was_due_are_not_taken() {
    for status in ["403 Forbidden", "200 OK", "500 Internal Server Error"] {
        for length in [Length::Told, Length::Chunked] {
            let what = format!("{status} {length:?}");
            let (address, sent) = babbler(status, length).await;
            let s3 = s3().await;
            let babbling =
                Mount::s3("/babble", &s3).config("endpoint", format!("http://{address}"));
            let mounts = [Mount::s3("/good", &s3), babbling];
            let world = World::over(s3, Config::of(mounts)).await;
            world.put("f", "x");
            let before = world.orlop.resident_bytes();
            let list = world.get("/api/v1/list?path=/babble").await;
            let remove = world
                .send_with(Method::DELETE, "/d/babble/folder/", &[])
                .await;
            for answer in [list, remove] {
                let expected = [403, 413, 502, 503];
                let status = answer.status.as_u16();
                assert!(expected.contains(&status), "{what}: {answer:?}");
                assert!(answer.body.len() < 2000, "{what}: {}", answer.body.len());
            }
            // The neighbour does not notice, nor does the memory.
            assert_eq!(world.names("/good").await, ["f"], "{what}");
            let grown = world.orlop.resident_bytes().saturating_sub(before);
            assert!(grown < 64 * MIB, "{what}: {grown}");
            let requests = 12;
            let sent = sent.load(Ordering::Relaxed);
            assert!(sent < requests * TAKEN, "{what}: {sent}");
        }
    }
}

//! A thousand clients at once that hardly read.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{World, noise, soon};

const CLIENTS: usize = 1000;
const SIZE: usize = 8 << 20;
/// How long the last of them may wait for its turn, on a machine that has other work.
const PATIENCE: Duration = Duration::from_secs(300);
/// What they may cost together, in bytes over the idle server.
const COST: u64 = 150 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_clients_cost_little_and_all_get_their_bytes() {
    raise_file_limit();
    let world = World::start().await.settled().await;
    let bytes = noise(SIZE);
    world.put("f.bin", bytes.clone());
    world.get("/p/files/f.bin").await.expect(200);
    let process = world.orlop.process();
    let idle = status(process, "VmRSS:");
    let address = world.orlop.address();

    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        let mut stream = soon("a connection", TcpStream::connect(address))
            .await
            .unwrap();
        let request =
            format!("GET /p/files/f.bin HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        clients.push(stream);
    }
    // Each reads the beginning, and then holds.
    let mut begun = Vec::with_capacity(CLIENTS);
    for client in &mut clients {
        let mut start = vec![0; 4096];
        soon("the beginning", client.read_exact(&mut start))
            .await
            .unwrap();
        assert!(
            start.starts_with(b"HTTP/1.1 200 "),
            "{}",
            String::from_utf8_lossy(&start)
        );
        begun.push(start);
    }
    let held = status(process, "VmHWM:").saturating_sub(idle);
    println!(
        "{CLIENTS} slow clients cost {} MB over {} MB",
        held >> 20,
        idle >> 20
    );

    let rest = clients
        .into_iter()
        .zip(begun)
        .map(|(mut client, mut answer)| {
            let bytes = bytes.clone();
            async move {
                tokio::time::timeout(PATIENCE, client.read_to_end(&mut answer))
                    .await
                    .expect("all bytes")
                    .unwrap();
                let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
                assert!(answer[head.unwrap() + 4..] == bytes[..], "other bytes");
            }
        });
    stream::iter(rest)
        .buffer_unordered(16)
        .collect::<()>()
        .await;
    let peak = status(process, "VmHWM:").saturating_sub(idle);
    assert!(peak <= COST, "{} MB over idle", peak >> 20);
}

/// Each client takes a file descriptor here, and the server, which inherits the limit, two.
fn raise_file_limit() {
    let id = std::process::id();
    let raised = std::process::Command::new("prlimit")
        .args(["--pid", &id.to_string(), "--nofile=16384:16384"])
        .status();
    assert!(
        raised.is_ok_and(|status| status.success()),
        "`prlimit` of util-linux cannot raise the limit of open files to 16384"
    );
}

/// A figure of a process's memory, in bytes.
fn status(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes * 1024
}

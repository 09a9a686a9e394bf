use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tokio::{sync::watch, task::spawn_blocking};

use super::{SECRET, soon};

/// The program, with nothing of this process's environment but what every program needs.
pub(crate) fn command<I, S>(arguments: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let folder = env!("CARGO_TARGET_TMPDIR");
    let mut command = Command::new(env!("CARGO_BIN_EXE_orlop"));
    command.args(arguments).env_clear().env("HOME", folder);
    // Compiling a driver takes seconds: all tests share what the first one compiled.
    command.env("ORLOP_CACHE_DIR", format!("{folder}/orlop-cache"));
    // What one test keeps is none of another's: it is kept beside the configuration.
    command.env("ORLOP_STATE_DIR", "state");
    for name in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    status: Option<i32>,
    line: String,
}

/// Runs a command to its end.
pub(crate) async fn run(command: Command) -> Ran {
    run_with_input(command, Vec::new()).await
}

/// Runs a command with this for its standard input.
pub(crate) async fn run_with_input(mut command: Command, input: Vec<u8>) -> Ran {
    let line = format!("{:?}", command.get_args().collect::<Vec<_>>());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let running = spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writing = std::thread::spawn(move || {
            // A command that does not read its input may end first.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        output
    });
    let Output {
        status,
        stdout,
        stderr,
    } = soon(&line, running).await.unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    let shown = String::from_utf8_lossy(&stdout);
    assert!(
        !stderr.contains(SECRET) && !shown.contains(SECRET),
        "{line} shows the secret:\n{shown}\n{stderr}"
    );
    Ran {
        status: status.code(),
        stdout,
        stderr,
        line,
    }
}

impl Ran {
    /// The same, if it ended with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        let Self { line, stderr, .. } = &self;
        assert_eq!(
            self.status,
            Some(status),
            "{line}\n{}\n{stderr}",
            String::from_utf8_lossy(&self.stdout)
        );
        self
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.text().lines().collect()
    }

    /// The lines in their order.
    #[track_caller]
    pub(crate) fn sorted(&self) -> Vec<&str> {
        let mut lines = self.lines();
        lines.sort_unstable();
        lines
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.text())
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", self.line, self.text()))
    }
}

/// A server that runs until this value goes away.
pub(crate) struct Orlop {
    child: Option<Child>,
    address: SocketAddr,
    stdout: watch::Receiver<String>,
    stderr: watch::Receiver<String>,
}

impl Orlop {
    /// Starts a command that serves, and waits until it says where.
    pub(crate) async fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = follow(child.stdout.take().unwrap());
        let stderr = follow(child.stderr.take().unwrap());
        let ready = stdout.wait_for(|text| address(text).is_some());
        let found = soon("the server's address", ready)
            .await
            .ok()
            .and_then(|text| address(&text));
        let Some(address) = found else {
            let status = child.wait().unwrap();
            panic!("{command:?} ended with {status}:\n{}", *stderr.borrow());
        };
        Self {
            child: Some(child),
            address,
            stdout,
            stderr,
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How much memory the process has in hand.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.process())).unwrap();
        let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    }

    /// The URL of a path that is percent-encoded already.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn stdout(&self) -> String {
        self.stdout.borrow().clone()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.borrow().clone()
    }

    /// Waits until the log holds a text.
    pub(crate) async fn wait_for_log(&self, text: &str) -> String {
        let mut stderr = self.stderr.clone();
        let found = soon(text, stderr.wait_for(|log| log.contains(text))).await;
        match found {
            Ok(log) => log.clone(),
            Err(_) => panic!("the server ended without `{text}`:\n{}", self.stderr()),
        }
    }

    /// Sends a signal such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process();
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {id}")])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Ends it as a power failure would, and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        self.signal("KILL");
        self.ended().await;
    }

    /// Waits for the end, and gives the exit status.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let ending = spawn_blocking(move || child.wait().unwrap());
        soon("the server's end", ending).await.unwrap().code()
    }
}

impl Drop for Orlop {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        let (stdout, stderr) = (self.stdout(), self.stderr());
        if std::thread::panicking() {
            println!("the server's log:\n{stderr}");
        } else {
            assert!(
                !stdout.contains(SECRET) && !stderr.contains(SECRET),
                "the secret shows:\n{stdout}\n{stderr}"
            );
        }
    }
}

/// The first `http://ADDRESS` or `https://ADDRESS` in a text, once its line is whole.
fn address(text: &str) -> Option<SocketAddr> {
    let (line, _) = text.split_once('\n')?;
    let (_, rest) = line
        .split_once("http://")
        .or_else(|| line.split_once("https://"))?;
    let end = rest.find(['/', ' ']).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Collects what comes out of a pipe. The channel closes with the pipe.
fn follow(pipe: impl Read + Send + 'static) -> watch::Receiver<String> {
    let (sender, receiver) = watch::channel(String::new());
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|count| count > 0)
        {
            sender.send_modify(|text| text.push_str(&String::from_utf8_lossy(&line)));
            line.clear();
        }
    });
    receiver
}

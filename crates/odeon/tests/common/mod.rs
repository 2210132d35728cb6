//! The real binary, started as people start it.

#![allow(dead_code, unreachable_pub, reason = "each test file uses what it needs of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for one test, gone with it.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("odeon-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The command, in a folder of its own and with nobody's settings around it.
pub fn odeon(scratch: &Scratch) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_odeon"));
    command.current_dir(scratch.path()).env_clear().stdin(Stdio::null());
    command
}

/// Runs a command that answers and ends.
pub fn answer(scratch: &Scratch, line: &str) -> Output {
    odeon(scratch).args(line.split_whitespace()).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A server that is open, on ports of its own. Killed at the end of the test, if it has not ended.
pub struct Server {
    child: Child,
    pub banner: Vec<String>,
    pub address: String,
    log: Receiver<String>,
}

impl Server {
    pub fn start(scratch: &Scratch, line: &str) -> Self {
        let mut command = odeon(scratch);
        command.args(line.split_whitespace()).args([
            "--http.port=0",
            "--rtc.udp_port=0",
            "--rtc.tcp_port=0",
            "--rtc.shards=1",
        ]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let printed = lines(child.stdout.take().unwrap());
        let log = lines(child.stderr.take().unwrap());
        let mut banner = Vec::new();
        while let Ok(line) = printed.recv_timeout(if banner.is_empty() { PATIENCE } else { Duration::from_millis(300) })
        {
            banner.push(line);
        }
        let listens = banner.iter().find_map(|line| line.split_once("http on tcp ")).map(|(_, rest)| rest.to_owned());
        let Some(listens) = listens else {
            panic!("no banner; it said: {:?}", log.try_iter().collect::<Vec<_>>());
        };
        let address = listens.split([' ', ',']).next().unwrap().replace("0.0.0.0", "127.0.0.1");
        Self { child, banner, address, log }
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str, headers: &str) -> (u16, String) {
        get(&self.address, path, headers).expect("an answer")
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: our own child, which is not reaped before `self` ends.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), signal) }, 0);
    }

    /// Waits until it has ended.
    #[allow(clippy::disallowed_methods, reason = "a test that waits for a process serves nobody else")]
    pub fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Everything that it has logged so far.
    pub fn logged(&self) -> String {
        self.log.try_iter().collect::<Vec<_>>().join("\n")
    }

    /// Waits for a log line with this in it.
    pub fn log_line(&self, what: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no log line has {what:?}"));
            if line.contains(what) {
                return line;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn get(address: &str, path: &str, headers: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned());
    Some((status, body))
}

fn lines(source: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        BufReader::new(source).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

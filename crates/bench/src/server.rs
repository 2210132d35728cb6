//! A server of our own for a test or a run: started on loopback with ports and a data folder of its own, ended by its
//! process id.

use crate::meter;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Names the program to run; tests that need it say so when it isn't set.
pub const BINARY: &str = "ODEON_BIN";
/// P-11 allows 300 ms; a busy machine may take this long.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to end after SIGTERM with nobody in it.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    http: SocketAddr,
    folder: PathBuf,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// Starts `$ODEON_BIN --dev` with these further arguments.
    ///
    /// # Errors
    /// When `$ODEON_BIN` isn't set, doesn't start, or isn't ready in time.
    pub fn start(args: &[&str]) -> io::Result<Self> {
        let binary = env::var_os(BINARY)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{BINARY} names no program")))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("odeon-bench-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        // Drawn and given back: another process might take it meanwhile, and then the start fails loudly.
        let http = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = fs::File::create(folder.join("log"))?;
        let mut command = Command::new(binary);
        // Its settings are those given here, not what the tests' own environment says of other things.
        for name in env::vars_os().map(|(name, _)| name).filter(is_setting) {
            command.env_remove(name);
        }
        let child = command
            .arg("--dev")
            .arg(format!("--http.port={}", http.port()))
            .arg("--rtc.udp_port=0")
            .arg("--rtc.tcp_port=0")
            .arg(format!("--data-dir={}", folder.join("data").display()))
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self { child, http, folder };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while meter::http_get(self.http, "/readyz").is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("it ended: {status}\n{}", self.log())));
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("not ready in {START_TIMEOUT:?}\n{}", self.log())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// `ws://…`, as clients take it.
    pub fn url(&self) -> String {
        format!("ws://{}", self.http)
    }

    /// HTTP and WebSocket.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The UDP sockets of its media shards, as the kernel lists them (`/proc/<pid>/net/udp` and the process's own
    /// descriptors), lowest first.
    ///
    /// # Errors
    /// When `/proc` can't be read.
    pub fn udp_ports(&self) -> io::Result<Vec<u16>> {
        let mut inodes = Vec::new();
        for entry in fs::read_dir(format!("/proc/{}/fd", self.pid()))? {
            let Ok(target) = fs::read_link(entry?.path()) else {
                continue;
            };
            let target = target.to_string_lossy().into_owned();
            inodes.extend(target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')).map(str::to_owned));
        }
        let mut ports = Vec::new();
        for table in ["udp", "udp6"] {
            let table = fs::read_to_string(format!("/proc/{}/net/{table}", self.pid()))?;
            ports.extend(table.lines().skip(1).filter_map(|line| udp_port(line, &inodes)));
        }
        ports.sort_unstable();
        ports.dedup();
        Ok(ports)
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// CPU, memory, descriptors, threads.
    ///
    /// # Errors
    /// When it has ended.
    pub fn reading(&self) -> io::Result<meter::Reading> {
        meter::read(self.pid())
    }

    /// Its metrics.
    ///
    /// # Errors
    /// When it doesn't answer.
    pub fn metrics(&self) -> io::Result<meter::Metrics> {
        meter::scrape(self.http)
    }

    fn stop(&mut self) -> io::Result<()> {
        let pid = self.pid().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("bench: the server {} didn't end: {error}", self.pid());
        }
        if thread::panicking() {
            eprintln!("---- the server's log ----\n{}", self.log());
        }
        // What is left in the temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_setting(name: &OsString) -> bool {
    name.to_string_lossy().starts_with("ODEON_")
}

/// The local port of a line of `/proc/net/udp`, if its socket is one of these.
fn udp_port(line: &str, inodes: &[String]) -> Option<u16> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let inode = fields.get(9)?;
    if !inodes.iter().any(|i| i == inode) {
        return None;
    }
    let (_, port) = fields.get(1)?.rsplit_once(':')?;
    u16::from_str_radix(port, 16).ok()
}

//! What a process costs, read from outside: `/proc` and Prometheus metrics.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// `sysconf(_SC_CLK_TCK)`: 100 on every Linux that we run on (it is fixed in the kernel's ABI).
const TICKS_PER_SECOND: u64 = 100;
/// The metrics page of a small server is a few KiB; more than this isn't it.
const MAX_PAGE: u64 = 16 << 20;

/// A process at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// User and kernel time of all threads, also those that ended.
    pub cpu: Duration,
    /// Of that, in the kernel.
    pub kernel: Duration,
    /// Resident memory, bytes.
    pub rss: u64,
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

/// Reads a process by its id.
///
/// # Errors
/// When there is none, or it isn't ours.
pub fn read(pid: u32) -> io::Result<Reading> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces: fields are counted from after it (proc_pid_stat(5): field 3 is next).
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|f| f.parse::<u64>().ok()).unwrap_or_default();
    let ticks = |n: u64| Duration::from_millis(n * 1000 / TICKS_PER_SECOND);
    Ok(Reading {
        cpu: ticks(field(14) + field(15)),
        kernel: ticks(field(15)),
        rss: status_kib(pid, "VmRSS:")? * 1024,
        descriptors: fs::read_dir(format!("/proc/{pid}/fd"))?.count(),
        threads: usize::try_from(field(20)).unwrap_or_default(),
    })
}

fn status_kib(pid: u32, key: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    Ok(line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default())
}

/// (thread name, CPU time) of each living thread, the busiest first. Nanosecond clocks of the scheduler.
///
/// # Errors
/// When there is no such process.
pub fn threads(pid: u32) -> io::Result<Vec<(String, Duration)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = entry?.path();
        // A thread may end between the listing and the reading: then it isn't listed.
        let (Ok(name), Ok(schedstat)) =
            (fs::read_to_string(task.join("comm")), fs::read_to_string(task.join("schedstat")))
        else {
            continue;
        };
        let nanos = schedstat.split_whitespace().next().and_then(|f| f.parse().ok()).unwrap_or_default();
        all.push((name.trim().to_owned(), Duration::from_nanos(nanos)));
    }
    all.sort_by_key(|(_, cpu)| std::cmp::Reverse(*cpu));
    Ok(all)
}

/// Samples of a Prometheus page: `name{labels}` as written → value.
pub type Metrics = BTreeMap<String, f64>;

/// Fetches `/metrics`.
///
/// # Errors
/// When there is no server, or it doesn't answer 200.
pub fn scrape(server: SocketAddr) -> io::Result<Metrics> {
    let page = http_get(server, "/metrics")?;
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    Ok(page.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
}

/// The sum over all label sets of a metric.
pub fn sum(metrics: &Metrics, name: &str) -> f64 {
    let is = |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
    metrics.iter().filter(|(key, _)| is(key)).map(|(_, value)| value).sum()
}

/// The body of a page, by HTTP/1.0: no client library is needed for that.
///
/// # Errors
/// When there is no server, or it doesn't answer 200.
pub fn http_get(server: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {server}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_PAGE).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split_whitespace().nth(1) != Some("200") {
        return Err(io::Error::other(head.lines().next().unwrap_or("no answer").to_owned()));
    }
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_has_memory_threads_and_descriptors() {
        let reading = read(std::process::id()).unwrap();
        assert!(reading.rss > 1 << 20 && reading.threads >= 1 && reading.descriptors >= 3);
    }

    #[test]
    fn metrics_are_summed_over_labels_only() {
        let metrics =
            Metrics::from([("a_total{x=\"1\"}".into(), 2.0), ("a_total".into(), 3.0), ("a_total_b".into(), 9.0)]);
        assert!((sum(&metrics, "a_total") - 5.0).abs() < f64::EPSILON);
    }
}

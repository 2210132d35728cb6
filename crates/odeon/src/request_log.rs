//! One log line a request: method, path, status, time. Never the query, where tokens travel, and never an address.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

/// Longest path that is logged whole, in bytes: a path is a room's name at most, 256 bytes, percent-encoded or not.
const MAX_PATH_BYTES: usize = 300;

/// Paths that are asked every few seconds by machines; they would bury everything else.
const UNLOGGED: &[&str] = &["/healthz", "/readyz", "/metrics"];

/// The middleware.
pub async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = shortened(request.uri().path());
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    metrics::counter!("odeon_http_requests_total", "status" => status.to_string()).increment(1);
    if !UNLOGGED.contains(&path.as_str()) {
        let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(target: "http", %method, path, status, took_ms, "request");
    }
    response
}

fn shortened(path: &str) -> String {
    if path.len() <= MAX_PATH_BYTES {
        return path.to_owned();
    }
    let end = (0..=MAX_PATH_BYTES).rev().find(|end| path.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_cut_between_characters() {
        assert_eq!(shortened("/residence"), "/residence");
        let long = shortened(&"ä".repeat(10_000));
        assert!(long.len() < MAX_PATH_BYTES + 4 && long.ends_with('…'));
    }
}

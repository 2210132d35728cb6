//! The built web page, inside the binary.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What may load what on our pages. No inline script or style, nobody else's code, no framing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
     connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; \
     worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Assets have their hash in their name: what is once fetched never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The page names the assets of its build: always ask for the newest.
const NO_CACHE: &str = "no-cache";

/// Shown where the page has not been built.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Odeon</title>\
     <h1>Odeon is running</h1><p>The web page isn't built into this binary. Build it with <code>make build</code> \
     (it needs Node.js); LiveKit clients and the server API work without it.</p></html>";

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// The page itself: one for every address that is a page.
pub(crate) fn index() -> Response {
    match Dist::get("index.html") {
        Some(file) => serve("index.html", file, NO_CACHE),
        None => secured((StatusCode::OK, html(), NOT_BUILT).into_response()),
    }
}

/// A file of the build by its path in it. Paths are keys of a table: no file system is asked, so `..` leads nowhere
///
pub(crate) fn file(path: &str) -> Option<Response> {
    let cache = if path.starts_with("assets/") { IMMUTABLE } else { NO_CACHE };
    Dist::get(path).map(|file| serve(path, file, cache))
}

fn serve(path: &str, file: EmbeddedFile, cache: &'static str) -> Response {
    let mime = [(header::CONTENT_TYPE, HeaderValue::from_static(mime_of(path)))];
    let cache = [(header::CACHE_CONTROL, HeaderValue::from_static(cache))];
    let body = match file.data {
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    };
    secured((mime, cache, body).into_response())
}

fn html() -> [(HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static(NO_CACHE)),
    ]
}

/// What the build holds; a type that isn't known is a download.
fn mime_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Headers of everything that a browser shows.
fn secured(mut response: Response) -> Response {
    let headers = [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        // Room names are in our addresses: nobody else's business.
        ("referrer-policy", "no-referrer"),
        ("permissions-policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()"),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

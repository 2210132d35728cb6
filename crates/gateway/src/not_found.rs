//! What isn't there: one answer for everything, after another look without a doubled slash.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use tower::ServiceExt as _;

/// The answer to every address that is nobody's.
pub(crate) fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

/// Clients that join `wss://host/` and `/rtc` ask for `//rtc` (livekit.md 2.1).
pub(crate) async fn collapse_slashes(routes: Router, mut request: Request) -> Response {
    let Some(uri) = collapsed(request.uri()) else {
        return not_found();
    };
    *request.uri_mut() = uri;
    match routes.fallback(|| async { not_found() }).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn collapsed(uri: &Uri) -> Option<Uri> {
    let path_and_query = uri.path_and_query()?.as_str();
    let rest = path_and_query.strip_prefix("//")?;
    format!("/{}", rest.trim_start_matches('/')).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_slashes_become_one_and_others_stay() {
        let collapsed = |uri: &'static str| collapsed(&Uri::from_static(uri)).map(|uri| uri.to_string());
        assert_eq!(collapsed("//rtc/v1?a=//b").as_deref(), Some("/rtc/v1?a=//b"));
        assert_eq!(collapsed("///rtc").as_deref(), Some("/rtc"));
        assert_eq!(collapsed("/rtc//v1"), None);
        assert_eq!(collapsed("/"), None);
    }
}

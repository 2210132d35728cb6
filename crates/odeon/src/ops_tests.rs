use super::*;
use auth::key::{Secret, Strength};
use auth::{Claims, VideoGrant};
use axum::body::Body;
use http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::ServiceExt;

fn keys() -> Arc<KeyStore> {
    let mut keys = KeyStore::new();
    keys.add("devkey", Secret::new("secret"), Strength::Development).unwrap();
    Arc::new(keys)
}

fn ops() -> Ops {
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    Ops { state: State::default(), keys: keys(), metrics, collect: Arc::new(|| ()) }
}

async fn status(ops: &Ops, path: &str, client: Option<Client>, token: Option<&str>) -> StatusCode {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    router(ops.clone()).oneshot(request).await.unwrap().status()
}

fn from(address: &str) -> Option<Client> {
    Some(Client { address: address.parse().unwrap(), behind_unknown_proxy: false, secure: false })
}

#[tokio::test]
async fn ready_only_between_start_and_drain_and_healthy_throughout() {
    let ops = ops();
    let both = async || (status(&ops, "/readyz", None, None).await, status(&ops, "/healthz", None, None).await);
    assert_eq!(both().await, (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
    ops.state.set_ready();
    assert_eq!(both().await, (StatusCode::OK, StatusCode::OK));
    ops.state.set_draining();
    assert_eq!(both().await, (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
}

#[tokio::test]
async fn metrics_are_for_this_machine() {
    let ops = ops();
    assert_eq!(status(&ops, "/metrics", from("127.0.0.1"), None).await, StatusCode::OK);
    assert_eq!(status(&ops, "/metrics", from("203.0.113.5"), None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&ops, "/metrics", None, None).await, StatusCode::UNAUTHORIZED);
    let proxied = Client { address: "127.0.0.1".parse().unwrap(), behind_unknown_proxy: true, secure: false };
    assert_eq!(status(&ops, "/metrics", Some(proxied), None).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn metrics_are_for_operators_anywhere_and_for_no_other_token() {
    let ops = ops();
    let operator = auth::mint::operator_token(&ops.keys, unix_now(), 60).unwrap();
    assert_eq!(status(&ops, "/metrics", from("203.0.113.5"), Some(&operator)).await, StatusCode::OK);
    let admin = VideoGrant { room_admin: true, room_join: true, room: "r".into(), ..VideoGrant::default() };
    let claims =
        Claims { iss: "devkey".into(), sub: "a".into(), exp: unix_now() + 60, video: admin, ..Claims::default() };
    let participant = auth::sign(&claims, &ops.keys).unwrap();
    for token in [participant.as_str(), "rubbish", ""] {
        assert_eq!(status(&ops, "/metrics", from("203.0.113.5"), Some(token)).await, StatusCode::UNAUTHORIZED);
    }
}

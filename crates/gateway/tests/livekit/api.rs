//! RoomService over HTTP (L-45, L-53 to L-55).

use crate::harness::{Heard, Server, backend, now, token, token_with};
use gateway::rooms::RegistryConfig;
use prost::Message as _;
use serde_json::json;
use wire::livekit::proto;

async fn server() -> Server {
    Server::start(RegistryConfig::default()).await
}

fn creator() -> String {
    backend(|video| video.room_create = true)
}

fn lister() -> String {
    backend(|video| video.room_list = true)
}

fn admin(room: &str) -> String {
    backend(|video| {
        video.room_admin = true;
        video.room = room.into();
    })
}

#[tokio::test]
async fn l_13_l_55_rooms_are_created_listed_and_deleted() {
    // L-13, L-53, L-55
    let server = server().await;
    let body = r#"{"name":"r","empty_timeout":60,"metadata":"m"}"#;
    let created = server.api("CreateRoom", &creator(), body).await;
    assert_eq!((created.status, created.header("content-type")), (200, Some("application/json")));
    let room = created.json();
    assert!(room["sid"].as_str().unwrap().starts_with("RM_"));
    assert_eq!((&room["empty_timeout"], &room["departure_timeout"]), (&json!(60), &json!(20)));
    assert_eq!(
        (&room["metadata"], &room["num_participants"], &room["turn_password"]),
        (&json!("m"), &json!(0), &json!(""))
    );
    let again = server.api("CreateRoom", &creator(), r#"{"name":"r","metadata":"other"}"#).await.json();
    assert_eq!((&again["sid"], &again["metadata"]), (&room["sid"], &json!("m")));
    let listed = server.api("ListRooms", &lister(), "{}").await.json();
    assert_eq!(listed["rooms"].as_array().unwrap().len(), 1);
    let other = server.api("ListRooms", &lister(), r#"{"names":["other"]}"#).await.json();
    assert_eq!(other, json!({"rooms": []}));
    assert_eq!(server.api("DeleteRoom", &creator(), r#"{"room":"r"}"#).await.json(), json!({}));
    let gone = server.api("DeleteRoom", &creator(), r#"{"room":"r"}"#).await;
    assert_eq!((gone.status, &gone.json()["code"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn l_55_participants_are_listed_shown_and_removed() {
    // L-06, L-55
    let server = server().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    let all = server.api("ListParticipants", &admin("r"), r#"{"room":"r"}"#).await.json();
    assert_eq!(all["participants"][0]["identity"], "alice");
    let body = r#"{"room":"r","identity":"alice"}"#;
    let one = server.api("GetParticipant", &admin("r"), body).await.json();
    assert!(one["sid"].as_str().unwrap().starts_with("PA_"));
    assert_eq!(one["permission"]["can_publish"], true);
    assert_eq!(server.api("RemoveParticipant", &admin("r"), body).await.json(), json!({}));
    let leave = alice
        .hear_until(|heard| match heard {
            Heard::Leave(leave) => Some(leave),
            _ => None,
        })
        .await;
    assert_eq!(leave.reason, proto::DisconnectReason::ParticipantRemoved as i32);
    for method in ["GetParticipant", "RemoveParticipant"] {
        let gone = server.api(method, &admin("r"), body).await;
        assert_eq!((gone.status, &gone.json()["msg"]), (404, &json!("participant does not exist")));
    }
}

#[tokio::test]
async fn l_27_a_deleted_room_tells_its_people() {
    // L-27
    let server = server().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    server.api("DeleteRoom", &creator(), r#"{"room":"r"}"#).await;
    let leave = alice
        .hear_until(|heard| match heard {
            Heard::Leave(leave) => Some(leave),
            _ => None,
        })
        .await;
    assert_eq!(leave.reason, proto::DisconnectReason::RoomDeleted as i32);
    assert_eq!(alice.close_code().await, Some(1000));
    assert!(server.gateway.registry().is_empty());
}

#[tokio::test]
async fn l_54_every_method_asks_for_its_grant() {
    // L-54, L-51
    let server = server().await;
    let room = r#"{"room":"r","name":"r","identity":"alice","data":"aGk="}"#;
    let cases = [
        ("CreateRoom", creator()),
        ("ListRooms", lister()),
        ("DeleteRoom", creator()),
        ("ListParticipants", admin("r")),
        ("GetParticipant", admin("r")),
        ("RemoveParticipant", admin("r")),
        ("SendData", admin("r")),
        ("MutePublishedTrack", admin("r")),
        ("UpdateParticipant", admin("r")),
        ("UpdateSubscriptions", admin("r")),
        ("UpdateRoomMetadata", admin("r")),
    ];
    let page = token_with("guest-1", |claims| {
        claims.odeon_page = true;
        claims.video.room_admin = true;
        claims.video.room_create = true;
        claims.video.room_list = true;
    });
    for (method, right) in &cases {
        let expired = token_with("", |claims| claims.exp = now() - 3600);
        let wrong = [String::new(), "nonsense".into(), expired, token("alice"), admin("other"), page.clone()];
        for token in wrong.iter().chain(cases.iter().map(|(_, token)| token).filter(|token| *token != right)) {
            let refused = server.api(method, token, room).await;
            assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("unauthenticated")), "{method}");
        }
        assert_ne!(server.api(method, right, room).await.status, 401, "{method}");
    }
    let operator = auth::mint::operator_token(&crate::harness::keys(), now(), 60).unwrap();
    for (method, _) in &cases {
        assert_ne!(server.api(method, &operator, room).await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn l_45_send_data_checks_what_it_sends() {
    // L-45
    let server = server().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    let send = async |body: serde_json::Value| {
        let answer = server.api("SendData", &admin("r"), &body.to_string()).await;
        (answer.status, answer.json()["code"].as_str().map(str::to_owned))
    };
    let ok = json!({"room": "r", "data": "aGk=", "kind": "LOSSY", "destination_identities": ["alice"], "topic": "t"});
    assert_eq!(send(ok).await, (200, None));
    let nonce = json!({"room": "r", "data": "aGk=", "nonce": "AAAAAAAAAAAAAAAAAAAAAA=="});
    assert_eq!(send(nonce.clone()).await, (200, None));
    assert_eq!(send(nonce).await, (200, None));
    let invalid = |(status, code): (u16, Option<String>)| {
        assert_eq!((status, code.as_deref()), (400, Some("invalid_argument")));
    };
    invalid(send(json!({"room": "r", "data": "aGk=", "nonce": "AAAA"})).await);
    invalid(send(json!({"room": "r", "data": "A".repeat(90_000)})).await);
    invalid(send(json!({"room": "r", "data": "aGk=", "destination_identities": [""]})).await);
    assert_eq!(server.api("SendData", &admin("x"), r#"{"room":"x"}"#).await.status, 404);
}

#[tokio::test]
async fn l_53_protobuf_is_answered_in_protobuf() {
    // L-53
    let server = server().await;
    let bearer = format!("Bearer {}", creator());
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/protobuf")];
    let body = proto::CreateRoomRequest { name: "r".into(), ..Default::default() }.encode_to_vec();
    let path = "/twirp/livekit.RoomService/CreateRoom";
    let answer = server.request("POST", path, &headers, &body).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/protobuf")));
    assert_eq!(proto::Room::decode(&*answer.bytes).unwrap().name, "r");
}

#[tokio::test]
async fn l_53_unknown_routes_and_methods_say_so() {
    // L-53
    let server = server().await;
    let code = async |verb: &str, path: &str, content_type: &str| {
        let bearer = format!("Bearer {}", creator());
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", content_type)];
        let answer = server.request(verb, path, &headers, b"{}").await;
        (answer.status, answer.json()["code"].as_str().unwrap().to_owned())
    };
    let bad_route = (404, "bad_route".to_owned());
    let unimplemented = (501, "unimplemented".to_owned());
    let json = "application/json";
    assert_eq!(code("POST", "/twirp/livekit.RoomService/Nothing", json).await, bad_route);
    assert_eq!(code("POST", "/twirp/livekit.Nothing/CreateRoom", json).await, bad_route);
    assert_eq!(code("POST", "/twirp/x", json).await, bad_route);
    assert_eq!(code("GET", "/twirp/livekit.RoomService/CreateRoom", json).await, bad_route);
    assert_eq!(code("POST", "/twirp/livekit.RoomService/CreateRoom", "text/plain").await, bad_route);
    assert_eq!(code("POST", "/twirp/livekit.Egress/ListEgress", json).await, unimplemented);
    let malformed = server.api("CreateRoom", &creator(), "[").await;
    assert_eq!((malformed.status, &malformed.json()["code"]), (400, &json!("malformed")));
    let nameless = server.api("CreateRoom", &creator(), "{}").await;
    assert_eq!((nameless.status, &nameless.json()["code"]), (400, &json!("invalid_argument")));
}

#[tokio::test]
async fn l_65_calls_to_nobody_and_calls_that_do_not_fit_are_refused() {
    // L-65
    let server = server().await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    let body = |identity: &str, method: &str, payload: &str| {
        json!({"room": "r", "destination_identity": identity, "method": method, "payload": payload}).to_string()
    };
    let long = "x".repeat(15 * 1024 + 1);
    for (body, status, code) in [
        (body("nobody", "greet", ""), 404, "not_found"),
        (body("alice", "greet", &long), 400, "malformed"),
        (body("alice", "", ""), 400, "invalid_argument"),
        (body("", "greet", ""), 400, "invalid_argument"),
    ] {
        let refused = server.api("PerformRpc", &admin("r"), &body).await;
        assert_eq!((refused.status, &refused.json()["code"]), (status, &json!(code)), "{body}");
    }
    let other = server.api("PerformRpc", &admin("other"), &body("alice", "greet", "")).await;
    assert_eq!(other.status, 401, "an administrator of another room");
}

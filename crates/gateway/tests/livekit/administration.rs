//! RoomService's methods that change what goes on in a room (L-06, L-36, L-43, L-55).

use crate::harness::{Client, Heard, Server, backend, keys, now, token_with};
use gateway::rooms::RegistryConfig;
use prost::Message as _;
use serde_json::json;
use wire::livekit::proto;

struct Scene {
    server: Server,
    alice: Client,
}

/// Alice is in the room `r`.
async fn scene() -> Scene {
    let server = Server::start(RegistryConfig::default()).await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    Scene { server, alice }
}

fn admin(room: &str) -> String {
    backend(|video| {
        video.room_admin = true;
        video.room = room.into();
    })
}

impl Scene {
    async fn call(&self, method: &str, body: serde_json::Value) -> serde_json::Value {
        let answer = self.server.api(method, &admin("r"), &body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// (status, code, message)
    async fn refused(&self, method: &str, body: serde_json::Value) -> (u16, String, String) {
        let answer = self.server.api(method, &admin("r"), &body.to_string()).await;
        let text = |key: &str| answer.json()[key].as_str().unwrap().to_owned();
        (answer.status, text("code"), text("msg"))
    }
}

async fn fresh_claims(client: &mut Client) -> auth::Claims {
    let token = client
        .hear_until(|heard| match heard {
            Heard::RefreshToken(token) => Some(token),
            _ => None,
        })
        .await;
    auth::verify(&token, &keys(), now()).unwrap()
}

#[tokio::test]
async fn l_43_update_participant_is_answered_seen_and_in_the_next_token() {
    // L-06, L-43, L-52
    let mut scene = scene().await;
    fresh_claims(&mut scene.alice).await;
    let body = json!({
        "room": "r", "identity": "alice", "name": "Alice A.", "metadata": "row 3", "attributes": {"seat": "7"},
        "permission": {"can_subscribe": true, "can_publish": true, "can_publish_sources": ["MICROPHONE"]},
    });
    let shown = scene.call("UpdateParticipant", body).await;
    assert_eq!((&shown["name"], &shown["metadata"]), (&json!("Alice A."), &json!("row 3")));
    assert_eq!(shown["attributes"], json!({"seat": "7"}));
    assert_eq!(shown["permission"]["can_publish_sources"], json!(["MICROPHONE"]));
    assert_eq!(shown["permission"]["can_publish_data"], false);
    // One token for what is said, one for what is permitted.
    fresh_claims(&mut scene.alice).await;
    let claims = fresh_claims(&mut scene.alice).await;
    assert_eq!((claims.sub.as_str(), claims.name.as_str(), claims.metadata.as_str()), ("alice", "Alice A.", "row 3"));
    assert_eq!(claims.attributes["seat"], "7");
    assert_eq!(claims.video.can_publish_sources, ["microphone"]);
    assert_eq!((claims.video.can_publish_data, claims.video.room_join), (Some(false), true));
    let cleared =
        scene.call("UpdateParticipant", json!({"room": "r", "identity": "alice", "attributes": {"seat": ""}})).await;
    assert_eq!((&cleared["attributes"], &cleared["name"]), (&json!({}), &json!("Alice A.")));
}

#[tokio::test]
async fn l_43_what_is_too_long_changes_nothing() {
    // L-43
    let scene = scene().await;
    let attributes: serde_json::Map<_, _> = (0..2000).map(|n| (format!("key{n}"), json!("v".repeat(40)))).collect();
    for (field, value, msg) in [
        ("metadata", json!("m".repeat(512 * 1024 + 1)), "metadata size exceeds limits"),
        ("name", json!("n".repeat(257)), "name length exceeds limits"),
        ("attributes", json!(attributes), "attribute size exceeds limits"),
    ] {
        let refused = scene.refused("UpdateParticipant", json!({"room": "r", "identity": "alice", field: value})).await;
        assert_eq!(refused, (400, "invalid_argument".into(), msg.into()));
    }
    let alice = scene.call("GetParticipant", json!({"room": "r", "identity": "alice"})).await;
    assert_eq!((&alice["name"], &alice["metadata"], &alice["version"]), (&json!(""), &json!(""), &json!(1)));
}

#[tokio::test]
async fn l_55_update_room_metadata_is_told() {
    // L-55
    let mut scene = scene().await;
    let room = scene.call("UpdateRoomMetadata", json!({"room": "r", "metadata": "act 2"})).await;
    assert_eq!(room["metadata"], "act 2");
    let told = scene.alice.hear_until(|heard| match heard {
        Heard::RoomUpdate(update) => update.room,
        _ => None,
    });
    assert_eq!(told.await.metadata, "act 2");
    let long = json!({"room": "r", "metadata": "m".repeat(512 * 1024 + 1)});
    let refused = scene.refused("UpdateRoomMetadata", long).await;
    assert_eq!(refused, (400, "invalid_argument".into(), "metadata size exceeds limits".into()));
}

#[tokio::test]
async fn l_06_l_36_who_is_not_there_cannot_be_changed() {
    // L-06, L-36
    let scene = scene().await;
    let nobody = json!({"room": "r", "identity": "bob", "track_sid": "TR_x", "track_sids": ["TR_x"], "muted": true});
    for method in ["MutePublishedTrack", "UpdateParticipant", "UpdateSubscriptions"] {
        let refused = scene.refused(method, nobody.clone()).await;
        assert_eq!(refused, (404, "not_found".into(), "participant does not exist".into()), "{method}");
        let elsewhere = scene.server.api(method, &admin("x"), r#"{"room":"x","identity":"alice"}"#).await;
        assert_eq!((elsewhere.status, &elsewhere.json()["msg"]), (404, &json!("requested room does not exist")));
    }
    let track = json!({"room": "r", "identity": "alice", "track_sid": "TR_x", "muted": true});
    assert_eq!(
        scene.refused("MutePublishedTrack", track).await,
        (404, "not_found".into(), "track is not found".into())
    );
    let asked = json!({"room": "r", "identity": "alice", "subscribe": true,
        "participant_tracks": [{"participant_sid": "PA_x", "track_sids": ["TR_x"]}]});
    assert_eq!(scene.call("UpdateSubscriptions", asked).await, json!({}));
}

#[tokio::test]
async fn l_53_the_methods_speak_protobuf_too() {
    // L-53
    let scene = scene().await;
    let bearer = format!("Bearer {}", admin("r"));
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/protobuf")];
    let request = proto::UpdateParticipantRequest {
        room: "r".into(),
        identity: "alice".into(),
        name: "A.".into(),
        ..Default::default()
    };
    let path = "/twirp/livekit.RoomService/UpdateParticipant";
    let answer = scene.server.request("POST", path, &headers, &request.encode_to_vec()).await;
    assert_eq!(proto::ParticipantInfo::decode(&*answer.bytes).unwrap().name, "A.");
}

fn sender(room: &str, destination: &str) -> String {
    backend(|video| {
        video.room_admin = true;
        video.room = room.into();
        video.destination_room = destination.into();
    })
}

#[tokio::test]
async fn l_55_move_participant_sends_the_client_to_the_other_room_with_a_token_for_it() {
    // L-55
    let mut scene = scene().await;
    let body = json!({"room": "r", "identity": "alice", "destination_room": "stage"}).to_string();
    let answer = scene.server.api("MoveParticipant", &sender("r", "stage"), &body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    let moved = scene.alice.hear_until(|heard| match heard {
        Heard::RoomMoved(moved) => Some(moved),
        _ => None,
    });
    let moved = moved.await;
    let claims = auth::verify(&moved.token, &keys(), now()).unwrap();
    assert_eq!((claims.sub.as_str(), claims.video.room.as_str(), claims.video.room_join), ("alice", "stage", true));
    assert_eq!(moved.room.unwrap().name, "stage");
    let left = scene.alice.hear_until(|heard| match heard {
        Heard::Leave(leave) => Some(leave.action),
        _ => None,
    });
    assert_eq!(left.await, proto::leave_request::Action::Reconnect as i32);
}

#[tokio::test]
async fn l_55_nobody_is_moved_without_leave_or_to_where_they_are() {
    // L-55
    let scene = scene().await;
    for (token, identity, destination, status) in [
        (admin("r"), "alice", "stage", 401),
        (sender("r", "elsewhere"), "alice", "stage", 401),
        (sender("r", "r"), "alice", "r", 400),
        (sender("r", "stage"), "nobody", "stage", 404),
        (sender("r", ""), "alice", "", 400),
    ] {
        let body = json!({"room": "r", "identity": identity, "destination_room": destination}).to_string();
        assert_eq!(
            scene.server.api("MoveParticipant", &token, &body).await.status,
            status,
            "{identity} → {destination}"
        );
    }
    assert_eq!(scene.call("ListParticipants", json!({"room": "r"})).await["participants"][0]["identity"], "alice");
}

async fn join_room(server: &Server, identity: &str, room: &str) -> Client {
    let token = token_with(identity, |claims| claims.video.room = room.into());
    let mut client = server.join_with(&token).await;
    client.joined().await;
    client
}

#[tokio::test]
async fn l_55_forward_participant_shows_somebody_in_another_room_until_they_are_gone_or_removed() {
    // L-55
    let scene = scene().await;
    let mut bob = join_room(&scene.server, "bob", "stage").await;
    let body = json!({"room": "r", "identity": "alice", "destination_room": "stage"}).to_string();
    let forward = async || scene.server.api("ForwardParticipant", &sender("r", "stage"), &body).await;
    let answer = forward().await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    bob.sees("alice", proto::participant_info::State::Active).await;
    let twice = forward().await;
    assert_eq!((twice.status, &twice.json()["code"]), (409, &json!("already_exists")));
    let update = json!({"room": "r", "identity": "alice", "name": "Alice A."});
    scene.call("UpdateParticipant", update.clone()).await;
    bob.hear_until(|heard| match heard {
        Heard::Update(update) => update.participants.into_iter().find(|who| who.name == "Alice A."),
        _ => None,
    })
    .await;
    let stage = |body: serde_json::Value| {
        let mut body = body;
        body["room"] = json!("stage");
        body.to_string()
    };
    let renamed = scene.server.api("UpdateParticipant", &admin("stage"), &stage(update)).await;
    assert_eq!((renamed.status, &renamed.json()["code"]), (412, &json!("failed_precondition")), "{renamed:?}");
    let removed = scene.server.api("RemoveParticipant", &admin("stage"), &stage(json!({"identity": "alice"}))).await;
    assert_eq!(removed.status, 200, "{removed:?}");
    bob.sees("alice", proto::participant_info::State::Disconnected).await;
    assert_eq!(scene.call("ListParticipants", json!({"room": "r"})).await["participants"][0]["identity"], "alice");
    assert_eq!(forward().await.status, 200, "again");
    bob.sees("alice", proto::participant_info::State::Active).await;
    scene.call("RemoveParticipant", json!({"room": "r", "identity": "alice"})).await;
    bob.sees("alice", proto::participant_info::State::Disconnected).await;
}

#[tokio::test]
async fn l_55_nobody_is_forwarded_without_leave_or_over_somebody_else() {
    // L-55
    let scene = scene().await;
    let _other = join_room(&scene.server, "alice", "taken").await;
    for (token, identity, destination, status) in [
        (admin("r"), "alice", "stage", 401),
        (sender("r", "elsewhere"), "alice", "stage", 401),
        (sender("r", "r"), "alice", "r", 400),
        (sender("r", "stage"), "nobody", "stage", 404),
        (sender("r", "stage"), "", "stage", 400),
        (sender("r", "taken"), "alice", "taken", 409),
    ] {
        let body = json!({"room": "r", "identity": identity, "destination_room": destination}).to_string();
        let answer = scene.server.api("ForwardParticipant", &token, &body).await;
        assert_eq!(answer.status, status, "{identity} → {destination}");
    }
}

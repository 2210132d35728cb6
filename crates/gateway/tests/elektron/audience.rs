//! The live audience in numbers (E-36, E-37).

use crate::harness::{Answer, Server, message, operator_token, token, token_rooms};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use std::io::Cursor;
use std::time::Duration;
use store::{Log, Span};

/// A picture of one colour, as a canvas sends it.
fn picture(colour: [u8; 3]) -> String {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(150, 120, Rgb(colour)).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes.into_inner()))
}

async fn upload(server: &Server, body: &Value) -> Answer {
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    server.request("POST", "/area51/_upload.php", &headers, body.to_string().as_bytes()).await
}

fn of(camera: &str, room: &str, colour: [u8; 3]) -> Value {
    json!({"uuid": camera, "feed": room, "imgScaled": picture(colour)})
}

/// The points of a room, once there are any: a point is ten seconds long.
async fn points(server: &Server, room: &str) -> Vec<Value> {
    for _ in 0..150 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if !server.store.read(&Log::new("statistics", room), Span::newest(1)).await.unwrap().is_empty() {
            break;
        }
    }
    let path = format!("/api/rooms/{room}/statistics");
    server.get(&path).await.json()["points"].as_array().unwrap().clone()
}

#[tokio::test]
async fn e_37_an_upload_is_answered_with_the_rooms_mosaic() {
    // E-37
    let server = Server::start().await;
    let (red, green) = ([200, 0, 0], [0, 200, 0]);
    let first = upload(&server, &of("a", "foyer", red)).await;
    assert_eq!((first.status, first.json()), (200, json!({"images": [{"imgData": picture(red)}]})));
    let second = upload(&server, &of("b", "foyer", green)).await;
    assert_eq!(second.json()["images"], json!([{"imgData": picture(red)}, {"imgData": picture(green)}]));
    let again = upload(&server, &of("a", "foyer", green)).await;
    assert_eq!(again.json()["images"].as_array().unwrap().len(), 2, "the newest of each");
    let other = upload(&server, &of("a", "another", red)).await;
    assert_eq!(other.json()["images"].as_array().unwrap().len(), 1, "rooms are apart");
}

#[tokio::test]
async fn e_36_the_buss_audience_is_in_the_mosaic_too() {
    // E-36, E-11
    let server = Server::start().await;
    let mut alice = server.open().await;
    alice.say(message("IMAGE", "foyer", "alice", json!(picture([1, 2, 3])))).await;
    alice.hears_type("IMAGE").await;
    let answer = upload(&server, &of("a", "foyer", [9, 9, 9])).await;
    assert_eq!(answer.json()["images"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn e_36_who_only_watches_sees_the_mosaic_as_readable_as_the_room() {
    // E-36
    let server = Server::start_with(token_rooms).await;
    upload(&server, &of("a", "foyer", [9, 9, 9])).await;
    let mosaic = server.get("/api/rooms/foyer/audience").await;
    assert_eq!(mosaic.json()["images"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/rooms/stage/audience").await.status, 404);
}

#[tokio::test]
async fn e_37_pictures_become_points_as_json_and_csv() {
    // E-37
    let server = Server::start().await;
    let mut alice = server.open().await;
    upload(&server, &of("a", "foyer", [200, 100, 0])).await;
    alice.say(message("IMAGE", "foyer", "alice", json!(picture([200, 100, 0])))).await;
    let points = points(&server, "foyer").await;
    let people = points.iter().map(|point| point["people"].as_u64().unwrap()).max();
    assert!(people.is_some_and(|people| people >= 1), "{points:?}");
    let point = &points[0];
    assert_eq!(point["faces"], Value::Null);
    assert!((point["brightness"].as_f64().unwrap() - 0.465).abs() < 0.03, "{point}");
    assert!(point["colour"].as_str().unwrap().starts_with("#c"), "{point}");
    assert_eq!(point["at"].as_i64().unwrap() % 10_000, 0);
    let table = server.get("/api/rooms/foyer/statistics?format=csv&limit=1").await;
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(table.header("access-control-allow-origin"), Some("*"));
    let lines: Vec<_> = table.body.lines().collect();
    assert_eq!((lines[0], lines.len()), ("at,people,faces,brightness,motion,colour", 2));
}

#[tokio::test]
async fn e_37_what_is_no_picture_is_refused_and_costs_nothing() {
    // E-37
    let server = Server::start_with(token_rooms).await;
    let large = format!("data:image/jpeg;base64,{}", "A".repeat(5 * 1024 * 1024));
    for (body, status) in [
        (json!([]), 400),
        (json!({"uuid": "", "feed": "foyer", "imgScaled": picture([0; 3])}), 400),
        (json!({"uuid": "a", "feed": "", "imgScaled": picture([0; 3])}), 400),
        (json!({"uuid": "a", "feed": "foyer", "imgScaled": "<script>"}), 400),
        (json!({"uuid": "a", "feed": "foyer", "imgScaled": "data:text/html,x"}), 400),
        (json!({"uuid": "a", "feed": "foyer", "imgScaled": large}), 413),
        (of("a", "stage", [0; 3]), 404),
    ] {
        let answer = upload(&server, &body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.json()["error"].is_string());
    }
    let answer = server.request("POST", "/area51/_upload.php", &[], b"{").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn e_37_one_address_sends_as_many_pictures_as_a_room_full_of_people() {
    // E-37
    let server = Server::start().await;
    let mut statuses = Vec::new();
    for _ in 0..200 {
        statuses.push(upload(&server, &json!({})).await.status);
    }
    assert!(statuses[..100].iter().all(|status| *status == 400) && statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn e_37_statistics_are_as_readable_as_the_room() {
    // E-37
    let server = Server::start_with(token_rooms).await;
    let path = "/api/rooms/stage/statistics";
    assert_eq!(server.get(path).await.status, 404);
    for token in [token("stage"), operator_token()] {
        let bearer = format!("Bearer {token}");
        assert_eq!(server.request("GET", path, &[("Authorization", &bearer)], b"").await.status, 200);
    }
    assert_eq!(server.get("/api/rooms/foyer/statistics").await.json(), json!({"intervalMs": 10_000, "points": []}));
}

//! Podcasts (C-21), uploads (C-22), favourites (C-20).

use crate::harness::{Account, FORM, PNG, Server, eventually, form, mp3};
use serde_json::{Value, json};

async fn upload(server: &Server, account: &Account, path: &str, field: &str, file: &[u8]) -> Value {
    let answer = server.request("POST", path, &[FORM], &form(&account.token, field, file)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

async fn podcast(server: &Server, account: &Account, public: bool) -> String {
    let sound = upload(server, account, "/api/uploads/podcasts", "podcast", &mp3(100)).await;
    let picture = upload(server, account, "/api/uploads/images", "image", PNG).await;
    let body = json!({
        "idToken": account.token, "podcastUploadId": sound["podcastUploadId"], "imageUploadId": picture["imageUploadId"],
        "title": "T", "description": "D", "genres": ["ambient"], "public": public,
    });
    let answer = server.call("POST", "/api/podcasts", &[], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["podcastId"].as_str().unwrap().to_owned()
}

/// The path of a link.
fn path(server: &Server, url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.strip_prefix(&format!("http://{}", server.addr)).unwrap_or_else(|| panic!("{url}")).to_owned()
}

#[tokio::test]
async fn c_21_c_22_a_podcast_is_uploaded_listed_played_in_parts_and_removed() {
    // C-21, C-22
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let id = podcast(&server, &ann, true).await;
    let all = server.get("/app/api/podcasts").await.json();
    let one = &all[0];
    assert_eq!((all.as_array().unwrap().len(), &one["podcastId"]), (1, &json!(id)));
    let told = (&one["title"], &one["artistName"], &one["durationInMinutes"], &one["genres"]);
    assert_eq!(told, (&json!("T"), &json!("ann"), &json!(1), &json!(["ambient"])));
    let picture = server.get(&path(&server, &one["imgUrl"])).await;
    assert_eq!((picture.header("content-type"), &picture.bytes[..]), (Some("image/png"), PNG));
    let info = server.call("POST", &format!("/api/podcasts/{id}/info"), &[], &json!({})).await.json();
    assert_eq!(info["public"], true);
    let me = json!({ "idToken": ann.token });
    let stream = server.call("POST", &format!("/api/podcasts/{id}/stream"), &[], &me).await.json();
    let link = path(&server, &stream["podcastUrl"]);
    let whole = server.get(&link).await;
    assert_eq!((whole.status, whole.header("accept-ranges")), (200, Some("bytes")));
    assert_eq!(whole.bytes, mp3(100));
    let part = server.request("GET", &link, &[("Range", "bytes=10-19")], b"").await;
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 10-19/14400")));
    assert_eq!(part.bytes, mp3(1)[10..20]);
    assert_eq!(server.request("GET", &link, &[("Range", "bytes=14400-")], b"").await.status, 416);
    let removed = server.call("POST", &format!("/api/podcasts/{id}/delete"), &[], &me).await;
    assert_eq!(removed.json()["message"], "Your podcast has been removed.");
    assert_eq!(server.get(&link).await.status, 404);
    assert_eq!(server.get("/api/podcasts").await.json(), json!([]));
}

#[tokio::test]
async fn c_21_a_private_podcast_is_none_to_others() {
    // C-21
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let id = podcast(&server, &ann, false).await;
    assert_eq!(server.get("/api/podcasts").await.json(), json!([]));
    for (verb, what) in [("POST", "/info"), ("POST", "/stream"), ("POST", "/delete"), ("PUT", "")] {
        let body = json!({ "idToken": ben.token });
        let answer = server.call(verb, &format!("/api/podcasts/{id}{what}"), &[], &body).await;
        assert_eq!(
            (answer.status, crate::harness::error(&answer)),
            (404, format!("Podcast {id} not found.")),
            "{what}"
        );
    }
    let body = json!({ "idToken": ann.token });
    assert_eq!(server.call("POST", &format!("/api/podcasts/{id}/info"), &[], &body).await.json()["public"], false);
    let body = json!({ "idToken": ann.token, "public": true, "title": "Now" });
    assert_eq!(server.call("PUT", &format!("/api/podcasts/{id}"), &[], &body).await.status, 200);
    assert_eq!(server.get("/api/podcasts").await.json()[0]["title"], "Now");
    let body = json!({ "idToken": ben.token });
    let refused = server.call("POST", &format!("/api/podcasts/{id}/delete"), &[], &body).await;
    assert_eq!(
        (refused.status, crate::harness::error(&refused)),
        (403, format!("User does not have access to podcast {id}"))
    );
}

#[tokio::test]
async fn c_21_sound_and_picture_are_replaced() {
    // C-21
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let id = podcast(&server, &ann, true).await;
    let sound = upload(&server, &ann, "/api/uploads/podcasts", "podcast", &mp3(50)).await;
    let body = json!({ "idToken": ann.token, "updatedPodcastUploadId": sound["podcastUploadId"] });
    assert_eq!(server.call("PUT", &format!("/api/podcasts/{id}/podcast"), &[], &body).await.status, 200);
    let again = server.call("PUT", &format!("/api/podcasts/{id}/podcast"), &[], &body).await;
    assert_eq!(again.status, 404, "an upload is used once");
    let picture = upload(&server, &ann, "/api/uploads/images", "image", b"\xff\xd8\xff\xe0jpeg").await;
    let body = json!({ "idToken": ann.token, "updatedImageUploadId": picture["imageUploadId"] });
    assert_eq!(server.call("PUT", &format!("/api/podcasts/{id}/image"), &[], &body).await.status, 200);
    let one = server.get("/api/podcasts").await.json();
    let picture = server.get(&path(&server, &one[0]["imgUrl"])).await;
    assert_eq!(picture.header("content-type"), Some("image/jpeg"));
    let files = std::fs::read_dir(server.dir.path().join("files")).unwrap().count();
    assert_eq!(files, 2, "the old ones are gone");
}

#[tokio::test]
async fn c_21_a_link_that_is_not_ours_or_too_old_leads_nowhere() {
    // C-21, Q-21
    let server = Server::start().await;
    let ann = server.account("ann").await;
    podcast(&server, &ann, true).await;
    let old = auth::seal::seal(&crate::harness::keys(), "castaway.file", "{}", crate::harness::unix_s()).unwrap();
    for link in ["x", "..%2f..%2fodeon.json", "a.b", &old] {
        let answer = server.get(&format!("/api/files/{link}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, "not found\n"), "{link}");
    }
}

#[tokio::test]
async fn c_22_uploads_are_known_by_their_content_and_are_their_owners() {
    // C-22
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    for (path, field, file) in [
        ("/api/uploads/podcasts", "podcast", &b"<html>"[..]),
        ("/api/uploads/podcasts", "podcast", PNG),
        ("/api/uploads/images", "image", b"<svg xmlns"),
        ("/api/uploads/images", "other", PNG),
    ] {
        let answer = server.request("POST", path, &[FORM], &form(&ann.token, field, file)).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    let forged = server.request("POST", "/api/uploads/images", &[FORM], &form("a.b.c", "image", PNG)).await;
    assert_eq!(forged.status, 401);
    let anonymous = b"--XX\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nx\r\n--XX--\r\n";
    assert_eq!(server.request("POST", "/api/uploads/images", &[FORM], anonymous).await.status, 400);
    let large = form(&ann.token, "image", &[PNG, &vec![0; 9 << 20]].concat());
    assert_eq!(server.request("POST", "/api/uploads/images", &[FORM], &large).await.status, 413);
    let cut = form(&ann.token, "image", PNG);
    assert_eq!(server.request("POST", "/api/uploads/images", &[FORM], &cut[..cut.len() - 9]).await.status, 400);
    let id = upload(&server, &ann, "/api/uploads/images", "image", PNG).await;
    let path = format!("/api/uploads/images/{}", id["imageUploadId"].as_str().unwrap());
    assert_eq!(server.request("PUT", &path, &[FORM], &form(&ben.token, "image", PNG)).await.status, 404);
    let updated = server.request("PUT", &path, &[FORM], &form(&ann.token, "image", PNG)).await;
    assert_eq!(updated.json(), json!({ "status": "OK", "message": "Your upload has been updated." }));
    let deleted = server.call("POST", &format!("{path}/delete"), &[], &json!({ "idToken": ann.token })).await;
    assert_eq!(deleted.json(), json!({ "status": "OK", "message": "Your upload has been deleted." }));
    let left = |folder: &str| std::fs::read_dir(server.dir.path().join(folder)).unwrap().count();
    eventually("nothing is left", || async { left("files") + left("drafts") == 0 }).await;
}

#[tokio::test]
async fn c_20_favourites_come_and_go() {
    // C-20
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let id = podcast(&server, &ann, true).await;
    let body = json!({ "idToken": ben.token, "podcastId": id });
    for _ in 0..2 {
        let added = server.call("PUT", "/app/api/users/favorites", &[], &body).await;
        assert_eq!(added.json(), json!({ "status": "OK", "message": "Podcast added to your favorites." }));
    }
    let me = json!({ "idToken": ben.token });
    let favourites = server.call("POST", "/api/users/favorites", &[], &me).await.json();
    assert_eq!((favourites.as_array().unwrap().len(), &favourites[0]["podcastId"]), (1, &json!(id)));
    assert_eq!(server.call("POST", "/api/users/info", &[], &me).await.json()["numberOfFavorites"], 1);
    let creations = server.call("POST", "/api/users/creations", &[], &json!({ "idToken": ann.token })).await.json();
    assert_eq!(creations[0]["podcastId"], json!(id));
    let removed = server.call("DELETE", "/api/users/favorites", &[], &body).await;
    assert_eq!(removed.json(), json!({ "status": "OK", "message": "Podcast removed from your favorite." }));
    assert_eq!(server.call("POST", "/api/users/favorites", &[], &me).await.json(), json!([]));
}

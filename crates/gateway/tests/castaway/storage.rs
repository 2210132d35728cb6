//! How much is kept: by everybody together, and by one account (C-19, C-22).

use crate::harness::{Account, FORM, PNG, Server, error, eventually, form, mp3, sound_of, the_podcast};
use serde_json::json;

/// 14,400 bytes.
fn song() -> Vec<u8> {
    mp3(100)
}

fn bounded(bytes: u64) -> impl FnOnce(&mut crate::harness::Setting) {
    move |setting| setting.castaway.account_bytes = Some(bytes)
}

async fn upload(server: &Server, account: &Account, song: &[u8]) -> (u16, String) {
    let body = form(&account.token, "podcast", song);
    let answer = server.request("POST", "/api/uploads/podcasts", &[FORM], &body).await;
    let said = match answer.status {
        200 => answer.json()["podcastUploadId"].as_str().unwrap().to_owned(),
        _ => error(&answer),
    };
    (answer.status, said)
}

fn files(server: &Server, folder: &str) -> usize {
    std::fs::read_dir(server.dir.path().join(folder)).unwrap().count()
}

#[tokio::test]
async fn c_22_when_the_place_is_full_nothing_more_is_kept() {
    // C-22
    let server = Server::start_with(|setting| setting.castaway.kept_bytes = 1000).await;
    let ann = server.account("ann").await;
    assert_eq!(upload(&server, &ann, &song()).await, (507, "There is no place for the file.".to_owned()));
    let image = server.request("POST", "/api/uploads/images", &[FORM], &form(&ann.token, "image", PNG)).await;
    assert_eq!(image.status, 200);
}

#[tokio::test]
async fn c_22_one_account_fills_its_own_place_and_nobody_elses() {
    // C-22
    let server = Server::start_with(bounded(30_000)).await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let (_, first) = upload(&server, &ann, &song()).await;
    assert_eq!(upload(&server, &ann, &song()).await.0, 200);
    let refused = (507, "There is no place for the file.".to_owned());
    assert_eq!(upload(&server, &ann, &song()).await, refused);
    let image = form(&ann.token, "image", &[PNG, &[0; 1200]].concat());
    assert_eq!(server.request("POST", "/api/uploads/images", &[FORM], &image).await.status, 507, "pictures count too");
    assert_eq!(upload(&server, &ben, &song()).await.0, 200);
    eventually("what was refused leaves nothing", || async { files(&server, "drafts") == 0 }).await;
    assert_eq!(files(&server, "files"), 3);
    let me = json!({ "idToken": ann.token });
    server.call("POST", &format!("/api/uploads/podcasts/{first}/delete"), &[], &me).await;
    assert_eq!(upload(&server, &ann, &song()).await.0, 200, "there is place again");
}

#[tokio::test]
async fn c_21_c_22_what_became_a_podcast_counts_on_also_after_a_restart() {
    // C-21, C-22
    let server = Server::start_with(bounded(30_000)).await;
    let ann = server.account("ann").await;
    let (_, sound) = upload(&server, &ann, &song()).await;
    let image = server.request("POST", "/api/uploads/images", &[FORM], &form(&ann.token, "image", PNG)).await;
    let body = json!({
        "idToken": ann.token, "podcastUploadId": sound, "imageUploadId": image.json()["imageUploadId"],
        "title": "T", "description": "D", "genres": ["ambient"], "public": true,
    });
    let podcast = server.call("POST", "/api/podcasts", &[], &body).await.json()["podcastId"].clone();
    let podcast = podcast.as_str().unwrap();
    // Its sound is replaced by a longer one.
    let (_, longer) = upload(&server, &ann, &mp3(105)).await;
    let body = json!({ "idToken": ann.token, "updatedPodcastUploadId": longer });
    assert_eq!(server.call("PUT", &format!("/api/podcasts/{podcast}/podcast"), &[], &body).await.status, 200);
    let (store, dir) = (std::sync::Arc::clone(&server.store), server.dir.clone());
    let again = Server::start_with(|setting| {
        bounded(30_000)(setting);
        (setting.store, setting.dir) = (Some(store), dir);
    })
    .await;
    assert_eq!(upload(&again, &ann, &mp3(104)).await.0, 507);
    assert_eq!(upload(&again, &ann, &song()).await.0, 200);
    assert_eq!(upload(&again, &ann, &song()).await.0, 507);
    let me = json!({ "idToken": ann.token });
    assert_eq!(again.call("POST", &format!("/api/podcasts/{podcast}/delete"), &[], &me).await.status, 200);
    assert_eq!(upload(&again, &ann, &song()).await.0, 200);
}

#[tokio::test]
async fn c_22_uploads_at_the_same_time_count_together() {
    // C-22
    let server = Server::start_with(bounded(45_000)).await;
    let ann = server.account("ann").await;
    let song = song();
    let all = futures_util::future::join_all((0..8).map(|_| upload(&server, &ann, &song))).await;
    let kept = all.iter().filter(|(status, _)| *status == 200).count();
    assert!(kept <= 3 && all.iter().all(|(status, _)| [200, 507].contains(status)), "{all:?}");
    eventually("drafts are gone", || async { files(&server, "drafts") == 0 }).await;
    eventually("and files of the refused", || async { files(&server, "files") == kept }).await;
    for _ in kept..3 {
        assert_eq!(upload(&server, &ann, &song).await.0, 200, "what was refused takes no place");
    }
    assert_eq!(upload(&server, &ann, &song).await.0, 507);
}

#[tokio::test]
async fn c_19_a_recording_ends_where_its_account_is_full_and_the_livestream_goes_on() {
    // C-19
    let server = Server::start_with(bounded(20_000)).await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    for piece in 0..3 {
        let sound = mp3(100 - piece);
        streamer.upload(&sound).await;
        listener.hears_sound(&sound).await;
    }
    assert_eq!(upload(&server, &ann, &mp3(80)).await.0, 507, "a running recording counts");
    streamer.say("41/streamer,").await;
    let podcast = the_podcast(&server).await;
    let kept = sound_of(&server, &podcast["podcastId"], &ann.token).await;
    assert!(kept.ends_with(&mp3(100)) && kept.len() < mp3(110).len(), "the first piece alone: {} bytes", kept.len());
    eventually("the pieces are gone", || async { files(&server, "recordings") == 0 }).await;
    assert_eq!(upload(&server, &ann, &mp3(30)).await.0, 200, "and the recording counts once");
}

#[tokio::test]
async fn c_19_q_4_recordings_that_wait_to_be_joined_count_also_after_a_restart() {
    // C-19, Q-4
    let server = Server::start_with(|setting| setting.castaway.ffmpeg = "/nowhere/ffmpeg".into()).await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    streamer.upload(&[b"\x1a\x45\xdf\xa3webm".as_slice(), &[0; 10_000]].concat()).await;
    streamer.say("41/streamer,").await;
    let recordings = server.dir.path().join("recordings");
    let waits = || async {
        let mut folders = std::fs::read_dir(&recordings).unwrap().filter_map(Result::ok);
        folders.any(|folder| folder.path().join("list.txt").exists())
    };
    eventually("it waits", waits).await;
    let (store, dir) = (std::sync::Arc::clone(&server.store), server.dir.clone());
    let again = Server::start_with(|setting| {
        bounded(20_000)(setting);
        setting.castaway.ffmpeg = "/nowhere/ffmpeg".into();
        (setting.store, setting.dir) = (Some(store), dir);
    })
    .await;
    assert_eq!(upload(&again, &ann, &song()).await.0, 507);
    assert_eq!(upload(&again, &ann, &mp3(50)).await.0, 200);
}

//! Forms that bring files: in whatever order, whole or not, from somebody or from nobody (C-22).

use crate::harness::{Account, Answer, FORM, PATIENCE, PNG, Server, error, eventually, form, mp3};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOUNDS: &str = "/api/uploads/podcasts";

fn part(field: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

/// A form whose token comes after its file.
fn file_first(token: &str, field: &str, file: &[u8]) -> Vec<u8> {
    [part(field, file), part("idToken", token.as_bytes()), b"--XX--\r\n".to_vec()].concat()
}

async fn send(server: &Server, verb: &str, path: &str, body: &[u8]) -> Answer {
    server.request(verb, path, &[FORM], body).await
}

fn files(server: &Server, folder: &str) -> usize {
    std::fs::read_dir(server.dir.path().join(folder)).unwrap().count()
}

async fn nothing_is_left(server: &Server) {
    eventually("nothing is left", || async { files(server, "files") + files(server, "drafts") == 0 }).await;
}

/// A form of which only this has come yet.
async fn begun(server: &Server, sent: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(server.addr).await.unwrap();
    let head = format!(
        "POST {SOUNDS} HTTP/1.1\r\nHost: venue\r\nContent-Length: 1000000\r\n{}: {}\r\nConnection: close\r\n\r\n",
        FORM.0, FORM.1
    );
    socket.write_all(&[head.as_bytes(), sent].concat()).await.unwrap();
    socket
}

/// What the server says to it meanwhile.
async fn status(socket: &mut TcpStream) -> String {
    let mut answer = [0; 12];
    timeout(PATIENCE, socket.read_exact(&mut answer)).await.expect("an answer in time").unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

async fn delete(server: &Server, ann: &Account, path: &str) {
    let deleted = server.call("POST", &format!("{path}/delete"), &[], &json!({ "idToken": ann.token })).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
}

#[tokio::test]
async fn c_22_the_token_comes_before_the_file_or_after_it() {
    // C-22
    let server = Server::start().await;
    let ann = server.account("ann").await;
    for orders in [[form, file_first], [file_first, form]] {
        for (path, field, id, file) in [
            (SOUNDS, "podcast", "podcastUploadId", &mp3(50)[..]),
            ("/api/uploads/images", "image", "imageUploadId", PNG),
        ] {
            let created = send(&server, "POST", path, &orders[0](&ann.token, field, file)).await;
            assert_eq!(created.status, 200, "{}", created.body);
            let path = format!("{path}/{}", created.json()[id].as_str().unwrap());
            let updated = send(&server, "PUT", &path, &orders[1](&ann.token, field, file)).await;
            assert_eq!(updated.json(), json!({ "status": "OK", "message": "Your upload has been updated." }));
            delete(&server, &ann, &path).await;
        }
    }
    let body = [part("podcast", &mp3(50)), b"--XX--\r\n".to_vec()].concat();
    let by_header = server.request("POST", SOUNDS, &[FORM, ("idToken", &ann.token)], &body).await;
    assert_eq!(by_header.status, 200, "{}", by_header.body);
}

#[tokio::test]
async fn c_22_a_file_that_nobody_may_upload_leaves_nothing_behind() {
    // C-22
    let server = Server::start_with(|setting| setting.castaway.kept_bytes = 20_000).await;
    let ann = server.account("ann").await;
    let song = mp3(100);
    let unsigned = [part("podcast", &song), b"--XX--\r\n".to_vec()].concat();
    for _ in 0..3 {
        let forged = send(&server, "POST", SOUNDS, &file_first("a.b.c", "podcast", &song)).await;
        assert_eq!((forged.status, error(&forged).as_str()), (401, "Id token is invalid."));
        nothing_is_left(&server).await;
        let nobodys = send(&server, "POST", SOUNDS, &unsigned).await;
        assert_eq!((nobodys.status, error(&nobodys).as_str()), (400, "The field idToken is missing."));
        nothing_is_left(&server).await;
    }
    let too_much = send(&server, "POST", SOUNDS, &file_first(&ann.token, "podcast", &mp3(150))).await;
    assert_eq!(too_much.status, 507, "the place for all counts for it too");
    nothing_is_left(&server).await;
    assert_eq!(send(&server, "POST", SOUNDS, &file_first(&ann.token, "podcast", &song)).await.status, 200);
}

#[tokio::test]
async fn c_22_a_file_that_came_before_its_token_counts_as_its_accounts() {
    // C-22
    let server = Server::start_with(|setting| setting.castaway.account_bytes = Some(20_000)).await;
    let ann = server.account("ann").await;
    assert_eq!(send(&server, "POST", SOUNDS, &file_first(&ann.token, "podcast", &mp3(100))).await.status, 200);
    let full = send(&server, "POST", SOUNDS, &file_first(&ann.token, "podcast", &mp3(100))).await;
    assert_eq!((full.status, error(&full).as_str()), (507, "There is no place for the file."));
    assert_eq!(send(&server, "POST", SOUNDS, &file_first(&ann.token, "podcast", &mp3(30))).await.status, 200);
}

#[tokio::test]
async fn c_22_a_file_has_the_owner_who_is_named_first() {
    // C-22
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let tokens = [part("idToken", ann.token.as_bytes()), part("podcast", &mp3(50))].concat();
    let body = [tokens, part("idToken", ben.token.as_bytes()), b"--XX--\r\n".to_vec()].concat();
    let id = send(&server, "POST", SOUNDS, &body).await.json()["podcastUploadId"].as_str().unwrap().to_owned();
    delete(&server, &ann, &format!("{SOUNDS}/{id}")).await;
}

#[tokio::test]
async fn c_22_a_wrong_token_that_comes_first_is_refused_before_the_file() {
    // C-22
    let server = Server::start().await;
    let mut socket = begun(&server, &[part("idToken", b"a.b.c"), b"--XX".to_vec()].concat()).await;
    assert_eq!(status(&mut socket).await, "401");
    assert_eq!(files(&server, "drafts"), 0);
}

#[tokio::test]
async fn c_22_q_18_files_of_nobody_yet_are_few_at_a_time_and_keep_no_account_out() {
    // C-22, Q-18
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let mut waiting = Vec::new();
    for count in 1..=gateway::castaway::limits::MAX_STRANGERS_EACH {
        waiting.push(begun(&server, &part("podcast", &mp3(10))).await);
        eventually("its file is begun", || async { files(&server, "drafts") == count }).await;
    }
    let mut one_more = begun(&server, &part("podcast", &mp3(10))).await;
    assert_eq!(status(&mut one_more).await, "503");
    assert_eq!(send(&server, "POST", SOUNDS, &form(&ann.token, "podcast", &mp3(50))).await.status, 200);
    // They hang up.
    drop(waiting);
    eventually("what was broken off is gone", || async { files(&server, "drafts") == 0 }).await;
    assert_eq!(send(&server, "POST", SOUNDS, &file_first(&ann.token, "podcast", &mp3(50))).await.status, 200);
}

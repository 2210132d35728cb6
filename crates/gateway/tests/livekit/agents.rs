//! Agents' workers and the API for them over real sockets (L-68). Who gets which job is tested in `room`.

use crate::harness::{KEY, Server, backend, keys, now, token, token_with};
use futures_util::{SinkExt as _, StreamExt as _};
use gateway::rooms::RegistryConfig;
use prost::Message as _;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use wire::livekit::proto;
use wire::livekit::proto::server_message::Message as Heard;
use wire::livekit::proto::worker_message::Message as Say;

const PATIENCE: Duration = Duration::from_secs(10);

struct Worker {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Worker {
    async fn connect(server: &Server, token: &str) -> Result<Self, u16> {
        let mut request = format!("ws://{}/agent?protocol=1", server.addr).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        match timeout(PATIENCE, connect_async(request)).await.unwrap() {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connected and registered, for jobs of rooms.
    async fn start(server: &Server, agent_name: &str) -> Self {
        let token = backend(|video| video.agent = true);
        let mut worker = Self::connect(server, &token).await.unwrap();
        let register = proto::RegisterWorkerRequest {
            agent_name: agent_name.to_owned(),
            version: "1.8.9".to_owned(),
            ..Default::default()
        };
        worker.say(Say::Register(register)).await;
        let Heard::Register(registered) = worker.hear().await else { panic!("no register") };
        assert!(registered.worker_id.starts_with("AW_"));
        assert_eq!(registered.server_info.unwrap().agent_protocol, 1);
        worker
    }

    async fn say(&mut self, message: Say) {
        let bytes = proto::WorkerMessage { message: Some(message) }.encode_to_vec();
        self.socket.send(Message::Binary(bytes.into())).await.unwrap();
    }

    async fn hear(&mut self) -> Heard {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a message in time").unwrap().unwrap() {
                Message::Binary(bytes) => return proto::ServerMessage::decode(bytes).unwrap().message.unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn offered(&mut self) -> proto::Job {
        match self.hear().await {
            Heard::Availability(asked) => asked.job.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn accept(&mut self, job: &proto::Job) -> proto::JobAssignment {
        let answer = proto::AvailabilityResponse {
            job_id: job.id.clone(),
            available: true,
            participant_identity: "helper-1".into(),
            participant_name: "Helper".into(),
            participant_attributes: [("mood".to_owned(), "calm".to_owned())].into(),
            ..Default::default()
        };
        self.say(Say::Availability(answer)).await;
        match self.hear().await {
            Heard::Assignment(assignment) => assignment,
            other => panic!("{other:?}"),
        }
    }
}

async fn server() -> Server {
    Server::start(RegistryConfig::default()).await
}

async fn dispatch_api(server: &Server, method: &str, body: Value) -> (u16, Value) {
    let token = backend(|video| {
        video.room_admin = true;
        video.room = "r".into();
    });
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let path = format!("/twirp/livekit.AgentDispatchService/{method}");
    let answer = server.request("POST", &path, &headers, body.to_string().as_bytes()).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn l_68_only_the_agent_grant_lets_a_worker_in() {
    // L-68
    let server = server().await;
    let page = token_with("", |claims| {
        claims.video.agent = true;
        claims.odeon_page = true;
    });
    for stranger in [token("alice"), backend(|video| video.room_admin = true), page, "nonsense".to_owned()] {
        assert_eq!(Worker::connect(&server, &stranger).await.map(drop), Err(401));
    }
    assert_eq!(server.get("/agent", &[]).await.status, 404);
}

#[tokio::test]
async fn l_68_a_worker_takes_a_job_and_its_agent_joins_by_the_token() {
    // L-68
    let server = server().await;
    let mut worker = Worker::start(&server, "").await;
    let mut alice = server.join("alice").await;
    let job = worker.offered().await;
    assert_eq!((&*job.room.as_ref().unwrap().name, job.r#type), ("r", 0));
    let assignment = worker.accept(&job).await;
    assert_eq!(assignment.job.unwrap().id, job.id);
    let claims = auth::verify(&assignment.token, &keys(), now()).unwrap();
    assert_eq!((&*claims.iss, &*claims.kind, claims.participant_identity()), (KEY, "agent", "helper-1"));
    assert!(claims.video.agent && claims.video.room_join && claims.video.room == "r");
    assert!(!claims.video.room_admin && !claims.video.room_create);
    assert_eq!(claims.video.can_update_own_metadata, Some(true));
    let mut agent = server.join_with(&assignment.token).await;
    let joined = agent.joined().await;
    let you = joined.participant.unwrap();
    assert_eq!((you.kind, &*you.name), (proto::participant_info::Kind::Agent as i32, "Helper"));
    assert_eq!(you.attributes["mood"], "calm");
    alice.sees("helper-1", proto::participant_info::State::Joined).await;
}

#[tokio::test]
async fn l_68_dispatches_by_the_api_and_what_it_shows_of_them() {
    // L-68
    let server = server().await;
    let mut worker = Worker::start(&server, "helper").await;
    let asked = json!({"room": "r", "agentName": "helper", "metadata": "m", "attributes": {"k": "v"}});
    let (status, made) = dispatch_api(&server, "CreateDispatch", asked).await;
    assert_eq!((status, &made["agent_name"], &made["room"]), (200, &json!("helper"), &json!("r")), "{made}");
    let job = worker.offered().await;
    assert_eq!((&*job.metadata, &*job.attributes["k"]), ("m", "v"));
    assert_eq!(json!(job.dispatch_id), made["id"]);
    worker.accept(&job).await;
    let (_, listed) = dispatch_api(&server, "ListDispatch", json!({"room": "r", "dispatchId": made["id"]})).await;
    let state = &listed["agent_dispatches"][0]["state"]["jobs"][0]["state"];
    assert_eq!((&state["status"], &state["participant_identity"]), (&json!("JS_RUNNING"), &json!("helper-1")));
    let (status, deleted) =
        dispatch_api(&server, "DeleteDispatch", json!({"room": "r", "dispatchId": made["id"]})).await;
    assert_eq!((status, &deleted["id"]), (200, &made["id"]));
    assert!(matches!(worker.hear().await, Heard::Termination(ended) if ended.job_id == job.id));
    let (status, _) = dispatch_api(&server, "DeleteDispatch", json!({"room": "r", "dispatchId": made["id"]})).await;
    assert_eq!(status, 404);
    let (status, error) = dispatch_api(&server, "CreateDispatch", json!({"room": "other"})).await;
    assert_eq!((status, &error["code"]), (401, &json!("unauthenticated")));
    let (status, error) = dispatch_api(&server, "Nonsense", json!({})).await;
    assert_eq!((status, &error["code"]), (404, &json!("bad_route")));
}

#[tokio::test]
async fn l_68_create_room_names_its_agents() {
    // L-68
    let server = server().await;
    let mut nameless = Worker::start(&server, "").await;
    let mut named = Worker::start(&server, "helper").await;
    let creator = backend(|video| video.room_create = true);
    let body = json!({"name": "r", "agents": [{"agentName": "helper", "metadata": "m"}]}).to_string();
    assert_eq!(server.api("CreateRoom", &creator, &body).await.status, 200);
    assert_eq!(named.offered().await.metadata, "m");
    let ping = proto::WorkerPing { timestamp: 5 };
    nameless.say(Say::Ping(ping)).await;
    let heard = nameless.hear().await;
    assert!(matches!(heard, Heard::Pong(pong) if pong.last_timestamp == 5), "{heard:?}");
}

#[tokio::test]
async fn l_68_a_worker_that_breaks_off_is_replaced() {
    // L-68
    let server = server().await;
    let mut first = Worker::start(&server, "").await;
    let _alice = server.join("alice").await;
    let job = first.offered().await;
    let mut second = Worker::start(&server, "").await;
    drop(first);
    assert_eq!(second.offered().await.id, job.id);
}

#[tokio::test]
async fn l_68_whoever_does_not_register_or_speaks_nonsense_is_closed() {
    // L-68
    let server = server().await;
    let token = backend(|video| video.agent = true);
    for first in [Say::Ping(proto::WorkerPing { timestamp: 1 }), Say::UpdateWorker(Default::default())] {
        let mut stranger = Worker::connect(&server, &token).await.unwrap();
        stranger.say(first).await;
        let frame = timeout(PATIENCE, stranger.socket.next()).await.unwrap();
        assert!(matches!(frame, Some(Ok(Message::Close(_)))), "{frame:?}");
    }
    let mut worker = Worker::start(&server, "").await;
    worker.socket.send(Message::Binary(vec![0xff; 9].into())).await.unwrap();
    let closed = async {
        while let Some(Ok(frame)) = worker.socket.next().await {
            if matches!(frame, Message::Close(_)) {
                return;
            }
        }
    };
    timeout(PATIENCE, closed).await.expect("closed");
}

/// L-68: an agent comes for those who are there; the open room stays open.
#[tokio::test]
async fn l_68_an_agent_does_not_close_an_open_room() {
    let server = server().await;
    let mut worker = Worker::start(&server, "").await;
    let page = token_with("guest", |claims| claims.odeon_page = true);
    let mut guest = server.join_with(&page).await;
    let job = worker.offered().await;
    let assignment = worker.accept(&job).await;
    let _agent = server.join_with(&assignment.token).await;
    guest.sees("helper-1", proto::participant_info::State::Joined).await;
    assert_eq!(server.gateway.registry().access("r"), gateway::rooms::Access::Open);
}

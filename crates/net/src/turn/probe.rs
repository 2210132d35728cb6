//! Is a relay there? Asked as a client asks first, without a login: a relay refuses, and says how to log in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use turn::message::{Builder, Class, Message, Method, TransactionId, length_in_stream};

/// REQUESTED-TRANSPORT (RFC 8656 section 18.7), and UDP in it.
const REQUESTED_TRANSPORT: (u16, [u8; 4]) = (0x0019, [17, 0, 0, 0]);
/// A stranger's first question is not answered: the next one comes so soon.
const RETRY: Duration = Duration::from_millis(250);
/// Bytes of the refusal at most: it has about a hundred.
const MAX_ANSWER_BYTES: usize = 1500;

/// By which way a relay is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Datagrams.
    Udp,
    /// A connection.
    Tcp,
    /// A connection with TLS: only whether somebody takes it.
    Tls,
}

/// Whether a relay answers there in this time.
pub async fn answers(server: SocketAddr, way: Way, timeout: Duration) -> bool {
    let asking = async {
        match way {
            Way::Udp => by_udp(server).await,
            Way::Tcp => by_tcp(server).await,
            Way::Tls => TcpStream::connect(server).await.map(|_| true),
        }
    };
    matches!(tokio::time::timeout(timeout, asking).await, Ok(Ok(true)))
}

async fn by_udp(server: SocketAddr) -> io::Result<bool> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    let (transaction, question) = question()?;
    let mut answer = [0; MAX_ANSWER_BYTES];
    loop {
        socket.send(&question).await?;
        if let Ok(received) = tokio::time::timeout(RETRY, socket.recv(&mut answer)).await {
            return Ok(is_answer(&answer[..received?], &transaction));
        }
    }
}

async fn by_tcp(server: SocketAddr) -> io::Result<bool> {
    let mut socket = TcpStream::connect(server).await?;
    let (transaction, question) = question()?;
    socket.write_all(&question).await?;
    let mut answer = Vec::new();
    loop {
        let room = MAX_ANSWER_BYTES.saturating_sub(answer.len());
        if room == 0 || (&mut socket).take(room as u64).read_buf(&mut answer).await? == 0 {
            return Ok(false);
        }
        match length_in_stream(&answer) {
            Ok(Some(length)) if length <= answer.len() => return Ok(is_answer(&answer[..length], &transaction)),
            Ok(_) => {}
            Err(_) => return Ok(false),
        }
    }
}

fn question() -> io::Result<(TransactionId, Vec<u8>)> {
    let mut transaction = TransactionId::default();
    getrandom::fill(&mut transaction).map_err(io::Error::other)?;
    let (kind, udp) = REQUESTED_TRANSPORT;
    Ok((transaction, Builder::new(Class::Request, Method::Allocate, &transaction).attribute(kind, &udp).finish()))
}

/// To an Allocate request, whatever it says.
fn is_answer(bytes: &[u8], transaction: &TransactionId) -> bool {
    Message::parse(bytes).is_ok_and(|message| {
        message.class == Class::Error && message.method == Method::Allocate && message.transaction == *transaction
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const SOON: Duration = Duration::from_millis(400);

    /// Refuses as a relay does, or says something else.
    fn refusal(question: &[u8], class: Class) -> Vec<u8> {
        let asked = Message::parse(question).unwrap();
        assert_eq!((asked.class, asked.method), (Class::Request, Method::Allocate));
        Builder::new(class, Method::Allocate, &asked.transaction).finish()
    }

    async fn by_datagrams(answer: fn(&[u8]) -> Option<Vec<u8>>) -> bool {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let serving = async {
            let mut question = [0; 1500];
            for heard in 0.. {
                let (length, from) = socket.recv_from(&mut question).await.unwrap();
                if heard > 0
                    && let Some(answer) = answer(&question[..length])
                {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        };
        tokio::select! {
            () = serving => false,
            answered = answers(address, Way::Udp, SOON) => answered,
        }
    }

    #[tokio::test]
    async fn a_relay_that_answers_the_second_question_is_there() {
        assert!(by_datagrams(|question| Some(refusal(question, Class::Error))).await);
    }

    #[tokio::test]
    async fn silence_and_what_is_no_refusal_are_no_relay() {
        assert!(!by_datagrams(|_| None).await);
        assert!(!by_datagrams(|_| Some(b"SSH-2.0".to_vec())).await);
        assert!(!by_datagrams(|question| Some(refusal(question, Class::Success))).await);
    }

    async fn by_connection(answer: fn(&[u8]) -> Vec<u8>) -> bool {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut question = [0; 28];
            socket.read_exact(&mut question).await.unwrap();
            socket.write_all(&answer(&question)).await.unwrap();
        });
        answers(address, Way::Tcp, SOON).await
    }

    #[tokio::test]
    async fn a_connection_is_asked_the_same() {
        assert!(by_connection(|question| refusal(question, Class::Error)).await);
        assert!(!by_connection(|_| b"HTTP/1.1 400 Bad Request".to_vec()).await);
        assert!(!by_connection(|question| refusal(question, Class::Error)[..10].to_vec()).await, "it ends too early");
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        assert!(!answers(closed, Way::Tcp, SOON).await && !answers(closed, Way::Tls, SOON).await);
    }
}

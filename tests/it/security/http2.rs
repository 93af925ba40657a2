//! DS: HTTP/2 as attackers speak it, frame by frame (RFC 9113).
use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::TestServer;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a` by the static table (RFC 7541 appendix A).
const GET: &[u8] = b"\x82\x86\x84\x41\x01a";
/// The same with POST.
const POST: &[u8] = b"\x83\x86\x84\x41\x01a";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), payload].concat()
}

/// How a connection ended: after how many of our frames, and with which GOAWAY.
#[derive(Debug)]
struct End {
    sent: u32,
    closed: bool,
    code: Option<u32>,
}

/// Sends what `next` makes until the server has had enough, or `most` times.
async fn flood(address: SocketAddr, most: u32, mut next: impl FnMut(u32) -> Vec<u8>) -> End {
    let tcp = TcpStream::connect(address).await.unwrap();
    let (mut read, mut write) = tcp.into_split();
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    write.write_all(&preface).await.unwrap();
    let reading = tokio::spawn(async move {
        let mut code = None;
        loop {
            let mut head = [0; 9];
            if read.read_exact(&mut head).await.is_err() {
                return code;
            }
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            if read.read_exact(&mut payload).await.is_err() {
                return code;
            }
            if head[3] == GOAWAY {
                code = payload[4..8].try_into().ok().map(u32::from_be_bytes);
            }
        }
    });
    let mut sent = 0;
    while sent < most && !reading.is_finished() && write.write_all(&next(sent)).await.is_ok() {
        sent += 1;
        if sent % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let ended = timeout(Duration::from_secs(5), reading).await;
    End { sent, closed: ended.is_ok(), code: ended.ok().and_then(Result::unwrap) }
}

/// RFC 9113 §7: "the endpoint detected that its peer is exhibiting a behavior that might be generating excessive load".
const ENHANCE_YOUR_CALM: u32 = 11;

/// SEC-160, CVE-2023-44487, RUSTSEC-2024-0332, RUSTSEC-2026-0258: the connection is closed long before it hurts.
#[tokio::test]
async fn sec_160_a_flood_of_frames_closes_its_connection() {
    let server = TestServer::start().await;
    let address = server.site.address;
    let stream = |n: u32| 2 * n + 1;
    let request = |n: u32| frame(HEADERS, END_STREAM | END_HEADERS, stream(n), GET);
    let reset = |n: u32| frame(RST_STREAM, 0, stream(n), &8_u32.to_be_bytes());
    let most = 50_000;

    let end = flood(address, most, |n| [request(n), reset(n)].concat()).await;
    assert!(end.closed && end.sent < most && end.code == Some(ENHANCE_YOUR_CALM), "rapid reset: {end:?}");

    let header = [&[0x00, 0x7f, 0x00][..], &[b'a'; 127], &[0x01, b'b']].concat();
    let end = flood(address, most, |n| match n {
        0 => frame(HEADERS, END_STREAM, 1, GET),
        _ => frame(CONTINUATION, 0, 1, &header),
    })
    .await;
    assert!(end.closed && end.sent < 5_000, "headers without end: {end:?}");

    let end = flood(address, most, |n| match n {
        0 => frame(HEADERS, END_STREAM, 1, GET),
        _ => frame(CONTINUATION, 0, 1, &[]),
    })
    .await;
    assert!(end.closed && end.sent < most, "empty headers without end: {end:?}");

    let end = flood(address, most, |n| match n {
        0 => frame(HEADERS, END_HEADERS, 1, POST),
        _ => frame(DATA, 0, 1, &[]),
    })
    .await;
    assert!(end.closed && end.sent < most, "empty data without end: {end:?}");

    assert_eq!(server.site.get("/health/live").await.status, 200, "others notice nothing");
}

/// SEC-160: what is asked for in a flood is not all answered at once, and the server stays there for others.
#[tokio::test]
async fn sec_160_others_are_served_during_a_flood() {
    let server = TestServer::start().await;
    let address = server.site.address;
    let floods = async {
        let pings = flood(address, 20_000, |_| frame(PING, 0, 0, &[0; 8]));
        let settings = flood(address, 20_000, |_| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]));
        let streams = flood(address, 5_000, |n| frame(HEADERS, END_HEADERS, 2 * n + 1, POST));
        tokio::join!(pings, settings, streams)
    };
    let others = async {
        for _ in 0..20 {
            assert_eq!(server.site.get("/.well-known/openid-configuration").await.status, 200);
        }
    };
    let ((pings, settings, streams), ()) = timeout(Duration::from_secs(60), async { tokio::join!(floods, others) })
        .await
        .expect("honest requests are answered");
    // Streams over the limit are refused one by one, or the connection is ended: either bounds the work.
    assert!(pings.sent > 0 && settings.sent > 0 && streams.sent > 0, "{pings:?} {settings:?} {streams:?}");
}

//! A client and a server that hangs up.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::sleep,
};

use super::*;

/// Long enough for the end of a connection to arrive, and short enough that the connection is used again.
const MEANWHILE: Duration = Duration::from_millis(50);

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";

/// Answers once on each connection, in these pieces, and hangs up without having said so, as it does where nothing is asked.
fn hanging_up(pieces: &'static [&'static [u8]]) -> Address {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = move |mut stream: std::net::TcpStream| -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(MEANWHILE / 2))?;
        if stream.read(&mut [0; 1024])? > 0 {
            for piece in pieces {
                stream.write_all(piece)?;
                sleep(MEANWHILE / 5);
            }
        }
        Ok(())
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            // Whoever asks nothing is no trouble.
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    Address::read(&format!("http://127.0.0.1:{port}/"), false).expect("an address")
}

/// A kept connection that was closed meanwhile is no answer that does not come.
#[track_caller]
fn check(pieces: &'static [&'static [u8]]) {
    let address = hanging_up(pieces);
    let mut client = Client::new().expect("a runtime");
    let patience = Patience { limit: Some(Duration::from_secs(20)), longest: 1024 };
    let request = outgoing(Method::POST, &address, "/", &[], b"{}").expect("a request");
    let started = Instant::now();
    for _ in 0..3 {
        let reply = client.send(&address, request.clone(), patience).expect("an answer");
        assert!((200..300).contains(&reply.status));
        sleep(MEANWHILE);
    }
    assert!(started.elapsed() < Duration::from_secs(10), "it waited for {:?}", started.elapsed());
}

#[test]
fn whoever_hangs_up_is_called_again() {
    check(&[b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]);
}

#[test]
fn whoever_hangs_up_after_several_pieces_is_called_again() {
    check(&[HEAD, b"ok"]);
    check(&[HEAD, b"o", b"k"]);
    check(&[b"HTTP/1.1 200 ", b"OK\r\ncontent-length: 2\r\n\r\no", b"k"]);
}

#[test]
fn whoever_says_nothing_and_hangs_up_is_called_again() {
    check(&[b"HTTP/1.1 204 Done\r\n\r\n"]);
    check(&[b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
}

/// The same where several requests are under way at once, and the runtime hears of the ends of some connections while it opens
/// others.
#[test]
fn whoever_hangs_up_on_several_is_called_again() {
    let address = hanging_up(&[b"HTTP/1.1 204 Done\r\n\r\n"]);
    let mut client = Client::new().expect("a runtime");
    let patience = Patience { limit: Some(Duration::from_secs(20)), longest: 1024 };
    let started = Instant::now();
    for at_once in [2, 6] {
        let request = Arc::new(outgoing(Method::POST, &address, "/", &[], b"{}").expect("a request"));
        let statuses = client.send_together(&address, vec![request; at_once], at_once, patience);
        assert!(statuses.iter().all(|status| matches!(status, Ok(204))), "{statuses:?}");
        sleep(MEANWHILE);
    }
    assert!(started.elapsed() < Duration::from_secs(10), "it waited for {:?}", started.elapsed());
}

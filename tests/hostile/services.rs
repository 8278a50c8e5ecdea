//! Services over HTTP that babble, flood, lie about lengths, hang up or leave something behind.

use std::{fs, io::Write, net::TcpStream, thread, time::Duration};

use rstest::rstest;

use crate::{
    Row,
    common::{
        place::PLAIN,
        server::{Asked, Reply, SECRET, Server},
    },
    texts::EVIL,
};

const CERTIFY: [&str; 8] = ["certify", "t.toml", "--only", PLAIN, "--cases", "2", "--answer-limit=300ms", "--report=json=r.json"];

/// The same where each attempt takes as long as an answer may.
fn soon() -> [&'static str; 8] {
    CERTIFY.map(|word| if word == "--answer-limit=300ms" { "--answer-limit=50ms" } else { word })
}

/// A target file for a server, with more lines at its end.
pub(crate) fn write_target_file(row: &Row, server: &Server, more: &str) {
    let (webhook, state, setup) = (server.url("/webhooks"), server.url("/orders/{orderId}"), server.url("/test/orders"));
    let http = format!("webhook_url = {webhook:?}\nstate_url = {state:?}\nsetup_url = {setup:?}\n");
    row.place.write("t.toml", &format!("[target]\nname = \"shop\"\nsecret = {SECRET:?}\n[http]\n{http}{more}"));
}

/// The reference shop, which does this with requests to such a path.
fn shop_that(path: &'static str, does: impl Fn(&mut TcpStream) -> Reply + Send + Sync + 'static) -> (Row, Server) {
    let server = Server::shop_but(move |asked: &Asked, stream: &mut TcpStream| asked.path.starts_with(path).then(|| does(stream)));
    let row = Row::new();
    write_target_file(&row, &server, "");
    (row, server)
}

/// Writes this first and then that again and again, until nobody reads any more.
fn flood(first: &'static str, again: &'static [u8]) -> impl Fn(&mut TcpStream) -> Reply + Send + Sync {
    move |stream| {
        let again = again.repeat(64 * 1024 / again.len() + 1);
        if stream.write_all(first.as_bytes()).is_ok() {
            while stream.write_all(&again).is_ok() {}
        }
        Reply::Close
    }
}

fn says(answer: &'static [u8]) -> impl Fn(&mut TcpStream) -> Reply + Send + Sync {
    move |_| Reply::Raw(answer.to_vec())
}

#[track_caller]
fn check(path: &'static str, does: impl Fn(&mut TcpStream) -> Reply + Send + Sync + 'static, code: i32, says: &str) {
    let (row, _server) = shop_that(path, does);
    row.ends(&CERTIFY, code, says);
    if code != 3 {
        row.ends(&["verify", "r.json"], 0, "the record holds");
    }
    row.ends_in(&["doctor", "t.toml"], &[0, 3], "");
}

/// What is no HTTP, or not all of it, says nothing of the shop, and a run ends soon.
#[rstest]
#[case::endless_headers("HTTP/1.1 200 OK\r\n", b"x-a: b\r\n", 3, "no HTTP")]
#[case::one_endless_header("HTTP/1.1 200 OK\r\nx-a: ", b"bbbbbbbb", 3, "no HTTP")]
#[case::an_endless_line("HTTP/1.1 200 ", b"OK", 3, "no HTTP")]
#[case::garbage("", b"\0\xff\x16\x03", 3, "no HTTP")]
#[case::an_endless_word("", b"HTTP", 3, "no HTTP")]
fn floods_before_the_body(#[case] first: &'static str, #[case] again: &'static [u8], #[case] code: i32, #[case] words: &str) {
    check("/webhooks", flood(first, again), code, words);
    check("/orders/", flood(first, again), code, words);
}

/// The status is what counts of an answer to a delivery, so these shops have acknowledged what they did not book.
#[rstest]
#[case::to_the_end_of_the_connection("HTTP/1.1 200 OK\r\n\r\n", b"flood ")]
#[case::of_a_promised_length("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", b"flood ")]
#[case::in_chunks("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"5\r\nflood\r\n")]
#[case::in_one_chunk("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n", b"flood")]
#[case::in_tiny_chunks("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nf\r\n")]
#[case::compressed("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", b"\x1f\x8b\x08\0\0\0\0\0")]
fn floods_of_the_body(#[case] first: &'static str, #[case] again: &'static [u8]) {
    check("/webhooks", flood(first, again), 1, "not-conformant");
    check("/orders/", flood(first, again), 3, "longer than 1 MiB");
    check("/test/orders", flood(first, again), 1, "");
}

/// What never comes to an end without being an answer.
#[rstest]
#[case::of_chunk_extensions("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;", b"a=b;")]
#[case::of_chunk_lengths("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"0000000")]
#[case::of_trailers("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x-a: b\r\n")]
#[case::of_promises("", b"HTTP/1.1 100 Continue\r\n\r\n")]
#[case::of_hints("", b"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n")]
fn floods_of_little(#[case] first: &'static str, #[case] again: &'static [u8]) {
    let (row, _server) = shop_that("/webhooks", flood(first, again));
    row.ends_in(&soon(), &[1, 3], "");
}

/// Answers to deliveries that the shop has not booked.
#[rstest]
#[case::redirect(b"HTTP/1.1 302 Found\r\nlocation: /webhooks\r\ncontent-length: 0\r\n\r\n", 1)]
#[case::redirect_for_ever(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 1)]
#[case::switching(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n", 1)]
#[case::no_content_with_content(b"HTTP/1.1 204 No Content\r\n\r\nhello", 1)]
#[case::no_content_with_a_length(b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello", 1)]
#[case::not_modified(b"HTTP/1.1 304 Not Modified\r\n\r\n", 1)]
#[case::five_hundred_and_ninety_nine(b"HTTP/1.1 599 Strange\r\ncontent-length: 0\r\n\r\n", 1)]
#[case::nine_hundred_and_ninety_nine(b"HTTP/1.1 999 Strange\r\ncontent-length: 0\r\n\r\n", 1)]
#[case::no_status(b"HTTP/1.1 000 None\r\ncontent-length: 0\r\n\r\n", 3)]
#[case::a_status_of_four_digits(b"HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n", 3)]
#[case::a_status_in_words(b"HTTP/1.1 fine\r\n\r\n", 3)]
#[case::an_old_protocol(b"hello, this is HTTP/0.9", 3)]
#[case::a_new_protocol(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff", 3)]
#[case::a_secure_one(b"\x15\x03\x03\0\x02\x02\x46", 3)]
#[case::another_protocol(b"SSH-2.0-OpenSSH_9.6\r\n", 3)]
#[case::an_old_http(b"HTTP/1.0 200 OK\r\n\r\nhello", 1)]
#[case::less_than_promised(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhello", 1)]
#[case::more_than_promised(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nhello HTTP/1.1 500 no\r\n\r\n", 1)]
#[case::a_second_answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", 1)]
#[case::two_lengths(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!", 3)]
#[case::a_negative_length(b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello", 3)]
#[case::a_length_beyond_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nhello", 3)]
#[case::half_a_head(b"HTTP/1.1 200 OK\r\ncontent-len", 1)]
#[case::nothing(b"", 1)]
#[case::bad_chunks(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 1)]
#[case::half_a_chunk(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhello", 1)]
fn answers_to_deliveries(#[case] answer: &'static [u8], #[case] code: i32) {
    let (row, _server) = shop_that("/webhooks", says(answer));
    row.ends(&CERTIFY, code, "");
    row.ends_in(&["doctor", "t.toml"], &[0, 3], "");
}

/// Answers of the state endpoint that show no order. No verdict follows from any.
#[rstest]
#[case::a_page(b"HTTP/1.1 200 OK\r\n\r\n<!doctype html><script>alert(1)</script>", "not JSON")]
#[case::nothing(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "not JSON")]
#[case::no_content(b"HTTP/1.1 204 No Content\r\n\r\n", "answered 204")]
#[case::a_redirect(b"HTTP/1.1 301 Moved\r\nlocation: /orders/1\r\ncontent-length: 0\r\n\r\n", "answered 301")]
#[case::an_error(b"HTTP/1.1 500 No\r\n\r\n\x1b[2J\x07::error::evil", "answered 500")]
#[case::a_forbidden_one(b"HTTP/1.1 403 \x9b31m\r\n\r\n##[error]no", "answered 403")]
#[case::null(b"HTTP/1.1 200 OK\r\n\r\nnull", "null")]
#[case::a_list(b"HTTP/1.1 200 OK\r\n\r\n[]", "not an object")]
#[case::a_number(b"HTTP/1.1 200 OK\r\n\r\n1e999", "not an object")]
#[case::zeros(b"HTTP/1.1 200 OK\r\n\r\n\0\0\0\0", "not JSON")]
#[case::no_text(b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe{\0}\0", "not UTF-8")]
#[case::half_of_it(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"orderId\":", "breaks off")]
#[case::a_lone_half(b"HTTP/1.1 200 OK\r\n\r\n{\"orderId\":\"\\ud800\",\"status\":\"refunded\",\"refundedAmount\":1}", "")]
#[case::an_amount_without_end(
    b"HTTP/1.1 200 OK\r\n\r\n{\"orderId\":\"1\",\"status\":\"refunded\",\"refundedAmount\":1e400}",
    "refundedAmount"
)]
#[case::no_amount(b"HTTP/1.1 200 OK\r\n\r\n{\"orderId\":\"1\",\"status\":\"refunded\",\"refundedAmount\":\"\x1b[2J\"}", "")]
#[case::no_status(
    b"HTTP/1.1 200 OK\r\n\r\n{\"orderId\":\"1\",\"status\":\"\\u001b[2J\\n::error::evil\",\"refundedAmount\":1}",
    "state.status"
)]
#[case::one_member_twice(
    b"HTTP/1.1 200 OK\r\n\r\n{\"orderId\":\"1\",\"orderId\":\"2\",\"status\":\"refunded\",\"refundedAmount\":1}",
    "duplicate"
)]
#[case::hangs_up(b"", "")]
fn states_that_are_none(#[case] answer: &'static [u8], #[case] words: &str) {
    let (row, _server) = shop_that("/orders/", says(answer));
    let code = if answer.is_empty() { 1 } else { 3 };
    row.ends(&CERTIFY, code, words);
    row.ends(&["doctor", "t.toml"], 3, words);
    row.ends_in(&["snapshot", "t.toml", "--dir", "own"], if answer.is_empty() { &[0, 3] } else { &[3] }, "");
}

#[rstest]
#[case::hangs_up(b"", "")]
#[case::refuses(b"HTTP/1.1 500 No\r\n\r\n\x1b[2J\n::error::evil\n##[error]\xe2\x80\xae", "answered 500")]
#[case::a_page(b"HTTP/1.1 404 Not Found\r\n\r\n<script>alert(1)</script>", "answered 404")]
#[case::no_http(b"no", "no HTTP")]
fn set_ups_that_fail(#[case] answer: &'static [u8], #[case] words: &str) {
    let (row, _server) = shop_that("/test/orders", says(answer));
    row.ends(&CERTIFY, 3, words);
    row.ends(&["doctor", "t.toml"], 3, words);
}

/// Who takes a request and is silent is waited for no longer than was said.
#[rstest]
#[case::says_nothing(b"")]
#[case::says_half_a_head(b"HTTP/1.1 200 OK\r\ncontent-le")]
#[case::says_half_a_body(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{")]
fn who_goes_silent(#[case] answer: &'static [u8]) {
    let (row, _server) = shop_that("/webhooks", move |stream| {
        let _ = stream.write_all(answer);
        thread::sleep(Duration::from_secs(20));
        Reply::Close
    });
    row.ends(&soon(), 1, "not-conformant");
}

/// One byte now and then is no answer either.
#[test]
fn who_answers_for_ever() {
    let (row, _server) = shop_that("/webhooks", |stream| {
        while stream.write_all(b"H").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
        Reply::Close
    });
    row.ends_in(&soon(), &[1, 3], "");
}

#[test]
fn texts_of_a_mapping() {
    let body = serde_json::json!({ "state": EVIL, "back": EVIL, "money": EVIL }).to_string();
    let server = Server::shop_but(move |asked, _| asked.path.starts_with("/orders/").then(|| Reply::Answer(200, body.clone())));
    let row = Row::new();
    write_target_file(&row, &server, "[mapping]\nstatus = \"/state\"\nrefundedAmount = \"/back\"\ncurrency = \"/money\"\n");
    row.ends(&CERTIFY, 3, "mapping.status");
    row.ends(&["doctor", "t.toml"], 3, "mapping.status");
}

// ---- services that are started

/// A target file for a service that is started so and may take so long, with these lines in `[server]`.
pub(crate) fn with_service(script: &str, ready_within: &str, server: &str) -> Row {
    let row = Row::new();
    row.place.write("service.sh", script);
    let url = "http://127.0.0.1:{port}";
    row.place.write(
        "t.toml",
        &format!(
            "[target]\n[server]\ncommand = [\"sh\", \"service.sh\", \"{{folder}}\"]\nready_within = {ready_within:?}\n{server}\n\
             [http]\nwebhook_url = \"{url}/\"\nstate_url = \"{url}/{{orderId}}\"\n"
        ),
    );
    row
}

#[rstest]
#[case::ends("exit 7", "exit status: 7")]
#[case::ends_well("exit 0", "must stay in the foreground")]
#[case::ends_by_a_signal("kill -SEGV $$", "SIGSEGV")]
#[case::never_listens("exec sleep 300", "was not ready within 1s")]
#[case::floods("yes & yes >&2", "was not ready within 1s")]
#[case::floods_on_one_line("yes | tr -d '\\n' >&2", "was not ready within 1s")]
#[case::says_what_commands("printf '\\033[2J\\n::error::evil\\n##[error]x\\n' >&2; exit 1", "exit status: 1")]
#[case::is_deaf("trap '' HUP INT QUIT TERM; while :; do sleep 1; done", "was not ready within 1s")]
#[case::goes_to_the_background("sleep 300 & exit 0", "must stay in the foreground")]
#[case::has_children("for i in 1 2 3 4 5 6 7 8; do sleep 300 & done; wait", "was not ready within 1s")]
#[case::is_stopped("kill -STOP $$", "was not ready within 1s")]
#[case::fills_its_folder("cd \"$1\"; mkdir -p a/b/c; ln -s / root; touch -- -rf; mkfifo pipe; exit 3", "exit status: 3")]
fn services_that_do_not_start(#[case] script: &str, #[case] words: &str) {
    let row = with_service(script, "1s", "");
    row.ends(&CERTIFY, 3, words);
    row.ends(&["doctor", "t.toml"], 3, words);
}

/// Who leaves its process group and its session is found all the same.
#[cfg(target_os = "linux")]
#[rstest]
#[case::one("setsid sleep 300 & exit 1")]
#[case::many("for i in 1 2 3 4; do setsid sleep 300 & done; exit 1")]
#[case::twice_removed("setsid sh -c 'setsid sleep 300 & exit 0' & sleep 0.2; exit 1")]
#[case::deaf("setsid sh -c \"trap '' HUP INT QUIT TERM; sleep 300\" & exit 1")]
#[case::and_stays("setsid sleep 300 & exec sleep 300")]
fn services_that_become_daemons(#[case] script: &str) {
    let row = with_service(script, "1s", "");
    row.ends(&CERTIFY, 3, "");
    row.ends(&["certify", "--only", PLAIN, "--cases", "1", "--", "sh", "-c", script], 3, "hello");
}

#[test]
fn links_in_a_folder_lead_nowhere() {
    let row = with_service("ln -s \"$PWD/outside\" \"$1/link\"; ln -s \"$PWD\" \"$1/here\"; exit 3", "1s", "");
    fs::create_dir(row.place.path("outside")).expect("a folder");
    row.place.write("outside/mine", "before");
    row.ends(&CERTIFY, 3, "exit status: 3");
    assert_eq!(row.place.read("outside/mine"), "before");
}

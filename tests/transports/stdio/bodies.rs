//! Long and odd bodies, and requests at the same time.

use std::{fs, time::Duration};

use refundproof::adapter::{Request, Target, TargetError, TargetErrorKind, Transport};

use super::{LONG, SHORT, folder, greeted, hello, nonsense, target, target_with};

/// What a target was sent in a delivery of this body.
#[track_caller]
fn sent(body: &[u8]) -> serde_json::Value {
    let folder = folder();
    let file = folder.path().join("line");
    let script = r#"next; usual; head -n 1 >"$1"; id=2; answer ',"status":200'; serve"#;
    let mut target = greeted(target_with(script, LONG, &[&file]));
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    assert_eq!(target.deliver(&Request::new(&headers, body)), Ok(200));
    let value: serde_json::Value = serde_json::from_slice(&fs::read(&file).expect("a line")).expect("JSON");
    assert_eq!(value["headers"], serde_json::json!({"content-type": "application/json"}));
    value
}

#[test]
fn long_bodies() {
    let body = "line\nend \"ä\" ".repeat(80_000);
    assert!(body.len() > 1 << 20);
    let value = sent(body.as_bytes());
    assert!(value["body"] == body.as_str() && value.get("bodyBase64").is_none());
}

#[test]
fn bodies_that_are_not_text() {
    let value = sent(b"{\"a\":\"\xff\"}\n");
    assert!(value["bodyBase64"] == "eyJhIjoi/yJ9Cg==" && value.get("body").is_none(), "{value}");
}

/// Delivers three at once to a target that reads all of them before it does this.
fn three_together(script: &str, answer_limit: Duration) -> Vec<Result<u16, TargetErrorKind>> {
    let mut target = greeted(target_with(&format!("next; usual; next; next; next; {script}"), answer_limit, &[]));
    let requests = [Request::new(&[], b"{}"); 3];
    target.deliver_together(&requests).into_iter().map(|result| result.map_err(|error| error.kind)).collect()
}

#[test]
fn deliveries_at_the_same_time() {
    let script = r#"for id in 4 2 3; do answer ",\"status\":20$id"; done; serve"#;
    assert_eq!(three_together(script, LONG), [Ok(202), Ok(203), Ok(204)]);
}

#[test]
fn some_of_the_deliveries_at_the_same_time_fail() {
    let one = r#"id=3; answer ',"status":200'; "#;
    let timeout = || Err(TargetErrorKind::TimedOut(SHORT));
    assert_eq!(three_together(&format!("{one} sleep 60"), SHORT), [timeout(), Ok(200), timeout()]);
    let crash = || Err(TargetErrorKind::Crashed("ended with exit status: 9".to_owned()));
    assert_eq!(three_together(&format!("{one} exit 9"), LONG), [crash(), Ok(200), crash()]);
    let declined = r#"printf '{"id":2,"ok":false,"error":"busy"}\n'; id=4; answer ',"status":1'; serve"#;
    let results = three_together(&format!("{one} {declined}"), LONG);
    assert_eq!(results[..2], [Err(TargetErrorKind::Declined("busy".to_owned())), Ok(200)]);
    nonsense(results[2].clone().expect_err("no status"), "`status` is 1,");
}

#[test]
fn many_deliveries_at_the_same_time() {
    let mut target = greeted(target("serve"));
    let body = vec![b'x'; 20_000];
    let requests = vec![Request::new(&[], &body); 20];
    assert_eq!(target.deliver_together(&requests), vec![Ok(202); 20]);
    assert_eq!(target.deliver_together(&[]), vec![]);
}

/// Shows four orders at the same time, each asked for by its own way to one target that reads all requests before it does this.
fn four_beside(script: &str) -> Vec<Result<String, TargetErrorKind>> {
    let reads = "for n in 1 2 3 4; do next; o=${line#*'\"orderId\":\"'}; eval \"id$n=$id o$n=${o%%'\"'*}\"; done";
    let hello = r#"next; answer ',"capabilities":{"concurrency":4}'"#;
    let mut first = greeted(target(&format!("{hello}; {reads}; {script}")));
    let mut others: Vec<Box<dyn Target>> = (0..4).map(|_| first.beside().expect("another way")).collect();
    let kind = |error: TargetError| error.kind;
    std::thread::scope(|scope| {
        let shown: Vec<_> = (others.iter_mut().zip(10..))
            .map(|(other, order)| {
                scope.spawn(move || {
                    other.observe(&order.to_string()).map_err(kind).map(|state| state.map_or(0.to_string(), |state| state.order_id))
                })
            })
            .collect();
        shown.into_iter().map(|shown| shown.join().expect("no panic")).collect()
    })
}

#[test]
fn several_ways_to_one_process() {
    let shows = r#"for n in 3 1 4 2; do
        eval "id=\$id$n o=\$o$n"; answer ",\"state\":{\"orderId\":\"$o\",\"status\":\"refunded\",\"refundedAmount\":1}"
    done; serve"#;
    assert_eq!(four_beside(shows), ["10", "11", "12", "13"].map(|order| Ok(order.to_owned())));
}

#[test]
fn whoever_waits_hears_of_the_end() {
    for shown in four_beside("exit 9") {
        assert!(matches!(shown, Err(TargetErrorKind::Crashed(_))), "{shown:?}");
    }
}

#[test]
fn targets_can_be_moved_to_other_threads() {
    let mut target = target("serve");
    let result = std::thread::spawn(move || target.hello(&hello()).map(drop)).join();
    assert!(matches!(result, Ok(Ok(()))));
}

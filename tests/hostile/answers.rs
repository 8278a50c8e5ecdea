//! Answers that are large, wide or deep. None needs much memory, none takes long, and what is written of it is short.

use rstest::rstest;

use crate::{
    Row,
    common::{
        place::PLAIN,
        server::{Reply, Server},
    },
    services::write_target_file,
    targets::{TARGET, with_target},
};

/// The members that every order has; `ORDER` stands for its id.
const NEEDED: &str = r#""orderId":"ORDER","status":"refunded","refundedAmount":1"#;

/// A row, its answer, the code, and a part of what is said of it.
type Answer = (String, i32, &'static str);

fn members(count: usize) -> String {
    (0..count).map(|number| format!(r#""x{number}":{number},"#)).collect()
}

fn refunds(count: usize) -> String {
    let refund = |number| format!(r#"{{"id":"re_{number}","state":"succeeded","refundedAmount":"0.01"}}"#);
    (0..count).map(refund).collect::<Vec<_>>().join(",")
}

fn answer(kind: &str) -> Answer {
    match kind {
        "unknown members" => (format!("{{{}{NEEDED}}}", members(10_000)), 1, "not-conformant"),
        "unknown members, and a wrong one" => {
            (format!("{{{}{}}}", members(10_000), NEEDED.replace("\"refunded\"", "\"done\"")), 3, "`state.status`")
        }
        "unknown members, and one missing" => {
            (format!("{{{}{}}}", members(10_000), NEEDED.replace("\"status\"", "\"statue\"")), 3, "missing field `status`")
        }
        "unknown members of a refund" => {
            let refund = format!(r#"{{{}"id":"re_1","state":"done","refundedAmount":1}}"#, members(10_000));
            (format!("{{{NEEDED},\"refunds\":[{refund}]}}"), 3, "`state.refunds[0].state`")
        }
        "refunds" => (format!("{{{NEEDED},\"refunds\":[{}]}}", refunds(10_000)), 1, "not-conformant"),
        "refunds, and a wrong one" => {
            (format!("{{{NEEDED},\"refunds\":[{},{{\"id\":7}}]}}", refunds(10_000)), 3, "`state.refunds[10000].id`")
        }
        "one member again and again" => {
            (format!("{{{}{NEEDED}}}", "\"status\":\"refunded\",".repeat(10_000)), 3, "duplicate field `status`")
        }
        "many values" => (format!("{{{NEEDED},\"x\":[{}0]}}", "0,".repeat(400_000)), 3, "more than 100000 values"),
        "many objects" => (format!("{{{NEEDED},\"x\":[{}0]}}", "{},".repeat(200_000)), 3, "more than 100000 values"),
        "many texts" => (format!("{{{NEEDED},\"x\":[{}0]}}", "\"\",".repeat(200_000)), 3, "more than 100000 values"),
        "8 MB" => (format!("{{{NEEDED},\"x\":[{}0]}}", "0,".repeat(4_000_000)), 3, "longer than 1 MiB"),
        "8 MB of one text" => (format!("{{{NEEDED},\"x\":\"{}\"}}", "x".repeat(8_000_000)), 3, "longer than 1 MiB"),
        "8 MB of white space" => (format!("{{{}{NEEDED}}}", " ".repeat(8_000_000)), 3, "longer than 1 MiB"),
        "deep lists" => (format!("{{{NEEDED},\"x\":{}{}}}", "[".repeat(90_000), "]".repeat(90_000)), 1, "not-conformant"),
        "deep objects" => (format!("{{{NEEDED},\"x\":{}0{}}}", "{\"a\":".repeat(90_000), "}".repeat(90_000)), 1, "not-conformant"),
        "deep, and a wrong member" => {
            (format!("{{\"x\":{}{},{}}}", "[".repeat(90_000), "]".repeat(90_000), NEEDED.replace('1', "\"x\"")), 3, "")
        }
        "deep refunds" => (format!("{{{NEEDED},\"refunds\":{}{}}}", "[".repeat(90_000), "]".repeat(90_000)), 3, ""),
        "a long status" => (format!("{{{}}}", NEEDED.replace("\"refunded\"", &format!("{:?}", "s".repeat(900_000)))), 3, "`state.status`"),
        "a long name of a member" => (format!("{{\"{}\":1,{NEEDED}}}", "n".repeat(900_000)), 1, "not-conformant"),
        "a long id" => (format!("{{{}}}", NEEDED.replace("ORDER", &"9".repeat(900_000))), 1, "not-conformant"),
        "a long amount" => (format!("{{{}}}", NEEDED.replace(":1", &format!(":{}", "1".repeat(900_000)))), 3, "refundedAmount"),
        "a long currency" => (format!("{{{NEEDED},\"currency\":\"{}\"}}", "C".repeat(900_000)), 1, "not-conformant"),
        _ => unreachable!("{kind}"),
    }
}

const REPORTS: [&str; 4] = ["--report=html=r.html", "--report=json=r.json", "--report=junit=r.xml", "--report=markdown=r.md"];

#[track_caller]
fn check(row: &Row, target: &[&str], code: i32, says: &str) {
    let certify = ["certify", "--only", PLAIN, "--cases", "2", "--jobs", "2"];
    let ran = row.ends(&[&certify[..], &REPORTS, target].concat(), code, says);
    assert!(ran.out.len() + ran.err.len() < 200_000, "it says {} bytes", ran.out.len() + ran.err.len());
    for name in ["r.html", "r.json", "r.xml", "r.md"] {
        assert!(row.place.read(name).len() < 1_000_000, "{name}: {} bytes", row.place.read(name).len());
    }
    row.ends(&[&["doctor"][..], target].concat(), if code == 3 { 3 } else { 0 }, "");
}

#[rstest]
fn answers(
    #[values(
        "unknown members",
        "unknown members, and a wrong one",
        "unknown members, and one missing",
        "unknown members of a refund",
        "refunds",
        "refunds, and a wrong one",
        "one member again and again",
        "many values",
        "many objects",
        "many texts",
        "8 MB",
        "8 MB of one text",
        "8 MB of white space",
        "deep lists",
        "deep objects",
        "deep, and a wrong member",
        "deep refunds",
        "a long status",
        "a long name of a member",
        "a long id",
        "a long amount",
        "a long currency"
    )]
    kind: &str,
    #[values(false, true)] is_service: bool,
) {
    let (body, code, says) = answer(kind);
    if is_service {
        let server = Server::shop_but(move |asked, _| {
            let order = asked.path.strip_prefix("/orders/")?;
            Some(Reply::Answer(200, body.replace("ORDER", order)))
        });
        let row = Row::new();
        write_target_file(&row, &server, "[capabilities]\nobserves = [\"refunds\", \"currency\"]\n");
        check(&row, &["t.toml"], code, says);
    } else {
        let hello = r#"hello) answer ',"name":"sh","version":"1","capabilities":{"observes":["refunds","currency"]}' ;;"#;
        let row = with_target(&format!("{hello}\nobserve) sed \"s/ID/$id/;s/ORDER/$order/\" answer ;;"));
        row.place.write("answer", &format!("{{\"id\":ID,\"ok\":true,\"state\":{body}}}\n"));
        check(&row, &TARGET, code, says);
    }
}

/// What a target says of itself.
#[rstest]
#[case::a_long_name(&format!(r#","name":"{}","version":"1","capabilities":{{}}"#, "n".repeat(900_000)))]
#[case::a_long_version(&format!(r#","name":"n","version":"{}","capabilities":{{}}"#, "1".repeat(900_000)))]
#[case::many_subscriptions(&format!(r#","name":"n","version":"1","capabilities":{{"subscribes":["*"{}]}}"#, ",\"a.b\"".repeat(20_000)))]
#[case::a_long_subscription(&format!(r#","name":"n","version":"1","capabilities":{{"subscribes":["*","{}"]}}"#, "s".repeat(900_000)))]
#[case::many_claims(&format!(r#","name":"n","version":"1","capabilities":{{{}"durable":false}}"#, members(10_000)))]
#[case::a_long_claim(&format!(r#","name":"n","version":"1","capabilities":{{"{}":true}}"#, "c".repeat(900_000)))]
#[case::many_statuses(&format!(r#","name":"n","version":"1","capabilities":{{"equivalentStatuses":[{}["pending","pending_information"]]}}"#, "[],".repeat(20_000)))]
#[case::a_huge_concurrency(r#","name":"n","version":"1","capabilities":{"concurrency":18446744073709551615}"#)]
#[case::a_large_concurrency(r#","name":"n","version":"1","capabilities":{"concurrency":4294967295}"#)]
fn introductions(#[case] answer: &str) {
    let row = with_target("hello) sed \"s/ID/$id/\" answer ;;");
    row.place.write("answer", &format!("{{\"id\":ID,\"ok\":true{answer}}}\n"));
    let certify = ["certify", "--only", PLAIN, "--cases", "2", "--report=html=r.html"];
    let ran = row.ends_in(&[&certify[..], &TARGET].concat(), &[1, 2, 3], "");
    assert!(ran.out.len() + ran.err.len() < 200_000, "it says {} bytes", ran.out.len() + ran.err.len());
}

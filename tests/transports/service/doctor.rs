//! What `doctor` says of a service, and what an interrupt leaves.

use std::{
    fs,
    process::Command,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use crate::common::{
    place::{PLAIN, Place, ended, interrupt},
    server::{Reply, SECRET, Server},
};

// ---- doctor

/// A service that shows orders in its own words.
fn in_its_own_words(place: &Place) -> Server {
    let server = Server::new(|asked, _| match asked.method.as_str() {
        "GET" => Reply::Answer(200, r#"{"state":"DONE","totals":{"back":500},"refunds":[]}"#.to_owned()),
        _ => Reply::Answer(200, String::new()),
    });
    write_file_of(place, &server);
    server
}

/// The target file of a service that shows orders in such words.
fn write_file_of(place: &Place, server: &Server) {
    let url = server.url("");
    place.write(
        "refundproof.toml",
        &format!(
            "[target]\nname = \"own\"\n[http]\nwebhook_url = \"{url}/hooks\"\nstate_url = \"{url}/o/{{orderId}}\"\nsetup_url = \"{url}/setup\"\n\
             [mapping]\namounts = \"minor\"\nstatus = \"/state\"\nrefundedAmount = \"/totals/back\"\n\
             [mapping.statuses]\nDONE = \"refunded\"\nNEW = \"not_refunded\"\n"
        ),
    );
}

#[test]
fn doctor_shows_what_it_mapped() {
    let place = Place::new();
    let _server = in_its_own_words(&place);
    let ran = place.exits(&["doctor", "refundproof.toml"], 0);
    ran.shows(&["✓ end", "/state", "\"DONE\" → refunded", "/totals/back", "500 → 5.0"]);
}

#[test]
fn doctor_names_what_it_cannot_map() {
    let place = Place::new();
    let server = in_its_own_words(&place);
    let file = fs::read_to_string(place.path("refundproof.toml")).expect("the file");
    place.write("refundproof.toml", &file.replace("DONE =", "OTHER ="));
    let ran = place.exits(&["doctor", "refundproof.toml"], 3);
    ran.shows(&["✗ observe", "mapping.status", "`/state`", "\"DONE\"", "[mapping.statuses]", "see it without refundproof", "curl -sS -i"]);
    // The command that it prints shows the same.
    let curl = ran.out.lines().find(|line| line.trim().starts_with("curl ")).expect("a command");
    assert!(curl.contains(&server.url("/o/")), "{curl}");
    assert!(Command::new("sh").args(["-n", "-c", curl]).status().expect("sh").success());
}

/// A service that answers before it has done its work is judged too early where it does not say so.
#[test]
fn doctor_notices_work_that_is_done_after_the_answer() {
    for (late, remarks) in [(Duration::from_millis(100), 1), (Duration::ZERO, 0)] {
        let told: Mutex<Option<Instant>> = Mutex::new(None);
        let server = Server::new(move |asked, _| match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", _) => {
                let is_done = told.lock().expect("the time").is_some_and(|told| told.elapsed() >= late);
                let (state, back) = if is_done { ("DONE", 500) } else { ("NEW", 0) };
                Reply::Answer(200, format!(r#"{{"state":"{state}","totals":{{"back":{back}}}}}"#))
            }
            (_, "/hooks") => {
                *told.lock().expect("the time") = Some(Instant::now());
                Reply::Answer(200, String::new())
            }
            _ => Reply::Answer(200, String::new()),
        });
        let place = Place::new();
        write_file_of(&place, &server);
        let ran = place.exits(&["doctor", "refundproof.toml"], 0);
        assert_eq!(ran.out.matches("claims `asynchronous`").count(), remarks, "{}", ran.out);
    }
}

/// Whoever pastes the command has to put the token in.
#[test]
fn doctor_leaves_a_place_for_tokens() {
    let place = Place::new();
    let _server = in_its_own_words(&place);
    let file = fs::read_to_string(place.path("refundproof.toml")).expect("the file");
    let file = file.replace("DONE =", "OTHER =") + "\n[http.headers]\nauthorization = \"Bearer t0ken\"\n";
    place.write("refundproof.toml", &file);
    let ran = place.exits(&["doctor", "refundproof.toml"], 3);
    ran.shows(&["curl -sS -i -H 'authorization: [secret]'"]);
    assert!(!ran.out.contains("t0ken"), "{}", ran.out);
}

#[test]
fn doctor_shows_how_to_send_what_was_not_answered() {
    let place = Place::new();
    let server = Server::shop_but(|asked, _| asked.is_delivery().then_some(Reply::Close));
    let url = server.url("");
    let args = [
        "doctor",
        &format!("{url}/webhooks"),
        "--state-url",
        &format!("{url}/orders/{{orderId}}"),
        "--setup-url",
        &format!("{url}/test/orders"),
        "--secret",
        SECRET,
    ];
    let ran = place.exits(&args, 3);
    ran.shows(&[
        "✗ deliver refund.complete",
        "broke off without an answer",
        "curl -sS -i -H",
        "digitalriver-signature: ",
        "--data-binary '{",
    ]);
    assert!(!ran.out.contains(SECRET));
}

#[test]
fn doctor_when_nobody_is_there() {
    let ran = Place::new().exits(&["doctor", "http://127.0.0.1:1/hooks", "--state-url", "http://127.0.0.1:1/{orderId}"], 3);
    ran.shows(&["✗ hello", "does not take connections", "start the service first"]);
    assert!(!ran.out.trim_end().ends_with("see it without refundproof:"), "{}", ran.out);
}

#[test]
fn doctor_on_a_service_of_its_own() {
    let place = Place::new();
    place.target_file("", "");
    place.exits(&["doctor", "refundproof.toml"], 0).shows(&["✓ hello", "✓ observe, after the restart", "✓ end"]);
    place.no_service_is_left();
}

#[test]
fn set_up_commands_run_where_the_target_file_is() {
    for attached in [None, Some("--attach")] {
        let place = Place::new();
        let server = Server::shop();
        let url = server.url("");
        fs::create_dir(place.path("shop")).expect("a folder");
        place.write("shop/import.sh", "cat > told");
        place.write(
            "shop/refundproof.toml",
            &format!(
                "[target]\n[server]\ncommand = [\"true\"]\n[http]\nwebhook_url = \"{url}/webhooks\"\n\
                 state_url = \"{url}/orders/{{orderId}}\"\nsetup_command = [\"sh\", \"import.sh\"]\n"
            ),
        );
        if attached.is_none() {
            let file = fs::read_to_string(place.path("shop/refundproof.toml")).expect("the file");
            place.write("shop/refundproof.toml", &file.replace("[server]\ncommand = [\"true\"]\n", ""));
        }
        let args: Vec<&str> = ["doctor", "shop/refundproof.toml"].into_iter().chain(attached).collect();
        // The shop was told nothing.
        place.exits(&args, 3).shows(&["✓ begin", "unknown order"]);
        let told = fs::read_to_string(place.path("shop/told")).expect("the command ran there");
        assert!(told.starts_with(r#"{"case":"doctor","orders":[{"orderId":"#), "{told}");
    }
}

// ---- Ctrl-C

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let place = Place::new();
    place.target_file("", "");
    let child = place.start_serving(&["certify", "refundproof.toml", "--cases", "100000"]);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    let ran = ended(child);
    assert_eq!(ran.code, Some(130), "{}\n{}", ran.out, ran.err);
    ran.shows(&["cut short: interrupted"]);
    place.no_service_is_left();
}

#[test]
fn a_second_interrupt_ends_a_run_that_hangs() {
    let place = Place::new();
    place.target_file("hangs", "");
    let child = place.start_serving(&["certify", "refundproof.toml", "--answer-limit", "10m", "--only", PLAIN]);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    assert_eq!(ended(child).code, Some(130));
    place.no_service_is_left();
}

#[test]
fn an_interrupt_ends_a_doctor_that_hangs() {
    let place = Place::new();
    place.target_file("hangs", "");
    let child = place.start_serving(&["doctor", "refundproof.toml", "--answer-limit", "10m"]);
    thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    assert_eq!(ended(child).code, Some(130));
    place.no_service_is_left();
}

#[test]
fn failures_leave_nothing_behind() {
    let place = Place::new();
    place.target_file("hangs", "");
    let args = ["certify", "refundproof.toml", "--answer-limit", "100ms", "--only", PLAIN, "--cases", "2"];
    place.exits(&args, 1).shows(&["no answer within 100 ms"]);
    place.no_service_is_left();
}

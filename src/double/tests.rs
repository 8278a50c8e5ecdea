//! The double as a target meets it, without a network.

use super::*;
use crate::{
    case::{Act, Case, OwnRefundDetails},
    domain::Amount,
    json::Value,
    plan::{Action, Level, Opening, Pick, Plan, Step},
    provider::{Audience, lower_for, registered},
};

/// A case of the first provider whose API is served: two refunds, of which the shop makes the second itself and the first
/// fails at the end.
fn case() -> (Case, Arc<Double>) {
    case_for(false)
}

fn case_for(older: bool) -> (Case, Arc<Double>) {
    let provider =
        registered().iter().map(|provider| provider.embedded()).find(|provider| provider.api().is_some()).expect("one has an API");
    let ask = |units, own| Action::Refund {
        amount: Pick::Units(units),
        level: Level::Order,
        joins: false,
        own,
        kind: 0,
        opens: Opening::Succeeded,
    };
    let fail = Action::Fail { refund: 1, reason: true, shape: Default::default() };
    let steps = [ask(300, false), ask(200, true), fail].map(Step::plain).to_vec();
    let plan = Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 };
    let audience = Audience { calls_back: true, older, ..Audience::EVERYBODY };
    (lower_for(provider, &plan, 7, audience).case, Double::of(provider.api().expect("it has one")))
}

fn own(case: &Case) -> OwnRefund {
    let own = case.entries.iter().find_map(|entry| if let Act::Initiate(own) = &entry.act { Some(own.clone()) } else { None });
    own.expect("the shop makes one")
}

fn payment(case: &Case) -> String {
    case.orders[0].payment_intent_id.clone().expect("it has one")
}

#[track_caller]
fn looked(double: &Double, path: &str, parameters: &[(&str, &str)]) -> (u16, Value) {
    let call = ApiCall { method: ApiMethod::Get, ..ApiCall::post(path, parameters, "") };
    let reply = double.call(&call).expect("an answer");
    (reply.status, serde_json::from_str(&reply.body).expect("JSON"))
}

fn last(case: &Case) -> u32 {
    case.all_deliveries().map(|delivery| delivery.event.sequence).max().unwrap_or(0)
}

fn refunds(double: &Double, case: &Case) -> Vec<(String, String)> {
    let (status, list) = looked(double, "/v1/refunds", &[("payment_intent", &payment(case))]);
    assert_eq!(status, 200);
    let text = |refund: &Value, name: &str| refund[name].as_str().unwrap_or_default().to_owned();
    list["data"].as_array().expect("a list").iter().map(|refund| (text(refund, "id"), text(refund, "status"))).collect()
}

fn statuses(double: &Double, case: &Case) -> Vec<String> {
    refunds(double, case).into_iter().map(|(_, status)| status).collect()
}

#[test]
fn what_it_shows_moves_on_with_the_events() {
    let (case, double) = case();
    let ticket = double.begin(&case);
    let refunded = |double: &Double| {
        let (_, charge) = looked(double, &format!("/v1/charges/{}", case.orders[0].charges[0].id), &[]);
        charge["amount_refunded"].as_u64().expect("a number")
    };
    assert_eq!((statuses(&double, &case), refunded(&double)), (Vec::new(), 0));
    double.advance(&ticket, 1);
    assert_eq!((statuses(&double, &case), refunded(&double)), (vec!["succeeded".to_owned()], 300));
    double.advance(&ticket, last(&case));
    assert_eq!((statuses(&double, &case), refunded(&double)), (vec!["succeeded".to_owned(), "failed".to_owned()], 200));
    // It never goes back.
    double.advance(&ticket, 1);
    assert_eq!(refunded(&double), 200);
    assert!(double.end(ticket).made > 0);
    assert_eq!(looked(&double, &format!("/v1/charges/{}", case.orders[0].charges[0].id), &[]).0, 404);
}

#[test]
fn the_shops_own_refund_is_there_when_it_was_made() {
    let (case, double) = case();
    let ticket = double.begin(&case);
    let (own, payment) = (own(&case), payment(&case));
    double.expect(&own, false);
    let call = |amount: &str, key: &str| {
        let call = ApiCall::post("/v1/refunds", &[("payment_intent", payment.as_str()), ("amount", amount)], key);
        double.call(&call).expect("an answer")
    };
    assert!(!double.was_made(&own));
    let reply = call("200", "a");
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains(&own.refund.id), "{}", reply.body);
    assert!(double.was_made(&own));
    // The same request again is the same refund, and another is one too many.
    assert_eq!(call("200", "a"), reply);
    assert!(call("300", "a").body.contains("idempotency_error"));
    assert_eq!(double.wrong(&ticket), None);
    assert_eq!(call("200", "b").status, 400);
    let wrong = double.wrong(&ticket).expect("it is noted");
    assert!(wrong.contains("the refund of 2.00 USD that the shop was asked for was requested once more"), "{wrong}");
}

#[test]
fn a_refund_that_nobody_asked_for_is_one_too_many() {
    let (case, double) = case();
    let ticket = double.begin(&case);
    let call = ApiCall::post("/v1/refunds", &[("payment_intent", payment(&case).as_str()), ("amount", "200")], "a");
    assert_eq!(double.call(&call).expect("an answer").status, 400);
    let wrong = double.wrong(&ticket).expect("it is noted");
    assert!(wrong.contains("a refund of 2.00 USD was requested, where the shop was asked to refund nothing"), "{wrong}");
}

#[test]
fn a_refund_of_another_amount_is_not_what_was_asked_for() {
    let (case, double) = case();
    let ticket = double.begin(&case);
    let other = OwnRefund { refund: OwnRefundDetails { amount: Amount::from_minor(100, 2), ..own(&case).refund }, ..own(&case) };
    double.expect(&other, false);
    let call = ApiCall::post("/v1/refunds", &[("payment_intent", payment(&case).as_str()), ("amount", "200")], "a");
    assert_eq!(double.call(&call).expect("an answer").status, 400);
    assert!(double.wrong(&ticket).is_some_and(|wrong| wrong.contains("asked to refund 1.00 USD")));
}

#[test]
fn what_goes_wrong_on_purpose() {
    let (case, double) = case();
    let ticket = double.begin(&case);
    let (order, path) = (case.orders[0].order_id.as_str(), format!("/v1/payment_intents/{}", payment(&case)));
    for (fault, status) in
        [(ApiFault::Broken, Some(500)), (ApiFault::TooMany, Some(429)), (ApiFault::Lost, None), (ApiFault::Slow, Some(200))]
    {
        double.fail(order, fault, 2);
        let call = || double.call(&ApiCall::get(path.clone())).map(|reply| reply.status);
        assert_eq!([call(), call(), call()], [status, status, Some(200)], "{fault:?}");
    }
    double.fail(order, ApiFault::Broken, u32::MAX);
    double.mend(order);
    assert_eq!(looked(&double, &path, &[]).0, 200);
    assert_eq!(double.end(ticket).failed, 6);
}

#[track_caller]
fn fails(method: ApiMethod, path: &str, parameters: &[(&str, &str)], status: u16, says: &str) {
    let (case, double) = case();
    let _ticket = double.begin(&case);
    let payment = payment(&case);
    let parameters: Vec<(&str, &str)> =
        parameters.iter().map(|(name, value)| (*name, if *value == "PAYMENT" { payment.as_str() } else { *value })).collect();
    let call = ApiCall { method, ..ApiCall::post(path, &parameters, "key") };
    let reply = double.call(&call).expect("an answer");
    assert_eq!(reply.status, status, "{}", reply.body);
    let error: Value = serde_json::from_str(&reply.body).expect("JSON");
    let error = &error["error"];
    assert!(error["type"].is_string(), "{}", reply.body);
    assert!(error["message"].as_str().is_some_and(|message| message.contains(says)), "{}", reply.body);
}

#[test]
fn ids_that_nobody_has() {
    fails(ApiMethod::Get, "/v1/refunds/re_1", &[], 404, "No such refund: 're_1'");
    fails(ApiMethod::Get, "/v1/balance_transactions/txn_1", &[], 404, "No such balance_transaction");
    fails(ApiMethod::Post, "/v1/refunds", &[("charge", "ch_1")], 404, "No such charge: 'ch_1'");
    fails(ApiMethod::Post, "/v1/refunds/re_1/cancel", &[], 404, "No such refund");
}

#[test]
fn parameters_that_are_wrong() {
    fails(ApiMethod::Post, "/v1/refunds", &[], 400, "payment_intent or charge");
    fails(ApiMethod::Post, "/v1/refunds", &[("payment_intent", "PAYMENT"), ("amount", "2.00")], 400, "Invalid integer: 2.00");
    fails(ApiMethod::Get, "/v1/refunds", &[("payment_intent", "PAYMENT"), ("limit", "0")], 400, "limit '0'");
    fails(ApiMethod::Get, "/v1/refunds", &[], 400, "`charge` or a `payment_intent`");
    fails(ApiMethod::Post, "/v1/refunds", &[("payment_intent", "PAYMENT"), ("amont", "200")], 400, "unknown parameter: amont");
}

#[test]
fn keys_that_are_wrong() {
    let (_, double) = case();
    for (key, says) in [(None, "No API key"), (Some("sk_live_x"), "sk_test_")] {
        let call = ApiCall { key: key.map(str::to_owned), ..ApiCall::get("/v1/refunds/re_1") };
        let reply = double.call(&call).expect("an answer");
        assert_eq!(reply.status, 401);
        assert!(reply.body.contains(says), "{}", reply.body);
    }
}

#[test]
fn paths_that_are_not_served_are_told() {
    let (case, double) = case();
    let _ticket = double.begin(&case);
    for path in ["/v1/customers/cus_1", "/v2/refunds", "/v1/customers/cus_2", "/v1/payment_methods"] {
        assert_eq!(looked(&double, path, &[]).0, 404);
    }
    assert_eq!(double.strange(), ["GET /v1/customers/{id}", "GET /v1/payment_methods", "GET /v2/refunds"]);
}

#[test]
fn pages_and_what_is_expanded() {
    let (case, double) = case();
    let ticket = double.begin(&case);
    double.advance(&ticket, last(&case));
    let payment = payment(&case);
    let (_, first) = looked(&double, "/v1/refunds", &[("payment_intent", &payment), ("limit", "1"), ("expand[]", "data.charge")]);
    assert_eq!(first["has_more"].as_bool(), Some(true));
    assert_eq!(first["data"][0]["charge"]["object"], "charge");
    let id = first["data"][0]["id"].as_str().expect("an id");
    let (_, second) = looked(&double, "/v1/refunds", &[("payment_intent", &payment), ("starting_after", id)]);
    assert_eq!((second["data"].as_array().map(Vec::len), second["has_more"].as_bool()), (Some(1), Some(false)));
    let charge = &case.orders[0].charges[0].id;
    let (_, plain) = looked(&double, &format!("/v1/charges/{charge}"), &[]);
    assert!(plain["refunds"].is_null());
    let (_, with) = looked(&double, &format!("/v1/charges/{charge}"), &[("expand[]", "refunds")]);
    assert_eq!(with["refunds"]["data"].as_array().map(Vec::len), Some(2));
    let (_, payment) = looked(&double, &format!("/v1/payment_intents/{payment}"), &[("expand[]", "latest_charge.balance_transaction")]);
    assert_eq!(payment["latest_charge"]["id"], *charge.as_str());
    let moved = second["data"][0]["balance_transaction"].as_str().expect("an id").to_owned();
    let (status, moved) = looked(&double, &format!("/v1/balance_transactions/{moved}"), &[]);
    assert_eq!((status, &moved["type"]), (200, &Value::from("refund")));
}

#[test]
fn events_can_be_fetched_as_they_were_sent() {
    let (case, double) = case();
    let ticket = double.begin(&case);
    let delivery = case.all_deliveries().next().expect("one");
    let path = format!("/v1/events/{}", delivery.event.id);
    assert_eq!(looked(&double, &path, &[]).0, 404);
    double.advance(&ticket, 1);
    let (_, event) = looked(&double, &path, &[]);
    let sent: Value = serde_json::from_str(delivery.body.text().expect("text")).expect("JSON");
    assert_eq!(event, sent);
}

/// What a charge and its payment intent carry for a call that asks for a version.
#[track_caller]
fn carried(older: bool, version: Option<&str>, lists: bool) {
    let (case, double) = case_for(older);
    let ticket = double.begin(&case);
    double.advance(&ticket, last(&case));
    let look = |path: String| {
        let reply = double.call(&ApiCall { version: version.map(str::to_owned), ..ApiCall::get(path) }).expect("an answer");
        serde_json::from_str::<Value>(&reply.body).expect("JSON")
    };
    let charge = look(format!("/v1/charges/{}", case.orders[0].charges[0].id));
    let payment = look(format!("/v1/payment_intents/{}", payment(&case)));
    assert_eq!(charge["refunds"]["total_count"].as_u64(), lists.then_some(2), "{charge}");
    assert_eq!(charge["refunds"]["data"][0]["status"].as_str(), lists.then_some("succeeded"));
    assert_eq!(payment["charges"]["data"][0]["refunds"]["data"].as_array().map(Vec::len), lists.then_some(2), "{payment}");
}

#[test]
fn objects_are_of_the_accounts_version_or_of_the_one_that_is_asked_for() {
    carried(false, None, false);
    carried(true, None, true);
    carried(true, Some("2026-10-28.endive"), false);
    carried(false, Some("2020-08-27"), true);
}

#[test]
fn a_payment_intent_is_about_what_was_paid() {
    let (case, double) = case();
    let _ticket = double.begin(&case);
    let (_, intent) = looked(&double, &format!("/v1/payment_intents/{}", payment(&case)), &[]);
    let (_, charge) = looked(&double, &format!("/v1/charges/{}", case.orders[0].charges[0].id), &[]);
    assert_eq!(intent["amount"], charge["amount_captured"]);
    assert_eq!(intent["amount_received"], charge["amount_captured"]);
    assert_eq!(intent["latest_charge"], charge["id"]);
    let secret = intent["client_secret"].as_str().expect("a text");
    assert!(secret.starts_with(intent["id"].as_str().expect("an id")), "{secret}");
}

#[test]
fn a_lost_answer_is_there_for_the_same_key() {
    let (case, double) = case();
    let ticket = double.begin(&case);
    let own = OwnRefund { answer_lost: true, ..own(&case) };
    double.expect(&own, false);
    let call = |key: &str| double.call(&ApiCall::post("/v1/refunds", &[("payment_intent", &payment(&case)), ("amount", "200")], key));
    assert_eq!(call("a"), None);
    assert!(double.was_made(&own));
    assert!(call("a").is_some_and(|reply| reply.status == 200 && reply.body.contains(&own.refund.id)));
    assert_eq!(double.wrong(&ticket), None);
    assert_eq!(call("b").map(|reply| reply.status), Some(400));
    assert!(double.wrong(&ticket).is_some());
}

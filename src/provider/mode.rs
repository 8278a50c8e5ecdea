//! The environment that events say they are of: a provider's test mode, in which everything else is written, or its live mode.

use super::{Message, Provider, Shown};
use crate::{
    case::{Body, Case},
    json::Value,
};

/// How it is written that something is of the live mode or is not: what is generated writes a member in one of two ways.
fn says(member: &str, live: bool) -> [String; 2] {
    ["", " "].map(|space| format!("\"{member}\":{space}{live}"))
}

/// The text with every member of this name made true or false.
fn turned(text: &str, member: &str, live: bool) -> String {
    let ways = says(member, !live).into_iter().zip(says(member, live));
    ways.fold(text.to_owned(), |text, (other, this)| text.replace(&other, &this))
}

/// The same example of the test mode: some of the documented ones are of the live mode.
pub(super) fn of_tests(mut example: Value, member: &str) -> Value {
    fn visit(value: &mut Value, member: &str) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| visit(value, member)),
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    if name == member && *value == Value::Bool(true) {
                        *value = Value::Bool(false);
                    }
                    visit(value, member);
                }
            }
            _ => {}
        }
    }
    visit(&mut example, member);
    example
}

/// The same event of the live mode.
pub(super) fn live(message: Message, member: &str) -> Message {
    Message { body: turned(&message.body, member, true), ..message }
}

/// The same object of the provider's API, as its live mode shows it.
pub(super) fn shown_live(shown: Shown, member: &str) -> Shown {
    Shown { body: turned(&shown.body, member, true), ..shown }
}

/// Whether a case is of a provider's live mode: an event in it that nothing was done to says so.
pub fn is_live(provider: &dyn Provider, case: &Case) -> bool {
    let Some(member) = provider.mode_member() else { return false };
    let says_so = says(member, true);
    let plain = case.all_deliveries().filter(|delivery| delivery.mutation.is_none());
    plain.filter_map(|delivery| delivery.body.text()).any(|text| says_so.iter().any(|says| text.contains(says.as_str())))
}

/// The same case in the mode that the provider's other events are of: logs are of the live mode, and targets that are certified
/// mostly of the test mode.
pub fn in_mode_of(provider: &dyn Provider, mut case: Case) -> Case {
    let Some(member) = provider.mode_member() else { return case };
    for delivery in case.all_deliveries_mut() {
        if let Some(text) = delivery.body.text() {
            delivery.body = Body::new(turned(text, member, provider.is_live()));
        }
    }
    for object in &mut case.api {
        object.body = turned(&object.body, member, provider.is_live());
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{Action, Plan, Step},
        provider::{lower, registered},
    };

    fn case(provider: &dyn Provider) -> Case {
        let steps = (0..4).map(|event| Step::plain(Action::Other { event })).collect();
        lower(provider, &Plan { orders: Vec::new(), steps, only: Vec::new(), look: 3 }, 5).case
    }

    #[test]
    fn whoever_says_it_says_it_everywhere() {
        for provider in registered().iter().map(|registered| registered.embedded()) {
            let Some(member) = provider.mode_member() else {
                assert!(provider.in_live_mode().is_none(), "{}", provider.name());
                continue;
            };
            let live = provider.in_live_mode().expect("it has one");
            assert!(live.is_live() && !provider.is_live());
            assert!(is_live(&*live, &case(&*live)) && !is_live(provider, &case(provider)), "{}", provider.name());
            for delivery in case(&*live).all_deliveries() {
                let text: String = delivery.body.text().unwrap_or_default().split_whitespace().collect();
                assert!(!text.contains(&format!("\"{member}\":false")), "{text}");
            }
        }
    }

    #[test]
    fn a_case_can_be_of_the_other_mode() {
        for provider in registered().iter().map(|registered| registered.embedded()) {
            let Some(live) = provider.in_live_mode() else { continue };
            let (of_tests, of_life) = (case(provider), case(&*live));
            let bodies = |case: &Case| case.all_deliveries().map(|delivery| delivery.body.clone()).collect::<Vec<_>>();
            assert_eq!(bodies(&in_mode_of(provider, of_life.clone())), bodies(&of_tests), "{}", provider.name());
            assert_eq!(bodies(&in_mode_of(&*live, of_tests)), bodies(&of_life), "{}", provider.name());
        }
    }

    #[test]
    fn nothing_else_is_another() {
        for provider in registered().iter().map(|registered| registered.embedded()) {
            let Some(live) = provider.in_live_mode() else { continue };
            let calm = |case: Case| {
                case.all_deliveries().map(|delivery| delivery.body.text().unwrap_or_default().replace("true", "false")).collect()
            };
            let (one, other): (Vec<String>, Vec<String>) = (calm(case(provider)), calm(case(&*live)));
            assert_eq!(one, other, "{}", provider.name());
        }
    }
}

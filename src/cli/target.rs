//! From the TARGET argument to a factory of targets.

use std::{ffi::OsString, path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    Stop,
    args::TargetArgs,
    target_file::{self, Transport},
};
use crate::{
    adapter::{
        AmountUnit, Capabilities, HttpSettings, HttpTarget, Introduction, Setup, StdioSettings, StdioTarget, Target, TargetError,
        names_folder,
    },
    domain::{Clock, Secret, did_you_mean},
    double::Double,
    drive::{Factory, Launch, Secrets},
    provider::Provider,
    reference::{Fault, ReferenceShop, faults},
};

/// The built-in reference implementation.
const REFERENCE: &str = "builtin:reference";

/// The same as a consumer that calls the provider's API.
const CALLING_BACK: &str = "builtin:reference-calling-back";

/// The same, registered for the provider's older API version.
const OLDER: &str = "builtin:reference-older";

const NOT_ATTACHABLE: &str =
    "--attach is for a service over HTTP that runs already; for other targets there is `replay --step`, which waits before each delivery";

/// What the arguments name, beside the provider's API.
pub(super) fn factory(args: &TargetArgs, provider: &dyn Provider) -> Result<Box<dyn Factory>, Stop> {
    let is_url = |target: &str| target.starts_with("http://") || target.starts_with("https://");
    let for_urls =
        [(args.state_url.is_some(), "--state-url"), (args.setup_url.is_some(), "--setup-url"), (args.secret.is_some(), "--secret")];
    if !args.target.as_deref().is_some_and(is_url)
        && let Some((_, name)) = for_urls.iter().find(|(is_given, _)| *is_given)
    {
        return Err(Stop::usage(format!("{name} goes with an http:// webhook URL; a refundproof.toml says such things itself")));
    }
    let runs_already = |target: &str| is_url(target) || !target.starts_with("builtin:");
    if args.attach && !args.target.as_deref().is_some_and(runs_already) {
        return Err(Stop::usage(NOT_ATTACHABLE));
    }
    match (&args.target, args.command.is_empty()) {
        (Some(target), false) => Err(Stop::usage(format!("both a target (`{target}`) and a command after `--`; give one of them"))),
        (None, false) => Ok(Box::new(stdio(args.command.clone(), None, args).beside(Double::served(provider)))),
        (None, true) => builtin(REFERENCE, provider),
        (Some(target), true) if target.starts_with("builtin:") => builtin(target, provider),
        (Some(target), true) if is_url(target) => from_url(target, args),
        (Some(target), true) => from_file(target, args, provider),
    }
}

fn builtin(name: &str, provider: &dyn Provider) -> Result<Box<dyn Factory>, Stop> {
    // In-process targets are timed by a clock that they can move, so a slow one costs no time.
    let clock = Clock::manual_from_now();
    // They are in this process and call it without a network.
    let double = provider.api().map(Double::of);
    if name == REFERENCE || name == CALLING_BACK {
        let (shop, calls_back) = (clock.clone(), name == CALLING_BACK);
        if calls_back && double.is_none() {
            return Err(Stop::usage(format!("{CALLING_BACK}: no API of {} is served, so there is nothing to call", provider.name())));
        }
        let make = move || {
            let shop = ReferenceShop::new(shop.clone());
            Ok(Box::new(if calls_back { shop.calling_back() } else { shop }) as Box<dyn Target>)
        };
        return Ok(Box::new(Launch::new("in-process", &format!(" {name}"), clock, make).beside(double)));
    }
    if name == OLDER {
        if provider.older_version().is_none() {
            return Err(Stop::usage(format!("{OLDER}: {} has one API version here", provider.name())));
        }
        let shop = clock.clone();
        let make = move || Ok(Box::new(ReferenceShop::new(shop.clone()).registered_for_older_version()) as Box<dyn Target>);
        return Ok(Box::new(Launch::new("in-process", &format!(" {name}"), clock, make)));
    }
    let names = name.strip_prefix("builtin:fault/").ok_or_else(|| {
        Stop::usage(format!(
            "`{name}` is no built-in target; there is {REFERENCE}, {CALLING_BACK}, {OLDER} and builtin:fault/NAME, or NAME+NAME for several mistakes at once \
             (`refundproof list --faults`)"
        ))
    })?;
    let known = names.split('+').map(fault).collect::<Result<Vec<Fault>, Stop>>()?;
    let shop = clock.clone();
    let make = move || Ok(Box::new(ReferenceShop::with_faults(&known, shop.clone())) as Box<dyn Target>);
    Ok(Box::new(Launch::new("in-process", &format!(" {name}"), clock, make).beside(double)))
}

fn fault(name: &str) -> Result<Fault, Stop> {
    Fault::from_name(name).ok_or_else(|| {
        let hint = did_you_mean(name, faults().iter().map(|fault| fault.name));
        Stop::usage(format!("there is no fault `{name}`{hint} (`refundproof list --faults` shows them)"))
    })
}

fn from_file(path: &str, args: &TargetArgs, provider: &dyn Provider) -> Result<Box<dyn Factory>, Stop> {
    let file = target_file::read(Path::new(path), args.answer_limit(), args.allow_remote)?;
    let argument = format!(" {}", quote(path));
    Ok(match file.transport {
        Transport::Stdio(_) if args.attach => return Err(Stop::usage(format!("{path}: {NOT_ATTACHABLE}"))),
        Transport::Stdio(command) => {
            let mut launch = stdio(command.into_iter().map(OsString::from).collect(), Some(path), args);
            if file.secret.is_some() {
                launch = launch.signing(Secrets::of(file.secret));
            }
            Box::new(
                launch
                    .naming(file.signature_header)
                    .leaving_out(file.without)
                    .in_live_mode(file.live_mode)
                    .beside(Double::served(provider)),
            )
        }
        Transport::Http(mut settings) => {
            if settings.mapping.as_ref().is_some_and(|mapping| mapping.amounts == AmountUnit::Provider) {
                let why =
                    format!("{path}: mapping.amounts: is \"provider\", and {} sends decimal numbers of the major unit", provider.name());
                settings.digits_sent = provider.digits_sent().ok_or_else(|| Stop::usage(why))?;
            }
            let double = Double::served(provider);
            settings.api = double.as_ref().and_then(|double| double.address()).map(str::to_owned);
            let others = settings.headers.iter().flat_map(|(name, value)| secrets_in(name, value)).collect();
            let launch = http(*settings, &argument, args)?.signing(Secrets { current: file.secret, others });
            Box::new(launch.naming(file.signature_header).leaving_out(file.without).in_live_mode(file.live_mode).beside(double))
        }
    })
}

/// What of a header no report may hold: its value, and what a service may show of it alone, such as the token of `Bearer TOKEN`,
/// the password of `Basic …` or a cookie.
fn secrets_in(name: &str, value: &Secret) -> Vec<Secret> {
    /// What is shorter, or a word like `true`, would be hidden everywhere.
    const SHORTEST: usize = 6;
    let whole = value.expose();
    let mut parts: Vec<String> = Vec::new();
    if let Some((scheme, token)) = whole.split_once(' ') {
        parts.push(token.to_owned());
        let decoded = Some(token).filter(|_| scheme.eq_ignore_ascii_case("basic")).and_then(|token| STANDARD.decode(token).ok());
        if let Some((user, password)) =
            decoded.and_then(|bytes| String::from_utf8(bytes).ok()).as_deref().and_then(|text| text.split_once(':'))
        {
            parts.extend([format!("{user}:{password}"), password.to_owned()]);
        }
    }
    if name.eq_ignore_ascii_case("cookie") {
        parts.extend(whole.split(';').filter_map(|cookie| cookie.split_once('=')).map(|(_, value)| value.trim().to_owned()));
    }
    let parts = parts.into_iter().filter(|part| part.len() >= SHORTEST).map(Secret::from);
    std::iter::once(value.clone()).chain(parts).collect()
}

fn from_url(url: &str, args: &TargetArgs) -> Result<Box<dyn Factory>, Stop> {
    let Some(state_url) = args.state_url.clone() else {
        return Err(Stop::usage(format!(
            "`{url}`: also say where an order is shown, for example --state-url http://127.0.0.1:8080/orders/{{orderId}}"
        )));
    };
    let capabilities = Capabilities { verifies_signatures: false, ..Capabilities::default() };
    let settings = HttpSettings {
        setup: args.setup_url.clone().map_or(Setup::Events, Setup::Url),
        introduction: Introduction { name: url.to_owned(), version: String::new(), capabilities },
        answer_limit: args.answer_limit(),
        allow_remote: args.allow_remote,
        ..HttpSettings::new(url.to_owned(), state_url, target_file::OTHER_LIMIT)
    };
    let mut argument = format!(" {} --state-url {}", quote(url), quote(&settings.state_url));
    if let Some(setup) = &args.setup_url {
        argument.push_str(&format!(" --setup-url {}", quote(setup)));
    }
    if args.secret.is_some() {
        argument.push_str(" --secret …");
    }
    Ok(Box::new(http(settings, &argument, args)?.signing(Secrets::of(args.secret.clone()))))
}

type Maker = Box<dyn Fn() -> Result<Box<dyn Target>, TargetError> + Sync>;

fn http(mut settings: HttpSettings, argument: &str, args: &TargetArgs) -> Result<Launch<Maker>, Stop> {
    let mut argument = argument.to_owned();
    if args.allow_remote {
        argument.push_str(" --allow-remote");
    }
    if args.attach {
        // Somebody else started it, and nobody kills what is looked at in a debugger.
        settings.service = None;
        settings.other_limit = target_file::NO_LIMIT;
        settings.introduction.capabilities.durable = false;
        // What runs on has heard of other times before.
        settings.introduction.capabilities.clock = false;
        argument.push_str(" --attach");
    }
    settings.check().map_err(Stop::usage)?;
    // Each worker may have a service of its own, if each gets a port of its own.
    let workers = if settings.service.is_some() && settings.has_own_port() { usize::MAX } else { 1 };
    let make: Maker = Box::new(move || HttpTarget::new(&settings).map(|target| Box::new(target) as Box<dyn Target>));
    Ok(Launch::new("http", &argument, Clock::system(), make).with_workers(workers))
}

fn stdio(command: Vec<OsString>, file: Option<&str>, args: &TargetArgs) -> Launch<Maker> {
    let words: Vec<String> = command.iter().map(|word| quote(&word.to_string_lossy())).collect();
    let words = words.join(" ");
    let argument = file.map_or_else(|| format!(" -- {words}"), |file| format!(" {}", quote(file)));
    let answer_limit = args.answer_limit().unwrap_or(Duration::MAX);
    let settings = StdioSettings { answer_limit, ..StdioSettings::default() };
    let shares_store = !names_folder(&command);
    let make: Maker = Box::new(move || Ok(Box::new(StdioTarget::new(command.clone(), settings)) as Box<dyn Target>));
    Launch::new("stdio", &argument, Clock::system(), make).running(words).sharing_a_store(shares_store)
}

/// A word as a shell takes it.
pub(super) fn quote(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+,".contains(character);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn hides(name: &str, value: &str, parts: &[&str]) {
        let found = secrets_in(name, &value.into());
        assert_eq!(found.iter().map(Secret::expose).collect::<Vec<_>>(), parts);
    }

    #[test]
    fn parts_of_headers_are_secrets_too() {
        hides("x-key", "abcdef", &["abcdef"]);
        hides("authorization", "Bearer abcdef", &["Bearer abcdef", "abcdef"]);
        hides(
            "Authorization",
            "Basic dXNlcjpwYXNzd29yZA==",
            &["Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA==", "user:password", "password"],
        );
        hides("cookie", "a=1; session=abcdef", &["a=1; session=abcdef", "session=abcdef", "abcdef"]);
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quote("a/b-c.py"), "a/b-c.py");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }
}

//! `refundproof init`: a target file and a piece of CI configuration, from arguments or from questions.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};

use super::{
    Exit, Stop,
    args::{Ci, Init},
    certify::cannot_write,
    files,
    output::Output,
    provider, provider_option, target_file_schema,
    text::one_line,
};

/// The name of the target file.
const TARGET_FILE: &str = "refundproof.toml";

/// The name of its JSON Schema, which editors read because the target file's first line names it.
const SCHEMA_FILE: &str = "refundproof.schema.json";

/// How the implementation is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reached {
    /// By a command that speaks the stdio transport.
    Stdio(Vec<String>),
    /// By requests.
    Http { webhook: String, state: String, setup: Option<String>, secret_env: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    reached: Reached,
    ci: Ci,
}

pub(super) fn run(args: &Init, output: &mut Output) -> Result<Exit, Stop> {
    // Whether there is such a provider is better known now than when the pipeline runs.
    provider(&args.provider, None)?;
    let reached = match (&args.command[..], &args.webhook_url, &args.state_url) {
        ([], Some(webhook), Some(state)) => Some(Reached::Http {
            webhook: url("--webhook-url", webhook).map_err(Stop::usage)?,
            state: state_url("--state-url", state).map_err(Stop::usage)?,
            setup: args.setup_url.as_deref().map(|setup| url("--setup-url", setup)).transpose().map_err(Stop::usage)?,
            secret_env: args.secret_env.clone(),
        }),
        ([], ..) => None,
        (command, ..) => Some(Reached::Stdio(command.to_vec())),
    };
    // Before anybody answers questions for nothing.
    check_free(&args.dir.join(TARGET_FILE))?;
    let wish = match reached {
        Some(reached) => Wish { reached, ci: args.ci.unwrap_or(Ci::None) },
        None if io::stdin().is_terminal() => ask(&mut io::stdin().lock(), output.out(), args.ci)?,
        None => {
            return Err(Stop::usage(
                "say how your implementation is reached: `init -- COMMAND…` for a stdio adapter, or --webhook-url and --state-url; on a terminal init asks",
            ));
        }
    };
    let target = format!("#:schema ./{SCHEMA_FILE}\n{}", target_file(&wish.reached));
    let schema = format!("{}\n", serde_json::to_string_pretty(target_file_schema().as_value()).unwrap_or_default());
    let mut wanted = vec![(args.dir.join(TARGET_FILE), target), (args.dir.join(SCHEMA_FILE), schema)];
    wanted.extend(ci_file(&args.dir, wish.ci, &args.provider));
    wanted.iter().try_for_each(|(path, _)| check_free(path))?;
    for (path, text) in &wanted {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        }
        files::write_new(path, text.as_bytes()).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => is_there(path),
            _ => cannot_write(path, &error),
        })?;
        writeln!(output.out(), "wrote {}", one_line(&path.display().to_string()))?;
    }
    let provider = provider_option(&args.provider);
    writeln!(
        output.out(),
        "next: `refundproof doctor{provider} {}` says whether the adapter works",
        one_line(&wanted[0].0.display().to_string())
    )?;
    Ok(Exit::Conformant)
}

fn is_there(path: &Path) -> Stop {
    Stop::usage(format!("{}: is there already; init never overwrites, so move it away or choose another --dir", path.display()))
}

fn check_free(path: &Path) -> Result<(), Stop> {
    if path.symlink_metadata().is_ok() { Err(is_there(path)) } else { Ok(()) }
}

fn url(what: &str, text: &str) -> Result<String, String> {
    if text.starts_with("https://") {
        return Err(format!("{what}: https is not spoken; name the service itself, behind what ends TLS"));
    }
    match text.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(text.to_owned()),
        _ => Err(format!("{what}: `{text}` is no URL such as http://127.0.0.1:8080/webhooks")),
    }
}

fn state_url(what: &str, text: &str) -> Result<String, String> {
    let text = url(what, text)?;
    if text.contains("{orderId}") { Ok(text) } else { Err(format!("{what}: `{text}` lacks {{orderId}}, which stands for the order's id")) }
}

/// Asks until an answer can be used.
fn ask(input: &mut dyn BufRead, out: &mut dyn Write, ci: Option<Ci>) -> Result<Wish, Stop> {
    let mut questions = Questions { input, out };
    let kind = questions.choose("How is your implementation reached?", &["by a command that speaks the stdio transport", "over HTTP"])?;
    let reached = if kind == 0 {
        let command = questions.until("Which command? (as in a shell, for example: python3 adapter.py)", |text| {
            let words: Vec<String> = split(text)?;
            if words.is_empty() { Err("a command is needed".to_owned()) } else { Ok(words) }
        })?;
        Reached::Stdio(command)
    } else {
        let webhook =
            questions.until("Where does it take webhooks? (for example http://127.0.0.1:8080/webhooks)", |text| url("this", text))?;
        let state = questions
            .until("Where does it show an order? (for example http://127.0.0.1:8080/orders/{orderId})", |text| state_url("this", text))?;
        let setup = questions.until("Where is it told of orders before a case? (empty: by the provider's order events)", |text| {
            if text.is_empty() { Ok(None) } else { url("this", text).map(Some) }
        })?;
        let secret_env = questions.until("Which environment variable holds the signing secret? (empty: nothing is signed)", |text| {
            let fits = |character: char| character.is_ascii_alphanumeric() || character == '_';
            if text.chars().all(fits) {
                Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
            } else {
                Err(format!("`{text}` is no name of a variable"))
            }
        })?;
        Reached::Http { webhook, state, setup, secret_env }
    };
    let ci = match ci {
        Some(ci) => ci,
        None => [Ci::Github, Ci::Gitlab, Ci::None][questions.choose("Which CI?", &["GitHub Actions", "GitLab CI", "none"])?],
    };
    Ok(Wish { reached, ci })
}

struct Questions<'a> {
    input: &'a mut dyn BufRead,
    out: &'a mut dyn Write,
}

impl Questions<'_> {
    fn until<T>(&mut self, question: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Stop> {
        loop {
            write!(self.out, "{question}\n> ")?;
            self.out.flush()?;
            let mut line = String::new();
            let count = self.input.read_line(&mut line).map_err(|error| Stop::usage(format!("standard input: {error}")))?;
            if count == 0 {
                return Err(Stop::usage("the answers ended before everything was asked; nothing was written"));
            }
            match read(line.trim()) {
                Ok(answer) => return Ok(answer),
                Err(problem) => writeln!(self.out, "{}", one_line(&problem))?,
            }
        }
    }

    fn choose(&mut self, question: &str, choices: &[&str]) -> Result<usize, Stop> {
        let numbered: Vec<String> = (1..).zip(choices).map(|(number, choice)| format!("\n  {number}  {choice}")).collect();
        self.until(&format!("{question}{}", numbered.concat()), |text| {
            let number = text.parse().ok().filter(|number| (1..=choices.len()).contains(number));
            number.map(|number: usize| number - 1).ok_or_else(|| format!("a number from 1 to {} is needed", choices.len()))
        })
    }
}

/// Words as a shell takes them: separated by blanks, with quotes around what holds blanks.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in text.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    if quote.is_some() { Err("a quote is not closed".to_owned()) } else { Ok(words) }
}

fn text(value: &str) -> String {
    toml::Value::from(value).to_string()
}

fn target_file(reached: &Reached) -> String {
    match reached {
        Reached::Stdio(command) => {
            let words: Vec<String> = command.iter().map(|word| text(word)).collect();
            format!(
                "# What refundproof certifies. The command speaks the stdio transport and says itself what it can do.\n\n\
                 [target]\ncommand = [{}]\n",
                words.join(", ")
            )
        }
        Reached::Http { webhook, state, setup, secret_env } => {
            let secret = match secret_env {
                Some(name) => format!("secret_env = {}\n", text(name)),
                None => "# secret_env = \"WEBHOOK_SECRET\"   # without a secret nothing is signed\n".to_owned(),
            };
            let verifies = secret_env.is_some();
            let setup = match setup {
                Some(setup) => format!("setup_url = {}\n", text(setup)),
                None => {
                    "# setup_url = \"…\"   # POST {\"case\":…,\"orders\":[…]}; without one, order events introduce the orders\n".to_owned()
                }
            };
            format!(
                "# What refundproof certifies, and how it is reached. docs/http-targets.md says what else can stand here.\n\n\
                 [target]\n{secret}\n\
                 # What is not claimed is not judged.\n\
                 [capabilities]\n\
                 # observes = [\"currency\", \"refunds\", \"availableToRefundAmount\", \"chargedBackAmount\"]\n\
                 verifiesSignatures = {verifies}\n\
                 # durable = true       # its state survives a kill; needs [server]\n\
                 # concurrency = 8      # deliveries at the same time\n\n\
                 # [server]             # so that refundproof starts, kills and stops it\n\
                 # command = [\"node\", \"server.js\"]\n\
                 # ready_url = \"http://127.0.0.1:8080/health\"\n\n\
                 [http]\nwebhook_url = {}\nstate_url = {}\n{setup}",
                text(webhook),
                text(state)
            )
        }
    }
}

fn ci_file(folder: &Path, ci: Ci, provider: &str) -> Option<(PathBuf, String)> {
    let provider = provider_option(provider);
    let certify = format!(
        "refundproof certify{provider} {TARGET_FILE} --report junit=refundproof.xml --report json=refundproof.json --report html=refundproof.html"
    );
    match ci {
        Ci::None => None,
        Ci::Github => Some((
            folder.join(".github/workflows/refundproof.yml"),
            format!(
                "# Certifies the webhook consumer. Start it here if refundproof.toml has no [server], and install what it needs.\n\
                 name: refundproof\n\
                 on: [push, pull_request]\n\
                 permissions:\n  contents: read\n\
                 jobs:\n  certify:\n    runs-on: ubuntu-latest\n    timeout-minutes: 15\n    steps:\n\
                 \x20     - uses: actions/checkout@v4\n\
                 \x20     # refundproof must be on the PATH: build it from its source, or copy a binary of yours.\n\
                 \x20     - run: {certify}\n\
                 \x20     - if: ${{{{ !cancelled() }}}}\n\
                 \x20       uses: actions/upload-artifact@v4\n\
                 \x20       with:\n\
                 \x20         name: refundproof\n\
                 \x20         path: |\n\
                 \x20           refundproof.html\n\
                 \x20           refundproof.json\n\
                 \x20           refundproof.xml\n\
                 \x20           refundproof-failures/\n"
            ),
        )),
        Ci::Gitlab => Some((
            folder.join("refundproof.gitlab-ci.yml"),
            format!(
                "# Certifies the webhook consumer. Take it into .gitlab-ci.yml with: include: {{ local: refundproof.gitlab-ci.yml }}\n\
                 refundproof:\n  stage: test\n  timeout: 15m\n  script:\n\
                 \x20   # refundproof must be on the PATH: build it from its source, or copy a binary of yours.\n\
                 \x20   - {certify}\n\
                 \x20 artifacts:\n    when: always\n    paths: [refundproof.html, refundproof.json, refundproof-failures/]\n\
                 \x20   reports:\n      junit: refundproof.xml\n"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn asked(answers: &str) -> (Result<Wish, String>, String) {
        let mut out = Vec::new();
        let wish = ask(&mut answers.as_bytes(), &mut out, None).map_err(|stop| stop.message);
        (wish, String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn questions_about_a_command() {
        let (wish, out) = asked("3\n1\n\npython3 'my adapter.py' --x \"\"\n1\n");
        let command = ["python3", "my adapter.py", "--x", ""].map(str::to_owned).to_vec();
        assert_eq!(wish, Ok(Wish { reached: Reached::Stdio(command), ci: Ci::Github }));
        assert!(out.contains("a number from 1 to 2 is needed\n") && out.contains("a command is needed\n"), "{out}");
    }

    #[test]
    fn questions_about_a_service() {
        let (wish, out) = asked("2\nlocalhost\nhttp://a/w\nhttp://a/o\nhttp://a/o/{orderId}\n\nA-B\nA_B\n3\n");
        let reached = Reached::Http {
            webhook: "http://a/w".to_owned(),
            state: "http://a/o/{orderId}".to_owned(),
            setup: None,
            secret_env: Some("A_B".to_owned()),
        };
        assert_eq!(wish, Ok(Wish { reached, ci: Ci::None }));
        for part in ["`localhost` is no URL", "lacks {orderId}", "`A-B` is no name of a variable"] {
            assert!(out.contains(part), "{out}");
        }
    }

    #[test]
    fn answers_that_end_early() {
        assert!(asked("2\n").0.is_err_and(|problem| problem.contains("nothing was written")));
    }

    #[test]
    fn an_open_quote() {
        assert_eq!(split("a 'b c"), Err("a quote is not closed".to_owned()));
    }
}

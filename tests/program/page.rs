//! The page in a real browser: headless Chromium opens it, searches, filters, presses keys, and is asked what it shows.
//!
//! Without Chromium these tests say that they were skipped; `.ci/run` installs it.

use std::{fs, process::Command, sync::LazyLock};

use refundproof::{
    adapter::Target,
    corpus::RequirementText,
    domain::Clock,
    reference::{Fault, ReferenceShop},
    report::html,
    run::Options,
    verdict::Report,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{certified, certified_target, only, provider, quick};

fn describe(id: &str) -> Option<RequirementText> {
    provider().corpus().requirements.iter().find(|text| text.id == id).cloned()
}

/// The browser, under whichever of its names it is installed.
fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()));
    if found.is_none() {
        skipped();
    }
    found
}

#[expect(clippy::print_stderr, reason = "whoever reads the test log should know what was not tested")]
fn skipped() {
    eprintln!("skipped: there is no chromium");
}

/// A page in a folder of its own, which is also the browser's profile.
struct Opened {
    browser: &'static str,
    folder: TempDir,
}

impl Opened {
    fn new(report: &Report) -> Option<Opened> {
        let browser = browser()?;
        let folder = TempDir::new().expect("a temporary folder");
        let mut text = Vec::new();
        html::write(&mut text, report, &describe).expect("memory can be written");
        fs::write(folder.path().join("report.html"), text).expect("a file");
        Some(Opened { browser, folder })
    }

    fn url(&self, name: &str, hash: &str) -> String {
        format!("file://{}{hash}", self.folder.path().join(name).display())
    }

    fn chromium(&self, args: &[&str]) -> String {
        let profile = format!("--user-data-dir={}", self.folder.path().join("profile").display());
        let output = Command::new(self.browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--allow-file-access-from-files", &profile])
            .args(args)
            .output()
            .expect("the browser runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The page as it is once its script has run.
    fn dom(&self, hash: &str) -> String {
        self.chromium(&["--dump-dom", &self.url("report.html", hash)])
    }

    /// Opens the page in a frame of this width and asks it: `script` sees `page` (its document) and `press`, and returns what
    /// can be said in JSON.
    fn ask(&self, width: u32, hash: &str, flags: &[&str], script: &str) -> Value {
        let frame = format!(
            r#"<!doctype html><body><iframe id="frame" src="report.html{hash}" style="width:{width}px;height:900px;border:0"></iframe><pre id="said"></pre><script>
            addEventListener("load", () => {{
              const frame = document.getElementById("frame"), page = frame.contentDocument, view = frame.contentWindow;
              const press = (key) => page.activeElement.dispatchEvent(new view.KeyboardEvent("keydown", {{ key, bubbles: true, cancelable: true }}));
              let said;
              try {{ said = (() => {{ {script} }})(); }} catch (error) {{ said = String(error); }}
              document.getElementById("said").textContent = JSON.stringify(said);
            }});
            </script></body>"#
        );
        fs::write(self.folder.path().join("frame.html"), frame).expect("a file");
        let url = self.url("frame.html", "");
        let dom = self.chromium(&[&["--dump-dom", "--window-size=1600,1000"], flags, &[url.as_str()]].concat());
        let said = dom.split_once("<pre id=\"said\">").and_then(|(_, rest)| rest.split_once("</pre>")).expect("an answer").0;
        let said = said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }
}

/// A report of one mistake.
static FAILING: LazyLock<Report> = LazyLock::new(|| {
    let fault = Fault::from_name("counts-both-layers").expect("a fault");
    certified(Some(fault), &Options::new().with(|options| options.cases = 8))
});

/// A report of several mistakes.
static SEVERAL: LazyLock<Report> = LazyLock::new(|| {
    let faults = [
        Fault::CountsBothLayers,
        Fault::ChargebackIgnored,
        Fault::DuplicateRefused,
        Fault::UnknownEventFails,
        Fault::MalformedAcknowledged,
        Fault::NoSignatureCheck,
    ];
    let make = |clock: &Clock| -> Box<dyn Target> { Box::new(ReferenceShop::with_faults(&faults, clock.clone())) };
    certified_target(provider(), &make, &Options::new().with(|options| options.cases = 12))
});

/// How many rows are shown, of requirements and of failures.
const SHOWN: &str = r#"const shown = (what) => page.querySelectorAll(`[data-what="${what}"]:not([hidden])`).length;
    return [shown("requirement"), shown("finding")];"#;

#[test]
fn the_script_runs_under_the_policy() {
    let report = &*FAILING;
    let Some(opened) = Opened::new(report) else { return };
    let dom = opened.dom("");
    assert!(dom.contains("<div class=\"tools\" id=\"tools\">"), "the tools are still hidden: the script did not run");
    let failures = report.findings.len();
    assert_eq!(opened.ask(1200, "", &[], SHOWN), json!([report.requirements.len(), failures]));
    // The style is taken too: without it the text would be black on white in Times.
    let family = opened.ask(1200, "", &[], "return view.getComputedStyle(page.body).fontFamily;");
    assert!(family.as_str().expect("a font").starts_with("system-ui"), "{family}");
}

#[test]
fn search_and_filter() {
    let report = &*FAILING;
    let Some(opened) = Opened::new(report) else { return };
    let shown = |hash: &str| opened.ask(1200, hash, &[], SHOWN);
    assert_eq!(shown("#q=duplicate-deliveries"), json!([1, 1]));
    assert_eq!(shown("#q=%20DUPLICATE-deliveries%20%20MUST"), json!([1, 1]));
    assert_eq!(shown("#q=nothing-is-called-this"), json!([0, 0]));
    let passed = report.requirements.iter().filter(|result| result.verdict.as_str() == "pass").count();
    assert!(passed > 0);
    assert_eq!(shown("#verdict=pass"), json!([passed, 0]));
    assert_eq!(shown("#q=refund-complete-updates&verdict=pass"), json!([2, 0]));
    // Payloads are searched too.
    let order = report.findings.iter().find_map(|finding| finding.shrunk.as_ref());
    let order = &order.expect("a case").orders[0].order_id;
    assert_eq!(shown(&format!("#q={order}")), json!([0, 1]));
    let said = opened.ask(1200, "#q=nothing-is-called-this", &[], r#"return page.getElementById("nothing").hidden;"#);
    assert_eq!(said, json!(false));
}

#[test]
fn typing_and_clicking() {
    let Some(opened) = Opened::new(&FAILING) else { return };
    let said = opened.ask(
        1200,
        "",
        &[],
        r#"const search = page.getElementById("search");
        search.value = "several-charges";
        search.dispatchEvent(new view.Event("input"));
        const typed = [view.location.hash, page.querySelectorAll('[data-what="requirement"]:not([hidden])').length];
        press("Escape");
        page.querySelector('button[data-verdict="fail"]').click();
        return [typed, view.location.hash, page.querySelector('button[data-verdict="fail"]').getAttribute("aria-pressed")];"#,
    );
    assert_eq!(said, json!([["#q=several-charges", 1], "#verdict=fail", "true"]));
}

#[test]
fn keys() {
    let Some(opened) = Opened::new(&SEVERAL) else { return };
    let said = opened.ask(
        1200,
        "",
        &[],
        r#"const at = () => page.activeElement.closest(".finding")?.id ?? page.activeElement.id;
        const open = () => page.querySelectorAll(".finding[open]").length;
        const said = [];
        press("/"); said.push(at());
        press("Escape"); said.push(at());
        press("j"); said.push(at());
        press("j"); said.push(at());
        press("k"); said.push(at());
        press("e"); said.push(open() === page.querySelectorAll(".finding").length);
        press("e"); said.push(open());
        return said;"#,
    );
    assert_eq!(said, json!(["search", "", "finding-1", "finding-2", "finding-1", true, 0]));
}

#[test]
fn a_link_to_a_finding_opens_it() {
    let Some(opened) = Opened::new(&SEVERAL) else { return };
    let said = opened.ask(1200, "#finding-5", &[], r#"return page.getElementById("finding-5").open;"#);
    assert_eq!(said, json!(true));
}

#[test]
fn a_phone_shows_everything_without_scrolling_sideways() {
    let Some(opened) = Opened::new(&FAILING) else { return };
    for width in [320, 390, 768, 1400] {
        let said = opened.ask(
            width,
            "",
            &[],
            r#"for (const details of page.querySelectorAll("details")) details.open = true;
            return [page.documentElement.scrollWidth, page.documentElement.clientWidth];"#,
        );
        assert_eq!(said[0], said[1], "at {width}");
    }
}

#[test]
fn light_and_dark() {
    let Some(opened) = Opened::new(&FAILING) else { return };
    let script = "const style = view.getComputedStyle(page.body); return [style.backgroundColor, style.color];";
    let light = opened.ask(1200, "", &["--blink-settings=preferredColorScheme=1"], script);
    let dark = opened.ask(1200, "", &["--blink-settings=preferredColorScheme=0"], script);
    assert_eq!(light[0], "rgb(244, 245, 247)");
    assert_eq!(dark[0], "rgb(14, 18, 23)");
    assert_ne!(light[1], dark[1]);
}

#[test]
fn it_prints() {
    let Some(opened) = Opened::new(&FAILING) else { return };
    let pdf = opened.folder.path().join("report.pdf");
    opened.chromium(&[&format!("--print-to-pdf={}", pdf.display()), &opened.url("report.html", "")]);
    assert!(fs::read(pdf).expect("a file").starts_with(b"%PDF"));
}

#[test]
fn hostile_text_runs_nothing() {
    let mut report = FAILING.clone();
    let hostile = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"></pre></details>\
         <svg onload=alert(1)> ' onmouseover='x <a href=\"javascript:alert(1)\">x</a>";
    report.target.name = hostile.to_owned();
    report.interrupted = Some(hostile.to_owned());
    for result in &mut report.requirements {
        result.note = Some(hostile.to_owned());
    }
    for finding in &mut report.findings {
        for text in [&mut finding.message, &mut finding.observed, &mut finding.stderr, &mut finding.reproduce, &mut finding.diff] {
            text.push_str(hostile);
        }
    }
    let Some(opened) = Opened::new(&report) else { return };
    let said = opened.ask(
        1200,
        "",
        &[],
        r#"const count = (selector) => page.querySelectorAll(selector).length;
        const stray = [...page.querySelectorAll("*")].filter((element) => [...element.attributes].some((attribute) => attribute.name.startsWith("on"))).length;
        return [count("script"), count("img"), count("svg"), count('a[href^="javascript"]'), stray, page.title.includes("owned"), page.querySelector("h1").textContent.includes("<img")];"#,
    );
    // The title holds the target's name, so the word is in it, as text.
    assert_eq!(said, json!([1, 0, 0, 0, 0, true, true]));
    assert!(opened.ask(1200, "", &[], "return page.title;").as_str().expect("a title").starts_with("Not conformant: "));
}

#[test]
fn it_asks_the_network_for_nothing() {
    let Some(opened) = Opened::new(&FAILING) else { return };
    let said = opened.ask(1200, "", &[], r#"return view.performance.getEntriesByType("resource").map((entry) => entry.name);"#);
    assert_eq!(said, json!([]));
}

#[test]
fn many_failures_open_in_under_a_second() {
    const TRIES: usize = 8;
    // Not shrunk, so that there is much to show.
    let report = certified(Some(Fault::from_name("counts-both-layers").expect("a fault")), &quick(100, 1));
    assert!(report.requirements.iter().filter(|result| !result.findings.is_empty()).count() >= 20);
    let Some(opened) = Opened::new(&report) else { return };
    assert!(fs::metadata(opened.folder.path().join("report.html")).expect("a file").len() < 2_000_000);
    // From the start of loading until everything is laid out, by the browser's own clock. Whoever else uses the machine makes
    // it slower, never faster.
    let script =
        "const height = page.documentElement.getBoundingClientRect().height; return [Math.round(view.performance.now()), height > 3000];";
    let mut times = Vec::new();
    for _ in 0..TRIES {
        let said = opened.ask(1200, "", &[], script);
        assert_eq!(said[1], json!(true), "the page is not laid out");
        times.push(said[0].as_u64().expect("milliseconds"));
        if times.last().is_some_and(|time| *time < 1000) {
            return;
        }
    }
    panic!("it took {times:?} ms");
}

#[test]
fn a_clean_run_has_a_page_too() {
    let report = certified(None, &quick(4, 1).with(|options| options.selection = only(&["duplicate-deliveries"])));
    let Some(opened) = Opened::new(&report) else { return };
    assert_eq!(opened.ask(1200, "", &[], SHOWN), json!([1, 0]));
}

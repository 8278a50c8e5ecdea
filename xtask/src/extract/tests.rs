//! The whole extraction on small made-up documents.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use super::*;

/// The provider whose documents are of every kind, and a page that shows two events.
const PROVIDER: &documents::Provider = &documents::Provider {
    pages: &[documents::Page {
        url: "https://example.org/refunds.md",
        shows: &[
            documents::Shown { event: "order.cancelled", beside: "", heading: "Cancelling" },
            documents::Shown { event: "refund.failed", beside: "items", heading: "Items" },
        ],
    }],
    ..documents::PROVIDERS[0]
};

const PAGE: &str = "\
# Events

* [`order.paid`](x.md#order.paid)
* [`order.review_opened`](x.md#order.review\\_opened)

### `order.paid`

{% code title=\"order.paiddd\" %}
```json
{
    \"id\": \"1\",
    \"type\": \"order.paid\",
    \"data\": {\"object\": {\"id\": \"7\", \"mail\": \"a@b.example\", \"capturedAmount\": 21.60}}
}
```
{% endcode %}

### `refund.failed`

```json
{
    \"id\": \"2\",
    \"type\": \"refund.failed\",
    \"data\": {\"object\": {\"id\": \"re_1\"}}
}Js
```
";

const PAGE_TEXT: &str = "\
order.paid
{
\"id\": \"1\",
\"type\": \"order.paid\",
\"data\": {\"object\": {\"id\": \"7\", \"mail\": \"[email protected]\", \"capturedAmount\": 21.60}}
}
refund.failed
{
\"id\": \"2\",
\"type\": \"refund.failed\",
";

const REPAIRS: &str = "\
[[repair]]
event = 'refund.failed'
what = 'Letters follow the last brace.'
find = '}Js'
replace = '}'
";

const RECIPES: &str = "\
[[recipe]]
event = '*'
base = 'order.paid'
assumed = ['made up']
set = [{ pointer = '/data/object/capturedAmount', value = '0.0' }]

[[extra]]
event = 'order.dispute'
assumed = 'made up'
";

/// A folder that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("refundproof-extract-{}-{number}", process::id()));
        fs::create_dir_all(path.join("sources")).unwrap();
        fs::create_dir_all(path.join("corpus").join(PROVIDER.name)).unwrap();
        let folder = Self(path);
        folder.source("digital-river-key-event-types.md", PAGE);
        folder.source("digital-river-key-event-types-page-text.txt", PAGE_TEXT);
        folder.source("digital-river-event-types.txt", "order.returned\n\norder.paid Defines a paid order\n");
        folder.source("digital-river-order-refund-synchronization.md", "Use `order.paid`.\n");
        folder.corpus("repairs.toml", REPAIRS);
        folder.corpus("recipes.toml", RECIPES);
        fs::create_dir_all(folder.provider().join("pages")).unwrap();
        folder.corpus("pages/order.cancelled.json", "{\"type\": \"order.cancelled\", \"data\": {\"object\": {}}}\n");
        folder.corpus("pages/refund.failed.items.json", "{\"type\": \"refund.failed\", \"data\": {\"object\": {\"items\": []}}}\n");
        folder
    }

    fn source(&self, name: &str, text: &str) {
        fs::write(self.0.join("sources").join(name), text).unwrap();
    }

    fn corpus(&self, name: &str, text: &str) {
        fs::write(self.provider().join(name), text).unwrap();
    }

    fn provider(&self) -> PathBuf {
        self.0.join("corpus").join(PROVIDER.name)
    }

    fn run(&self) -> Result<Summary> {
        extract(PROVIDER, &self.0.join("sources"), &self.0.join("corpus"))
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.provider(), &mut found);
        found.sort();
        found
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.provider().join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
}

#[test]
fn same_documents_give_the_same_files() {
    let folder = Folder::new();
    let first = folder.run().unwrap();
    let files = folder.files();
    fs::write(folder.provider().join("examples").join("old.json"), "{}").unwrap();
    assert_eq!(folder.run().unwrap(), first);
    assert_eq!(folder.files(), files);
}

#[test]
fn writes_what_the_documents_say() {
    let folder = Folder::new();
    let summary = folder.run().unwrap();
    assert_eq!((summary.examples, summary.defects, summary.synthesized, summary.types), (4, 1, 3, 6));
    assert!(folder.read("defects/refund.failed.txt").ends_with("}Js\n"));
    assert!(folder.read("examples/refund.failed.json").ends_with("}\n"));
    assert!(PAGE.contains(&folder.read("examples/order.paid.json")));
    assert!(folder.read("synthesized/order.dispute.json").contains("\"capturedAmount\": 0.0"));
}

#[test]
fn catalogue_and_sources_are_readable_toml() {
    let folder = Folder::new();
    folder.run().unwrap();
    let catalogue: toml::Table = toml::from_str(&folder.read("catalogue.toml")).unwrap();
    let types: Vec<_> = catalogue["event"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["order.cancelled", "order.dispute", "order.paid", "order.returned", "order.review_opened", "refund.failed"]);
    assert_eq!(catalogue["event"][1]["named_by"].as_array().unwrap().len(), 0);
    assert_eq!(catalogue["event"][2]["named_by"].as_array().unwrap().len(), 4);
    assert!(catalogue["event"][2]["note"].as_str().unwrap().contains("`order.paiddd`"));
    let sources: toml::Table = toml::from_str(&folder.read("sources.toml")).unwrap();
    assert_eq!(sources["example"][0]["also_in"][0]["note"].as_str(), Some("agrees token by token; mail addresses masked: 1"));
    assert!(sources["example"][1]["also_in"][0]["note"].as_str().unwrap().starts_with("breaks off"));
}

#[test]
fn what_a_page_shows_is_an_example_where_it_is_kept() {
    let folder = Folder::new();
    folder.run().unwrap();
    let catalogue: toml::Table = toml::from_str(&folder.read("catalogue.toml")).unwrap();
    assert_eq!(catalogue["event"][0]["example"].as_str(), Some("pages/order.cancelled.json"));
    assert_eq!(catalogue["event"][0]["named_by"][0].as_str(), Some("refunds.md"));
    // The first example of a type stays the document's.
    assert_eq!(catalogue["event"][5]["example"].as_str(), Some("examples/refund.failed.json"));
    assert!(catalogue["event"][5]["note"].as_str().unwrap().contains("pages/refund.failed.items.json"));
    let sources: toml::Table = toml::from_str(&folder.read("sources.toml")).unwrap();
    assert_eq!(sources["page"][0]["url"].as_str(), Some("https://example.org/refunds.md"));
    assert_eq!(sources["example"][3]["heading"].as_str(), Some("Items"));
    assert!(sources["example"][3].get("line").is_none());
}

#[test]
fn a_page_that_shows_something_else_is_named() {
    let folder = Folder::new();
    folder.corpus("pages/order.cancelled.json", "{\"type\": \"order.paid\"}\n");
    assert!(format!("{:#}", folder.run().unwrap_err()).contains("pages/order.cancelled.json"));
    fs::remove_file(folder.provider().join("pages/order.cancelled.json")).unwrap();
    assert!(format!("{:#}", folder.run().unwrap_err()).contains("order.cancelled.json"));
}

#[test]
fn an_error_leaves_the_corpus_as_it_was() {
    let folder = Folder::new();
    folder.run().unwrap();
    folder.corpus("repairs.toml", "");
    let files = folder.files();
    let error = folder.run().unwrap_err();
    assert!(format!("{error}").contains("refund.failed"), "{error}");
    assert_eq!(folder.files(), files);
}

#[test]
fn missing_hand_written_file_is_named() {
    let folder = Folder::new();
    fs::remove_file(folder.provider().join("recipes.toml")).unwrap();
    assert!(format!("{}", folder.run().unwrap_err()).contains("recipes.toml"));
}

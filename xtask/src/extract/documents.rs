//! The source documents: which each provider has, how each is read, and its digest.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// How a document is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Markdown with headings, inline code and fenced examples.
    Markdown,
    /// The text of a rendered page: no fences, no indentation, mail addresses masked.
    PageText,
    /// A plain list: a type at the start of a line, alone or followed by `Defines …`.
    List,
}

/// A provider that the documents tell of, by the name of its corpus folder.
#[derive(Debug)]
pub(crate) struct Provider {
    /// The folder below the corpus.
    pub(crate) name: &'static str,
    /// Its documents in the order in which the catalogue lists them: name, kind, and where it was published.
    pub(crate) documents: &'static [(&'static str, Kind, &'static str)],
    /// Further public pages, of which only the events that they show are kept.
    pub(crate) pages: &'static [Page],
}

/// A public page that is not among the documents. The events that it shows are kept by hand in `pages/`, as it shows them.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it was published.
    pub(crate) url: &'static str,
    /// What it shows.
    pub(crate) shows: &'static [Shown],
}

impl Page {
    /// Its file name, which is also how the corpus cites it.
    pub(crate) fn name(&self) -> &'static str {
        self.url.rsplit('/').next().unwrap_or(self.url)
    }
}

/// An event that a page shows.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Its type.
    pub(crate) event: &'static str,
    /// What its file in `pages/` is called after the type; nothing for the type's own example, which stands beside no other.
    pub(crate) beside: &'static str,
    /// The title of the tab or block that shows it, or the heading above where it has none.
    pub(crate) heading: &'static str,
}

/// Every provider that there are documents of. A provider is added here and nowhere else in these commands.
pub(crate) const PROVIDERS: [Provider; 2] = [
    Provider {
        name: "digital-river",
        documents: &[
            (
                "digital-river-key-event-types.md",
                Kind::Markdown,
                "https://github.com/DigitalRiver/GitBook/blob/8f2dee13ba3d5fc9b5279b89e6e7f07afbf5b53b/order-management/events-and-webhooks-1/events-1/event-types.md",
            ),
            (
                "digital-river-key-event-types-page-text.txt",
                Kind::PageText,
                "https://docs.digitalriver.com/digital-river-api/order-management/events-and-webhooks-1/events-1/event-types",
            ),
            (
                "digital-river-event-types.txt",
                Kind::List,
                "https://docs.digitalriver.com/digital-river-api/events-and-webhooks-1/webhooks/event-types",
            ),
            (
                "digital-river-order-refund-synchronization.md",
                Kind::Markdown,
                "https://github.com/DigitalRiver/GitBook/blob/8f2dee13ba3d5fc9b5279b89e6e7f07afbf5b53b/general-resources/standards-and-certifications/integration-checklists/order-refund-synchronization.md",
            ),
        ],
        pages: &[
            Page {
                url: "https://github.com/DigitalRiver/GitBook/blob/8f2dee13ba3d5fc9b5279b89e6e7f07afbf5b53b/order-management/returns-and-refunds-1/disputes-and-chargebacks.md",
                shows: &[
                    Shown { event: "order.dispute", beside: "", heading: "order.dispute" },
                    Shown { event: "order.dispute.resolved", beside: "", heading: "Disputes and chargebacks" },
                ],
            },
            Page {
                url: "https://github.com/DigitalRiver/GitBook/blob/8f2dee13ba3d5fc9b5279b89e6e7f07afbf5b53b/order-management/payment-reauthorizations.md",
                shows: &[
                    Shown { event: "order.charge.capture.pending", beside: "", heading: "Risk tolerant fulfillments" },
                    Shown { event: "order.charge.reauth.failed", beside: "", heading: "Failure response" },
                ],
            },
            Page {
                url: "https://github.com/DigitalRiver/GitBook/blob/dd2508558faa819cf4752bb1e7106d0ea89a2bfa/order-management/returns-and-refunds-1/refunds/issuing-refunds.md",
                shows: &[
                    Shown { event: "refund.pending", beside: "items", heading: "refund.pending (item-level)" },
                    Shown { event: "refund.complete", beside: "items", heading: "refund.complete (item-level)" },
                ],
            },
            Page {
                url: "https://github.com/DigitalRiver/GitBook/blob/8f2dee13ba3d5fc9b5279b89e6e7f07afbf5b53b/order-management/returns-and-refunds-1/returns/creating-a-return.md",
                shows: &[
                    Shown { event: "return.accepted", beside: "", heading: "return.accepted" },
                    Shown { event: "refund.pending", beside: "return", heading: "refund.pending" },
                ],
            },
        ],
    },
    Provider {
        name: "tazapay",
        documents: &[(
            "tazapay-refund-webhooks.md",
            Kind::Markdown,
            "https://developer.tazapay.com/API-Reference/tazapay-api/refund/refund-webhooks",
        )],
        pages: &[],
    },
];

/// One source document.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// File name, which is also how the corpus cites it.
    pub(crate) name: &'static str,
    /// How it is read.
    pub(crate) kind: Kind,
    /// Where it was published.
    pub(crate) url: &'static str,
    /// The whole text.
    pub(crate) text: String,
}

/// Reads all documents of a provider from the folder `sources`.
pub(crate) fn read_all(provider: &Provider, sources: &Path) -> Result<Vec<Document>> {
    provider
        .documents
        .iter()
        .map(|&(name, kind, url)| {
            let path = sources.join(name);
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("{}: cannot be read; give the folder that holds the source documents", path.display()))?;
            Ok(Document { name, kind, url, text })
        })
        .collect()
}

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_nothing() {
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn missing_document_is_named() {
        for provider in &PROVIDERS {
            let error = read_all(provider, Path::new("no-such-folder")).unwrap_err();
            assert!(format!("{error}").contains(provider.documents[0].0));
        }
    }
}

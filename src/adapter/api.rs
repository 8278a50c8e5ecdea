//! A call of the provider's API, as a target makes it, and what is answered.
//!
//! Over HTTP the harness serves the API on loopback; what stands here is the same without a network, so that a consumer in
//! this process can call it as well. Source: `docs/adapter-protocol.md`, "Targets that call back".

/// Calls the provider's API.
pub trait Api: Send + Sync {
    /// Makes a call; `None` where the connection is lost before there is an answer.
    fn call(&self, call: &ApiCall) -> Option<ApiReply>;
}

/// The methods that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiMethod {
    /// Something is looked at.
    Get,
    /// Something is made or changed.
    Post,
}

impl ApiMethod {
    /// The word in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            ApiMethod::Get => "GET",
            ApiMethod::Post => "POST",
        }
    }
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiCall {
    /// Its method.
    pub method: ApiMethod,
    /// The path without the query.
    pub path: String,
    /// What the query and a form say, in order.
    pub parameters: Vec<(String, String)>,
    /// The key with which it is authorised, without the scheme.
    pub key: Option<String>,
    /// By which a call that is made again is known.
    pub idempotency_key: Option<String>,
    /// The API version that is asked for, where the call says one.
    pub version: Option<String>,
}

impl ApiCall {
    /// An authorised look at what is at a path.
    pub fn get(path: impl Into<String>) -> ApiCall {
        ApiCall {
            method: ApiMethod::Get,
            path: path.into(),
            parameters: Vec::new(),
            key: Some(TEST_KEY.to_owned()),
            idempotency_key: None,
            version: None,
        }
    }

    /// An authorised call that makes something of these parameters.
    pub fn post(path: impl Into<String>, parameters: &[(&str, &str)], idempotency_key: &str) -> ApiCall {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ApiCall { method: ApiMethod::Post, parameters, idempotency_key: Some(idempotency_key.to_owned()), ..ApiCall::get(path) }
    }

    /// The first parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every parameter of this name, also where it is written as a list.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_it = move |known: &str| known == name || known.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
        self.parameters.iter().filter(move |(known, _)| is_it(known)).map(|(_, value)| value.as_str())
    }

    /// Method and path, for people.
    pub fn line(&self) -> String {
        format!("{} {}", self.method.as_str(), self.path)
    }
}

/// What the harness's own consumers are authorised with.
const TEST_KEY: &str = "sk_test_refundproof";

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiReply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON.
    pub body: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_in_three_ways() {
        let parameters = [("expand[]", "a"), ("expand[0]", "b"), ("expand", "c"), ("expanded", "d")];
        assert_eq!(ApiCall::post("/", &parameters, "k").list("expand").collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}

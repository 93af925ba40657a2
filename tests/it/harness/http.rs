//! One request, one answer: the wire between the tests and the server, with nothing hidden or followed.
use std::{
    net::{IpAddr, SocketAddr},
    sync::LazyLock,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::{
    Certificate, Client, Method, Request,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::authority::AUTHORITY;

/// Where the server says that it lives, and where it really listens: as behind a proxy, the two may differ.
#[derive(Clone, Debug)]
pub struct Site {
    pub issuer: String,
    pub address: SocketAddr,
    /// The server itself speaks TLS, with a certificate of the tests' authority; then it lives where it says.
    pub over_tls: bool,
}

impl Site {
    /// The absolute URL of a path or of a reference that the server gave.
    pub fn url(&self, reference: &str) -> Url {
        let base = Url::parse(&self.issuer).expect("the issuer is a URL");
        base.join(reference).unwrap_or_else(|error| panic!("{reference:?} is no URL: {error}"))
    }

    pub fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.url("/").origin()
    }

    pub async fn send(&self, call: Call) -> Answer {
        let url = call.url.clone();
        self.try_send(call).await.unwrap_or_else(|error| panic!("no whole answer from {url}: {error:?}"))
    }

    /// For a server that may die meanwhile.
    pub async fn try_send(&self, call: Call) -> reqwest::Result<Answer> {
        let url = self.url(&call.url);
        assert!(self.is_ours(&url), "the tests never leave the server: {url}");
        let mut request = Request::new(call.method, self.wire(&url));
        if !self.over_tls {
            let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
            request.headers_mut().insert("host", HeaderValue::from_str(authority).unwrap());
        }
        for (name, value) in call.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            if name == "host" {
                request.headers_mut().insert(name, value);
            } else {
                request.headers_mut().append(name, value);
            }
        }
        *request.body_mut() = call.body.map(Into::into);
        let client = match call.from {
            _ if self.over_tls => TLS_CLIENT.clone(),
            Some(from) => client(Some(from)),
            None => CLIENT.clone(),
        };
        let reply = client.execute(request).await?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let answer = Answer { url, status, headers, body: reply.bytes().await?.to_vec() };
        answer.keeps_general_rule_1();
        Ok(answer)
    }

    /// Where a request for this URL really goes.
    fn wire(&self, url: &Url) -> Url {
        let mut wire = url.clone();
        if !self.over_tls {
            wire.set_scheme("http").expect("http is special too");
            wire.set_host(Some(&self.address.ip().to_string())).expect("an address is a host");
            wire.set_port(Some(self.address.port())).expect("http has ports");
        }
        wire
    }

    pub async fn get(&self, url: &str) -> Answer {
        self.send(Call::get(url)).await
    }
}

/// Each test has its own runtime, so connections are not kept: one of another runtime would be dead.
static CLIENT: LazyLock<Client> = LazyLock::new(|| client(None));

/// Believes the tests' authority and nobody else.
static TLS_CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let authority = Certificate::from_pem(&AUTHORITY.certificate).unwrap();
    let builder = Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).no_proxy();
    let here = SocketAddr::from(([127, 0, 0, 1], 0));
    builder.tls_certs_only([authority]).resolve("localhost", here).build().unwrap()
});

fn client(from: Option<IpAddr>) -> Client {
    let builder = Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).no_proxy();
    builder.tls_certs_only([]).local_address(from).build().unwrap()
}

#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    pub from: Option<IpAddr>,
}

impl Call {
    pub fn new(method: Method, url: &str) -> Self {
        Call { method, url: url.into(), headers: Vec::new(), body: None, from: None }
    }

    pub fn get(url: &str) -> Self {
        Call::new(Method::GET, url)
    }

    pub fn post(url: &str) -> Self {
        Call::new(Method::POST, url)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn basic(self, id: &str, secret: &str) -> Self {
        self.header("authorization", &format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}"))))
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn form(self, form: &Parameters) -> Self {
        self.body("application/x-www-form-urlencoded", form.encoded())
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", content_type)
    }

    /// Comes from another address of this machine (any of 127/8 will do).
    pub fn from(mut self, address: [u8; 4]) -> Self {
        self.from = Some(address.into());
        self
    }
}

/// Parameters of a request in their order, repeats included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    pub fn new(pairs: &[(&str, &str)]) -> Self {
        Parameters(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    pub fn parse(encoded: &str) -> Self {
        Parameters(form_urlencoded::parse(encoded.as_bytes()).into_owned().collect())
    }

    /// Sets a parameter: a repeat of it is replaced.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).also(name, value)
    }

    /// Adds a parameter, even if it is there already.
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap_or_else(|_| panic!("{name} is not ASCII: {value:?}")))
    }

    /// Every value of a header that may be repeated or be a list.
    pub fn tokens_of(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|token| token.trim().to_ascii_lowercase()).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("an answer is UTF-8")
    }

    pub fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{} {} is not JSON: {text}", self.status, self.url))
    }

    pub fn media_type(&self) -> &str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim()
    }

    /// What the answer asks the browser to do next.
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    pub fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status)
    }

    /// G1 of the security cases, in every exchange of every test: 503 is the only failure that may be the server's.
    fn keeps_general_rule_1(&self) {
        let Answer { status, url, .. } = self;
        assert!(*status < 500 || *status == 503, "G1: {status} from {url}: {}", String::from_utf8_lossy(&self.body));
    }
}

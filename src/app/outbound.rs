//! Requests to addresses that a stranger chose (a client's `jwks_uri`, its logo, where it wants to be told of logouts):
//! the only user of reqwest.
//!
//! Such an address is a way to make the server knock on doors inside its own network (SSRF). So: https, no redirects,
//! no cookies, no proxy from the environment, and only public addresses, decided where the connection is made and
//! not where the name is read. Time, size and concurrency are bounded and failures are remembered for a while.
//! The operator may name hosts that are exempt: those may use http and private addresses.

use std::{
    collections::HashMap,
    error::Error,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Certificate, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    redirect,
};
use serde_json::Value;
use tokio::{
    sync::{OnceCell, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use url::Url;
use zeroize::Zeroizing;

use super::public_address::Allowed;
pub use super::public_address::is_public;

const CONNECT: Duration = Duration::from_secs(2);
const TOTAL: Duration = Duration::from_secs(5);
/// Of a document; a logo may be twice as large (decision D12).
const MOST_BYTES: usize = 256 * 1024;
const MOST_LOGO_BYTES: usize = 512 * 1024;
/// Of an answer to what we send: only its status and its first words are of interest.
const MOST_ANSWER_BYTES: usize = 4 * 1024;
const AT_ONCE_PER_HOST: usize = 4;
const AT_ONCE: usize = 64;
const REMEMBER_FAILURE: Duration = Duration::from_secs(30);
/// Hosts and failures kept in memory; addresses come from strangers, so there must be an end.
const MOST_REMEMBERED: usize = 1000;

/// Fetches documents from elsewhere within strict limits.
pub struct Outbound {
    /// Made at the first fetch: reading the system's certificates takes a third of the time that a start may take.
    client: OnceCell<reqwest::Client>,
    allowed: Arc<Allowed>,
    roots: Vec<Certificate>,
    /// For all hosts together: names are cheap, and a stranger can make up many.
    everywhere: Semaphore,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    failures: Mutex<HashMap<Url, (Instant, OutboundError)>>,
}

/// What is fetched: which content types are taken, and how many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Json,
    /// A request object (RFC 9101 §5.2): a token, whatever its server calls it, but no page.
    RequestObject,
    /// An image that browsers show without running anything in it.
    Logo,
}

/// Image types that carry no script.
pub const LOGO_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

impl Kind {
    const fn accept(self) -> &'static str {
        match self {
            Kind::Json => "application/json, application/jwk-set+json",
            Kind::RequestObject => "application/oauth-authz-req+jwt, application/jwt",
            Kind::Logo => "image/png, image/jpeg, image/gif, image/webp",
        }
    }

    const fn most_bytes(self) -> usize {
        match self {
            Kind::Json => MOST_BYTES,
            Kind::RequestObject => 64 * 1024,
            Kind::Logo => MOST_LOGO_BYTES,
        }
    }

    fn takes(self, content_type: &str) -> bool {
        match self {
            Kind::Json => {
                content_type == "application/json"
                    || content_type.starts_with("application/") && content_type.ends_with("+json")
            }
            Kind::RequestObject => content_type != "text/html",
            Kind::Logo => LOGO_TYPES.contains(&content_type),
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Kind::Json => "the answer is not of a JSON content type",
            Kind::RequestObject => "the answer is a page and not a request object",
            Kind::Logo => "the answer is not a PNG, JPEG, GIF or WebP image",
        }
    }
}

/// A document as it came.
#[derive(Debug, Clone)]
pub struct Raw {
    pub bytes: Vec<u8>,
    /// In lower case, without parameters.
    pub content_type: String,
    pub max_age: Option<Duration>,
}

/// What a server answered to what we sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
}

/// What somebody answered in JSON, whether well or not.
#[derive(Debug, Clone)]
pub struct Replied {
    pub status: u16,
    pub json: Value,
    /// Seconds after which it wants to be asked again (RFC 9110 §10.2.3), or its limit is there again.
    pub retry_after: Option<i64>,
}

/// How we prove who we are. Prints nothing of itself.
pub enum Proof<'a> {
    None,
    /// RFC 6749 §2.3.1.
    Basic(&'a str, &'a str),
    /// RFC 6750 §2.1.
    Bearer(&'a str),
}

impl Proof<'_> {
    fn header(&self) -> Result<Option<HeaderValue>, OutboundError> {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let value = match self {
            Proof::None => return Ok(None),
            Proof::Basic(id, secret) => {
                let pair = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret)));
                Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
            }
            Proof::Bearer(token) => Zeroizing::new(format!("Bearer {token}")),
        };
        let mut value = HeaderValue::from_str(&value).map_err(|_| failed("the credential fits in no header"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// A JSON document, and how long its server lets it be kept.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub json: Value,
    /// From `Cache-Control`; zero if it forbids keeping. The keeper sets its own bounds.
    pub max_age: Option<Duration>,
}

/// A document that could not be had. Shown, it says no more than that: a stranger must not learn from our errors what
/// answers at an address. [`cause`](OutboundError::cause) is for the operator.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the document could not be fetched")]
pub struct OutboundError {
    cause: String,
}

impl OutboundError {
    /// What went wrong, for the log only.
    pub fn cause(&self) -> &str {
        &self.cause
    }
}

pub(super) fn failed(cause: impl Into<String>) -> OutboundError {
    OutboundError { cause: cause.into() }
}

const CROWDED: &str = "too many requests are under way, to this host or to all";

fn late() -> OutboundError {
    failed("there was no whole answer within 5 seconds")
}

impl Outbound {
    /// `allowed_hosts` are names or addresses without port. `extra_root_certificates` are PEM texts that are trusted
    /// beside the system's certificates.
    pub fn new(allowed_hosts: Vec<String>, extra_root_certificates: &[Arc<[u8]>]) -> anyhow::Result<Self> {
        let allowed = Arc::new(Allowed::new(&allowed_hosts));
        let roots = extra_root_certificates.iter().map(root).collect::<Result<Vec<_>, _>>()?.concat();
        let (client, hosts, failures) = Default::default();
        let everywhere = Semaphore::new(AT_ONCE);
        Ok(Outbound { client, allowed, roots, everywhere, hosts, failures })
    }

    /// The JSON document at `url`. A failure is logged here, once, and answered again from memory for a while.
    pub async fn get_json(&self, url: &Url) -> Result<Fetched, OutboundError> {
        let raw = self.get(url, Kind::Json).await?;
        let json = serde_json::from_slice(&raw.bytes).map_err(|error| {
            let error = failed(format!("the answer is not JSON: {error}"));
            report(url, &error);
            self.remember(url, &error);
            error
        })?;
        Ok(Fetched { json, max_age: raw.max_age })
    }

    /// The document at `url`. A failure is logged here, once, and answered again from memory for a while.
    pub async fn get(&self, url: &Url, kind: Kind) -> Result<Raw, OutboundError> {
        if let Some(error) = self.remembered(url) {
            return Err(error);
        }
        let answer = self.within_limits(url, self.fetch(url, kind)).await;
        if let Err(error) = &answer {
            report(url, error);
            // That we have enough to do says nothing of the document.
            if error.cause != CROWDED {
                self.remember(url, error);
            }
        }
        answer
    }

    /// Sends a form, once: who wants to try again decides when. No redirect is followed. A failure is for the caller to
    /// report.
    pub async fn post_form(&self, url: &Url, form: &[(&str, &str)]) -> Result<Answer, OutboundError> {
        self.within_limits(url, self.send(url, form)).await
    }

    /// Sends a form, once, and reads the JSON that comes back, whatever its status: an error of OAuth is JSON too. Nothing
    /// is remembered, and a failure is logged here.
    pub async fn post_for_json(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        proof: Proof<'_>,
    ) -> Result<Replied, OutboundError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.replied(url, Some(body), proof).await
    }

    /// Asks for JSON in somebody's name. As [`post_for_json`](Self::post_for_json) otherwise.
    pub async fn get_json_as(&self, url: &Url, proof: Proof<'_>) -> Result<Replied, OutboundError> {
        self.replied(url, None, proof).await
    }

    /// Whether it may be gone to, as far as the address itself says.
    pub fn may_reach(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| self.allowed.check(&url).is_ok())
    }

    /// Asks there again, however it failed a moment ago: for whoever has mended it.
    pub fn forget_failure(&self, url: &Url) {
        lock(&self.failures).remove(url);
    }

    async fn replied(&self, url: &Url, form: Option<String>, proof: Proof<'_>) -> Result<Replied, OutboundError> {
        let answer = self.within_limits(url, self.talk(url, form, proof)).await;
        answer.inspect_err(|error| report(url, error))
    }

    async fn talk(&self, url: &Url, form: Option<String>, proof: Proof<'_>) -> Result<Replied, OutboundError> {
        let client = self.client.get_or_try_init(|| self.make_client()).await?;
        let request = match form {
            Some(form) => client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form),
            None => client.get(url.clone()),
        };
        let request = match proof.header()? {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        };
        let response = request.header(ACCEPT, "application/json").send().await.map_err(explain)?;
        let (status, retry_after) = (response.status().as_u16(), retry_after(&response));
        let is_json = Kind::Json.takes(&content_type(&response));
        let bytes = read(response, MOST_BYTES).await?;
        let json = match serde_json::from_slice(&bytes) {
            Ok(json) if is_json => json,
            // A page that says that the service is away is an answer too.
            _ if status >= 400 => Value::Null,
            _ if status >= 300 => return Err(failed(format!("the answer has status {status}"))),
            Ok(_) => return Err(failed(Kind::Json.expected())),
            Err(error) => return Err(failed(format!("the answer is not JSON: {error}"))),
        };
        Ok(Replied { status, json, retry_after })
    }

    async fn within_limits<T>(
        &self,
        url: &Url,
        work: impl Future<Output = Result<T, OutboundError>>,
    ) -> Result<T, OutboundError> {
        let deadline = Instant::now() + TOTAL;
        let host = self.allowed.check(url)?;
        let permit = timeout_at(deadline, self.permit(&host)).await;
        let _permit = permit.map_err(|_| failed(CROWDED))?;
        // Whoever waits for a slow host must not take the places of the others.
        let _place = self.everywhere.try_acquire().map_err(|_| failed(CROWDED))?;
        let answer = timeout_at(deadline, work).await;
        answer.unwrap_or_else(|_| Err(late()))
    }

    async fn fetch(&self, url: &Url, kind: Kind) -> Result<Raw, OutboundError> {
        let client = self.client.get_or_try_init(|| self.make_client()).await?;
        let response = client.get(url.clone()).header(ACCEPT, kind.accept()).send().await.map_err(explain)?;
        if response.status() != StatusCode::OK {
            return Err(failed(format!("the answer has status {}", response.status())));
        }
        let content_type = content_type(&response);
        if !kind.takes(&content_type) {
            return Err(failed(kind.expected()));
        }
        let max_age = max_age(&response);
        let bytes = read(response, kind.most_bytes()).await?;
        Ok(Raw { bytes, content_type, max_age })
    }

    async fn send(&self, url: &Url, form: &[(&str, &str)]) -> Result<Answer, OutboundError> {
        let client = self.client.get_or_try_init(|| self.make_client()).await?;
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        let response = request.send().await.map_err(explain)?;
        let status = response.status().as_u16();
        // Read to its end, so that the connection can serve again; what is longer is cut with the connection.
        let _ = read(response, MOST_ANSWER_BYTES).await;
        Ok(Answer { status })
    }

    async fn make_client(&self) -> Result<reqwest::Client, OutboundError> {
        let (allowed, roots) = (self.allowed.clone(), self.roots.clone());
        let made = tokio::task::spawn_blocking(|| client(allowed, roots)).await;
        made.map_err(|error| failed(error.to_string()))?.map_err(explain)
    }

    async fn permit(&self, host: &str) -> Option<OwnedSemaphorePermit> {
        let semaphore = {
            let mut hosts = lock(&self.hosts);
            if hosts.len() >= MOST_REMEMBERED {
                hosts.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
            }
            hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_PER_HOST))).clone()
        };
        semaphore.acquire_owned().await.ok()
    }

    fn remembered(&self, url: &Url) -> Option<OutboundError> {
        let failures = lock(&self.failures);
        let (since, error) = failures.get(url)?;
        (since.elapsed() < REMEMBER_FAILURE).then(|| error.clone())
    }

    fn remember(&self, url: &Url, error: &OutboundError) {
        let mut failures = lock(&self.failures);
        if failures.len() >= MOST_REMEMBERED {
            failures.retain(|_, (since, _)| since.elapsed() < REMEMBER_FAILURE);
        }
        if failures.len() < MOST_REMEMBERED {
            failures.insert(url.clone(), (Instant::now(), error.clone()));
        }
    }
}

fn client(allowed: Arc<Allowed>, roots: Vec<Certificate>) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(concat!("Signet/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(TOTAL)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .tls_certs_merge(roots)
        .dns_resolver(Resolver(allowed))
        .build()
}

fn root(pem: &Arc<[u8]>) -> anyhow::Result<Vec<Certificate>> {
    let bundle = Certificate::from_pem_bundle(pem).context("a root certificate is no PEM")?;
    anyhow::ensure!(!bundle.is_empty(), "a file of root certificates holds none");
    Ok(bundle)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without the query, which may hold what is nobody's business.
fn report(url: &Url, error: &OutboundError) {
    let host = url.host_str().unwrap_or_default();
    tracing::warn!(host, path = url.path(), cause = error.cause(), "a document could not be fetched");
}

/// The whole chain of causes: reqwest itself only says that sending failed. The address is in the log already.
fn explain(error: reqwest::Error) -> OutboundError {
    // Its clock and ours run out together; whichever is first, the operator reads the same.
    if error.is_timeout() && !error.is_connect() {
        return late();
    }
    let error = error.without_url();
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        cause = format!("{cause}: {inner}");
        source = inner.source();
    }
    failed(cause)
}

async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, OutboundError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(explain)? {
        if body.len() + chunk.len() > most {
            return Err(failed(format!("the answer is longer than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn content_type(response: &Response) -> String {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn retry_after(response: &Response) -> Option<i64> {
    let seconds: i64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    (0..=86_400).contains(&seconds).then_some(seconds)
}

fn max_age(response: &Response) -> Option<Duration> {
    let values = response.headers().get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<String> =
        values.flat_map(|value| value.split(',')).map(|directive| directive.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|directive| directive == "no-store" || directive == "no-cache") {
        return Some(Duration::ZERO);
    }
    let seconds = directives.iter().find_map(|directive| directive.strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// Looks names up and hands out public addresses only, so that what was checked is what is connected to.
struct Resolver(Arc<Allowed>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let exempt = self.0.has(&name);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|found| exempt || is_public(found.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::other("the host has no public address").into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

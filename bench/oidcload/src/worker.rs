//! One simulated browser or app: a connection, a cookie jar, variables.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    cookies::Jar,
    http::{Connection, Response},
    scenario::{Extract, Follow, Make, Scenario, Step},
    template::{html_unescape, url_decode},
};

const MOST_REDIRECTS: usize = 12;

pub struct Worker {
    pub connection: Connection,
    pub jar: Jar,
    values: Vec<String>,
    chance: fastrand::Rng,
    request: String,
    /// HTTP exchanges so far: a step with redirects has several.
    pub exchanges: u64,
}

impl Worker {
    pub fn new(scenario: &Scenario, address: String, number: usize) -> Self {
        let mut values = scenario.values.clone();
        values[scenario.worker] = number.to_string();
        Self {
            connection: Connection::new(address),
            jar: Jar::default(),
            values,
            chance: fastrand::Rng::new(),
            request: String::with_capacity(4096),
            exchanges: 0,
        }
    }

    pub async fn run(&mut self, scenario: &Scenario, step: &Step) -> Result<(), String> {
        match &step.fixed {
            Some(request) => self.send(request, step).await?,
            None => self.follow(scenario, step).await?,
        }
        self.check(step)?;
        self.extract(step)
    }

    async fn send(&mut self, request: &[u8], step: &Step) -> Result<(), String> {
        let outcome = self.connection.exchange(request, step.method == "HEAD").await;
        self.exchanges += 1;
        outcome.map_err(|error| format!("{}: {error}", step.label))
    }

    /// The step's request, and the redirects that it wants followed.
    async fn follow(&mut self, scenario: &Scenario, step: &Step) -> Result<(), String> {
        self.make(step);
        let url = step.url.render(&self.values);
        let mut path = scenario.local_path(&url)?.to_owned();
        for hop in 0..MOST_REDIRECTS {
            let mut request = std::mem::take(&mut self.request);
            scenario.write_request(step, &path, hop == 0, &self.values, &self.jar, &mut request);
            let outcome = self.send(request.as_bytes(), step).await;
            self.request = request;
            outcome?;
            self.keep_cookies(&path);
            match self.next(step)? {
                Some(location) => path = scenario.local_path(&location)?.to_owned(),
                None => return Ok(()),
            }
        }
        Err(format!("{}: more than {MOST_REDIRECTS} redirects", step.label))
    }

    fn keep_cookies(&mut self, path: &str) {
        let path = path.split('?').next().unwrap_or("/");
        for (name, value) in &self.connection.response.headers {
            if name == "set-cookie" {
                self.jar.set(value, path);
            }
        }
    }

    /// Where the answer leads, when that is to be followed.
    fn next(&self, step: &Step) -> Result<Option<String>, String> {
        let response = &self.connection.response;
        let location = response.header("location").filter(|_| response.status / 100 == 3);
        match (&step.follow, location) {
            (Follow::None, _) | (Follow::All, None) => Ok(None),
            (Follow::All, Some(location)) => Ok(Some(location.to_owned())),
            (Follow::Until(end), Some(location)) => {
                let arrived = location.starts_with(&end.render(&self.values));
                Ok((!arrived).then(|| location.to_owned()))
            }
            (Follow::Until(end), None) => Err(format!(
                "{}: status {}, wanted a redirect to {}: {}",
                step.label,
                response.status,
                end.render(&self.values),
                response.snippet()
            )),
        }
    }

    fn make(&mut self, step: &Step) {
        for (slot, how) in &step.make {
            self.values[*slot] = match how {
                Make::Pkce { challenge } => {
                    let verifier = self.random(43);
                    self.values[*challenge] = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
                    verifier
                }
                Make::Random(length) => self.random(*length),
                Make::Html(template) => html_unescape(&template.render(&self.values)),
            };
        }
    }

    fn random(&mut self, length: usize) -> String {
        let mut raw = vec![0u8; length * 3 / 4 + 1];
        self.chance.fill(&mut raw);
        let mut text = URL_SAFE_NO_PAD.encode(raw);
        text.truncate(length);
        text
    }

    fn check(&self, step: &Step) -> Result<(), String> {
        let response = &self.connection.response;
        if !step.expect.contains(&response.status) {
            let (label, status, snippet) = (&step.label, response.status, response.snippet());
            return Err(format!("{label}: status {status}, not {:?}: {snippet}", step.expect));
        }
        match &step.contains {
            Some(text) if memchr::memmem::find(&response.body, text.as_bytes()).is_none() => {
                Err(format!("{}: the body lacks {text:?}: {}", step.label, response.snippet()))
            }
            _ => Ok(()),
        }
    }

    fn extract(&mut self, step: &Step) -> Result<(), String> {
        for (slot, name, how) in &step.extract {
            let response = &self.connection.response;
            self.values[*slot] = find(how, response).ok_or_else(|| {
                let location = response.header("location");
                format!("{}: no {name} in status {}, {location:?}: {}", step.label, response.status, response.snippet())
            })?;
        }
        Ok(())
    }
}

fn find(how: &Extract, response: &Response) -> Option<String> {
    match how {
        Extract::Json(pointer) => match serde_json::from_slice::<Value>(&response.body).ok()?.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
        Extract::LocationParameter(wanted) => {
            let mut pairs = response.header("location")?.split(['?', '&', '#']).skip(1);
            pairs.find_map(|pair| {
                pair.split_once('=').filter(|(name, _)| name == wanted).map(|(_, value)| url_decode(value))
            })
        }
        Extract::Between(before, after) => {
            let start = memchr::memmem::find(&response.body, before.as_bytes())? + before.len();
            let length = memchr::memmem::find(&response.body[start..], after.as_bytes())?;
            Some(String::from_utf8_lossy(&response.body[start..start + length]).into_owned())
        }
    }
}

//! A scenario, compiled: templates parsed, variables numbered, constant requests written once.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    cookies::Jar,
    target::{ScenarioCfg, StepCfg, Target},
    template::{Names, Template, url_encode},
};

pub struct Scenario {
    pub setup: Vec<Step>,
    pub steps: Vec<Step>,
    pub fresh_cookies: bool,
    /// What a worker waits after an error.
    pub patience: Duration,
    /// The values that a worker starts with.
    pub values: Vec<String>,
    /// The variable `worker`.
    pub worker: usize,
    origin: String,
    host: String,
}

pub struct Step {
    pub label: String,
    pub make: Vec<(usize, Make)>,
    pub method: String,
    pub url: Template,
    headers: Vec<(String, Template)>,
    basic: Option<(Template, Template)>,
    bearer: Option<Template>,
    form: Option<Vec<(String, Template)>>,
    pub expect: Vec<u16>,
    pub follow: Follow,
    pub extract: Vec<(usize, String, Extract)>,
    pub contains: Option<String>,
    /// The whole request, when nothing in it varies.
    pub fixed: Option<Vec<u8>>,
}

/// Which redirects are followed.
pub enum Follow {
    None,
    /// Until there is a page.
    All,
    /// Until one leads here.
    Until(Template),
}

/// How a variable is made.
pub enum Make {
    /// A verifier for this variable, and its challenge for another.
    Pkce {
        challenge: usize,
    },
    Random(usize),
    Html(Template),
}

/// Where a variable is found in an answer.
pub enum Extract {
    Json(String),
    LocationParameter(String),
    Between(String, String),
}

impl Scenario {
    pub fn compile(target: &Target, scenario: &ScenarioCfg) -> Result<Self, String> {
        let mut names = Names::default();
        let worker = names.slot("worker");
        let constants: Vec<_> = target.vars.iter().map(|(name, value)| (names.slot(name), value)).collect();
        let setup = compile_steps(&scenario.setup, target, &mut names)?;
        let steps = compile_steps(&scenario.steps, target, &mut names)?;
        let origin = target.base.trim_end_matches('/').to_owned();
        let host = origin.split("://").nth(1).ok_or("base needs a scheme")?.to_owned();
        let mut values = vec![String::new(); names.len()];
        for (slot, value) in &constants {
            values[*slot].clone_from(value);
        }
        let fresh_cookies = scenario.fresh_cookies;
        let patience = Duration::from_secs(scenario.patience);
        let mut scenario = Self { setup, steps, fresh_cookies, patience, values, worker, origin, host };
        if scenario.setup.is_empty() && scenario.steps.len() == 1 {
            let known: Vec<usize> = constants.iter().map(|(slot, _)| *slot).collect();
            scenario.fix(&known)?;
        }
        Ok(scenario)
    }

    /// Writes the only request once, if it reads nothing but constants.
    fn fix(&mut self, constants: &[usize]) -> Result<(), String> {
        let step = &self.steps[0];
        if step.is_constant(constants) {
            let mut request = String::new();
            let url = step.url.render(&self.values);
            self.write_request(step, self.local_path(&url)?, true, &self.values, &Jar::default(), &mut request);
            self.steps[0].fixed = Some(request.into_bytes());
        }
        Ok(())
    }

    /// Path and query of a URL, which must be on the target's own origin.
    pub fn local_path<'a>(&self, url: &'a str) -> Result<&'a str, String> {
        match url.strip_prefix(&self.origin) {
            Some("") => Ok("/"),
            Some(rest) if rest.starts_with('/') => Ok(rest),
            _ if url.starts_with('/') => Ok(url),
            _ => Err(format!("{url} is not on {}", self.origin)),
        }
    }

    /// The request of a step, or of a redirect that it follows (`first` is false).
    pub fn write_request(&self, step: &Step, path: &str, first: bool, values: &[String], jar: &Jar, out: &mut String) {
        out.clear();
        out.push_str(if first { &step.method } else { "GET" });
        out.push(' ');
        out.push_str(path.split('#').next().unwrap_or(path));
        out.push_str(" HTTP/1.1\r\nhost: ");
        out.push_str(&self.host);
        out.push_str("\r\n");
        for (name, value) in &step.headers {
            header(name, &value.render(values), out);
        }
        jar.write(path, out);
        if first {
            step.write_rest(values, out);
        } else {
            out.push_str("\r\n");
        }
    }
}

fn header(name: &str, value: &str, out: &mut String) {
    for part in [name, ": ", value, "\r\n"] {
        out.push_str(part);
    }
}

fn compile_steps(steps: &[StepCfg], target: &Target, names: &mut Names) -> Result<Vec<Step>, String> {
    let mut flat = Vec::new();
    expand(steps, target, &mut flat, 0)?;
    let compile =
        |step: &StepCfg| Step::compile(step, &target.headers, names).map_err(|error| format!("{}: {error}", step.req));
    flat.iter().map(compile).collect()
}

fn expand(steps: &[StepCfg], target: &Target, out: &mut Vec<StepCfg>, depth: u8) -> Result<(), String> {
    for step in steps {
        match &step.use_block {
            Some(_) if depth > 4 => return Err("blocks are nested too deep".into()),
            Some(name) => {
                let block = target.blocks.get(name).ok_or_else(|| format!("there is no block {name:?}"))?;
                expand(block, target, out, depth + 1)?;
            }
            None => out.push(step.clone()),
        }
    }
    Ok(())
}

impl Step {
    fn compile(step: &StepCfg, common: &BTreeMap<String, String>, names: &mut Names) -> Result<Self, String> {
        let (method, url) = step.req.split_once(' ').ok_or("req must be `METHOD path`")?;
        let headers: BTreeMap<_, _> = common.iter().chain(&step.headers).collect();
        let mut fields = Vec::new();
        for (name, value) in step.form.iter().flatten() {
            fields.push((name.clone(), Template::parse(value, names)?));
        }
        Ok(Self {
            label: step.label.clone().unwrap_or_else(|| step.req.split('?').next().unwrap_or("").to_owned()),
            make: makers(step, names)?,
            method: method.to_owned(),
            url: Template::parse(url.trim(), names)?,
            headers: headers
                .into_iter()
                .map(|(name, value)| Ok((name.to_ascii_lowercase(), Template::parse(value, names)?)))
                .collect::<Result<_, String>>()?,
            basic: match &step.basic {
                Some([id, secret]) => Some((Template::parse(id, names)?, Template::parse(secret, names)?)),
                None => None,
            },
            bearer: step.bearer.as_ref().map(|token| Template::parse(token, names)).transpose()?,
            form: step.form.is_some().then_some(fields),
            expect: if step.expect.is_empty() { vec![200] } else { step.expect.clone() },
            follow: match &step.follow_until {
                Some(end) => Follow::Until(Template::parse(end, names)?),
                None if step.follow => Follow::All,
                None => Follow::None,
            },
            extract: extractors(step, names)?,
            contains: step.contains.clone(),
            fixed: None,
        })
    }

    fn is_constant(&self, constants: &[usize]) -> bool {
        let constant = |template: &Template| template.slots().all(|slot| constants.contains(&slot));
        self.make.is_empty()
            && matches!(self.follow, Follow::None)
            && constant(&self.url)
            && self.headers.iter().all(|(_, value)| constant(value))
            && self.basic.iter().all(|(id, secret)| constant(id) && constant(secret))
            && self.bearer.iter().all(constant)
            && self.form.iter().flatten().all(|(_, value)| constant(value))
    }

    /// Authentication, the blank line and the body.
    fn write_rest(&self, values: &[String], out: &mut String) {
        if let Some((id, secret)) = &self.basic {
            // RFC 6749 section 2.3.1: form-encoded before it is base64.
            let mut plain = String::new();
            url_encode(&id.render(values), &mut plain);
            plain.push(':');
            url_encode(&secret.render(values), &mut plain);
            header("authorization", &format!("Basic {}", STANDARD.encode(plain)), out);
        }
        if let Some(token) = &self.bearer {
            header("authorization", &format!("Bearer {}", token.render(values)), out);
        }
        let mut body = String::new();
        for (name, value) in self.form.iter().flatten() {
            if !body.is_empty() {
                body.push('&');
            }
            url_encode(name, &mut body);
            body.push('=');
            url_encode(&value.render(values), &mut body);
        }
        if self.form.is_some() {
            header("content-type", "application/x-www-form-urlencoded", out);
        }
        if self.method != "GET" && self.method != "HEAD" {
            header("content-length", &body.len().to_string(), out);
        }
        out.push_str("\r\n");
        out.push_str(&body);
    }
}

fn makers(step: &StepCfg, names: &mut Names) -> Result<Vec<(usize, Make)>, String> {
    let mut makers = Vec::new();
    for (name, how) in &step.make {
        let (kind, argument) = how.split_once(':').unwrap_or((how, ""));
        let make = match kind {
            "pkce" => Make::Pkce { challenge: names.slot("challenge") },
            "rand" => Make::Random(argument.parse().map_err(|_| "write rand:N")?),
            "html" => Make::Html(Template::parse(argument, names)?),
            other => return Err(format!("nothing makes {other:?}")),
        };
        makers.push((names.slot(name), make));
    }
    Ok(makers)
}

fn extractors(step: &StepCfg, names: &mut Names) -> Result<Vec<(usize, String, Extract)>, String> {
    let mut extractors = Vec::new();
    for (name, from) in &step.extract {
        let (kind, argument) = from.split_once(':').unwrap_or((from, ""));
        let extract = match kind {
            "json" => Extract::Json(argument.to_owned()),
            "location" => Extract::LocationParameter(argument.to_owned()),
            "between" => {
                let (before, after) = argument.split_once("|||").ok_or("write between:PREFIX|||SUFFIX")?;
                Extract::Between(before.to_owned(), after.to_owned())
            }
            other => return Err(format!("nothing is extracted by {other:?}")),
        };
        extractors.push((names.slot(name), name.clone(), extract));
    }
    Ok(extractors)
}

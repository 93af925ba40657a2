//! A small browser: it fills our forms as a person does, keeps cookies, and obeys the rules that a page sets for it.
use std::collections::HashMap;

use reqwest::Method;
use url::Url;

use super::{
    cookies::{Cookie, Jar},
    html::Document,
    http::{Answer, Call, Parameters, Site},
};

/// A chain of redirects that is longer than this goes nowhere.
const PATIENCE: usize = 12;

pub struct Browser {
    site: Site,
    pub jar: Jar,
    pub accept_language: String,
    pub user_agent: Option<String>,
    /// Every answer since the last `goto` or `press`, in order.
    pub hops: Vec<Answer>,
    typed: HashMap<String, String>,
    page: Option<Page>,
    landed: Option<Landed>,
}

/// A page of ours that the browser shows.
#[derive(Clone, Debug)]
pub struct Page {
    pub answer: Answer,
    pub document: Document,
}

/// How an answer travels to the client's redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// Where the browser was sent that is not ours: the client's redirect URI, with what it is told there.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Byte for byte as the server wrote it.
    pub raw: String,
    pub url: Url,
    pub mode: Mode,
    pub parameters: Parameters,
}

impl Landed {
    fn at(raw: &str, url: Url) -> Self {
        let (mode, encoded) = match (url.query(), url.fragment()) {
            (_, Some(fragment)) => (Mode::Fragment, fragment.to_string()),
            (query, None) => (Mode::Query, query.unwrap_or_default().to_string()),
        };
        Landed { raw: raw.into(), url, mode, parameters: Parameters::parse(&encoded) }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }

    /// The authorization code; a refusal fails the test, in words.
    pub fn code(&self) -> String {
        self.get("code").unwrap_or_else(|| panic!("no code in {}", self.raw)).to_string()
    }
}

impl Page {
    pub fn of(answer: Answer) -> Self {
        let document = Document::parse(&answer.text());
        Page { answer, document }
    }

    pub fn status(&self) -> u16 {
        self.answer.status
    }

    pub fn path(&self) -> &str {
        self.answer.url.path()
    }

    pub fn title(&self) -> String {
        self.document.named("title").next().map(|title| title.text.trim().to_string()).unwrap_or_default()
    }

    /// What a person reads.
    pub fn text(&self) -> &str {
        &self.document.text
    }

    pub fn has(&self, id: &str) -> bool {
        self.document.by_id(id).is_some()
    }

    /// The text of the element with this id, or the value in it where it is a field.
    pub fn read(&self, id: &str) -> String {
        let index = self.document.by_id(id).unwrap_or_else(|| panic!("no #{id} on {self}"));
        let element = &self.document.elements[index];
        element.attribute("value").unwrap_or(element.text.trim()).to_string()
    }

    /// A field that shows its value and takes no other.
    pub fn is_fixed(&self, id: &str) -> bool {
        self.document.by_id(id).is_some_and(|index| self.document.elements[index].attribute("readonly").is_some())
    }

    /// The button with this id, or that of the form with this id.
    pub fn button(&self, id: &str) -> usize {
        let named = self.document.by_id(id).unwrap_or_else(|| panic!("no #{id} on {self}"));
        if !self.document.elements[named].is("form") {
            return named;
        }
        let is_button = |index: &usize| self.document.elements[*index].is("button");
        let mut buttons = (0..self.document.elements.len()).filter(is_button);
        let found = buttons.find(|index| self.document.form_of(*index) == Some(named));
        found.unwrap_or_else(|| panic!("no button sends #{id} on {self}"))
    }

    /// The sources of one directive of the page's content security policy.
    pub fn policy(&self, directive: &str) -> Option<Vec<String>> {
        let policy = self.answer.header("content-security-policy")?;
        let mut directives = policy.split(';').map(str::split_whitespace);
        directives.find_map(|mut words| (words.next()? == directive).then(|| words.map(str::to_string).collect()))
    }

    /// The form that posts itself to another origin, as `response_mode=form_post` does.
    fn posts_away(&self, site: &Site) -> Option<Landed> {
        let form = self.document.elements.iter().position(|element| element.is("form"))?;
        let element = &self.document.elements[form];
        let action = element.attribute("action")?;
        let url = Url::parse(action).ok().filter(|url| !site.is_ours(url))?;
        assert_eq!(element.attribute("method").map(str::to_ascii_lowercase).as_deref(), Some("post"), "{self}");
        let fields = self.document.fields(form).into_iter().map(|(_, name, value)| (name, value));
        let parameters = Parameters(fields.collect());
        Some(Landed { raw: action.into(), url, mode: Mode::FormPost, parameters })
    }
}

impl std::fmt::Display for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "page {} {} {:?}: {}", self.status(), self.answer.url, self.title(), self.text())
    }
}

impl Browser {
    pub fn new(site: &Site) -> Self {
        Browser {
            site: site.clone(),
            jar: Jar::default(),
            accept_language: "en".into(),
            user_agent: None,
            hops: Vec::new(),
            typed: HashMap::new(),
            page: None,
            landed: None,
        }
    }

    /// A second browser with a copy of the cookies: what a thief has.
    pub fn stolen(&self) -> Self {
        Browser { jar: self.jar.clone(), ..Browser::new(&self.site) }
    }

    /// The same browser, led to another server of the same issuer.
    pub fn led_to(&self, site: &Site) -> Self {
        Browser { jar: self.jar.clone(), ..Browser::new(site) }
    }

    pub fn cookies(&self) -> &[Cookie] {
        &self.jar.0
    }

    /// One request and no more: nothing is followed, cookies are sent and kept.
    pub async fn request(&mut self, call: Call) -> Answer {
        self.exchange(call, false).await
    }

    async fn exchange(&mut self, mut call: Call, from_elsewhere: bool) -> Answer {
        let url = self.site.url(&call.url);
        call = call.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        call = call.header("accept-language", &self.accept_language);
        if let Some(name) = &self.user_agent {
            call = call.header("user-agent", name);
        }
        if let Some(cookies) = self.jar.header(&url, from_elsewhere) {
            call = call.header("cookie", &cookies);
        }
        let answer = self.site.send(call).await;
        for cookie in answer.headers.get_all("set-cookie") {
            self.jar.store(&answer.url, cookie.to_str().expect("a cookie is ASCII"));
        }
        answer
    }

    /// Opens an address as a link on another site does, and follows it to a page or out of the house.
    pub async fn goto(&mut self, url: &str) -> &mut Self {
        self.visit(Call::get(url), "cross-site", None).await
    }

    /// A form on another site posts to us: the browser sends no Lax cookie along.
    pub async fn post_from_elsewhere(&mut self, url: &str, form: &Parameters) -> &mut Self {
        let call = Call::post(url).header("origin", "https://rp.example").form(form);
        self.visit(call, "cross-site", None).await
    }

    async fn visit(&mut self, call: Call, site: &str, allowed: Option<Vec<String>>) -> &mut Self {
        (self.page, self.landed) = (None, None);
        self.hops.clear();
        self.typed.clear();
        let from_elsewhere = call.method == Method::POST && site == "cross-site";
        let call = call.header("sec-fetch-site", site).header("sec-fetch-mode", "navigate");
        let answer = self.exchange(call, from_elsewhere).await;
        self.follow(answer, site, allowed).await;
        self
    }

    /// Follows redirects until there is a page, or an address that is not ours.
    async fn follow(&mut self, mut answer: Answer, site: &str, allowed: Option<Vec<String>>) {
        loop {
            self.hops.push(answer.clone());
            let Some(location) = answer.location().filter(|_| answer.is_redirect()).map(str::to_string) else {
                break;
            };
            assert!(self.hops.len() < PATIENCE, "redirected in circles: {:?}", self.trail());
            let url = answer.url.join(&location).unwrap_or_else(|error| panic!("Location: {location}: {error}"));
            if let Some(sources) = &allowed {
                let here = self.hops[0].url.origin().ascii_serialization();
                assert!(may_go(sources, &here, &url), "form-action {sources:?} keeps a browser from {url}");
            }
            if !self.site.is_ours(&url) {
                self.landed = Some(Landed::at(&location, url));
                return;
            }
            assert!(matches!(answer.status, 302 | 303), "{} repeats the request: {:?}", answer.status, self.trail());
            let call = Call::get(url.as_str()).header("sec-fetch-site", site).header("sec-fetch-mode", "navigate");
            answer = self.exchange(call, false).await;
        }
        let page = Page::of(answer);
        self.landed = page.posts_away(&self.site);
        self.page = Some(page);
    }

    fn trail(&self) -> Vec<String> {
        self.hops.iter().map(|hop| format!("{} {}", hop.status, hop.url)).collect()
    }

    /// The page on the screen.
    pub fn page(&self) -> &Page {
        let reason = || panic!("no page of ours, but {:?}", self.landed.as_ref().map(|landed| &landed.raw));
        self.page.as_ref().unwrap_or_else(reason)
    }

    /// Where the browser was sent that is not ours.
    pub fn landed(&self) -> &Landed {
        self.landed.as_ref().unwrap_or_else(|| panic!("still with us, on {}", self.page()))
    }

    pub fn has_left(&self) -> bool {
        self.landed.is_some()
    }

    /// Whether the page on the screen has this element.
    pub fn sees(&self, id: &str) -> bool {
        self.landed.is_none() && self.page.as_ref().is_some_and(|page| page.has(id))
    }

    pub fn fill(&mut self, id: &str, value: &str) -> &mut Self {
        assert!(self.page().has(id), "no #{id} on {}", self.page());
        assert!(!self.page().is_fixed(id), "nobody can type into #{id} on {}", self.page());
        self.typed.insert(id.into(), value.into());
        self
    }

    /// What pressing this button would send: the form's address, its method and its fields.
    pub fn form(&self, button: &str) -> (String, Method, Parameters) {
        let page = self.page();
        let at = page.button(button);
        let index = page.document.form_of(at).unwrap_or_else(|| panic!("#{button} is in no form on {page}"));
        let (form, button) = (&page.document.elements[index], &page.document.elements[at]);
        let mut parameters = Parameters::default();
        for (field, name, value) in page.document.fields(index) {
            let id = page.document.elements[field].id().unwrap_or_default();
            parameters = parameters.also(&name, self.typed.get(id).unwrap_or(&value));
        }
        if let Some(name) = button.attribute("name") {
            parameters = parameters.also(name, button.attribute("value").unwrap_or_default());
        }
        let action = button.attribute("formaction").or(form.attribute("action")).filter(|action| !action.is_empty());
        let action = page.answer.url.join(action.unwrap_or(page.answer.url.as_str())).unwrap();
        let method = button.attribute("formmethod").or(form.attribute("method")).unwrap_or("get");
        (action.into(), method.to_ascii_uppercase().parse().unwrap(), parameters)
    }

    /// Presses a button or follows a link.
    pub async fn press(&mut self, id: &str) -> &mut Self {
        let page = self.page().clone();
        if let Some(href) = page.document.elements[page.button(id)].attribute("href") {
            let url = page.answer.url.join(href).unwrap();
            return self.visit(Call::get(url.as_str()), "same-origin", None).await;
        }
        let (action, method, parameters) = self.form(id);
        self.submit(&action, method, &parameters).await
    }

    /// Sends a form of the page on the screen, as it is or as a test has changed it.
    pub async fn submit(&mut self, action: &str, method: Method, parameters: &Parameters) -> &mut Self {
        let page = self.page().clone();
        let allowed = page.policy("form-action");
        let url = self.site.url(action);
        let here = page.answer.url.origin().ascii_serialization();
        if let Some(sources) = &allowed {
            assert!(may_go(sources, &here, &url), "form-action {sources:?} keeps a browser from {url}");
        }
        let call = if method == Method::GET {
            let mut url = url;
            url.set_query(Some(&parameters.encoded()));
            Call::get(url.as_str())
        } else {
            Call::new(method, url.as_str()).header("origin", &here).form(parameters)
        };
        self.visit(call.header("referer", page.answer.url.as_str()), "same-origin", allowed).await
    }
}

/// CSP `form-action`, which Chromium applies to the redirects after a form too. No source can name an IPv6 address
/// (CSP §2.3.1 has no brackets): such a redirect needs its scheme.
pub fn may_go(sources: &[String], here: &str, to: &Url) -> bool {
    let origin = to.origin().ascii_serialization();
    sources.iter().any(|source| match source.as_str() {
        "'self'" => origin == here,
        source if source.contains('[') => false,
        "*" => matches!(to.scheme(), "http" | "https"),
        host if host.ends_with(":*") => {
            let at = Url::parse(host.trim_end_matches(":*")).unwrap();
            (at.scheme(), at.host_str()) == (to.scheme(), to.host_str())
        }
        scheme if scheme.ends_with(':') => scheme.strip_suffix(':') == Some(to.scheme()),
        source => source.trim_end_matches('/') == origin,
    })
}

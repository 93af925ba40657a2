//! What holds for every page, whatever is on it (SEC-097, SEC-099, WCAG 2.2).

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use regex::Regex;
use signet::{app::text, http::pages::views::FORM_POST_SCRIPT};

use super::samples::{self, Data, Sample};

fn each_page(check: impl Fn(&Sample, &str)) {
    for texts in text::languages() {
        for (data, kind) in [(Data::Pleasant, "pleasant"), (Data::Hostile, "hostile")] {
            for sample in samples::all(texts, data) {
                check(&sample, &format!("{} ({}, {kind})", sample.name, texts.tag()));
            }
        }
    }
}

fn find<'a>(pattern: &str, html: &'a str) -> Vec<&'a str> {
    thread_local!(static READ: RefCell<HashMap<String, Regex>> = RefCell::default());
    READ.with_borrow_mut(|read| {
        let compile = || Regex::new(pattern).expect("a pattern");
        let pattern = read.entry(pattern.to_owned()).or_insert_with(compile);
        let group = usize::from(pattern.captures_len() > 1);
        pattern.captures_iter(html).map(|found| found.get(group).map_or("", |part| part.as_str())).collect()
    })
}

/// The tags of these elements, each with its attributes.
fn tags<'a>(names: &str, html: &'a str) -> Vec<&'a str> {
    find(&format!(r"<(?:{names})\b[^>]*>"), html)
}

fn attribute<'a>(name: &str, tag: &'a str) -> Option<&'a str> {
    find(&format!(r#"\s{name}="([^"]*)""#), tag).first().copied()
}

#[test]
fn sec_097_a_page_has_no_script_and_no_style_in_it() {
    each_page(|sample, page| {
        let scripts = find(r"(?s)<script[^>]*>(.*?)</script>", &sample.html);
        let own = if sample.name == "form-post" { FORM_POST_SCRIPT } else { "" };
        assert!(!scripts.is_empty() && scripts.iter().all(|script| *script == own), "{page}: scripts {scripts:?}");
        assert!(find(r"(?i)<style", &sample.html).is_empty(), "{page}: a style element");
        for tag in find(r"<[a-z][^>]*>", &sample.html) {
            let names = find(r#"\s([a-z-]+)(?:="[^"]*")?"#, tag);
            assert!(!names.iter().any(|name| *name == "style" || name.starts_with("on")), "{page}: {tag}");
        }
    });
}

#[test]
fn sec_097_everything_a_page_loads_is_ours() {
    each_page(|sample, page| {
        for tag in tags("link|script|img|iframe|object|embed|source|use", &sample.html) {
            let address = attribute("href", tag).or_else(|| attribute("src", tag));
            let ours = address.is_none_or(|address| address.starts_with("/static/"));
            let client = tag.starts_with("<img class=\"tile\" src=\"/clients/client/logo?v=");
            // Apps' own pages, where they sign the person out: the policy names their origins.
            let frame = sample.name.starts_with("signing-out") && tag.starts_with("<iframe src=\"https://rp.example/");
            let letter = sample.name == "outbox-mail" && tag.contains(" sandbox=\"\" src=\"/outbox/");
            assert!(ours || client || frame || letter, "{page}: {tag}");
        }
    });
}

#[test]
fn sec_099_what_others_said_is_shown_as_text() {
    each_page(|sample, page| {
        assert!(!sample.html.contains("<svg onload"), "{page}: markup came through");
        for tag in find(r"<[a-z][^>]*>", &sample.html) {
            for name in ["href", "src", "action", "formaction"] {
                let Some(address) = attribute(name, tag) else { continue };
                let safe = ["/", "#", "https://"].iter().any(|start| address.starts_with(start));
                // Plain text to keep, which no browser opens.
                let file = tag.starts_with("<a class=\"copy\" id=\"codes-download\" download=\"")
                    && address.starts_with("data:text/plain;charset=utf-8,");
                assert!(file || safe && !address.starts_with("//"), "{page}: {tag}");
                assert!(!address.contains("evil.test"), "{page}: {tag}");
            }
        }
    });
    let hostile = samples::all(text::choose(None, None, None), Data::Hostile);
    for sample in hostile.iter().filter(|sample| !["form-post"].contains(&sample.name)) {
        assert!(sample.html.contains("svg onload=alert(1)"), "{}: the words are gone", sample.name);
    }
}

#[test]
fn a_page_says_its_language_its_title_and_one_heading() {
    for texts in text::languages() {
        for sample in samples::all(texts, Data::Pleasant) {
            let page = sample.name;
            assert!(sample.html.contains(&format!("<html lang=\"{}\">", texts.tag())), "{page}: language");
            assert_eq!(tags("h1", &sample.html).len(), 1, "{page}: headings");
            assert_eq!(find(r"<title>[^<]+ – Signet</title>", &sample.html).len(), 1, "{page}: title");
            assert_eq!(tags("main", &sample.html).len(), 1, "{page}: main");
            let unfilled = find(r"\{[a-z_]+\}", &sample.html);
            assert!(unfilled.is_empty(), "{page}: {unfilled:?}");
        }
    }
}

#[test]
fn a_page_has_the_ids_that_scripts_rely_on_and_each_once() {
    each_page(|sample, page| {
        let ids = find(r#"\sid="([^"]*)""#, &sample.html);
        let distinct: HashSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), distinct.len(), "{page}: {ids:?}");
        for id in sample.ids {
            assert!(distinct.contains(id), "{page}: {id}");
        }
        for reference in
            find(r#"\s(?:for|aria-describedby|aria-labelledby|form|data-reveal|data-copy)="([^"]*)""#, &sample.html)
        {
            for id in reference.split(' ') {
                assert!(distinct.contains(&id), "{page}: nothing is called {id}");
            }
        }
    });
}

#[test]
fn a_field_has_a_label_and_a_button_has_words() {
    each_page(|sample, page| {
        let labels: HashSet<_> = find(r#"<label for="([^"]*)""#, &sample.html).into_iter().collect();
        for tag in tags("input|select|textarea", &sample.html) {
            let hidden = attribute("type", tag) == Some("hidden");
            let labelled = attribute("id", tag).is_some_and(|id| labels.contains(id));
            assert!(hidden || labelled || attribute("aria-label", tag).is_some(), "{page}: {tag}");
        }
        for button in find(r"(?s)<button[^>]*>(.*?)</button>", &sample.html) {
            let words = find(r"(?s)(?:^|>)([^<]*)", button).concat();
            assert!(!words.trim().is_empty(), "{page}: {button}");
        }
    });
}

#[test]
fn every_form_of_ours_carries_the_token_and_has_at_most_one_first_choice() {
    each_page(|sample, page| {
        for form in find(r"(?s)(<form\b.*?</form>)", &sample.html) {
            let posts = attribute("method", form) == Some("post") && sample.name != "form-post";
            assert_eq!(posts, form.contains(r#"name="csrf""#), "{page}: {form}");
        }
        let first = find(r#"class="(?:button )?primary""#, &sample.html).len();
        assert!(first <= 1, "{page}: {first} first choices");
        assert!(find(r"\sautofocus[\s>]", &sample.html).len() <= 1, "{page}: autofocus");
    });
}

#[test]
fn an_error_is_announced_and_says_where_it_belongs() {
    let texts = text::choose(None, None, None);
    for sample in samples::all(texts, Data::Pleasant) {
        if !sample.name.ends_with("wrong") && sample.name != "login-wait" {
            continue;
        }
        assert!(sample.html.contains(r#"role="alert""#), "{}", sample.name);
        assert!(sample.html.contains("<title>Error:"), "{}", sample.name);
        assert!(find(r"<input[^>]*aria-describedby[^>]*autofocus", &sample.html).len() == 1, "{}", sample.name);
    }
}

#[test]
fn the_page_that_posts_to_an_app_has_one_form_and_escapes_the_state() {
    let samples = samples::all(text::choose(None, None, None), Data::Hostile);
    let page = samples.iter().find(|sample| sample.name == "form-post").expect("the page");
    let forms = find(r"(?s)(<form\b.*?</form>)", &page.html);
    assert_eq!(forms.len(), 1);
    assert!(
        forms[0].contains(r#"name="state" value="&#34;&#62;&#60;svg onload=alert(1)&#62;&#39;{client}""#),
        "{}",
        forms[0]
    );
    assert!(find(r#"<(?:input|button)[^>]*(?:name|id)="(?:submit|csrf)""#, forms[0]).is_empty(), "{}", forms[0]);
    assert!(find(r"(?s)<noscript>.*<button.*</noscript>", forms[0]).len() == 1, "{}", forms[0]);
    assert!(page.html.find("</form>") < page.html.find("<script>"));
}

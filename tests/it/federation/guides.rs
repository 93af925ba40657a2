//! `docs/guides/{google,github,oidc-provider}.md`: what they say to copy is what this server tells, and what they say to write
//! is taken.

use std::{collections::BTreeSet, fs};

use signet::{
    config::Provider,
    flows::{admin::providers, upstream::declared},
};

use crate::{
    config::Place,
    harness::{TestServer, upstream::SECRET},
};

const GUIDES: [&str; 3] = ["google", "github", "oidc-provider"];

fn read(name: &str) -> String {
    fs::read_to_string(format!("docs/guides/{name}.md")).unwrap()
}

/// The blocks that declare a provider.
fn blocks(guide: &str) -> Vec<&str> {
    let fenced = guide.split("```toml\n").skip(1).map(|rest| rest.split_once("```").expect("an end").0);
    let blocks: Vec<&str> = fenced.filter(|block| block.contains("[[providers]]")).collect();
    assert!(!blocks.is_empty(), "{guide}");
    blocks
}

/// The second cell of each row of the tables with such a head.
fn cells(guide: &str, is_head: impl Fn(&str) -> bool) -> Vec<&str> {
    let (mut found, mut is_inside) = (Vec::new(), false);
    for line in guide.lines() {
        is_inside = is_head(line) || is_inside && line.starts_with('|');
        if is_inside && !is_head(line) && !line.starts_with("|---") {
            found.push(line.split('|').nth(2).expect("two cells"));
        }
    }
    assert!(!found.is_empty(), "{guide}");
    found
}

fn codes(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The files that it names are there, and the server would start with it.
#[track_caller]
fn is_taken(name: &str, settings: &str) {
    let place = Place::with(settings);
    for line in settings.lines().filter(|line| line.starts_with("client_secret_file")) {
        place.write(line.split('"').nth(1).expect("a file"), SECRET);
    }
    place.write("company.png", b"\x89PNG\r\n\x1a\n");
    let config = place.load(&[]).unwrap_or_else(|wrong| panic!("{name}.md: {wrong}\n{settings}"));
    declared::check(&config).unwrap_or_else(|wrong| panic!("{name}.md: {wrong}\n{settings}"));
}

#[tokio::test]
async fn what_a_guide_says_to_copy_is_what_the_server_tells() {
    for name in GUIDES {
        let guide = read(name);
        let line = |line: &str| match line.starts_with("client_secret_file") {
            true => format!("client_secret = '{SECRET}'\n"),
            false => format!("{line}\n"),
        };
        let mut first: String = blocks(&guide)[0].lines().map(line).collect();
        // The others refuse it.
        if first.contains("kind = \"oidc\"") {
            first += "logout = true\n";
        }
        for issuer in ["https://id.example.com", "https://example.com/login"] {
            let server = TestServer::declaring(&[("issuer", issuer)], &format!("\n{first}")).await;
            let all = providers::all(&server.app).await.unwrap();
            let told = providers::for_provider(&server.app, &all[0].row);
            let told = [
                Some(told.redirect_uri),
                Some(told.homepage),
                told.post_logout_redirect_uri,
                told.backchannel_logout_uri,
            ];
            let told: BTreeSet<String> = told.into_iter().flatten().collect();
            let value = |said: &str| said.replace("ISSUER", issuer).replace("NAME", &all[0].row.name);
            let cells = cells(&guide, |head| head.starts_with("| field at ") && head.ends_with(" | value |"));
            let said: BTreeSet<String> = cells.into_iter().flat_map(codes).map(value).collect();
            assert_eq!(said, told, "{name}.md");
        }
    }
}

#[test]
fn every_provider_of_a_guide_can_be_declared() {
    for name in GUIDES {
        blocks(&read(name)).into_iter().for_each(|block| is_taken(name, block));
    }
}

#[test]
fn every_setting_that_a_guide_says_to_add_is_there_and_is_taken() {
    for name in GUIDES {
        let guide = read(name);
        for cell in cells(&guide, |head| head == "| to | add |") {
            let lines: Vec<&str> = codes(cell).collect();
            let keys: Vec<&str> = lines.iter().map(|line| line.split_once(" = ").expect("a value").0).collect();
            for key in &keys {
                assert!(Provider::members().any(|known| known == *key), "{name}.md: {key}");
            }
            // In place of what the first example says of the same.
            let is_other = |line: &&str| line.split_once(" = ").is_none_or(|(key, _)| !keys.contains(&key));
            let first = blocks(&guide)[0].lines().filter(is_other);
            let settings: String = first.chain(lines.iter().copied()).map(|line| format!("{line}\n")).collect();
            is_taken(name, &settings);
        }
    }
}

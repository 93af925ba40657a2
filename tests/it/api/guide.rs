//! `docs/guides/from-a-jwt-backend.md`: every block is run as it stands, and answers what the guide shows.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{Api, api};
use crate::harness::seed::{ClientSpec, NewPerson};

const GUIDE: &str = "docs/guides/from-a-jwt-backend.md";

/// A fenced block: its language and its text.
struct Block {
    language: String,
    text: String,
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in guide.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some(Block { language: language.into(), text: String::new() }),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    found
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests, not a setting")]
    let required = std::env::var_os("SIGNET_TEST_REQUIRED").is_some();
    assert!(found || !required, "{program} is missing");
    found
}

/// The members of every object in it, by path; lists count by their first item.
fn members(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members_of) => members_of.iter().for_each(|(name, value)| {
            found.insert(format!("{path}.{name}"));
            members(value, &format!("{path}.{name}"), found);
        }),
        Value::Array(items) => items.first().into_iter().for_each(|item| members(item, path, found)),
        _ => {}
    }
}

/// What the guide shows has the members of what was answered; text without an ellipsis, numbers and truth are the same.
fn agrees(shown: &Value, answered: &Value, path: &str) {
    let all = |value| {
        let mut found = BTreeSet::new();
        members(value, "", &mut found);
        found
    };
    assert_eq!(all(shown), all(answered), "{path}: {answered}");
    match (shown, answered) {
        (Value::Object(shown), Value::Object(answered)) => {
            shown.iter().for_each(|(name, value)| agrees(value, &answered[name], &format!("{path}.{name}")));
        }
        (Value::Array(shown), Value::Array(answered)) => {
            assert_eq!(shown.len(), answered.len(), "{path}");
            shown.iter().zip(answered).for_each(|(shown, answered)| agrees(shown, answered, path));
        }
        (Value::String(text), Value::String(_)) if text.contains('…') => {}
        _ => assert_eq!(shown, answered, "{path}"),
    }
}

struct Reader<'a> {
    api: &'a Api,
    folder: &'a Path,
    /// What the shell has set so far, as its own `set` prints it.
    variables: Vec<(String, String)>,
}

impl Reader<'_> {
    /// The mails that the reader has got by now are where the guide says.
    async fn read_mails(&mut self, text: &str) {
        for (variable, kind) in [("TOKEN_FROM_MAIL", "verify_email"), ("RESET_TOKEN_FROM_MAIL", "reset_password")] {
            if text.contains(&format!("${variable}")) {
                let token = self.api.link("ada@example.com", kind).await;
                self.variables.push((variable.into(), token));
            }
        }
    }

    async fn run(&self, program: &'static str, arguments: Vec<String>) -> String {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder).envs(self.variables.clone()).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{program} failed: {out}{error}");
        out
    }
}

#[tokio::test]
async fn every_line_of_the_guide_works() {
    if !has("curl") {
        return eprintln!("curl is missing, so the guide is not tested");
    }
    let api = api(&[]).await;
    let job = api.client(ClientSpec { scope: "reports.read", ..ClientSpec::machine("job") }).await;
    let crate::harness::Proof::Basic(secret) = &job.proof else { panic!("a machine has a secret") };
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("SIGNET", api.site.issuer.clone()),
        ("CLIENT_ID", job.client_id.clone()),
        ("CLIENT_SECRET", secret.clone()),
        ("NOW", api.now().to_string()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    let mut reader = Reader { api: &api, folder: folder.path(), variables };
    let (mut before, mut last, mut count) = (String::from("set -eu\n"), None, 0);
    for Block { language, text } in blocks(&fs::read_to_string(GUIDE).unwrap()) {
        match &*language {
            "sh" => {
                reader.read_mails(&text).await;
                // One shell for all of it: what earlier blocks have set is kept in a file.
                let state = "\nset | grep -E '^(api|access|refresh|tokens)=' > state.sh\n";
                let out = reader.run("sh", vec!["-c".into(), format!("{before}{text}{state}")]).await;
                if count == 0 {
                    before = format!("set -eu\n{text}. ./state.sh\n");
                }
                last = Some(out);
                count += 1;
            }
            "js" => {
                fs::write(folder.path().join("check.mjs"), &text).unwrap();
                last = None;
                if has("node") {
                    last = Some(reader.run("node", vec!["check.mjs".into()]).await);
                }
            }
            "json" => {
                let shown: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                let Some(answered) = last.take() else { continue };
                let answered: Value = serde_json::from_str(&answered).unwrap_or_else(|_| panic!("no JSON: {answered}"));
                agrees(&shown, &answered, "");
            }
            "text" => {
                let out = last.take().expect("something was printed");
                assert!(out.trim_end().ends_with(text.trim_end()), "{out}");
            }
            "toml" => drop(text.parse::<toml::Table>().unwrap()),
            other => panic!("nobody runs a block of {other}"),
        }
    }
    assert!(count >= 12, "{count} blocks");
}

/// The lines of the README, for the person that its own lines have made.
#[tokio::test]
async fn the_lines_of_the_readme_work() {
    if !has("curl") {
        return eprintln!("curl is missing, so the README is not tested");
    }
    let api = api(&[]).await;
    let password = "a long password of hers".to_owned();
    api.user(NewPerson { email: "ada@example.com".into(), password, ..NewPerson::named("ada") }).await;
    let readme = fs::read_to_string("README.md").unwrap();
    let (_, section) = readme.split_once("## Accounts by JSON").unwrap();
    let lines = blocks(section.split("\n## ").next().unwrap()).remove(0).text;
    let lines = lines.replace("http://localhost:8080", &api.site.issuer);
    let (login, me) = lines.split_at(lines.find("\ncurl").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut reader = Reader { api: &api, folder: folder.path(), variables: Vec::new() };
    let answer: Value = serde_json::from_str(&reader.run("sh", vec!["-c".into(), login.into()]).await).unwrap();
    reader.variables.push(("ACCESS_TOKEN".into(), answer["access_token"].as_str().unwrap().to_owned()));
    let me: Value = serde_json::from_str(&reader.run("sh", vec!["-c".into(), me.into()]).await).unwrap();
    assert_eq!(me["email"], "ada@example.com");
}

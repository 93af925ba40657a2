//! CR: what lies on the disk, and who may read it.
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use regex::Regex;
use sea_orm::EntityTrait;
use signet::{
    app::keys::seal_context,
    config::DatabaseUrl,
    store::{signing_key, trace_event},
};

use super::canaries::{Canary, found, journey};
use crate::{
    commands::Place,
    harness::{TestServer, fixtures},
};

/// SEC-163, ASVS 11.3.2, 11.3.3, 13.3.1: the database of a server that has seen everything holds no secret in clear.
#[tokio::test]
async fn sec_163_no_secret_lies_in_the_database() {
    let f = fixtures().await;
    let mut met = journey(&f).await;
    f.app.recorder.flush().await;
    let key = signing_key::all(&f.app.db).await.unwrap().remove(0);
    let private = f.app.master_key.open(&seal_context(&key.kid), &key.private_key.0).unwrap();
    // The modulus is public and in the middle; the primes are at the end.
    let private = &private[private.len() - 300..];
    let master = f.app.master_key.to_text().to_string();
    met.secrets.push(Canary {
        name: "the master key".into(),
        value: master.replace('+', "-").replace('/', "_").replace('=', ""),
    });
    assert!(met.secrets.len() > 90, "the journey met every kind of secret: {}", met.secrets.len());

    let traces = trace_event::Entity::find().all(&f.app.db).await.unwrap();
    assert!(traces.len() > 40, "{}", traces.len());
    let traces = format!("{traces:?}");
    assert_eq!(found(&met.secrets, traces.as_bytes()), [""; 0], "in the traces");

    let DatabaseUrl::Sqlite(path) = &f.app.config.database.url else { return };
    let mut whole = Vec::new();
    for suffix in ["", "-wal", "-shm"] {
        whole.extend(fs::read(format!("{}{suffix}", path.display())).unwrap());
    }
    let address = Canary { name: "an address".into(), value: "12 St James's Square".into() };
    assert!(!found(&[address], &whole).is_empty(), "what is there is found");
    assert_eq!(found(&met.secrets, &whole), [""; 0], "in the database");
    for part in private.chunks_exact(32) {
        assert!(!whole.windows(32).any(|window| window == part), "the signing key lies there in clear");
    }
}

/// SEC-163: the same row sealed twice looks different, and one row's seal does not open another.
#[tokio::test]
async fn sec_163_a_seal_is_for_its_row_only() {
    let f = TestServer::start().await;
    let key = signing_key::all(&f.app.db).await.unwrap().remove(0);
    assert!(f.app.master_key.open(&seal_context(&key.kid), &key.private_key.0).is_ok());
    for other in ["signing_key/other/private_key", "sealed_secret/refresh/value", ""] {
        assert!(f.app.master_key.open(other, &key.private_key.0).is_err(), "{other}");
    }
    for at in [0, 5, 12, key.private_key.0.len() / 2, key.private_key.0.len() - 1] {
        let mut changed = key.private_key.0.clone();
        changed[at] ^= 1;
        assert!(f.app.master_key.open(&seal_context(&key.kid), &changed).is_err(), "byte {at}");
    }
}

fn key(seed: u8) -> String {
    let bytes: Vec<u8> = (0..32).map(|n: u8| n.wrapping_mul(37).wrapping_add(seed)).collect();
    BASE64_STANDARD.encode(bytes)
}

/// Every file by its name, with its content unless SQLite moves pages about in it by itself.
fn files(folder: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| !path.to_string_lossy().ends_with("-wal") && !path.to_string_lossy().ends_with("-shm"));
    found.sort();
    let content = |path: &Path| (!path.ends_with("signet.db")).then(|| fs::read(path).unwrap());
    found.iter().map(|path| (path.display().to_string(), content(path))).collect()
}

/// SEC-164, ASVS 11.2.2, 13.3.4: one clear line, an exit code, and nothing made or changed.
#[test]
fn sec_164_a_server_with_the_wrong_master_key_does_not_start() {
    let place = Place::new();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:1"];
    place.write("signet.toml", "log.level = 'error'");
    place.run(&["users", "create", "--username", "ada"]).succeeded();
    let folder = place.path("data");
    let file = folder.join("master.key");
    let genuine = fs::read(&file).unwrap();
    let before = files(&folder);
    let content =
        || [["keys", "list", "--json"], ["users", "show", "ada"]].map(|command| place.run(&command).succeeded());
    let known = content();
    for (reason, replacement, says) in [
        ("it is gone", None, "there is no master key at"),
        ("it is another's", Some(key(1).into_bytes()), "sealed with another master key"),
        ("it is empty", Some(vec![]), "is not a master key"),
        ("it is cut", Some(genuine[..20].to_vec()), "is not a master key"),
        ("it is no text", Some(vec![0xff; 44]), "master.key"),
    ] {
        match &replacement {
            Some(bytes) => fs::write(&file, bytes).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let there = files(&folder);
        for arguments in [&serve[..], &["users", "create", "--username", "eve"], &["keys", "rotate"]] {
            let said = place.run(arguments).refused(1);
            assert!(said.contains(says) && said.lines().count() == 1, "{reason}: {said}");
        }
        assert_eq!(files(&folder), there, "{reason}: something was made or changed");
        fs::write(&file, &genuine).unwrap();
    }
    let said = place.run_with(&serve, &[("SIGNET_KEYS_MASTER_KEY", &key(2))]).refused(1);
    assert!(said.contains("another master key") && !said.contains(&key(2)), "{said}");
    assert_eq!(files(&folder), before);
    assert_eq!(content(), known, "with the right key all is as it was");
    place.run(&["users", "show", "eve"]).refused(1);
}

/// SEC-164: replaced, the old key can be dropped; nothing is lost.
#[test]
fn sec_164_a_master_key_is_replaced_and_the_old_one_dropped() {
    let place = Place::new();
    let [old, new] = [key(3), key(4)];
    let list = ["keys", "list", "--json"];
    let only = |key: &str| place.run_with(&list, &[("SIGNET_KEYS_MASTER_KEY", key)]);
    place.run_with(&["users", "create", "--username", "ada"], &[("SIGNET_KEYS_MASTER_KEY", &old)]).succeeded();
    let before = only(&old).succeeded();
    assert!(only(&new).refused(1).contains("another master key"));
    let both = [("SIGNET_KEYS_MASTER_KEY", &*new), ("SIGNET_KEYS_PREVIOUS_MASTER_KEY", &*old)];
    assert_eq!(place.run_with(&list, &both).succeeded(), before);
    assert_eq!(only(&new).succeeded(), before);
    assert!(only(&old).refused(1).contains("another master key"));
}

/// SEC-165, RAUTHY-009: whoever else uses the machine reads nothing of it.
#[test]
fn sec_165_what_we_make_is_for_its_owner_only() {
    let place = Place::new();
    let mut command = std::process::Command::new("sh");
    // The most careless of umasks.
    command.args(["-c", "umask 000; exec \"$0\" users create --username ada", env!("CARGO_BIN_EXE_signet")]);
    let done = command.current_dir(place.path(".")).env_clear().output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let server = place.serve(&[]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = place.path("data");
    assert_eq!(mode(&folder), 0o700);
    let mut seen = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    seen.sort();
    assert!(
        ["master.key", "signet.db", "signet.db-wal"].iter().all(|name| seen.contains(&name.to_string())),
        "{seen:?}"
    );
    drop(server);
}

/// Text files of the repository that are ours to write.
fn texts(folders: &[&str], ends: &[&str]) -> Vec<(String, String)> {
    fn walk(path: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    folders.iter().for_each(|folder| walk(Path::new(folder), &mut found));
    let name = |path: &PathBuf| path.to_string_lossy().into_owned();
    found.retain(|path| ends.is_empty() || ends.iter().any(|end| name(path).ends_with(end)));
    assert!(!found.is_empty());
    found.iter().filter_map(|path| Some((name(path), fs::read_to_string(path).ok()?))).collect()
}

/// SEC-165, SEC-179: no key and no certificate is shipped; tests make theirs.
#[test]
fn sec_165_no_key_is_in_the_repository() {
    let pem = Regex::new(r"-----BEGIN [A-Z ]*(PRIVATE KEY|CERTIFICATE)-----\s*\n?[A-Za-z0-9+/]{16}").unwrap();
    let jwk = Regex::new(r#""(d|k)"\s*:\s*"[A-Za-z0-9_-]{20}"#).unwrap();
    for (path, text) in texts(&["src", "tests", "templates", "static", "deploy", "migrations", "bench"], &[]) {
        assert!(!pem.is_match(&text) && !jwk.is_match(&text), "{path} has a key in it");
    }
}

/// The code without comments and texts, which may say what they like.
fn code(text: &str) -> String {
    let strings = Regex::new(r#""(?:[^"\\]|\\.)*""#).unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    strings.replace_all(&lines.collect::<Vec<_>>().join("\n"), "\"\"").into_owned()
}

/// SEC-166, ASVS 11.5.1: chance comes from the operating system, by one door.
#[test]
fn sec_166_chance_has_one_source() {
    let source = Regex::new(r"\brand::|\bgetrandom\b|\bOsRng\b|\bSysRng\b|\bthread_rng\b|new_v[1-8]\b|now_v7|rand_bytes|RandomState|fastrand").unwrap();
    for (path, text) in texts(&["src", "migrations"], &[".rs"]) {
        let allowed = path == "src/app/random.rs";
        let code = code(&text);
        assert!(allowed || !source.is_match(&code), "{path} draws its own: {:?}", source.find(&code));
        let seeded = code.contains("Random::seeded") || code.contains("Random::Seeded");
        assert!(allowed || !seeded, "{path} uses the chance of tests");
    }
    let random = fs::read_to_string("src/app/random.rs").unwrap();
    assert!(random.contains("Random::System => SysRng"), "the system's own");
}

/// SEC-166, RAUTHY-005, dex #4927, ASVS 11.2.4: secrets are compared in constant time, or looked up by their hash.
#[test]
fn sec_166_secrets_are_compared_in_constant_time() {
    let secretive =
        r"(?:secret|hash|tag|csrf|password|verifier|phc|mac|digest|signature|code|token|cookie|assertion)s?";
    let names = format!(
        r"(?i)\b(?:\w+_)?{secretive}(?:\.\w+(?:\(\))?)*\s*(?:==|!=)|(?:==|!=)\s*[&*]?(?:\w+\.)*(?:\w+_)?{secretive}\b"
    );
    let compared = Regex::new(&names).unwrap();
    // Tokens of scopes, tags of languages and documents, codes of errors: no secrets, by the line that they stand in.
    let harmless = [
        ("src/protocol/scope.rs", "|t| *t != token"),
        ("src/http/failure.rs", "described == NO_TOKEN"),
        ("src/http/oauth/mod.rs", "== etag"),
        ("src/http/pages/view.rs", "self.texts.tag() == other.tag()"),
        ("src/http/pages/views/error.rs", "*known == code"),
        ("src/http/pages/consent.rs", "name == token"),
        ("src/http/pages/account/apps.rs", "name == token"),
        ("src/http/pages/views/account/area.rs", "*known == code"),
    ];
    let mut found = Vec::new();
    for (path, text) in texts(&["src"], &[".rs"]) {
        for line in code(&text).lines() {
            let is_harmless = harmless.iter().any(|(file, known)| path == *file && line.contains(known));
            if compared.is_match(line) && !is_harmless && !line.contains("code == Code::") {
                found.push(format!("{path}: {}", line.trim()));
            }
        }
        let constant = !text.contains("fn verify(&self, parts") || text.contains("equal(&self.tag(parts), tag)");
        assert!(constant, "{path}: a MAC is compared by equal");
    }
    assert_eq!(found, [""; 0], "use crypto::secret::equal");
    let equal = fs::read_to_string("src/crypto/secret.rs").unwrap();
    assert!(equal.contains("a.ct_eq(b).into()"));
}

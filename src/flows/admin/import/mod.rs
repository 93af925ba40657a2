//! People of another system (requirement AC5): they keep their ids and their passwords, and nobody who is here already
//! is changed.

mod record;

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use futures_util::future::join_all;
use sea_orm::DbErr;
use serde_json::{Map, Value};
use uuid::Uuid;

use self::record::Record;
pub use self::record::members;
use crate::{
    app::App,
    flows::{
        account::removal,
        event::{self, Changed},
        passwords, write,
    },
    protocol::{Result, text},
    store::{is_duplicate, password, user},
};

/// So many lines are judged and written together: few commits, and little memory.
pub const AT_ONCE: usize = 1000;

/// What happens with people who are here already, by id, name, address or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// They stay as they are, and nothing is wrong: an import may be run again.
    Skip,
    /// The line is refused.
    Refuse,
}

/// A line: its number, and its members, or why there are none.
pub type Line = (u64, Result<Map<String, Value>, String>);

/// What is wrong with a member of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub member: String,
    pub why: String,
}

impl Problem {
    fn new(member: &str, why: impl Into<String>) -> Self {
        Problem { member: member.to_owned(), why: why.into() }
    }
}

/// A line that makes nobody.
#[derive(Debug)]
pub struct Refusal {
    pub line: u64,
    pub problem: Problem,
}

/// How many lines became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub read: u64,
    pub imported: u64,
    pub skipped: u64,
    pub refused: u64,
}

/// An import that is going on.
pub struct Import {
    app: App,
    conflict: Conflict,
    dry_run: bool,
    count: Count,
    /// Where nothing is written, the database does not know what came before: a number for each, of 64 bits, since two
    /// alike among millions are no more likely than a fault of the memory.
    seen: HashSet<u64>,
}

/// What one account alone may have, in the one form that decides (case SEC-161).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    member: &'static str,
    value: String,
}

impl Import {
    /// `dry_run`: everything is judged and nobody is written.
    pub fn new(app: &App, conflict: Conflict, dry_run: bool) -> Self {
        Import { app: app.clone(), conflict, dry_run, count: Count::default(), seen: HashSet::new() }
    }

    /// Judges lines and writes those that are well, together; at most [`AT_ONCE`].
    ///
    /// # Errors
    /// When the database is away, or says no; then nothing of these lines was written.
    pub async fn take(&mut self, lines: Vec<Line>) -> Result<Vec<Refusal>> {
        let mut refusals = Vec::new();
        let mut records = Vec::with_capacity(lines.len());
        self.count.read += lines.len() as u64;
        for (line, members) in lines {
            let members = members.map_err(|why| vec![Problem::new("line", why)]);
            match members.and_then(|members| Record::read(&self.app, members)) {
                Ok(record) => records.push((line, record)),
                Err(problems) => {
                    self.count.refused += 1;
                    refusals.extend(problems.into_iter().map(|problem| Refusal { line, problem }));
                }
            }
        }
        refusals.extend(self.write_new(records).await?);
        refusals.sort_by_key(|refusal| refusal.line);
        Ok(refusals)
    }

    /// What came of it. An operator did it, so the log knows.
    pub fn finish(self) -> Count {
        if !self.dry_run && self.count.imported > 0 {
            event::changed(Changed::Users(self.count.imported), "imported");
        }
        self.count
    }

    async fn write_new(&mut self, mut records: Vec<(u64, Record)>) -> Result<Vec<Refusal>> {
        /// Somebody may register on another node between the question and the write.
        const TRIES: usize = 3;
        let mut refusals = Vec::new();
        for tries in 1.. {
            let (new, conflicts) = self.without_conflicts(records).await?;
            match self.conflict {
                Conflict::Skip => self.count.skipped += conflicts.len() as u64,
                Conflict::Refuse => {
                    self.count.refused += conflicts.len() as u64;
                    refusals.extend(conflicts);
                }
            }
            let passwords = self.hashed(&new).await?;
            match self.write(&new, passwords).await {
                Err(error) if tries < TRIES && is_duplicate(&error) => records = new,
                written => {
                    written?;
                    self.count.imported += new.len() as u64;
                    self.remember(&new);
                    break;
                }
            }
        }
        Ok(refusals)
    }

    /// Those whom nobody here, and nobody before them in the file, stands in the way of; and who is.
    async fn without_conflicts(&self, records: Vec<(u64, Record)>) -> Result<(Vec<(u64, Record)>, Vec<Refusal>)> {
        let wanted: Vec<Key> = records.iter().flat_map(|(_, record)| asked(record)).collect();
        let mut had = self.had(&wanted).await?;
        let (mut new, mut conflicts) = (Vec::with_capacity(records.len()), Vec::new());
        for (line, record) in records {
            let clash = asked(&record).into_iter().find(|key| had.contains(key) || self.was_seen(key));
            match clash {
                Some(key) => {
                    let why = "somebody has it already, here or in an earlier line";
                    conflicts.push(Refusal { line, problem: Problem::new(key.member, why) });
                }
                None => {
                    had.extend(kept(&record));
                    new.push((line, record));
                }
            }
        }
        Ok((new, conflicts))
    }

    /// Which of these somebody here has, or had: an id is never given again.
    async fn had(&self, wanted: &[Key]) -> Result<HashSet<Key>> {
        let of = |member: &str| -> Vec<String> {
            wanted.iter().filter(|key| key.member == member).map(|key| key.value.clone()).collect()
        };
        let ids: Vec<_> = of("id").iter().filter_map(|id| id.parse().ok()).collect();
        let db = &self.app.db;
        let gone = removal::former(db, &ids).await?.into_iter().map(|id| id.to_string());
        let mut had: HashSet<Key> = gone.map(|value| Key { member: "id", value }).collect();
        let here = user::any_of(db, ids, of("username"), of("email"), of("phone_number")).await?;
        had.extend(here.into_iter().map(|(member, value)| Key { member, value }));
        Ok(had)
    }

    async fn write(&self, records: &[(u64, Record)], passwords: Vec<(Uuid, passwords::New)>) -> Result<(), DbErr> {
        if self.dry_run || records.is_empty() {
            return Ok(());
        }
        let now = self.app.now();
        let users: Vec<_> = records.iter().map(|(_, record)| record.user.clone()).collect();
        let hashes = records.iter().filter_map(|(_, record)| Some((record.user.id, record.hash.clone()?)));
        let hashes: Vec<_> = hashes.collect();
        write!(self.app, db => {
            user::insert_many(db, users).await?;
            password::insert_many(db, hashes, now).await?;
            for (id, new) in passwords {
                new.set(db, id).await?;
            }
            Ok(())
        })
        .await
    }

    /// Passwords that came in clear: as many at once as there are threads that hash, so that nobody waits in line.
    async fn hashed(&self, records: &[(u64, Record)]) -> Result<Vec<(Uuid, passwords::New)>> {
        if self.dry_run {
            return Ok(Vec::new());
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let clear = records.iter().filter_map(|(_, record)| Some((record.user.id, record.password.as_deref()?)));
        let clear: Vec<_> = clear.collect();
        let mut hashed = Vec::with_capacity(clear.len());
        for some in clear.chunks(threads) {
            let hashes = join_all(some.iter().map(|(_, given)| passwords::hash(&self.app, given))).await;
            for ((id, _), new) in some.iter().zip(hashes) {
                hashed.push((*id, new?));
            }
        }
        Ok(hashed)
    }

    fn remember(&mut self, records: &[(u64, Record)]) {
        if self.dry_run {
            self.seen.extend(records.iter().flat_map(|(_, record)| kept(record)).map(|key| number(&key)));
        }
    }

    fn was_seen(&self, key: &Key) -> bool {
        !self.seen.is_empty() && self.seen.contains(&number(key))
    }
}

/// What must be free for somebody: what they are to have, and the name that theirs could be mistaken for.
fn asked(record: &Record) -> Vec<Key> {
    let twin = record.user.username.as_deref().and_then(text::twin);
    let twin = twin.map(|value| Key { member: "username", value });
    kept(record).into_iter().chain(twin).collect()
}

/// What somebody has alone.
fn kept(record: &Record) -> Vec<Key> {
    let user = &record.user;
    let id = Some(user.id.to_string());
    let all = [("id", &id), ("username", &user.username), ("email", &user.email), ("phone_number", &user.phone_key)];
    all.into_iter().filter_map(|(member, value)| Some(Key { member, value: value.clone()? })).collect()
}

fn number(key: &Key) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

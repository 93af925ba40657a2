//! Roughly where an address is, if the settings name a file that tells (requirement AC9). The file is read once, and
//! again after it has changed: those who have one replace it every week.

use std::{
    fs::Metadata,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use maxminddb::{
    Reader,
    geoip2::{City, Names},
};

/// Seconds between two looks whether the file has changed.
const LOOK_EVERY: i64 = 60;

/// None without a file.
#[derive(Default)]
pub struct Places(Option<File>);

struct File {
    path: PathBuf,
    known: Mutex<Known>,
}

struct Known {
    reader: Arc<Reader<Vec<u8>>>,
    stamp: Stamp,
    looked_at: i64,
}

/// Tells one version of the file from another.
#[derive(Clone, PartialEq, Eq)]
struct Stamp(Option<SystemTime>, u64);

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Stamp(file.modified().ok(), file.len())
    }
}

/// Somewhere, in the language that was asked for, or else in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub city: Option<String>,
    pub country: Option<String>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [&self.city, &self.country].into_iter().flatten();
        f.write_str(&parts.map(String::as_str).collect::<Vec<_>>().join(", "))
    }
}

impl Places {
    /// # Errors
    /// When the file cannot be read, or is no such file.
    pub fn open(path: Option<&Path>, now: i64) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Places::default()) };
        let stamp = Stamp::of(&std::fs::metadata(path)?);
        let reader = Arc::new(Reader::from_source(std::fs::read(path)?).map_err(io::Error::other)?);
        let known = Mutex::new(Known { reader, stamp, looked_at: now });
        Ok(Places(Some(File { path: path.to_owned(), known })))
    }

    /// None of an address that the file does not know. `language`: a tag (RFC 5646).
    pub async fn of(&self, address: IpAddr, language: &str, now: i64) -> Option<Place> {
        let reader = self.0.as_ref()?.current(now).await;
        let city: City<'_> = reader.lookup(address).ok()?.decode().ok()??;
        let country = named(&city.country.names, language);
        let country = country.or_else(|| named(&city.registered_country.names, language));
        let place = Place { city: named(&city.city.names, language), country };
        (place.city.is_some() || place.country.is_some()).then_some(place)
    }
}

impl File {
    /// What cannot be read is tried again after the next change; until then what was known counts.
    async fn current(&self, now: i64) -> Arc<Reader<Vec<u8>>> {
        let (reader, stamp) = {
            let mut known = self.known();
            if now - known.looked_at < LOOK_EVERY {
                return known.reader.clone();
            }
            known.looked_at = now;
            (known.reader.clone(), known.stamp.clone())
        };
        let Ok(found) = tokio::fs::metadata(&self.path).await else { return reader };
        let found = Stamp::of(&found);
        if found == stamp {
            return reader;
        }
        self.known().stamp = found;
        let read = match tokio::fs::read(&self.path).await {
            Ok(bytes) => Reader::from_source(bytes).map_err(io::Error::other),
            Err(error) => Err(error),
        };
        match read {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                self.known().reader = fresh.clone();
                fresh
            }
            Err(error) => {
                tracing::warn!(%error, path = %self.path.display(), "accounts.geoip cannot be read; places are as before");
                reader
            }
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(names: &Names<'_>, language: &str) -> Option<String> {
    let own = match language.split('-').next().unwrap_or_default() {
        "de" => names.german,
        "es" => names.spanish,
        "fr" => names.french,
        "ja" => names.japanese,
        "pt" => names.brazilian_portuguese,
        "ru" => names.russian,
        "zh" => names.simplified_chinese,
        _ => None,
    };
    own.or(names.english).map(str::to_owned)
}

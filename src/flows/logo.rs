//! Logos of clients: fetched once, kept, and served from here. So no page makes a browser call on strangers, and no app
//! learns who looks at its consent page.

use url::Url;

use super::{Refused, write, write_one};
use crate::{
    app::{
        App,
        outbound::{self, Raw},
    },
    crypto::fingerprint,
    protocol::{
        Code, Result, picture, rule,
        trace::{Kind, Shown},
    },
    store::{
        client::Client,
        client_logo::{self, Due},
    },
};

pub use crate::store::client_logo::Picture;

/// Seconds until another try, after the first failure and after each one more. Then it stays without a picture.
const PAUSES: [i64; 6] = [60, 5 * 60, 30 * 60, 2 * 3600, 12 * 3600, 24 * 3600];
/// So many in one run of the job.
const AT_ONCE: u64 = 50;

/// What is due, one after the other. A picture that cannot be had is no failure of the run.
///
/// # Errors
/// When the database is away.
pub async fn fetch_due(app: &App) -> Result<()> {
    for due in client_logo::due(&app.db, app.now(), AT_ONCE).await? {
        fetch(app, &due).await?;
    }
    Ok(())
}

/// One that was registered a moment ago. Never waits; the job tries again what fails.
pub fn fetch_soon(app: &App, client_id: &str) {
    let (app, id) = (app.clone(), client_id.to_owned());
    tokio::spawn(async move {
        let due = client_logo::due_of(&app.db, &id, app.now()).await;
        let fetched = match due {
            Ok(Some(due)) => fetch(&app, &due).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = fetched {
            tracing::warn!(%error, client = id, "a logo could not be kept; it is fetched again later");
        }
    });
}

async fn fetch(app: &App, due: &Due) -> Result<()> {
    let tried = usize::try_from(due.attempts).unwrap_or(usize::MAX);
    let next = PAUSES.get(tried).map(|pause| app.now() + pause);
    let (begun, now) = (due.clone(), app.now());
    if !write!(app, db => client_logo::begin(db, &begun, next).await).await? {
        return Ok(());
    }
    let mut trace = app.trace(Kind::Logo);
    trace.client_id = Some(due.client_id.clone());
    match picture_at(app, &due.uri).await {
        Ok(picture) => {
            trace.passed(&rule::LOGO, Some(Shown::foreign_uri(&due.uri)));
            let due = due.clone();
            write_one!(app, db => client_logo::keep(db, &due, picture)).await?;
        }
        Err(why) => {
            let told = match next {
                Some(at) => format!("the logo could not be had; the next try is in {} seconds", at - now),
                None => "the logo could not be had, and is not tried again".to_owned(),
            };
            let error = Code::InvalidClientMetadata.because(told).under(&rule::LOGO);
            let received = format!("{}: {why}", Shown::foreign_uri(&due.uri).as_str());
            drop(Refused::by(&mut trace, error.received(Shown::cause(&received))));
        }
    }
    app.record(trace);
    Ok(())
}

async fn picture_at(app: &App, uri: &str) -> Result<Picture, String> {
    let url = Url::parse(uri).map_err(|error| error.to_string())?;
    let Raw { bytes, content_type, .. } =
        app.outbound.get(&url, outbound::Kind::Logo).await.map_err(|error| error.cause().to_owned())?;
    let media_type = picture::media_type(&bytes).ok_or("the content is not a PNG, JPEG, GIF or WebP image")?;
    if media_type != content_type {
        return Err(format!("the content is {media_type}, but its server calls it {content_type}"));
    }
    let version = fingerprint(&bytes);
    Ok(Picture { media_type: media_type.to_owned(), content: bytes, version })
}

/// The picture, for whoever asks.
///
/// # Errors
/// When the database is away.
pub async fn find(app: &App, client_id: &str) -> Result<Option<Picture>> {
    Ok(client_logo::find(&app.db, client_id).await?)
}

/// Which picture a page shows of this client. None while the database is away: the page has a letter then.
pub async fn version(app: &App, client: &Client) -> Option<String> {
    client.metadata.logo_uri.as_ref()?;
    client_logo::version(&app.db, &client.client_id).await.ok().flatten()
}

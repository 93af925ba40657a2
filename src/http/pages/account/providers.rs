//! `/account/providers`: accounts elsewhere that open this one, and `/account/providers/{name}`, the way to another.

use poem::{Response, handler, web::Path};
use uuid::Uuid;

use super::area;
use crate::{
    flows::{
        Trouble,
        account::{
            me::Me,
            providers::{self, Connected},
        },
        factors,
        upstream::{self, link},
    },
    http::{
        headers::Policy,
        pages::{
            authorize::either,
            forms::{self, Again},
            provider,
            request::{Page, see_other},
            views::{Complaint, ConnectedAccount, Moment, Notice, ProvidersPage, Section},
        },
    },
    protocol::Code,
};

#[handler]
pub async fn show(mut page: Page) -> Response {
    either(
        async {
            let me = area::me(&mut page).await?;
            form(&page, &me, &Again::fresh()).await
        }
        .await,
    )
}

#[handler]
pub async fn answer(mut page: Page) -> Response {
    either(answered(&mut page).await)
}

async fn answered(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me = area::me(page).await?;
    // What is no id is the id of nothing.
    let id = page.form.get("remove").and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_default();
    match providers::remove(&page.app, &me, id).await {
        Ok(()) => Ok(page.go(&Notice::ProviderUnlinked.after(Section::Providers.path()))),
        Err(Trouble::Conflict(_)) => form(page, &me, &Again::conflict(Complaint::LastWayIn)).await,
        // It was disconnected a moment ago.
        Err(Trouble::NotFound(_)) => Ok(page.go(Section::Providers.path())),
        Err(trouble) => {
            let again = area::again(page, Section::Providers, trouble)?;
            form(page, &me, &again).await
        }
    }
}

/// To the provider, which leads back to its callback.
#[handler]
pub async fn leave(mut page: Page, Path(name): Path<String>) -> Response {
    either(left(&mut page, &name).await)
}

async fn left(page: &mut Page, name: &str) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me = area::me(page).await?;
    match link::begin(&page.app, &page.browser.visitor, &me, name).await {
        Ok(address) => Ok(page.browser.dress(see_other(&address))),
        Err(turned) if turned.refused.error.code == Code::InsufficientUserAuthentication => {
            Ok(page.go(&area::sign_in_again(Section::Providers)))
        }
        Err(turned) => Ok(provider::turn(page, *turned)),
    }
}

async fn form(page: &Page, me: &Me, again: &Again) -> Result<Response, Box<Response>> {
    let refuse = |trouble: Trouble| Box::new(forms::refuse(page, trouble));
    let connected = providers::list(&page.app, me.user.id).await.map_err(refuse)?;
    let buttons =
        upstream::buttons(&page.app, upstream::Hints::default()).await.map_err(|error| refuse(error.into()))?;
    let mut policy = Policy::default();
    provider::allow(&mut policy, &buttons);
    let view = ProvidersPage {
        frame: area::frame(page, Section::Providers),
        area: area::area(page, Section::Providers),
        complaint: again.complaint,
        connected: connected.into_iter().map(|account| shown(page, account)).collect(),
        offered: buttons.into_iter().map(|button| provider::button(page, Section::Providers.path(), button)).collect(),
        is_fresh: factors::check_fresh(&page.app, me).await.is_ok(),
        again: page.browser.path(&area::sign_in_again(Section::Providers)),
    };
    Ok(again.show_with(page, view, &policy))
}

fn shown(page: &Page, account: Connected) -> ConnectedAccount {
    let moment = |at| Moment::of(page.browser.texts, at);
    ConnectedAccount {
        id: account.id.to_string(),
        provider: account.title,
        label: account.label,
        works: account.works,
        added: moment(account.created_at),
        last_used: moment(account.last_used_at),
    }
}

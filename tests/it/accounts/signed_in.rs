//! Who is signed in where, as flows see them.
use std::net::{IpAddr, Ipv4Addr};

use sea_orm::{EntityTrait, QueryOrder};
use signet::{
    flows::{
        account::me::Me,
        visitor::{Cookies, Device, Visitor},
    },
    store::security_event,
};

use crate::harness::{Browser, Fixtures, seed::Person};

pub const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";
pub const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/18.1 Mobile/15E148 Safari/604.1";

pub fn device(user_agent: &str) -> Device {
    Device::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Some(user_agent))
}

/// This browser, as flows see it.
fn visitor(f: &Fixtures, browser: &Browser) -> Visitor {
    let value = |name: &str| browser.cookies().iter().find(|c| c.name.ends_with(name)).map(|c| c.value.as_str());
    let cookies = Cookies {
        browser: value("browser"),
        session: value("session"),
        known: value("known"),
        trusted: value("trusted"),
    };
    Visitor::new(&f.app, &cookies, device(browser.user_agent.as_deref().unwrap_or_default()))
}

/// Who is signed in there.
pub async fn at(f: &Fixtures, browser: &Browser) -> (Visitor, Me) {
    let visitor = visitor(f, browser);
    let me = Me::at(&f.app, &visitor).await.unwrap().expect("somebody is signed in");
    (visitor, me)
}

pub async fn signed_in_with(f: &Fixtures, person: &Person, user_agent: &str) -> Browser {
    let mut browser = f.browser();
    browser.user_agent = Some(user_agent.to_string());
    f.sign_in(&mut browser, person).await;
    browser
}

/// The person's security log, oldest first.
pub async fn log(f: &Fixtures, person: &Person) -> Vec<String> {
    let all = security_event::Entity::find().order_by_asc(security_event::Column::At).all(&f.app.db).await.unwrap();
    all.into_iter().filter(|line| line.subject.to_string() == person.id).map(|line| line.kind).collect()
}

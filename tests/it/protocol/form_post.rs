//! Form Post OP, with the response types of Basic, Implicit and Hybrid. Plans: oidcc-formpost-basic-, -implicit- and
//! -hybrid-certification-test-plan. The browser of the tests takes nothing but a 200 with a form of hidden inputs, and
//! errors come in one too.
use super::fixtures;
use crate::{
    harness::{Mode, assert, relying_party::random},
    protocol::family::client,
};

const FORM_POST: Option<&str> = Some("form_post");

mod basic {
    use super::{FORM_POST, fixtures};
    use crate::protocol::plan::{basic_plan, common, modules, with_code, with_userinfo};

    basic_plan!(FORM_POST);
}

mod implicit {
    use super::{FORM_POST, fixtures};
    use crate::protocol::plan::{common, implicit_plan, modules, with_userinfo};

    implicit_plan!(FORM_POST);
}

mod hybrid {
    use super::{FORM_POST, fixtures};
    use crate::protocol::plan::{common, hybrid_plan, modules, with_code, with_userinfo};

    hybrid_plan!(FORM_POST);
}

/// The page is a form and nothing else: post, to the redirect URI, hidden inputs, and a visible button without scripts.
#[tokio::test]
async fn form_post_is_a_form_of_hidden_inputs() {
    let f = fixtures().await;
    assert!(f.c1.discovery().await["response_modes_supported"].to_string().contains("\"form_post\""));
    for kind in ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"] {
        let client = client(&f, kind, "client_secret_basic").await;
        let asked = client.asks().with("response_type", kind).with("response_mode", "form_post");
        for asked in [
            asked.clone().with("state", "\"><script>alert(1)</script>&amp;'"),
            asked.with("prompt", "none").with("state", &random(128)),
        ] {
            let mut browser = f.browser();
            browser.goto(&asked.url()).await;
            if asked.get("prompt").is_none() {
                browser.walk(&f.u1).await;
                client.front(&browser, &asked).await;
            } else {
                assert::redirect(&browser, &client, &asked, "login_required");
            }
            let (landed, page) = (browser.landed(), browser.page());
            assert_eq!(
                (landed.mode, landed.raw.as_str(), page.status()),
                (Mode::FormPost, "https://rp.example/cb", 200)
            );
            assert::page_headers(page);
            let inputs: Vec<_> = page.document.named("input").collect();
            assert!(inputs.iter().all(|input| input.attribute("type") == Some("hidden")), "{page}");
            assert_eq!(inputs.len(), landed.parameters.0.len());
            assert_eq!((page.document.named("form").count(), page.document.named("button").count()), (1, 1));
            assert_eq!(page.document.named("script").count(), 1);
        }
    }
}

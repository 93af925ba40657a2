//! Whether the server lives, and whether it can work: each dependency with its state.

use poem::web::Data;
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json};

use super::oauth::Topic;
use crate::{app::App, flows::health};

pub struct Health;

#[OpenApi]
impl Health {
    /// The process answers. Needs no dependency, so nothing but a dead process is restarted.
    #[oai(path = "/health/live", method = "get", tag = "Topic::Health", operation_id = "live")]
    async fn live(&self) -> Json<Live> {
        Json(Live { status: "up".to_owned() })
    }

    /// The server can do its work; a load balancer sends traffic only then.
    #[oai(path = "/health/ready", method = "get", tag = "Topic::Health", operation_id = "ready")]
    async fn ready(&self, app: Data<&App>) -> Ready {
        let states = health::check(&app).await;
        let ready = states.iter().all(|state| state.up);
        let status = if ready { "up" } else { "down" }.to_owned();
        let checks = states.into_iter().map(|state| Check {
            name: state.name.to_owned(),
            status: if state.up { "up" } else { "down" }.to_owned(),
        });
        let body = Json(Report { status, checks: checks.collect() });
        let no_store = "no-store".to_owned();
        if ready { Ready::Up(body, no_store) } else { Ready::Down(body, no_store) }
    }
}

#[derive(Object)]
struct Live {
    /// `up`.
    status: String,
}

#[derive(Object)]
struct Report {
    /// `up` or `down`.
    status: String,
    checks: Vec<Check>,
}

#[derive(Object)]
struct Check {
    /// The dependency.
    name: String,
    /// `up` or `down`.
    status: String,
}

#[derive(ApiResponse)]
enum Ready {
    /// Everything that it needs answers.
    #[oai(status = 200)]
    Up(Json<Report>, #[oai(header = "Cache-Control")] String),
    /// Something that it needs does not.
    #[oai(status = 503)]
    Down(Json<Report>, #[oai(header = "Cache-Control")] String),
}

//! Clients are told of logouts at once; what failed then, or was left by a node that died, is tried here.

use super::follow;
use crate::{app::App, flows::logout_delivery::Delivery};

/// For as long as the server lives.
pub fn start(app: &App) {
    follow::start::<Delivery>(app, app.logouts.clone());
}

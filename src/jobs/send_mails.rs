//! Mails leave as soon as their cause is committed; what the server did not take is tried again.

use super::follow;
use crate::{
    app::App,
    flows::mail::{self, Mail},
};

/// For as long as the server lives.
pub fn start(app: &App) {
    if mail::is_possible(app) {
        follow::start::<Mail>(app, app.mails.clone());
    }
}

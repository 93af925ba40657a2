//! Clients are told of logouts at once; what failed then, or was left by a node that died, is tried here. No lease for the
//! whole: every node looks, and each delivery is claimed by itself.

use tokio::time::timeout;

use crate::{app::App, flows::logout_delivery};

/// For as long as the server lives.
pub fn start(app: &App) {
    let (woken, slots) = (app.logouts.clone(), logout_delivery::slots());
    let app = app.downgrade();
    tokio::spawn(async move {
        loop {
            let Some(app) = App::upgrade(&app) else { return };
            let pause = logout_delivery::begin_due(&app, &slots).await;
            drop(app);
            // Woken early when a session has ended here.
            let _ = timeout(pause, woken.notified()).await;
        }
    });
}

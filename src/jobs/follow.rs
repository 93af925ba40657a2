//! What is tried as it comes due. No lease for the whole: every node looks, and each row is claimed by itself.

use std::sync::Arc;

use tokio::{sync::Notify, time::timeout};

use crate::{
    app::App,
    flows::due::{self, Due},
};

/// For as long as the server lives. `woken`: there is something new on this node.
pub fn start<T: Due>(app: &App, woken: Arc<Notify>) {
    let slots = due::slots::<T>();
    let app = app.downgrade();
    tokio::spawn(async move {
        loop {
            let Some(app) = App::upgrade(&app) else { return };
            let pause = due::begin::<T>(&app, &slots).await;
            drop(app);
            let _ = timeout(pause, woken.notified()).await;
        }
    });
}

//! Signet, an OpenID Connect provider.

pub mod crypto;
pub mod app {
    //! What every request shares.
    pub mod outbound;
}
pub mod http {
    //! How the world reaches us.
    pub mod listener;
    pub mod tls;
}

//! One struct per page, with the template of the same name. They hold plain data; nothing here asks or decides.

mod account;
mod accounts;
mod claim;
mod client;
mod consent;
mod error;
mod field;
mod form_post;
mod input;
mod link;
mod login;
mod logout;
mod new_password;
mod outbox;
mod provider;
mod second_factor;
mod set_up;
mod try_it;

pub use crate::app::moment::Moment;
pub use account::*;
pub use accounts::AccountChooser;
pub use client::ClientCard;
pub use consent::{Consent, ScopeLine, Topic};
pub use error::{ErrorPage, Reason};
pub use field::{Complaint, TextField};
pub use form_post::{FORM_POST_SCRIPT, FormPost};
pub use input::{Input, InputProblem};
pub use link::{Destination, Link, local_path, segment};
pub use login::{Login, LoginProblem};
pub use logout::{LoggedOut, LogoutConfirm, SessionCheck, SigningOut, Told};
pub use new_password::{NewPassword, Rule};
pub use outbox::{Outbox, OutboxLine, OutboxMail};
pub use provider::{Connect, Enrol, Mark, ProviderButton, ProviderPage};
pub use second_factor::{AppKey, FactorProblem, RecoveryCodes, SecondFactor, SetUpFactor};
pub use set_up::{SetUp, SetUpDone};
pub use try_it::{
    ClaimRow, DecodedToken, Exchange, Message, Signature, Stage, TokenKind, TryIt, TryProblem, TryResult, pretty,
};

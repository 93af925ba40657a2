//! The pages of accounts: those before one can be used, and the person's own.

mod announcement;
mod apps;
mod area;
mod data;
mod email;
mod entry;
mod factors;
mod home;
mod password;
mod profile;
mod providers;
mod security;
mod sessions;

pub use announcement::{Announced, Announcement};
pub use apps::{AppAccess, AppsPage};
pub use area::{Area, Notice, Section};
pub use data::DataPage;
pub use email::EmailPage;
pub use entry::{Asked, Forgot, Question, Register, Reset, Verify};
pub use factors::{FactorsPage, PasskeyEntry, TrustedBrowser};
pub use home::AccountHome;
pub use password::PasswordPage;
pub use profile::{Group, ProfilePage};
pub use providers::{ConnectedAccount, ProvidersPage};
pub use security::{LogEntry, SecurityPage, attempt, event};
pub use sessions::{Device, SessionsPage};

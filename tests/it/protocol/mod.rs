//! The OpenID Foundation's conformance plans in our own words, each test named by the plan's module.
pub mod backchannel_logout;
mod basic;
mod basic_prompt;
mod basic_requests;
mod common;
mod config;
pub mod frontchannel_logout;
mod rp_initiated_logout;
mod session_management;

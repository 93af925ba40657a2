//! The OpenID Foundation's conformance plans in our own words, each test named by the plan's module.
mod basic;
mod basic_prompt;
mod basic_requests;
mod common;
mod config;
mod rp_initiated_logout;

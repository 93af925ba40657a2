//! The numbered cases of the security requirements. A test is named by its case.
mod authorize;
mod authorize_person;
mod authorize_values;
mod bearer;
mod code;
mod enumeration;
mod headers;
mod input;
mod jwt;
mod logout;
mod metadata;
mod pages;
mod passwords;
mod refresh;
mod revocation;
mod session;
mod token;

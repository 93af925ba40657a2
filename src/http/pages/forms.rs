//! Forms that are shown again: what was typed, what is wrong with it, and the status that says so.

use askama::Template;
use poem::{
    IntoResponse, Response,
    http::{HeaderValue, StatusCode, header},
};

use super::{
    account::announce,
    error,
    request::Page,
    view::View,
    views::{Announced, Complaint, Input, InputProblem, TextField},
};
use crate::{
    flows::{Field, Refused, Trouble, Why, account::User, passwords},
    http::headers::Policy,
    protocol::{Code, rule, trace::Kind},
};

/// How a form looks now.
pub struct Again {
    problems: Vec<Field>,
    pub complaint: Option<Complaint>,
    status: StatusCode,
    wait: Option<i64>,
}

impl Again {
    /// Nobody has sent it yet.
    pub fn fresh() -> Self {
        Again { problems: Vec::new(), complaint: None, status: StatusCode::OK, wait: None }
    }

    fn of_fields(problems: Vec<Field>) -> Self {
        let complaint = Some(Complaint::LookAgain);
        Again { problems, complaint, status: StatusCode::UNPROCESSABLE_ENTITY, wait: None }
    }

    /// With those of these fields that were left out, if any were.
    pub fn missing(page: &Page, names: &[&'static str]) -> Option<Self> {
        let empty = |name: &&&str| page.form.get(name).is_none_or(|value| value.trim().is_empty());
        let missing = names.iter().filter(empty).map(|name| Field { name, why: Why::Missing });
        let missing: Vec<Field> = missing.collect();
        (!missing.is_empty()).then(|| Self::of_fields(missing))
    }

    /// # Errors
    /// The page that says what no form can.
    pub fn of(page: &Page, trouble: Trouble) -> Result<Self, Box<Response>> {
        match trouble {
            Trouble::Invalid(fields) => Ok(Self::of_fields(fields)),
            Trouble::Conflict(_) => Ok(Self::conflict(Complaint::LookAgain)),
            Trouble::Broken(error) if error.code == Code::TooManyRequests => {
                let wait = error.retry_after.unwrap_or(60);
                let seconds = wait.try_into().unwrap_or(60);
                Ok(Self::later(StatusCode::TOO_MANY_REQUESTS, wait, Complaint::TooMany { seconds }))
            }
            Trouble::Broken(error) if error.code == Code::TemporarilyUnavailable => {
                Ok(Self::later(StatusCode::SERVICE_UNAVAILABLE, 2, Complaint::Busy { seconds: 2 }))
            }
            trouble => Err(Box::new(refuse(page, trouble))),
        }
    }

    /// The account as it is does not allow it.
    pub fn conflict(complaint: Complaint) -> Self {
        Again { problems: Vec::new(), complaint: Some(complaint), status: StatusCode::CONFLICT, wait: None }
    }

    fn later(status: StatusCode, wait: i64, complaint: Complaint) -> Self {
        Again { problems: Vec::new(), complaint: Some(complaint), status, wait: Some(wait) }
    }

    pub fn is_fresh(&self) -> bool {
        self.complaint.is_none()
    }

    pub fn problem(&self, name: &str) -> Option<InputProblem> {
        self.problems.iter().find(|field| field.name == name).map(InputProblem::of)
    }

    /// A field as it was sent.
    pub fn input(&self, page: &Page, name: &str) -> Input {
        self.input_or(page, name, None)
    }

    /// A field as it was sent, or as it is kept while nobody has sent it.
    pub fn input_or(&self, page: &Page, name: &str, kept: Option<&str>) -> Input {
        let sent = page.form.get(name);
        let value = if self.is_fresh() { sent.or(kept) } else { sent };
        Input { value: value.unwrap_or_default().to_owned(), problem: self.problem(name) }
    }

    /// Marks the field to begin with, if one is wrong.
    pub fn focus(&self, fields: &mut [TextField]) {
        if let Some(wrong) = fields.iter_mut().find(|field| field.problem().is_some()) {
            wrong.focus = true;
        }
    }

    pub fn show(&self, page: &Page, view: impl Template + Send) -> Response {
        self.show_with(page, view, &Policy::default())
    }

    pub fn show_with(&self, page: &Page, view: impl Template + Send, policy: &Policy<'_>) -> Response {
        let mut response = page.show(View::with(self.status, view), policy);
        if let Some(seconds) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What cannot be mended on a form.
pub fn refuse(page: &Page, trouble: Trouble) -> Response {
    let error = match trouble {
        Trouble::Broken(error) => error,
        Trouble::NotFound(_) => return error::not_found(page),
        Trouble::Invalid(_) | Trouble::Conflict(_) => {
            Code::InvalidRequest.because("the request does not fit the account").under(&rule::PARAMETERS)
        }
    };
    match error.detail.as_ref().map(|detail| detail.rule.name) {
        Some(name) if name == rule::MAIL_LINK.name => announce::show(page, Announced::DeadLink),
        Some(name) if name == rule::SIGN_UP.name => announce::show(page, Announced::ByInvitation),
        _ => {
            let refused = Refused::at_once(&page.app, Kind::Account, page.browser.visitor.address, error);
            page.refuse(&refused).into_response()
        }
    }
}

/// What everybody knows of a person and of this server: no password is made of it.
pub fn words_about(page: &Page, person: &User) -> Vec<String> {
    let claims = &person.claims;
    let names = [&claims.name, &claims.given_name, &claims.family_name, &claims.nickname];
    let known = [&person.username, &person.email].into_iter().chain(names).filter_map(Clone::clone);
    known.chain(passwords::own_words(&page.app)).collect()
}

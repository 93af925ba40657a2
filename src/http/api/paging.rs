//! Lists by parts: `?limit=` and `?cursor=` in, `items` and `next_cursor` out.

use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, Object,
    registry::{MetaParamIn, MetaSchema, MetaSchemaRef},
    types::{ParseFromJSON, ToJSON},
};
use serde_json::json;
use url::form_urlencoded;
use uuid::Uuid;

use super::problem::Problem;
use crate::{
    app::App,
    flows::{Trouble, account::log::Part, cursor::List},
};

const USUAL: u64 = 20;
const MOST: i64 = 100;

/// How many items at most. A number beyond what is possible counts as the nearest that is (case SEC-150).
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub u64);

impl Limit {
    fn parse(text: &str) -> Result<Self, Trouble> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Trouble::field("limit", "must be a whole number"));
        }
        // What is too long for a number is more than enough, or less than nothing.
        let beyond = if digits == text { MOST } else { 1 };
        Ok(Limit(text.parse().unwrap_or(beyond).clamp(1, MOST).unsigned_abs()))
    }
}

impl<'a> ApiExtractor<'a> for Limit {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = i64;
    type ParamRawType = i64;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema {
            minimum: Some(1.0),
            maximum: Some(100.0),
            default: Some(json!(USUAL)),
            ..MetaSchema::new("integer")
        })))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        options: ExtractParamOptions<i64>,
    ) -> poem::Result<Self> {
        let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        let mut said = query.filter(|(name, _)| name == options.name).map(|(_, value)| value);
        match said.next() {
            None => Ok(Limit(USUAL)),
            Some(text) => Limit::parse(&text).map_err(|trouble| Problem::from(trouble).into()),
        }
    }
}

/// Rows of a report of the administration, unless it is said how many.
const USUAL_REPORT: u64 = 100;
const LONGEST_REPORT: u64 = 1000;

/// Which part of a report is wanted: after which row, and how many at most.
///
/// # Errors
/// What is wrong with `after` or `limit`.
pub fn of_report(after: Option<String>, limit: Option<u64>) -> Result<(Option<Uuid>, u64), Trouble> {
    let most = limit.unwrap_or(USUAL_REPORT);
    if !(1..=LONGEST_REPORT).contains(&most) {
        return Err(Trouble::field("limit", format!("must be from 1 to {LONGEST_REPORT}")));
    }
    let after = after.map(|after| Uuid::try_parse(&after)).transpose();
    Ok((after.map_err(|_| Trouble::field("after", "must be the next of a page"))?, most))
}

/// What the next request gives as `after`; none at the end.
pub fn next_of_report<T>(found: &[T], most: u64, id: impl Fn(&T) -> Uuid) -> Option<String> {
    let last = found.last().filter(|_| found.len() as u64 == most)?;
    Some(id(last).to_string())
}

/// Part of a list, the newest first.
#[derive(Object)]
pub struct Listed<T: ParseFromJSON + ToJSON> {
    pub items: Vec<T>,
    /// For `cursor` of the next request; null at the end of the list.
    pub next_cursor: Option<String>,
}

impl<T: ParseFromJSON + ToJSON> Listed<T> {
    pub fn of<R>(app: &App, list: List, part: Part<R>, item: impl Fn(R) -> T) -> Self {
        let next_cursor = part.next.map(|row| list.mark(app, row));
        Listed { items: part.items.into_iter().map(item).collect(), next_cursor }
    }
}

/// The row after which the list goes on.
///
/// # Errors
/// When it is not a mark that this server made for this list.
pub fn after(app: &App, list: List, cursor: Option<String>) -> Result<Option<Uuid>, Trouble> {
    match cursor {
        None => Ok(None),
        Some(mark) => match list.read(app, &mark) {
            Some(row) => Ok(Some(row)),
            None => Err(Trouble::field("cursor", "is not the next_cursor of this list")),
        },
    }
}

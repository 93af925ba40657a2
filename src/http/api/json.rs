//! RFC 8259: what a request says, told apart from what it should not say. Every member that is wrong is named, and none
//! is repeated in the words about it: it may be a password.

use std::fmt;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::ParseFromJSON,
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use super::problem::MemberError;

/// Decision D10.
const DEEPEST: usize = 32;
/// Names of members, as a refusal repeats them.
const LONGEST_NAME: usize = 64;

/// Why a body cannot be read.
#[derive(Debug)]
pub enum Wrong {
    /// It is no JSON object at all.
    Shape,
    Members(Vec<MemberError>),
}

/// The members of `T`, all that it requires, and no others.
///
/// # Errors
/// Everything that is wrong with it at once.
pub fn read<T: ParseFromJSON>(body: &[u8]) -> Result<T, Wrong> {
    let members = judged::<T>(body, true)?;
    // What is left is a number beyond what the type holds, say.
    T::parse_from_json(Some(Value::Object(members))).map_err(|_| Wrong::Members(Vec::new()))
}

/// The members of `T` that are there.
///
/// # Errors
/// Everything that is wrong with it at once.
pub fn some_of<T: ParseFromJSON>(body: &[u8]) -> Result<Map<String, Value>, Wrong> {
    judged::<T>(body, false)
}

fn judged<T: ParseFromJSON>(body: &[u8], whole: bool) -> Result<Map<String, Value>, Wrong> {
    let text = String::from_utf8_lossy(body);
    let is_text = str::from_utf8(body).is_ok();
    let members: Members = serde_json::from_str(&text).map_err(|_| Wrong::Shape)?;
    let mut registry = Registry::new();
    T::register(&mut registry);
    let mut reader = Reader { registry: &registry, whole, wrong: Vec::new() };
    let mut values = Map::new();
    for (name, raw) in members.0 {
        if values.contains_key(&name) {
            reader.refuse(&name, "is there twice");
        } else if !is_text && raw.get().contains('\u{fffd}') {
            reader.refuse(&name, "is not UTF-8");
            values.insert(name, Value::Null);
        } else {
            let value = reader.value(&name, raw);
            values.insert(name, value);
        }
    }
    let refused: Vec<String> = reader.wrong.iter().map(|error| error.member.clone()).collect();
    reader.object("", &values, &T::schema_ref(), &refused);
    match reader.wrong {
        // What has no member to blame is a name that is no text.
        wrong if wrong.is_empty() && !is_text => Err(Wrong::Shape),
        wrong if wrong.is_empty() => Ok(values),
        wrong => Err(Wrong::Members(wrong)),
    }
}

/// The members of an object in their order, repeats included, their values not looked into.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

struct Reader<'a> {
    registry: &'a Registry,
    /// Members may not be left out.
    whole: bool,
    wrong: Vec<MemberError>,
}

impl Reader<'_> {
    fn refuse(&mut self, name: &str, why: impl Into<String>) {
        let member = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        self.wrong.push(MemberError { member, why: why.into() });
    }

    /// The value of a member, or nothing and the reason.
    fn value(&mut self, name: &str, raw: &RawValue) -> Value {
        let refused = match raw.get() {
            text if depth(text) >= DEEPEST => "is nested too deeply",
            text => match serde_json::from_str(text) {
                Ok(value) if has_nul(&value) => "contains a NUL character",
                Ok(value) => return value,
                Err(error) if error.to_string().contains("out of range") => "is a number out of range",
                Err(_) => "contains half of a surrogate pair",
            },
        };
        self.refuse(name, refused);
        Value::Null
    }

    /// `refused`: members that have been.
    fn object(&mut self, path: &str, values: &Map<String, Value>, schema: &MetaSchemaRef, refused: &[String]) {
        let Some(schema) = self.schema(schema) else { return };
        let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, value) in values {
            let path = at(name);
            let known = schema.properties.iter().find(|(known, _)| known == name);
            match known {
                None => self.refuse(&path, "is not known here"),
                Some(_) if refused.contains(name) => {}
                // What is left out and what is null are the same, but for members that must be there.
                Some((name, _)) if value.is_null() && !(self.whole && schema.required.contains(name)) => {}
                Some((_, schema)) => self.check(&path, value, schema),
            }
        }
        let whole = self.whole;
        for name in schema.required.iter().filter(|name| whole && !values.contains_key(**name)) {
            self.refuse(&at(name), "is missing");
        }
    }

    fn check(&mut self, path: &str, value: &Value, schema: &MetaSchemaRef) {
        let Some(known) = self.schema(schema) else { return };
        let refused = match (known.ty, value) {
            ("string", Value::String(text)) => not_among(known, text),
            ("string", _) => Some("must be a string".to_owned()),
            ("boolean", Value::Bool(_)) => None,
            ("boolean", _) => Some("must be true or false".to_owned()),
            ("integer", Value::Number(number)) if number.is_i64() => beyond(known, number.as_f64().unwrap_or_default()),
            ("integer", _) => Some("must be a whole number".to_owned()),
            ("array", Value::Array(items)) if known.max_items.is_some_and(|most| items.len() > most) => {
                Some("has too many items".to_owned())
            }
            ("array", Value::Array(items)) => {
                if let Some(of) = &known.items {
                    items.iter().for_each(|item| self.check(path, item, of));
                }
                None
            }
            ("array", _) => Some("must be an array".to_owned()),
            ("object", Value::Object(members)) if !known.properties.is_empty() => {
                return self.object(path, members, schema, &[]);
            }
            ("object", Value::Object(_)) => None,
            ("object", _) => Some("must be an object".to_owned()),
            _ => None,
        };
        if let Some(why) = refused {
            self.refuse(path, why);
        }
    }

    fn schema<'s>(&self, schema: &'s MetaSchemaRef) -> Option<&'s MetaSchema>
    where
        Self: 's,
    {
        match schema {
            // A type of its own that has a comment where it is used.
            MetaSchemaRef::Inline(schema) if !schema.all_of.is_empty() => self.schema(&schema.all_of[0]),
            MetaSchemaRef::Inline(schema) => Some(schema),
            MetaSchemaRef::Reference(name) => self.registry.schemas.get(name),
        }
    }
}

fn not_among(schema: &MetaSchema, text: &str) -> Option<String> {
    let words: Vec<&str> = schema.enum_items.iter().filter_map(Value::as_str).collect();
    (!words.is_empty() && !words.contains(&text)).then(|| format!("is none of {}", words.join(", ")))
}

fn beyond(schema: &MetaSchema, number: f64) -> Option<String> {
    match (schema.minimum, schema.maximum) {
        (Some(least), Some(most)) if number < least || number > most => Some(format!("must be from {least} to {most}")),
        _ => None,
    }
}

/// How deep arrays and objects stand in each other.
fn depth(json: &str) -> usize {
    let (mut now, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' if !in_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// PostgreSQL keeps no such text, and no person means it.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

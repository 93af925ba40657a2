//! `[[resources]]`: APIs that take our access tokens (RFC 8707), and the scopes they know.
use url::Url;

use super::{
    clients::refuse_repeated,
    parse::{list, optional, text},
    reader::Reader,
    setting::{Fallback, Fault, Given, Parsed, section},
};

section! {
    /// One declared API, without its scopes.
    pub struct ResourceHead at "resources[]." {
        /// The URI by which apps ask for it, and which its tokens have as audience: absolute, without fragment (RFC 8707
        /// §2). Kept as written. Required.
        identifier: String = Fallback::Required, identifier;
        /// The name that people see. Default: the identifier.
        name: Option<String> = Fallback::Unset, optional(text(200));
        /// The ids of the clients that may ask about its tokens (RFC 7662 §2.1). Default: none.
        introspection_clients: Vec<String> = Fallback::Fixed(""), list(text(255));
    }
}

section! {
    /// One scope of an API.
    pub struct ResourceScope at "resources[].scopes[]." {
        /// The word that apps ask for (RFC 6749 §3.3). Required.
        name: String = Fallback::Required, scope;
        /// What it allows, in plain words for the consent page. Default: the word itself.
        description: Option<String> = Fallback::Unset, optional(text(200));
    }
}

/// One declared API.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The URI by which apps ask for it, as written.
    pub identifier: String,
    /// The name that people see.
    pub name: String,
    /// What apps can ask for.
    pub scopes: Vec<ResourceScope>,
    /// The ids of the clients that may ask about its tokens.
    pub introspection_clients: Vec<String>,
}

impl Resource {
    /// Reads all of them; each identifier once, and each scope once within it.
    pub(super) fn read_all(reader: &mut Reader<'_>) -> Vec<Self> {
        let resources = reader.entries("resources", |reader| {
            let head = ResourceHead::read(reader);
            let scopes = reader.entries("resources[].scopes", ResourceScope::read);
            let list = reader.full("resources[].scopes");
            refuse_repeated(reader, &list, "name");
            let ResourceHead { identifier, name, introspection_clients } = head?;
            let name = name.unwrap_or_else(|| identifier.clone());
            Some(Self { identifier, name, scopes, introspection_clients })
        });
        refuse_repeated(reader, "resources", "identifier");
        resources
    }
}

fn identifier(given: &Given<'_>) -> Parsed<String> {
    const EXAMPLE: &str = "write a URI like \"https://api.example.com\"";
    let text = text(2048)(given)?;
    let uri =
        Url::parse(&text).map_err(|error| Fault::new(format!("the identifier is not a URI ({error})"), EXAMPLE))?;
    if uri.fragment().is_some() {
        return Err(Fault::new("the identifier must have no fragment", "remove the # and what follows"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::new("the identifier has spaces or characters beyond ASCII", EXAMPLE));
    }
    Ok(text)
}

/// RFC 6749 §3.3: one scope token.
fn scope(given: &Given<'_>) -> Parsed<String> {
    let word = text(128)(given)?;
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if word.bytes().all(allowed) {
        return Ok(word);
    }
    Err(Fault::new("a scope is one word of ASCII characters without \" and \\", "use letters, digits and : . _ -"))
}

//! Just enough HTML to use our own well-formed pages as a person does: elements, their text, and forms.

#[derive(Clone, Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// The text inside, that of the elements inside too.
    pub text: String,
    parent: Option<usize>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub fn id(&self) -> Option<&str> {
        self.attribute("id")
    }
}

#[derive(Clone, Debug, Default)]
pub struct Document {
    pub elements: Vec<Element>,
    /// What a person can read: no scripts, no styles.
    pub text: String,
}

const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "path", "source", "track", "wbr"];

impl Document {
    pub fn parse(html: &str) -> Self {
        let mut document = Document::default();
        let mut open: Vec<usize> = Vec::new();
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            document.read(&open, &rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("<!--") {
                rest = after.split_once("-->").map_or("", |(_, after)| after);
            } else if let Some(tag) = rest.strip_prefix("</") {
                let (name, after) = tag.split_once('>').unwrap_or((tag, ""));
                let name = name.trim().to_ascii_lowercase();
                if let Some(depth) = open.iter().rposition(|index| document.elements[*index].name == name) {
                    open.truncate(depth);
                }
                rest = after;
            } else if rest.starts_with("<!") {
                rest = rest.split_once('>').map_or("", |(_, after)| after);
            } else {
                rest = document.open(&mut open, &rest[1..]);
            }
        }
        document.read(&open, rest);
        document.text = document.text.split_whitespace().collect::<Vec<_>>().join(" ");
        document
    }

    fn read(&mut self, open: &[usize], text: &str) {
        let text = decoded(text);
        let hidden = open.iter().any(|index| matches!(self.elements[*index].name.as_str(), "head"));
        if !hidden {
            self.text.push_str(&text);
            self.text.push(' ');
        }
        for index in open {
            self.elements[*index].text.push_str(&text);
        }
    }

    /// Reads an opening tag, and the whole content where that is not markup; returns what follows.
    fn open<'a>(&mut self, open: &mut Vec<usize>, tag: &'a str) -> &'a str {
        let end = tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(tag.len());
        let name = tag[..end].to_ascii_lowercase();
        let (attributes, mut rest) = attributes(&tag[end..]);
        let mut element = Element { name, attributes, text: String::new(), parent: open.last().copied() };
        if matches!(element.name.as_str(), "script" | "style") {
            let close = format!("</{}>", element.name);
            let (raw, after) = rest.split_once(close.as_str()).unwrap_or((rest, ""));
            element.text = raw.to_string();
            self.elements.push(element);
            return after;
        }
        let is_void = VOID.contains(&element.name.as_str());
        if let Some(after) = rest.strip_prefix("/>") {
            rest = after;
        } else {
            rest = rest.strip_prefix('>').unwrap_or(rest);
            if !is_void {
                open.push(self.elements.len());
            }
        }
        self.elements.push(element);
        rest
    }

    pub fn by_id(&self, id: &str) -> Option<usize> {
        self.elements.iter().position(|element| element.id() == Some(id))
    }

    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.is(name))
    }

    /// The form that a control belongs to: the one named by its `form` attribute, or the one around it.
    pub fn form_of(&self, control: usize) -> Option<usize> {
        if let Some(id) = self.elements[control].attribute("form") {
            return self.by_id(id);
        }
        let mut at = self.elements[control].parent;
        while let Some(index) = at {
            if self.elements[index].is("form") {
                return Some(index);
            }
            at = self.elements[index].parent;
        }
        None
    }

    /// The controls of a form that send something by themselves, with what they would send.
    pub fn fields(&self, form: usize) -> Vec<(usize, String, String)> {
        let mut fields = Vec::new();
        for (index, element) in self.elements.iter().enumerate() {
            let Some(name) = element.attribute("name") else { continue };
            if self.form_of(index) != Some(form) || element.attribute("disabled").is_some() {
                continue;
            }
            let value = element.attribute("value");
            let sent = match (element.name.as_str(), element.attribute("type").unwrap_or("text")) {
                ("input", "submit" | "button" | "image" | "reset") => None,
                ("input", "checkbox" | "radio") => element.attribute("checked").map(|_| value.unwrap_or("on").into()),
                ("input", _) => Some(value.unwrap_or_default().to_string()),
                ("textarea", _) => Some(element.text.clone()),
                ("select", _) => self.chosen(index),
                _ => None,
            };
            if let Some(sent) = sent {
                fields.push((index, name.to_string(), sent));
            }
        }
        fields
    }

    fn chosen(&self, select: usize) -> Option<String> {
        let mut options = self.elements.iter().filter(|one| one.is("option") && one.parent == Some(select)).peekable();
        let first = options.peek().copied();
        let option = options.find(|one| one.attribute("selected").is_some()).or(first)?;
        Some(option.attribute("value").map_or_else(|| option.text.trim().to_string(), str::to_string))
    }
}

fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('>') || rest.starts_with("/>") {
            return (found, rest);
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>')).unwrap_or(rest.len());
        let name = rest[..end.max(1)].to_ascii_lowercase();
        rest = rest[end.max(1)..].trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            found.push((name, String::new()));
            continue;
        };
        let after = after.trim_start();
        let (value, after) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).expect("a quoted attribute ends"),
            _ => after.split_at(after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len())),
        };
        found.push((name, decoded(value)));
        rest = after;
    }
}

/// Character references, as far as our templates write them.
fn decoded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        match rest.find(';').and_then(|end| Some((character(&rest[1..end])?, end))) {
            Some((character, end)) => {
                plain.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain + rest
}

fn character(reference: &str) -> Option<char> {
    Some(match reference {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "middot" => '·',
        "hellip" => '…',
        "copy" => '©',
        "ndash" => '–',
        "mdash" => '—',
        _ => {
            let number = reference.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

//! Reads the people of another system line by line: CSV with a header (RFC 4180), or JSON lines. Little of the file is in
//! memory at a time, whatever stands in it.

use std::{
    cell::Cell,
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    rc::Rc,
};

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::{
    commands::failure::Failure,
    config::error::printable,
    flows::admin::import::{Line, members},
};

/// No person takes more bytes.
const LONGEST_LINE: u64 = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// A table with a header that names the members
    Csv,
    /// An object on each line
    Jsonl,
}

impl FileFormat {
    /// What the end of the name says.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(FileFormat::Csv),
            "jsonl" | "ndjson" | "json" => Some(FileFormat::Jsonl),
            _ => None,
        }
    }
}

/// The file, or the standard input for `-`.
///
/// # Errors
/// When it cannot be opened.
pub fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    Ok(Box::new(file))
}

/// The lines of a file, with their numbers.
pub enum Lines {
    Csv(Box<Table>),
    Jsonl(Objects),
}

impl Lines {
    /// # Errors
    /// When the header of a table names what nobody knows.
    pub fn of(input: Box<dyn Read>, format: FileFormat) -> Result<Self, Failure> {
        match format {
            FileFormat::Csv => Ok(Lines::Csv(Box::new(Table::of(input)?))),
            FileFormat::Jsonl => Ok(Lines::Jsonl(Objects { input: BufReader::new(input), number: 0 })),
        }
    }

    /// The next lines, at most `most`; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read any further.
    pub fn next(&mut self, most: usize) -> Result<Vec<Line>, Failure> {
        let mut lines = Vec::new();
        while lines.len() < most {
            let line = match self {
                Lines::Csv(table) => table.next()?,
                Lines::Jsonl(objects) => objects.next()?,
            };
            match line {
                Some(line) => lines.push(line),
                None => break,
            }
        }
        Ok(lines)
    }
}

/// CSV.
pub struct Table {
    reader: csv::Reader<Guard>,
    header: Vec<String>,
    row: csv::ByteRecord,
    read: Rc<Cell<u64>>,
}

/// Ends a row that does not end by itself: a quotation mark that is missing would make the whole file one.
struct Guard {
    input: Box<dyn Read>,
    read: Rc<Cell<u64>>,
}

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.get() > LONGEST_LINE {
            return Err(io::Error::other("a row is longer than 64 KiB; is a quotation mark missing?"));
        }
        let count = self.input.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

impl Table {
    fn of(input: Box<dyn Read>) -> Result<Self, Failure> {
        let read = Rc::new(Cell::new(0));
        let guard = Guard { input, read: read.clone() };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(guard);
        let header = reader.headers().map_err(|error| unreadable(&error))?;
        let header: Vec<String> = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        check_header(&header)?;
        Ok(Table { reader, header, row: csv::ByteRecord::new(), read })
    }

    fn next(&mut self) -> Result<Option<Line>, Failure> {
        self.read.set(0);
        if !self.reader.read_byte_record(&mut self.row).map_err(|error| unreadable(&error))? {
            return Ok(None);
        }
        let number = self.row.position().map_or(0, csv::Position::line);
        Ok(Some((number, self.members())))
    }

    fn members(&self) -> Result<Map<String, Value>, String> {
        if self.row.len() != self.header.len() {
            return Err(format!("has {} fields, and the header has {}", self.row.len(), self.header.len()));
        }
        let fields = self.header.iter().zip(&self.row).map(|(name, field)| {
            let text = std::str::from_utf8(field).map_err(|_| "is not UTF-8".to_owned())?;
            Ok((name.clone(), text.into()))
        });
        fields.collect()
    }
}

/// A column that nobody knows would be lost in every line.
fn check_header(header: &[String]) -> Result<(), Failure> {
    let unknown: Vec<_> = header.iter().filter(|name| !members().any(|known| known == *name)).collect();
    if let [first, ..] = unknown[..] {
        let known = members().collect::<Vec<_>>().join(", ");
        let name = if first.is_empty() { "without a name".to_owned() } else { printable(first) };
        return Err(Failure::usage(format!("the column {name} is not known here; leave it out. Known are {known}")));
    }
    let mut seen = HashSet::new();
    match header.iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(Failure::usage(format!("the column {twice} is there twice"))),
        None => Ok(()),
    }
}

fn unreadable(error: &impl std::fmt::Display) -> Failure {
    Failure::failed(format!("the file cannot be read: {error}"))
}

/// JSON lines.
pub struct Objects {
    input: BufReader<Box<dyn Read>>,
    number: u64,
}

impl Objects {
    /// Empty lines count and say nothing.
    fn next(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            let Some(line) = self.line().map_err(|error| unreadable(&error))? else { return Ok(None) };
            self.number += 1;
            let mark: &[u8] = if self.number == 1 { b"\xef\xbb\xbf" } else { b"" };
            let text = line.as_ref().map(|bytes| bytes.strip_prefix(mark).unwrap_or(bytes).trim_ascii());
            match text {
                Ok([]) => {}
                Ok(text) => return Ok(Some((self.number, object(text)))),
                Err(why) => return Ok(Some((self.number, Err((*why).to_owned())))),
            }
        }
    }

    /// The bytes up to the line break, or why they are not kept.
    fn line(&mut self) -> io::Result<Option<Result<Vec<u8>, &'static str>>> {
        let mut bytes = Vec::new();
        let count = self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
        if count == 0 {
            return Ok(None);
        }
        if bytes.ends_with(b"\n") || (count as u64) < LONGEST_LINE {
            return Ok(Some(Ok(bytes)));
        }
        while !bytes.ends_with(b"\n") {
            bytes.clear();
            if self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
        }
        Ok(Some(Err("is longer than 64 KiB")))
    }
}

fn object(text: &[u8]) -> Result<Map<String, Value>, String> {
    if std::str::from_utf8(text).is_err() {
        return Err("is not UTF-8".to_owned());
    }
    // What stands there is not repeated: it may be a password.
    serde_json::from_slice(text).map_err(|error| format!("is not a JSON object (column {})", error.column()))
}

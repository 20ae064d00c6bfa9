//! YAML as values that know their line.

use saphyr_parser::{Event, Parser, Span};

use super::Problem;

/// How deep values may lie in each other: the file's own structure has four levels.
const DEPTH_MAX: usize = 16;

/// A value, and the line that it begins on.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Reads the one document of `text`; an empty one is an empty map.
pub(super) fn read(text: &str) -> Result<Node, Problem> {
    let mut events = Events { parser: Parser::new_from_str(text) };
    let mut root = Node { line: 1, value: Value::Map(Vec::new()) };
    let mut documents = 0;
    while let Some((event, span)) = events.next()? {
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if documents == 1 => {
                return Err(Problem::new(span.start.line(), "a second document; there may be one"));
            }
            Event::DocumentStart(_) => documents = 1,
            event => root = events.node(event, span, 0)?,
        }
    }
    if matches!(&root.value, Value::Text(text) if is_null(text)) {
        root.value = Value::Map(Vec::new());
    }
    Ok(root)
}

struct Events<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Problem> {
        let next = self.parser.next().transpose();
        next.map_err(|error| Problem::new(error.marker().line(), error.info().to_owned()))
    }

    fn some(&mut self, line: usize) -> Result<(Event<'a>, Span), Problem> {
        self.next()?.ok_or_else(|| Problem::new(line, "the file ends within a value"))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Problem> {
        let line = span.start.line();
        if depth == DEPTH_MAX {
            return Err(Problem::new(line, format!("values lie more than {DEPTH_MAX} deep in each other")));
        }
        let value = match event {
            Event::Scalar(text, ..) => Value::Text(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.some(line)? {
                        (Event::SequenceEnd, _) => break Value::List(items),
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    let (event, span) = self.some(line)?;
                    let line = span.start.line();
                    let key = match event {
                        Event::MappingEnd => break Value::Map(entries),
                        Event::Scalar(key, ..) => key.into_owned(),
                        _ => return Err(Problem::new(line, "a key that is no text")),
                    };
                    let (event, span) = self.some(line)?;
                    let node = self.node(event, span, depth + 1)?;
                    // A value may begin on the line after its key; the key's is the one to look at.
                    entries.push((key, Node { line, ..node }));
                }
            }
            _ => return Err(Problem::new(line, "aliases are not read; write the value out")),
        };
        Ok(Node { line, value })
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null")
}

impl Node {
    /// The entries of a map; none of nothing.
    pub(super) fn entries(&self, key: &str) -> Result<&[(String, Self)], Problem> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            Value::Text(text) if is_null(text) => Ok(&[]),
            _ => Err(Problem::new(self.line, format!("{key}: keys and values were expected"))),
        }
    }

    /// The items of a list; none of nothing.
    pub(super) fn items(&self, key: &str) -> Result<&[Self], Problem> {
        match &self.value {
            Value::List(items) => Ok(items),
            Value::Text(text) if is_null(text) => Ok(&[]),
            _ => Err(Problem::new(self.line, format!("{key}: a list was expected"))),
        }
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<&Self>, Problem> {
        Ok(self.entries("here")?.iter().find(|(known, _)| known == key).map(|(_, node)| node))
    }

    pub(super) fn require(&self, key: &str, of: &str) -> Result<&Self, Problem> {
        self.entries(of)?;
        self.get(key)?.ok_or_else(|| Problem::new(self.line, format!("{of}: {key} is missing")))
    }

    pub(super) fn text(&self, key: &str) -> Result<&str, Problem> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(Problem::new(self.line, format!("{key}: a single value was expected"))),
        }
    }

    pub(super) fn number(&self, key: &str, most: u64) -> Result<u64, Problem> {
        let text = self.text(key)?;
        let number = text.parse().ok().filter(|number| *number <= most);
        number.ok_or_else(|| Problem::new(self.line, format!("{key}: '{text}' is no number up to {most}")))
    }

    pub(super) fn truth(&self, key: &str) -> Result<bool, Problem> {
        let text = self.text(key)?;
        text.to_ascii_lowercase()
            .parse()
            .map_err(|_| Problem::new(self.line, format!("{key}: '{text}' is neither true nor false")))
    }
}

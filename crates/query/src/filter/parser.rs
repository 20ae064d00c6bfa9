//! From words to conditions.
//!
//! ```text
//! filter    = [ either ]
//! either    = both { "or" both }
//! both      = opposite { "and" opposite }
//! opposite  = "not" opposite | "(" either ")" | condition
//! ```
//! What a condition may be stands in [`super::conditions`].

use super::FilterError;
use super::lexer::{Kind, Token, tokens};
use super::node::{Comparison, Node};
use crate::names::UserColumn;

/// How deep parentheses and `not` may nest: a filter can come from a stranger, and the parser recurses.
const DEPTH_MAX: usize = 64;
/// Bytes of a filter.
const LENGTH_MAX: usize = 1 << 20;

/// Reads a whole filter.
pub(super) fn parse(text: &str, user: &[UserColumn]) -> Result<Node, FilterError> {
    if text.len() > LENGTH_MAX {
        return Err(FilterError::new("", 0, format!("a filter of at most {LENGTH_MAX} bytes")));
    }
    let mut parser = Parser { text, user, tokens: tokens(text)?, place: 0, depth: 0 };
    if parser.peek() == Kind::End {
        return Ok(Node::Always);
    }
    let node = parser.either()?;
    match parser.peek() {
        Kind::End => Ok(node),
        _ => Err(parser.expected("`and`, `or` or the end")),
    }
}

/// Walks over a filter's tokens.
pub(super) struct Parser<'a> {
    text: &'a str,
    user: &'a [UserColumn],
    tokens: Vec<Token<'a>>,
    place: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn either(&mut self) -> Result<Node, FilterError> {
        let mut nodes = vec![self.both()?];
        while self.take(Kind::Or) {
            nodes.push(self.both()?);
        }
        Ok(joined(nodes, Node::Any))
    }

    fn both(&mut self) -> Result<Node, FilterError> {
        let mut nodes = vec![self.opposite()?];
        while self.take(Kind::And) {
            nodes.push(self.opposite()?);
        }
        Ok(joined(nodes, Node::All))
    }

    fn opposite(&mut self) -> Result<Node, FilterError> {
        match self.peek() {
            Kind::Not => self.deeper(|parser| {
                parser.skip();
                Ok(Node::Not(Box::new(parser.opposite()?)))
            }),
            Kind::Open => self.deeper(|parser| {
                parser.skip();
                let node = parser.either()?;
                if parser.take(Kind::Close) { Ok(node) } else { Err(parser.expected("`and`, `or` or `)`")) }
            }),
            _ => self.condition(),
        }
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<Node, FilterError>) -> Result<Node, FilterError> {
        if self.depth == DEPTH_MAX {
            return Err(self.expected(&format!("at most {DEPTH_MAX} nested parentheses and `not`s")));
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    /// The columns that the user declared.
    pub(super) const fn user(&self) -> &'a [UserColumn] {
        self.user
    }

    /// The next token, which stays.
    pub(super) fn peek(&self) -> Kind<'a> {
        self.peek_after(0)
    }

    /// The token `count` after the next one.
    pub(super) fn peek_after(&self, count: usize) -> Kind<'a> {
        self.tokens.get(self.place + count).map_or(Kind::End, |token| token.kind)
    }

    /// The next word in lower case, where it is one.
    pub(super) fn peek_word(&self) -> Option<String> {
        match self.peek() {
            Kind::Word(word) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    /// Goes past the next token.
    pub(super) fn skip(&mut self) {
        self.place = (self.place + 1).min(self.tokens.len());
    }

    /// Goes past the next token if it is this one.
    pub(super) fn take(&mut self, kind: Kind<'_>) -> bool {
        let taken = self.peek() == kind;
        if taken {
            self.skip();
        }
        taken
    }

    /// Goes past the next word if it is one of these, and says which.
    pub(super) fn take_word(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let word = self.peek_word()?;
        let found = words.iter().find(|candidate| **candidate == word)?;
        self.skip();
        Some(found)
    }

    /// The comparison that stands next, or that of equality.
    pub(super) fn comparison(&mut self) -> Comparison {
        match self.peek() {
            Kind::Comparison(comparison) => {
                self.skip();
                comparison
            }
            _ => Comparison::Eq,
        }
    }

    /// The next value, as `read` understands it.
    pub(super) fn value<T>(&mut self, expected: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, FilterError> {
        let value = match self.peek() {
            Kind::Word(text) | Kind::Quoted(text) => read(text),
            _ => None,
        };
        let value = value.ok_or_else(|| self.expected(expected))?;
        self.skip();
        Ok(value)
    }

    /// The values of a list in brackets, apart by blanks or commas.
    pub(super) fn list<T>(&mut self, expected: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, FilterError> {
        if !self.take(Kind::OpenList) {
            return Err(self.expected("`[`"));
        }
        let mut values = vec![self.value(expected, &read)?];
        while !self.take(Kind::CloseList) {
            self.take(Kind::Comma);
            if self.peek() == Kind::End {
                return Err(self.expected("`]`"));
            }
            values.push(self.value(expected, &read)?);
        }
        Ok(values)
    }

    /// Something else should stand at the next token.
    pub(super) fn expected(&self, expected: &str) -> FilterError {
        let at = self.tokens.get(self.place).or(self.tokens.last()).map_or(0, |token| token.at);
        FilterError::new(self.text, at, expected)
    }
}

fn joined(mut nodes: Vec<Node>, join: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => join(nodes),
    }
}

//! A filter's text cut into words and signs.

use super::FilterError;
use super::node::Comparison;

/// One word or sign, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    /// A keyword, name, number or address.
    Word(&'a str),
    /// Text in quotes.
    Quoted(&'a str),
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Not,
    And,
    Or,
    Comparison(Comparison),
    /// After the last one.
    End,
}

/// Cuts a filter into tokens; the last one is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (kind, length) = token(rest).map_err(|expected| FilterError::new(text, at, expected))?;
        tokens.push(Token { kind, at });
        at += length;
    }
    tokens.push(Token { kind: Kind::End, at: text.trim_end().len() });
    Ok(tokens)
}

/// The signs, longest first.
const SIGNS: [(&str, Kind<'static>); 18] = [
    ("==", Kind::Comparison(Comparison::Eq)),
    ("!=", Kind::Comparison(Comparison::Ne)),
    ("<>", Kind::Comparison(Comparison::Ne)),
    (">=", Kind::Comparison(Comparison::Ge)),
    ("<=", Kind::Comparison(Comparison::Le)),
    ("&&", Kind::And),
    ("||", Kind::Or),
    ("=", Kind::Comparison(Comparison::Eq)),
    (">", Kind::Comparison(Comparison::Gt)),
    ("<", Kind::Comparison(Comparison::Lt)),
    ("!", Kind::Not),
    ("(", Kind::Open),
    (")", Kind::Close),
    ("[", Kind::OpenList),
    ("]", Kind::CloseList),
    (",", Kind::Comma),
    ("&", Kind::And),
    ("|", Kind::Or),
];

fn token(rest: &str) -> Result<(Kind<'_>, usize), &'static str> {
    if let Some((sign, kind)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((*kind, sign.len()));
    }
    if let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let inner = rest.get(1..).and_then(|inner| inner.split_once(quote)).ok_or("the closing quote")?.0;
        return Ok((Kind::Quoted(inner), inner.len() + 2));
    }
    let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    match rest.get(..length) {
        Some(word) if !word.is_empty() => Ok((keyword(word), length)),
        _ => Err("a word, a number, an address or a parenthesis"),
    }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '/' | '-')
}

fn keyword(word: &str) -> Kind<'_> {
    match word.to_ascii_lowercase().as_str() {
        "not" => Kind::Not,
        "and" => Kind::And,
        "or" => Kind::Or,
        "eq" => Kind::Comparison(Comparison::Eq),
        "ne" => Kind::Comparison(Comparison::Ne),
        "lt" => Kind::Comparison(Comparison::Lt),
        "le" => Kind::Comparison(Comparison::Le),
        "gt" => Kind::Comparison(Comparison::Gt),
        "ge" => Kind::Comparison(Comparison::Ge),
        _ => Kind::Word(word),
    }
}

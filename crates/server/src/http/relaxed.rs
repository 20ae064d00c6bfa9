//! JSON as sFlow-RT's clients write it: names without quotes, and texts in single ones (`{address:'10.1.2.3'}`).
//!
//! What is not strict is made strict first, and then read as JSON: nothing is understood here.

use serde_json::Value;

/// Reads a request's body.
pub(super) fn read(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is no text".to_owned())?;
    let strict = serde_json::from_str(text);
    strict.or_else(|error| serde_json::from_str(&quoted(text)).map_err(|_| format!("the body is no JSON: {error}")))
}

/// The same with every name and text in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' | '\'' => text_until(char, &mut chars, &mut out),
            _ if is_of_name(char) && !char.is_ascii_digit() && char != '-' => {
                let mut word = String::from(char);
                while let Some(next) = chars.next_if(|&next| is_of_name(next)) {
                    word.push(next);
                }
                match word.as_str() {
                    "true" | "false" | "null" => out.push_str(&word),
                    _ => out.extend(["\"", word.as_str(), "\""]),
                }
            }
            _ if is_of_name(char) => {
                // A number, to its end: its exponent is no name.
                out.push(char);
                while let Some(next) = chars.next_if(|&next| is_of_name(next) || next == '.' || next == '+') {
                    out.push(next);
                }
            }
            _ => out.push(char),
        }
    }
    out
}

const fn is_of_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '$' | '-')
}

/// Copies a text in either kind of quotes into double ones.
fn text_until(quote: char, chars: &mut impl Iterator<Item = char>, out: &mut String) {
    out.push('"');
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('\'') => out.push('\''),
                Some(escaped) => out.extend(['\\', escaped]),
                None => out.push('\\'),
            },
            '"' if quote == '\'' => out.push_str("\\\""),
            _ if char == quote => break,
            _ => out.push(char),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use serde_json::json;

    use super::*;

    #[test]
    fn names_need_no_quotes_and_texts_may_have_single_ones() {
        for (written, meant) in [
            (r#"{"address":"10.0.0.1","port":6343}"#, json!({"address": "10.0.0.1", "port": 6343})),
            ("{address:'10.0.0.1', port:6343}", json!({"address": "10.0.0.1", "port": 6343})),
            ("{a:[true,false,null,-1.5e+3,1E2]}", json!({"a": [true, false, null, -1500.0, 100.0]})),
            (r#"{a:'it\'s "so"', b:"it's"}"#, json!({"a": "it's \"so\"", "b": "it's"})),
            (r"{'a\\b':'\u0041'}", json!({"a\\b": "A"})),
        ] {
            assert_eq!(read(written.as_bytes()).unwrap(), meant, "{written}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_the_place() {
        for bad in ["", "{", "{address:}", "{'a", "[1,]", "{a:1}}", "{\\"] {
            assert!(read(bad.as_bytes()).unwrap_err().starts_with("the body is no JSON: "), "{bad}");
        }
        assert_eq!(read(&[0xff]).unwrap_err(), "the body is no text");
    }
}

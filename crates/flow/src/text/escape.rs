//! Text that came from the wire, made safe to print.
//!
//! Control characters could drive a terminal and bidirectional ones make a line read as something else, so
//! neither is ever printed: both become `\u001b` and the like, in JSON, in CSV and for people alike.

use std::borrow::Cow;

/// Bytes that a JSON string takes as they are, and that need no look at what follows.
const PLAIN_IN_JSON: [bool; 256] = plain(true);
/// The same for text outside of JSON, where quotes and backslashes stay.
const PLAIN_IN_TEXT: [bool; 256] = plain(false);

const fn plain(json: bool) -> [bool; 256] {
    let mut plain = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        plain[byte] = !json || !matches!(byte as u8, b'"' | b'\\');
        byte += 1;
    }
    plain
}

/// Whether a character is never printed: controls (C0, DEL, C1), the marks, embeddings, overrides and isolates
/// of bidirectional text, and the separators that some readers take for the end of a line.
pub const fn is_unsafe(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// Writes `text` as a JSON string with its quotes.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_json_escaped(out, text);
    out.push(b'"');
}

/// Writes what stands between the quotes of a JSON string.
pub(super) fn write_json_escaped(out: &mut Vec<u8>, text: &str) {
    if all(text, &PLAIN_IN_JSON) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for letter in text.chars() {
        match letter {
            '"' => out.extend_from_slice(br#"\""#),
            '\\' => out.extend_from_slice(br"\\"),
            '\n' => out.extend_from_slice(br"\n"),
            '\r' => out.extend_from_slice(br"\r"),
            '\t' => out.extend_from_slice(br"\t"),
            letter => write_letter(out, letter),
        }
    }
}

/// Writes `text` for people and CSV: what is unsafe is escaped, all else stays as it is, backslashes too.
pub fn write_plain_text(out: &mut Vec<u8>, text: &str) {
    if all(text, &PLAIN_IN_TEXT) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.chars().for_each(|letter| write_letter(out, letter));
    }
}

/// `text` as [`write_plain_text`] writes it; borrowed where nothing has to be escaped.
pub fn plain_text(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for letter in text.chars() {
        if is_unsafe(letter) {
            // Everything unsafe lies in the basic plane.
            out.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

fn all(text: &str, plain: &[bool; 256]) -> bool {
    text.bytes().all(|byte| plain[usize::from(byte)])
}

fn write_letter(out: &mut Vec<u8>, letter: char) {
    if is_unsafe(letter) {
        write_unicode_escape(out, letter);
    } else {
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn write_unicode_escape(out: &mut Vec<u8>, letter: char) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let code = u32::from(letter);
    let digit = |shift: u32| HEX[(code >> shift & 0xf) as usize];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

//! The line that this process was started with, as notes and logs have it.

use std::ffi::OsString;

/// Its words with blanks between them. Nothing makes them UTF-8: what is not is told by replacement characters.
pub fn line() -> String {
    joined(std::env::args_os())
}

fn joined(words: impl IntoIterator<Item = OsString>) -> String {
    let words: Vec<_> = words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn words_may_be_any_bytes() {
        let words = [b"finderscope".to_vec(), b"serve".to_vec(), b"--data".to_vec(), b"caf\xe9".to_vec()];
        assert_eq!(joined(words.map(OsString::from_vec)), "finderscope serve --data caf\u{fffd}");
    }
}

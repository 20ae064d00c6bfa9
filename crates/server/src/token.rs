//! The token that lets somebody read packets and change the server, also on loopback.
//!
//! A server makes one at its first start and keeps it in its data folder, in a file that its own user alone can read: who
//! can read the store can also read the packets. It stays the same over restarts; without the file the next start
//! makes another.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file's name in the data folder.
const FILE: &str = "http.token";
/// What the token is made of: more than anybody tries.
const RANDOM_BYTES: usize = 32;
/// A shorter one could be guessed, or is what a full disk left.
const CHARS_MIN: usize = 16;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// Something else is in it.
    #[error("{}: this is no token of at least {CHARS_MIN} letters and digits; hint: remove the file, and the next start makes one", path.display())]
    Unsound {
        /// The file.
        path: PathBuf,
    },
}

/// Where the token of a data folder is.
pub fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// Reads a file with a token.
pub fn read(path: &Path) -> Result<String, TokenError> {
    let failed = |error| TokenError::File { path: path.to_owned(), error };
    let text = fs::read_to_string(path).map_err(failed)?;
    let token = text.trim();
    let sound = token.len() >= CHARS_MIN && token.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(token.to_owned()) } else { Err(TokenError::Unsound { path: path.to_owned() }) }
}

/// The token of a data folder, made where there is none. For the server, which holds the folder's lock.
pub fn read_or_make(data: &Path) -> Result<String, TokenError> {
    let path = path(data);
    match read(&path) {
        Ok(token) => {
            warn_of_readers(&path);
            Ok(token)
        }
        Err(TokenError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            make(&path).map_err(|error| TokenError::File { path, error })
        }
        Err(error) => Err(error),
    }
}

/// Writes a new one under another name first, so that no crash leaves a part of it.
fn make(path: &Path) -> io::Result<String> {
    let mut random = [0; RANDOM_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let unfinished = path.with_extension("token.new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Made anew, so that the mode is ours and nobody has it open.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    Ok(token)
}

fn warn_of_readers(path: &Path) {
    let readable = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if readable {
        let path = path.display();
        tracing::warn!("others can read the token {path}; hint: remove it, and the next start makes another");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn a_token_is_made_once_and_its_owner_alone_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let token = read_or_make(folder.path()).unwrap();
        assert_eq!(token.len(), 2 * RANDOM_BYTES);
        assert_eq!(read_or_make(folder.path()).unwrap(), token);
        assert_eq!(read(&path(folder.path())).unwrap(), token);
        let mode = fs::metadata(path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(read_or_make(other.path()).unwrap(), token);
    }

    #[test]
    fn what_a_crash_left_is_no_token_and_stands_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(path(folder.path()).with_extension("token.new"), "1234").unwrap();
        read_or_make(folder.path()).unwrap();
        for unsound in ["", "short\n", "two words of enough letters\n"] {
            fs::write(path(folder.path()), unsound).unwrap();
            let error = read_or_make(folder.path()).unwrap_err().to_string();
            assert!(error.contains("http.token: this is no token"), "{error}");
        }
    }
}

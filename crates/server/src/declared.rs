//! Columns that the operator declared (`[[map]]`), noted in the data folder for those who ask: `columns.json`.
//!
//! Their values are kept in `extra`; who asks the store is mostly another process, and has no configuration.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A column that is kept in `extra`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Declared {
    /// Its name.
    pub column: String,
    /// What its cells are, in the manual's words: `text`, `number`, `signed`, `float`, `boolean`, `address`.
    pub kind: String,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("columns.json")
}

/// What was declared when the store in `folder` was last served; nothing where nobody noted it.
pub fn read(folder: &Path) -> io::Result<Vec<Declared>> {
    match std::fs::read(path(folder)) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Notes it, whole or not at all. A folder in which nothing was ever declared gets no file.
pub fn write(folder: &Path, columns: &[Declared]) -> io::Result<()> {
    if columns == read(folder).unwrap_or_default() {
        return Ok(());
    }
    let new = folder.join("columns.json.new");
    let mut file = std::fs::File::create(&new)?;
    serde_json::to_writer_pretty(&mut file, columns)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(new, path(folder))
}

/// Notes these beside what is noted already.
pub fn add(folder: &Path, columns: Vec<Declared>) -> io::Result<()> {
    let mut all = read(folder)?;
    for column in columns {
        match all.iter_mut().find(|known| known.column == column.column) {
            Some(known) => *known = column,
            None => all.push(column),
        }
    }
    write(folder, &all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn what_is_noted_can_be_read_and_nothing_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[]).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let columns = [Declared { column: "rtt".to_owned(), kind: "number".to_owned() }];
        write(folder.path(), &columns).unwrap();
        assert_eq!(read(folder.path()).unwrap(), columns);
        add(folder.path(), vec![Declared { column: "jitter".to_owned(), kind: "float".to_owned() }]).unwrap();
        add(folder.path(), vec![Declared { column: "jitter".to_owned(), kind: "number".to_owned() }]).unwrap();
        assert_eq!(read(folder.path()).unwrap().len(), 2);
        std::fs::write(path(folder.path()), "[{").unwrap();
        assert!(read(folder.path()).is_err());
        write(folder.path(), &columns).unwrap();
        assert_eq!(read(folder.path()).unwrap(), columns);
    }
}

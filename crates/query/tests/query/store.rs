//! A store's folder, asked while it is written.

use std::path::Path;

use finderscope_flow::Table;
use finderscope_query::{Database, Error, Window};
use finderscope_store::{Cause, Cut, Store};
use tempfile::TempDir;

use crate::common::{Row, ask, batch, read, small};

struct Written {
    store: Store,
    writer: finderscope_store::ShardWriter,
    position: u64,
}

impl Written {
    fn new(dir: &Path) -> Self {
        let (store, _) = Store::open(dir, finderscope_store::Options::default()).unwrap();
        let writer = store.writer(0).unwrap();
        Self { store, writer, position: 0 }
    }

    fn add(&mut self, rows: &[Row]) {
        self.writer.write(Table::Flows, batch(rows)).unwrap();
        self.position += 1;
        self.writer.cut(Cut { position: self.position, state: None, sync_journal: || Ok(()) }).unwrap();
    }
}

fn rows(count: u64) -> Vec<Row> {
    (0..count).map(|n| Row { bytes: n, ..Row::default() }).collect()
}

#[tokio::test]
async fn each_question_sees_what_was_committed_when_it_was_asked() {
    let dir = TempDir::new().unwrap();
    let mut written = Written::new(dir.path());
    written.add(&rows(10));
    let database = Database::open(dir.path(), small()).unwrap();
    let count = "select count(*), count(distinct src_addr) from flows where src_addr = '10.0.0.1'";
    assert_eq!(ask(&database, count).await.unwrap(), ["10 1"]);
    written.add(&rows(5));
    assert_eq!(ask(&database, count).await.unwrap(), ["15 1"]);
}

#[tokio::test]
async fn a_question_reads_the_newest_parts_though_they_are_taken_away() {
    let dir = TempDir::new().unwrap();
    let mut written = Written::new(dir.path());
    written.add(&rows(10));
    written.add(&rows(5));
    let database = Database::open(dir.path(), small()).unwrap();
    let answer = database.sql("select count(*), sum(in_if) from flows", &Window::ALL).await.unwrap();
    let larger = written.store.parts().into_iter().find(|part| part.rows == 10).unwrap();
    written.store.remove(Cause::Age, std::slice::from_ref(&larger.path)).unwrap();
    let (rows, warnings) = read(answer).await.unwrap();
    assert_eq!((rows, warnings), (vec!["15 15".to_owned()], vec![]));
}

#[tokio::test]
async fn a_question_whose_older_parts_are_taken_away_asks_what_is_left() {
    let dir = TempDir::new().unwrap();
    let mut written = Written::new(dir.path());
    written.add(&rows(10));
    for later in 1..260 {
        written.add(&[Row { received_s: later, ..Row::default() }]);
    }
    let database = Database::open(dir.path(), small()).unwrap();
    let answer = database.sql("select count(*), sum(in_if) from flows", &Window::ALL).await.unwrap();
    let oldest = written.store.parts().into_iter().find(|part| part.rows == 10).unwrap();
    written.store.remove(Cause::Age, std::slice::from_ref(&oldest.path)).unwrap();
    let (rows, warnings) = read(answer).await.unwrap();
    assert_eq!((rows, warnings), (vec!["259 259".to_owned()], vec![]));
}

#[test]
fn a_folder_without_a_store_is_refused() {
    let dir = TempDir::new().unwrap();
    let error = Database::open(dir.path(), small()).unwrap_err();
    assert!(matches!(error, Error::Store(_)));
    assert!(error.to_string().contains("holds no store"), "{error}");
}

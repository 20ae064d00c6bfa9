//! Data records, fixed and varying.

use finderscope_wire::Reader;
use finderscope_wire::ipfix::{RecordWalker, VARIABLE, is_zero, shortest, variable_length};

/// The records in `body`, each as its fields, errors as text.
fn walk(lengths: &[u16], body: &[u8]) -> Vec<Result<Vec<Vec<u8>>, String>> {
    RecordWalker::new(Reader::at(body, 100), lengths)
        .map(|record| record.map(|record| record.fields().map(<[u8]>::to_vec).collect()).map_err(|e| e.to_string()))
        .collect()
}

#[test]
fn a_length_under_255_takes_one_byte() {
    assert_eq!(variable_length(&mut Reader::new(&[2, 7, 8, 9])), Ok(&[7, 8][..]));
    assert_eq!(variable_length(&mut Reader::new(&[0])), Ok(&[][..]));
}

#[test]
fn the_long_form_may_hold_a_small_length() {
    let mut reader = Reader::new(&[255, 0, 2, 7, 8, 9]);
    assert_eq!(variable_length(&mut reader), Ok(&[7, 8][..]));
    assert_eq!(reader.rest(), [9]);
    assert_eq!(variable_length(&mut Reader::new(&[255, 0, 0])), Ok(&[][..]));
}

#[test]
fn a_length_beyond_the_record_is_refused() {
    let error = |bytes: &[u8]| variable_length(&mut Reader::new(bytes)).unwrap_err().to_string();
    assert_eq!(error(&[]), "field.length: needs 1 bytes, 0 are left at byte 0");
    assert_eq!(error(&[255, 0]), "field.length: needs 2 bytes, 1 are left at byte 1");
    assert_eq!(error(&[3, 1, 2]), "field: needs 3 bytes, 2 are left at byte 1");
    assert_eq!(error(&[255, 1, 0, 2]), "field: needs 256 bytes, 1 are left at byte 3");
}

#[test]
fn records_that_vary_follow_each_other() {
    let found = walk(&[2, VARIABLE, 1], &[1, 2, 2, b'a', b'b', 3, 4, 5, 0, 6]);
    assert_eq!(found, [Ok(vec![vec![1, 2], b"ab".to_vec(), vec![3]]), Ok(vec![vec![4, 5], vec![], vec![6]])]);
}

#[test]
fn records_know_where_they_lie_in_the_datagram() {
    let body = [1, 2, 2, b'a', b'b', 4, 5, 0];
    let lengths = [2, VARIABLE];
    let places: Vec<_> = RecordWalker::new(Reader::at(&body, 100), &lengths)
        .map(|record| record.map(|record| (record.offset(), record.bytes().len())).unwrap())
        .collect();
    assert_eq!(places, [(100, 5), (105, 3)]);
}

#[test]
fn a_record_beyond_the_set_costs_itself_alone() {
    let found = walk(&[1, VARIABLE], &[1, 1, b'a', 2, 9, b'b']);
    let expected = "field: needs 9 bytes, 1 are left at byte 105".to_owned();
    assert_eq!(found, [Ok(vec![vec![1], b"a".to_vec()]), Err(expected)]);
}

#[test]
fn a_rest_shorter_than_the_shortest_record_is_padding() {
    assert_eq!(walk(&[4, VARIABLE], &[1, 2, 3, 4, 0, 9, 9, 9, 9]).len(), 1);
    let lengths = [4];
    let mut walker = RecordWalker::new(Reader::new(&[1, 2, 3, 4, 9, 9]), &lengths);
    assert_eq!(walker.by_ref().count(), 1);
    assert_eq!(walker.rest().rest(), [9, 9]);
}

#[test]
fn records_of_nothing_end_at_once() {
    assert_eq!(walk(&[], &[1, 2]), [Err("record: a record has no length at byte 100".to_owned())]);
    assert_eq!(walk(&[0, 0], &[1, 2]).len(), 1);
    assert_eq!(walk(&[], &[]), []);
}

#[test]
fn fields_without_length_are_there_and_empty() {
    assert_eq!(walk(&[0, 2, 0], &[1, 2]), [Ok(vec![vec![], vec![1, 2], vec![]])]);
}

#[test]
fn records_of_zeros_can_be_told() {
    let lengths = [2, VARIABLE];
    let zero: Vec<_> =
        RecordWalker::new(Reader::new(&[0, 1, 0, 0, 0, 0]), &lengths).map(|record| record.unwrap().is_zero()).collect();
    assert_eq!(zero, [false, true]);
    assert!(is_zero(&[]) && is_zero(&[0; 70]) && !is_zero(&[0, 0, 1]));
}

#[test]
fn the_shortest_record_has_a_byte_for_each_field_that_varies() {
    assert_eq!(shortest([4, VARIABLE, 0, VARIABLE]), 6);
    assert_eq!(shortest(std::iter::repeat_n(65_534, 16_384)), 65_534 * 16_384);
}

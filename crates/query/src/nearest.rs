//! Names that are nearly the one that was typed.

/// How many names are offered.
const OFFERED: usize = 3;

/// The names among `all` that are nearest to `name`, nearest first; none where nothing is near.
pub(crate) fn nearest<'a>(name: &str, all: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let name = name.to_lowercase();
    let limit = (name.chars().count() / 2).max(2);
    let mut near: Vec<(usize, &str)> = all
        .into_iter()
        .map(|candidate| (distance(&name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit || candidate.contains(&name) || name.contains(candidate))
        .collect();
    near.sort_unstable();
    near.dedup_by(|one, other| one.1 == other.1);
    near.truncate(OFFERED);
    near.into_iter().map(|(_, candidate)| candidate.to_owned()).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours between two names.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            rows[i][j] = if i == 0 || j == 0 { i + j } else { step(&rows, &one, &other, i, j) };
        }
    }
    rows[one.len()][other.len()]
}

fn step(rows: &[Vec<usize>], one: &[char], other: &[char], i: usize, j: usize) -> usize {
    let replaced = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
    let best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
    let swapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
    if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swapped_letter_finds_its_name() {
        assert_eq!(nearest("src_adrd", ["dst_port", "src_addr", "bytes"]), ["src_addr"]);
    }

    #[test]
    fn nothing_is_offered_where_nothing_is_near() {
        assert_eq!(nearest("xyzzy_plugh", ["bytes", "packets"]), Vec::<String>::new());
    }
}

//! What was told of one thing, attribute by attribute: the newest value, and since when it stands.

/// The values of one attribute that were told over time, of which the newest is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) value: String,
    first_ns: i64,
    pub(super) last_ns: i64,
    /// When another value was told for the last time.
    other_ns: i64,
}

impl Fact {
    pub(super) const fn new(value: String, first_ns: i64, last_ns: i64) -> Self {
        Self { value, first_ns, last_ns, other_ns: i64::MIN }
    }

    /// Takes note that `told` was told too. Of values told in the same instant one is chosen, always the same.
    pub(super) fn merge(&mut self, told: Self) {
        if told.value == self.value {
            self.first_ns = self.first_ns.min(told.first_ns);
            self.last_ns = self.last_ns.max(told.last_ns);
            return;
        }
        let newer = (told.last_ns, &told.value) > (self.last_ns, &self.value);
        let other = if newer { std::mem::replace(self, told) } else { told };
        self.other_ns = self.other_ns.max(other.last_ns).max(other.other_ns);
    }

    /// Since when the value stands. Where it stood before another one did, that is when the other was told last.
    pub(super) fn valid_from_ns(&self) -> i64 {
        self.first_ns.max(self.other_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::Fact;

    fn newest(told: &[(&str, i64, i64)]) -> (String, i64, i64) {
        let facts = told.iter().map(|&(value, first, last)| Fact::new(value.to_owned(), first, last));
        let fact = facts.reduce(|mut fact, told| {
            fact.merge(told);
            fact
        });
        fact.map(|fact| (fact.value.clone(), fact.valid_from_ns(), fact.last_ns)).expect("something was told")
    }

    #[test]
    fn the_newest_value_counts_in_whatever_order_it_is_met() {
        for told in [[("a", 1, 5), ("b", 6, 9)], [("b", 6, 9), ("a", 1, 5)]] {
            assert_eq!(newest(&told), ("b".to_owned(), 6, 9));
        }
        assert_eq!(newest(&[("a", 4, 9), ("a", 1, 5)]), ("a".to_owned(), 1, 9));
        assert_eq!(newest(&[("b", 3, 3), ("a", 3, 3)]), newest(&[("a", 3, 3), ("b", 3, 3)]));
    }

    #[test]
    fn a_value_that_came_back_stands_since_the_other_went() {
        assert_eq!(newest(&[("a", 1, 9), ("b", 4, 6)]), ("a".to_owned(), 6, 9));
        assert_eq!(newest(&[("b", 4, 6), ("c", 7, 8), ("a", 1, 9)]), ("a".to_owned(), 8, 9));
    }
}

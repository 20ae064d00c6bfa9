//! Ranks by Zipf's law, drawn from a table.
//!
//! The same numbers from the same randomness as [`rand_distr::Zipf`], which rejects and inverts (Hörmann and
//! Derflinger 1996) at three powers a draw. Here the inversion looks up which rank a draw falls to, and the rejection
//! first asks a bound that holds for all draws of that rank. What is too close to call, or of a rank beyond the
//! table, is calculated as there, to the last bit.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// The exponent: so skewed are who talks and who is talked to.
pub const EXPONENT: f64 = 1.2;
/// Ranks in the table: nine draws in ten. More would take longer to make than they save.
const TABLE_RANKS: usize = 1 << 14;
/// Pieces of the table's range of draws, each with the first rank in it.
const CELLS: usize = 1 << 15;
/// What lies closer to a border is calculated.
const MARGIN: f64 = 1e-12;

/// Draws ranks from 1 to a greatest one.
pub struct Ranks {
    /// The area under the hat.
    area: f64,
    /// That of the table's ranks.
    table_area: f64,
    /// For each rank of the table: the area of its own and the ones' before it.
    ends: Vec<f64>,
    /// For each cell the place in `ends` of the rank at its beginning.
    cells: Vec<u32>,
}

impl Ranks {
    /// Ranks up to `count`.
    pub fn new(count: usize) -> Self {
        let ends: Vec<f64> = (1..=count.min(TABLE_RANKS)).map(|rank| area_before(rank as f64)).collect();
        let table_area = ends[ends.len() - 1];
        let cells = (0..=CELLS).map(|cell| {
            let start = table_area * cell as f64 / CELLS as f64;
            ends.partition_point(|end| *end <= start).min(ends.len() - 1) as u32
        });
        Self { area: area_before(count as f64), table_area, cells: cells.collect(), ends }
    }

    /// The next rank.
    pub fn draw(&self, random: &mut Pcg64Mcg) -> usize {
        loop {
            let at = random.random::<f64>() * self.area;
            let place = self.place(at);
            let second: f64 = random.random();
            if let Some(place) = place
                && second < surely_accepted(place)
            {
                return place + 1;
            }
            let inverse = inverse(at);
            let rank = (inverse + 1.0).floor();
            let accepted = rank.powf(-EXPONENT) * if rank > 1.0 { inverse.powf(EXPONENT) } else { 1.0 };
            if second < accepted {
                return rank as usize;
            }
        }
    }

    /// The rank's place in the table, unless `at` is beyond that or so close to a border that rounding decides.
    fn place(&self, at: f64) -> Option<usize> {
        if at >= self.table_area {
            return None;
        }
        let cell = ((at / self.table_area * CELLS as f64) as usize).min(CELLS - 1);
        // One cell before, since a border may be rounded the other way.
        let first = self.cells[cell.saturating_sub(1)] as usize;
        let last = self.cells[(cell + 1).min(CELLS)] as usize;
        let place = first + self.ends[first..last].partition_point(|end| *end <= at);
        let start = place.checked_sub(1).map_or(f64::NEG_INFINITY, |before| self.ends[before]);
        (at - start > MARGIN && self.ends[place] - at > MARGIN).then_some(place)
    }
}

/// Below this a second draw is accepted wherever the first fell within the rank: `((rank - 1) / rank)^EXPONENT`
/// from below, by Bernoulli's inequality. The hat touches the first rank, of which nothing is rejected.
fn surely_accepted(place: usize) -> f64 {
    if place == 0 { 1.0 } else { 1.0 - EXPONENT / (place + 1) as f64 - 1e-9 }
}

/// The area under the hat `x ↦ min(1, x^-EXPONENT)` from 0 to `x`, which is at least 1.
fn area_before(x: f64) -> f64 {
    (x.powf(1.0 - EXPONENT) - EXPONENT) * (1.0 / (1.0 - EXPONENT))
}

/// Where the area under the hat is `area`.
fn inverse(area: f64) -> f64 {
    if area <= 1.0 { area } else { (area * (1.0 - EXPONENT) + EXPONENT).powf(1.0 / (1.0 - EXPONENT)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::prelude::Distribution;

    #[test]
    fn draws_what_the_plain_distribution_draws() {
        for count in [1, 2, 1_000, 200_000] {
            let (ranks, zipf) = (Ranks::new(count), rand_distr::Zipf::new(count as f64, EXPONENT).expect("sound"));
            let (mut a, mut b) = (Pcg64Mcg::new(5), Pcg64Mcg::new(5));
            for draw in 0..300_000 {
                assert_eq!(ranks.draw(&mut a), zipf.sample(&mut b) as usize, "draw {draw} of {count}");
            }
            assert_eq!(a, b, "and as much randomness was used");
        }
    }
}

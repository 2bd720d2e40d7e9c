//! Medians, spreads, ratios paired by round, and what is too small to be told from
//! noise. It knows numbers only.

use std::time::Duration;

/// The middle of some figures, and the least and the most of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) middle: f64,
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
}

impl Spread {
    /// Of these figures; `None` if there is none.
    pub(crate) fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (&least, &most) = (sorted.first()?, sorted.last()?);
        let half = sorted.len() / 2;
        let middle = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[half - 1], sorted[half])
        } else {
            sorted[half]
        };
        Some(Self { middle, least, most })
    }

    /// Of the ratios of the figures of each round: what disturbs one of a round
    /// disturbs the other too. A round without both does not count, nor does one
    /// whose base is zero.
    pub(crate) fn of_ratios(figures: &[f64], base: &[f64]) -> Option<Self> {
        let pairs = figures.iter().zip(base).filter(|(_, base)| **base != 0.0);
        Self::of(&pairs.map(|(figure, base)| figure / base).collect::<Vec<_>>())
    }

    /// Of the differences of the figures of each round.
    pub(crate) fn of_differences(figures: &[f64], base: &[f64]) -> Option<Self> {
        let pairs = figures.iter().zip(base);
        Self::of(&pairs.map(|(figure, base)| figure - base).collect::<Vec<_>>())
    }
}

/// The middle of some figures; not a number if there is none.
pub(crate) fn median(figures: &[f64]) -> f64 {
    Spread::of(figures).map_or(f64::NAN, |spread| spread.middle)
}

/// The same of times; nothing if there is none.
pub(crate) fn median_time(times: &[Duration]) -> Duration {
    let seconds: Vec<_> = times.iter().map(Duration::as_secs_f64).collect();
    Spread::of(&seconds).map_or(Duration::ZERO, |spread| Duration::from_secs_f64(spread.middle))
}

/// What the same thing differs from itself by, as ratios of one round. What differs
/// by less is not told from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NoiseFloor {
    /// The largest factor, 1 or more, between two runs of the same in one round.
    pub(crate) factor: f64,
}

/// Whether two things differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Difference {
    /// No more than one of them does from itself.
    WithinNoise,
    /// By this factor.
    Factor(f64),
}

impl NoiseFloor {
    /// From two runs of the same, round by round; `None` without a round.
    pub(crate) fn of(one: &[f64], again: &[f64]) -> Option<Self> {
        let spread = Spread::of_ratios(again, one)?;
        let apart = |ratio: f64| if ratio < 1.0 { 1.0 / ratio } else { ratio };
        Some(Self { factor: apart(spread.least).max(apart(spread.most)) })
    }

    /// What is made of the median of ratios.
    pub(crate) fn judge(self, ratio: f64) -> Difference {
        if ratio < self.factor && ratio * self.factor > 1.0 {
            Difference::WithinNoise
        } else {
            Difference::Factor(ratio)
        }
    }
}

/// A figure with three digits that count.
pub(crate) fn short(figure: f64) -> String {
    let size = figure.abs();
    if size >= 9.995e5 {
        format!("{:.2}M", figure / 1e6)
    } else if size >= 9_995.0 {
        format!("{:.1}k", figure / 1e3)
    } else if size >= 99.95 {
        format!("{figure:.0}")
    } else if size >= 9.995 {
        format!("{figure:.1}")
    } else if !(5e-4..0.0995).contains(&size) {
        format!("{figure:.2}")
    } else {
        format!("{figure:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between_the_two_in_the_middle() {
        let check = |figures: &[f64], want: Option<[f64; 3]>| {
            let want = want.map(|[middle, least, most]| Spread { middle, least, most });
            assert_eq!(Spread::of(figures), want, "{figures:?}");
        };
        check(&[], None);
        check(&[4.0], Some([4.0, 4.0, 4.0]));
        check(&[9.0, 1.0, 2.0], Some([2.0, 1.0, 9.0]));
        check(&[9.0, 1.0, 2.0, 4.0], Some([3.0, 1.0, 9.0]));
    }

    #[test]
    fn ratios_and_differences_are_of_one_round_each() {
        // A disturbance that doubles a whole round is not seen.
        let (base, other) = ([10.0, 20.0, 10.0], [30.0, 60.0, 31.0]);
        let ratios = Spread::of_ratios(&other, &base).expect("rounds");
        assert!((ratios.middle - 3.0).abs() < 1e-9 && (ratios.most - 3.1).abs() < 1e-9);
        let more = Spread::of_differences(&other, &base).expect("rounds");
        assert_eq!(more, Spread { middle: 21.0, least: 20.0, most: 40.0 });
        // One round of the second is missing, one base is zero.
        let one = Spread::of_ratios(&[8.0, 9.0, 1.0], &[4.0, 0.0]);
        assert_eq!(one, Some(Spread { middle: 2.0, least: 2.0, most: 2.0 }));
        assert_eq!(Spread::of_ratios(&[1.0], &[]), None);
    }

    #[test]
    fn what_is_smaller_than_the_noise_is_no_difference() {
        let floor = NoiseFloor::of(&[10.0, 10.0, 10.0], &[10.5, 8.0, 11.0]).expect("rounds");
        assert_eq!(floor, NoiseFloor { factor: 1.25 });
        assert_eq!(floor.judge(1.2), Difference::WithinNoise);
        assert_eq!(floor.judge(0.85), Difference::WithinNoise);
        assert_eq!(floor.judge(0.5), Difference::Factor(0.5));
        assert_eq!(floor.judge(1.25), Difference::Factor(1.25));
    }

    #[test]
    fn a_figure_is_told_with_the_digits_that_count() {
        let told = [0.0, 0.012, 0.25, 3.456, 12.34, 345.6, 9_999.0, 12_345.0, 2_345_678.0];
        assert_eq!(
            told.map(short),
            ["0.00", "0.012", "0.25", "3.46", "12.3", "346", "10.0k", "12.3k", "2.35M"]
        );
    }
}

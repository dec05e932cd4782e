//! Figures of the same kind, one a round.

use std::fmt;

/// One figure a round. Shown as the median, with the least and the most behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Series(Vec<f64>);

impl Series {
    pub(super) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    pub(super) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            even if even % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        }
    }

    /// Round by round: a busy moment slows both sides of a round.
    pub(super) fn with(&self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        Self(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(ours, theirs)| combine(*ours, *theirs))
                .collect(),
        )
    }

    /// How many times as much the other is, round by round.
    pub(super) fn times(&self, other: &Self) -> Self {
        self.with(other, |ours, theirs| theirs / ours)
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        self.with(other, |ours, theirs| ours - theirs)
    }

    pub(super) fn extend(&mut self, more: &Self) {
        self.0.extend(&more.0);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted = self.sorted();
        match (sorted.first(), sorted.last()) {
            (Some(least), Some(most)) => {
                write!(
                    f,
                    "{} ({}–{})",
                    figure(self.median()),
                    figure(*least),
                    figure(*most)
                )
            }
            _ => f.write_str("not measured"),
        }
    }
}

/// Three digits that count, where there are so many.
pub(super) fn figure(figure: f64) -> String {
    match figure.abs() {
        large if large >= 100.0 => format!("{figure:.0}"),
        middle if middle >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Series::from_iter([3.0, 1.0, 2.0]).to_string(), "2.00 (1.00–3.00)");
        assert_eq!(figure(Series::from_iter([4.0, 1.0, 2.0, 3.0]).median()), "2.50");
        assert_eq!(Series::default().to_string(), "not measured");
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let (ours, theirs) = (Series::from_iter([1.0, 2.0]), Series::from_iter([10.0, 40.0]));
        assert_eq!(ours.times(&theirs), Series::from_iter([10.0, 20.0]));
    }
}

//! Figures as they are printed.

use crate::load::Figures;

/// The ratios of pairs that were measured one after the other.
pub(crate) struct Ratios(Vec<f64>);

impl Ratios {
    /// From the figures of both sides, round by round.
    pub(crate) fn of(ours: &[f64], theirs: &[f64]) -> Self {
        let mut ratios: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
        ratios.sort_by(f64::total_cmp);
        Self(ratios)
    }
}

impl std::fmt::Display for Ratios {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let last = self.0.len().saturating_sub(1);
        let at = |place: usize| self.0.get(place).copied().unwrap_or(f64::NAN);
        write!(f, "{:.2} (min {:.2}, max {:.2})", at(last / 2), at(0), at(last))
    }
}

/// One side of a comparison in a line.
pub(crate) fn line(name: &str, figures: &Figures) {
    println!(
        "  {name:<28} {:>9.0}/s   p50 {:>6} us   p99 {:>6} us   {} bytes{}",
        figures.rate(),
        figures.percentile(50),
        figures.percentile(99),
        figures.body,
        if figures.refused == 0 {
            String::new()
        } else {
            format!("   {} refused", figures.refused)
        },
    );
}

/// The middle one of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

//! Where do a plot's bars and lines stand? Shares of its width and height, so that its text keeps its size
//! whatever the page's width.

/// Numbers for the axis: 0, and on in steps of 1, 2 or 5 until `max` is reached; about `n` steps.
pub fn ticks(max: f64, n: usize) -> Vec<f64> {
    if !(max > 0.0 && max.is_finite()) || n == 0 {
        return vec![0.0];
    }
    let rough = max / n as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter();
    let step = step.clone().find(|step| *step >= rough * 0.999).unwrap_or(10.0 * power);
    let n_steps = (max / step - 1e-9).ceil().max(1.0) as usize;
    (0..=n_steps).map(|i| i as f64 * step).collect()
}

/// A part of a bar, in percent of the plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Which of the series.
    pub series: usize,
    pub x: f64,
    pub width: f64,
    /// From the top.
    pub y: f64,
    pub height: f64,
}

/// Bars beside each other, the series of each upon each other; `bars[i][series]`. `top` is what the whole
/// height stands for.
pub fn stacked(bars: &[Vec<f64>], top: f64) -> Vec<Part> {
    /// What of a bar's place it fills.
    const FILLED: f64 = 0.72;
    let place = 100.0 / bars.len().max(1) as f64;
    let mut parts = Vec::new();
    for (i, bar) in bars.iter().enumerate() {
        let mut below = 0.0;
        for (series, &value) in bar.iter().enumerate() {
            if value <= 0.0 || top <= 0.0 {
                continue;
            }
            let height = value / top * 100.0;
            below += height;
            let x = place * (i as f64 + (1.0 - FILLED) / 2.0);
            parts.push(Part { series, x, width: place * FILLED, y: 100.0 - below, height });
        }
    }
    parts
}

/// Which of so many bars have their names below them, at most `n_max` and evenly.
pub fn labelled(n_bars: usize, n_max: usize) -> Vec<usize> {
    let every = n_bars.div_ceil(n_max.max(1)).max(1);
    (0..n_bars).step_by(every).collect()
}

/// The middle of a bar's place, in percent.
pub fn middle(i: usize, n_bars: usize) -> f64 {
    (i as f64 + 0.5) * 100.0 / n_bars.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_numbers_and_reaches_the_greatest() {
        #[track_caller]
        fn check(max: f64, expected: &[f64]) {
            let found = ticks(max, 4);
            let is_same = found.len() == expected.len()
                && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9 * b.max(1.0));
            assert!(is_same, "{max}: {found:?}");
        }
        check(0.0, &[0.0]);
        check(f64::NAN, &[0.0]);
        check(4.0, &[0.0, 1.0, 2.0, 3.0, 4.0]);
        check(10.0, &[0.0, 5.0, 10.0]);
        check(1_234.0, &[0.0, 500.0, 1_000.0, 1_500.0]);
        check(0.07, &[0.0, 0.02, 0.04, 0.06, 0.08]);
        check(1.0, &[0.0, 0.5, 1.0]);
        // A sum that is a little more than 0.3: no step is added for it.
        assert_eq!(ticks(0.1 + 0.2, 3).len(), 4);
    }

    #[test]
    fn bars_stand_upon_each_other_and_nothing_is_not_drawn() {
        let parts =
            stacked(&[vec![5.0, 0.0, 2.5], vec![0.0, 0.0, 0.0], vec![10.0, 0.0, 0.0]], 10.0);
        assert_eq!(parts.len(), 3);
        let [one, two, three] = [parts[0], parts[1], parts[2]];
        assert_eq!((one.series, one.y, one.height), (0, 50.0, 50.0));
        assert_eq!((two.series, two.y, two.height, two.x), (2, 25.0, 25.0, one.x));
        assert_eq!((three.y, three.height), (0.0, 100.0));
        assert!(three.x + three.width < 100.0 && one.x > 0.0);
        assert!(stacked(&[vec![1.0]], 0.0).is_empty() && stacked(&[], 1.0).is_empty());
    }

    #[test]
    fn names_do_not_crowd() {
        assert_eq!(labelled(5, 6), [0, 1, 2, 3, 4]);
        assert_eq!(labelled(30, 6), [0, 5, 10, 15, 20, 25]);
        assert!(labelled(0, 6).is_empty());
        assert_eq!((middle(0, 2), middle(1, 2)), (25.0, 75.0));
    }
}

//! Which endpoint is asked first, and which next?

/// The order in which endpoints of these weights are tried: each place goes to one of those left with
/// a chance in proportion to its weight, those of weight 0 come last, in their own order. `draw` gives
/// numbers from 0 up to 1.
pub fn order(weights: &[u32], mut draw: impl FnMut() -> f64) -> Vec<usize> {
    let mut left: Vec<usize> = (0..weights.len()).collect();
    let mut order = Vec::with_capacity(weights.len());
    while !left.is_empty() {
        let total: u64 = left.iter().map(|&i| u64::from(weights[i])).sum();
        let mut mark = draw() * total as f64;
        let chosen = left.iter().position(|&i| {
            mark -= f64::from(weights[i]);
            mark < 0.0
        });
        order.push(left.remove(chosen.unwrap_or(0)));
    }
    order
}

/// A number from 0 up to 1 that no caller can foresee; 0 where the system gives none.
pub fn draw() -> f64 {
    let bits = getrandom::u32().unwrap_or_default();
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares() {
        let mut n_first = [0_u32; 4];
        let mut mark = 0.0;
        for _ in 0..1_000 {
            mark = (mark + 0.618_034) % 1.0;
            let order = order(&[3, 0, 1, 0], || mark);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
            assert_eq!(&order[2..], [1, 3], "weight 0 only when the others fail");
            n_first[order[0]] += 1;
        }
        assert!((740..760).contains(&n_first[0]), "{n_first:?}");
        assert_eq!(order(&[], || 0.5), Vec::<usize>::new());
        assert_eq!(order(&[0, 0], || 0.9), [0, 1]);
    }
}

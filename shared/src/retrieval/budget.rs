//! How many passages fit into what the model may read?

/// How many of the first passages fit into `budget_tokens`, each of `n_tokens` and `overhead_tokens`
/// around it. One that does not fit is passed over and a shorter one behind it may still come: places,
/// in order.
pub fn within_budget(n_tokens: &[u32], overhead_tokens: u32, budget_tokens: u32) -> Vec<usize> {
    let mut left = budget_tokens;
    let mut taken = Vec::new();
    for (at, n) in n_tokens.iter().enumerate() {
        if let Some(rest) = n.checked_add(overhead_tokens).and_then(|n| left.checked_sub(n)) {
            left = rest;
            taken.push(at);
        }
    }
    taken
}

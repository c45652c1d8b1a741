//! How is a text cut that is longer than its model reads?

/// Cuts `ids` down to `n_max` before their last token, which ends the text. True: something was left
/// out.
pub fn fit(ids: &mut Vec<u32>, n_max: usize) -> bool {
    if ids.len() <= n_max {
        return false;
    }
    let end = ids.pop();
    ids.truncate(n_max.saturating_sub(1));
    ids.extend(end.filter(|_| n_max > 0));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_token_stays() {
        let mut ids = vec![0, 7, 8, 9, 2];
        assert!(!fit(&mut ids, 5));
        assert!(fit(&mut ids, 4));
        assert_eq!(ids, [0, 7, 8, 2]);
        assert!(fit(&mut ids, 1));
        assert_eq!(ids, [2]);
        assert!(fit(&mut ids, 0));
        assert!(ids.is_empty());
    }
}

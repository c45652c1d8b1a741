//! Has an answer begun to go round in circles? Small models do, at low temperatures and in languages that
//! they hardly know, up to their last allowed token.

/// Longest circle that is looked for, in tokens.
const PERIOD_MAX: usize = 128;
/// Shortest stretch that counts, in tokens: rows of a table and runs of zeros are shorter.
const STRETCH_MIN: usize = 96;
/// So often, at least, a circle was gone through after its first time.
const ROUNDS_MIN: usize = 3;

/// For each period `p`, how many of the last tokens equal the one `p` before them.
pub struct Repetition {
    /// Where in the answer it begins to look.
    start: usize,
    stretches: [u16; PERIOD_MAX],
}

impl Repetition {
    /// Of the tokens from `start` on.
    pub fn from(start: usize) -> Self {
        Self { start, stretches: [0; PERIOD_MAX] }
    }

    /// Takes in the last of `generated`; whether it is one round too many.
    pub fn is_circle(&mut self, generated: &[u32]) -> bool {
        let tokens = generated.get(self.start..).unwrap_or_default();
        let Some((last, before)) = tokens.split_last() else { return false };
        let mut is_circle = false;
        for (stretch, (period, earlier)) in
            self.stretches.iter_mut().zip((1..).zip(before.iter().rev()))
        {
            *stretch = if earlier == last { stretch.saturating_add(1) } else { 0 };
            is_circle |= usize::from(*stretch) >= STRETCH_MIN.max(ROUNDS_MIN * period);
        }
        is_circle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends_at(tokens: &[u32]) -> Option<usize> {
        let mut repetition = Repetition::from(0);
        (1..=tokens.len()).find(|&n| repetition.is_circle(&tokens[..n]))
    }

    fn rounds(circle: &[u32], n: usize) -> Vec<u32> {
        circle.iter().copied().cycle().take(circle.len() * n).collect()
    }

    #[test]
    fn a_circle_is_left_after_enough_rounds_whatever_stood_before() {
        let mut tokens: Vec<u32> = (1000..1200).collect();
        tokens.extend(rounds(&[7], 200));
        // The first 7 equals nothing before it.
        assert_eq!(ends_at(&tokens), Some(200 + 1 + STRETCH_MIN));
        let sentence: Vec<u32> = (0..40).collect();
        assert_eq!(ends_at(&rounds(&sentence, 20)), Some(40 + ROUNDS_MIN * 40));
        let longest: Vec<u32> = (0..PERIOD_MAX as u32).collect();
        assert_eq!(ends_at(&rounds(&longest, 9)), Some((1 + ROUNDS_MIN) * PERIOD_MAX));
    }

    #[test]
    fn what_only_resembles_a_circle_goes_on() {
        let sentence: Vec<u32> = (0..40).collect();
        assert_eq!(ends_at(&rounds(&sentence, 3)), None);
        // A list whose numbers grow.
        let list: Vec<u32> = (0..60).flat_map(|n| [1, 2, 3, 4, 100 + n]).collect();
        assert_eq!(ends_at(&list), None);
        assert_eq!(ends_at(&rounds(&[0, 1], STRETCH_MIN / 2)), None);
    }
}

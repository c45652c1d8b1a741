//! Which messages of a long conversation are made? Those in view and some on either side: thousands at
//! once would take seconds to build. What is not made is blank space of about its height, so that the
//! scroll bar tells the truth.

/// Messages that are made when a conversation is opened: in one frame with all else that an opening is. What
/// lies above them follows with the next ones.
const OPENING: usize = 4;
/// That are made where somebody lands far from all that stand.
const LANDING: usize = 12;
/// That are made or dropped at a time: few enough for a frame.
const STEP: usize = 3;
/// More are not kept while they are out of reach.
const MOST: usize = 64;
/// How far beyond the view messages are made, in heights of the view.
const REACH: f64 = 1.5;

/// The messages `from..to` of a conversation are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub from: usize,
    pub to: usize,
}

/// Where things are, in pixels from the start of what is scrolled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scrolled {
    pub view_top: f64,
    pub view_bottom: f64,
    /// What is made begins here,
    pub made_top: f64,
    /// and ends here.
    pub made_bottom: f64,
}

impl Window {
    /// The newest of `n_messages`.
    pub fn at_end(n_messages: usize) -> Self {
        Self { from: n_messages.saturating_sub(OPENING), to: n_messages }
    }

    /// After the conversation went from `n_before` messages to `n_messages`: what ended at the end still
    /// does, unless that were too many, and nothing beyond it is made. `follows`: the end is in view.
    pub fn fitted(self, n_before: usize, n_messages: usize, follows: bool) -> Self {
        let Self { from, to } = self;
        if from >= n_messages || follows && n_messages - from > MOST {
            return Self::at_end(n_messages);
        }
        let had_end = to >= n_before && n_messages - from <= MOST;
        Self { from, to: if had_end { n_messages } else { to.min(n_messages) } }
    }

    /// After scrolling: grown towards what comes into view, and shortened where it is far from it.
    /// `message_px`: what a message's height is taken for. `keeps`: nothing may be dropped, because
    /// somebody is at work in it.
    pub fn moved(self, n_messages: usize, at: Scrolled, message_px: f64, keeps: bool) -> Self {
        let reach = (at.view_bottom - at.view_top) * REACH;
        let above = at.view_top - at.made_top;
        let below = at.made_bottom - at.view_bottom;
        let is_past = at.view_bottom <= at.made_top && self.from > 0
            || at.view_top >= at.made_bottom && self.to < n_messages;
        if is_past && !keeps {
            return Self::landed(n_messages, at.view_top / message_px.max(1.0));
        }
        let Self { mut from, mut to } = self;
        let may_shorten = !keeps && to - from >= MOST;
        if above < reach && from > 0 {
            from = from.saturating_sub(STEP);
            if may_shorten && below > 2.0 * reach {
                to -= STEP;
            }
        } else if below < reach && to < n_messages {
            to = (to + STEP).min(n_messages);
            if may_shorten && above > 2.0 * reach {
                from += STEP;
            }
        }
        Self { from, to }
    }

    /// About the message `place`, which may lie between two.
    fn landed(n_messages: usize, place: f64) -> Self {
        // A float becomes the nearest number that fits.
        let from = (place as usize).saturating_sub(LANDING / 4);
        let from = from.min(n_messages.saturating_sub(LANDING));
        Self { from, to: (from + LANDING).min(n_messages) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 5_000;
    const PX: f64 = 200.0;
    const VIEW_PX: f64 = 700.0;

    /// Where things are when every message has `PX`.
    fn at(window: Window, view_top: f64) -> Scrolled {
        Scrolled {
            view_top,
            view_bottom: view_top + VIEW_PX,
            made_top: window.from as f64 * PX,
            made_bottom: window.to as f64 * PX,
        }
    }

    fn has_view(window: Window, view_top: f64) -> bool {
        let Scrolled { view_bottom, made_top, made_bottom, .. } = at(window, view_top);
        made_top <= view_top && (view_bottom <= made_bottom || window.to == N)
    }

    #[test]
    fn a_wheel_reaches_the_first_message_and_never_sees_a_gap() {
        let mut window = Window::at_end(N);
        let mut top = N as f64 * PX - VIEW_PX;
        assert!(has_view(window, top), "an opening fills the view with its first frame");
        // What lies above it has come before a hand is at the wheel.
        for _ in 0..4 {
            window = window.moved(N, at(window, top), PX, false);
        }
        while top > 0.0 {
            top = (top - 400.0).max(0.0);
            assert!(has_view(window, top), "{window:?} at {top}");
            window = window.moved(N, at(window, top), PX, false);
            assert!(window.to - window.from <= MOST + STEP, "{window:?}");
        }
        while window.from > 0 {
            let before = window;
            window = window.moved(N, at(window, 0.0), PX, false);
            assert_ne!(window, before);
        }
    }

    #[test]
    fn whoever_drags_the_bar_lands_among_messages() {
        for top in [0.0, 123_456.0, 999_300.0] {
            let window = Window::at_end(N).moved(N, at(Window::at_end(N), top), PX, false);
            assert!(has_view(window, top), "{window:?} at {top}");
        }
    }

    #[test]
    fn standing_still_it_comes_to_rest() {
        let mut window = Window { from: 2_000, to: 2_064 };
        for _ in 0..40 {
            window = window.moved(N, at(window, 2_001.0 * PX), PX, false);
        }
        assert_eq!(window, window.moved(N, at(window, 2_001.0 * PX), PX, false));
        assert!(has_view(window, 2_001.0 * PX));
    }

    #[test]
    fn where_somebody_is_at_work_nothing_is_dropped() {
        let window = Window { from: 100, to: 170 };
        let far = window.moved(N, at(window, 0.0), PX, true);
        assert_eq!(far, Window { from: 97, to: 170 });
    }

    #[test]
    fn new_messages_are_made_where_the_end_was() {
        let end = Window { from: 76, to: 100 };
        assert_eq!(end.fitted(100, 102, true), Window { from: 76, to: 102 });
        assert_eq!(
            Window { from: 10, to: 40 }.fitted(100, 102, false),
            Window { from: 10, to: 40 }
        );
        // A log that is still being read brings hundreds.
        assert_eq!(end.fitted(100, 500, true), Window::at_end(500));
        assert_eq!(end.fitted(100, 500, false), end);
        // Another branch is shorter.
        assert_eq!(Window { from: 10, to: 40 }.fitted(100, 30, false), Window { from: 10, to: 30 });
        assert_eq!(Window { from: 50, to: 90 }.fitted(100, 30, false), Window::at_end(30));
    }
}

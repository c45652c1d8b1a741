//! Has somebody else changed how this device is locked? Another tab, in which the person locks or unlocks it, or
//! who syncs, which learns that another device turned encryption on or off.

use std::cell::RefCell;
use std::mem::discriminant;

use leptos::prelude::*;
use portico_web::sync_link::{Channel, FromSync, Standing, ToSync};
use serde::Deserialize;

thread_local! {
    static CHANGES: ArcRwSignal<u32> = followed();
}

/// What is said on the channel of sync, by whomever.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    ToSync(ToSync),
    FromSync(FromSync),
}

/// Grows with each change that may be one; as long as the page lives.
pub fn changes() -> ArcRwSignal<u32> {
    CHANGES.with(Clone::clone)
}

fn followed() -> ArcRwSignal<u32> {
    let changes = ArcRwSignal::new(0);
    let Some(channel) = Channel::open() else { return changes };
    let (heard, last) = (changes.clone(), RefCell::new(None::<Standing>));
    channel.listen(move |said| {
        let is_change = match said {
            Said::ToSync(ToSync::Session) => true,
            Said::ToSync(_) | Said::FromSync(FromSync::Stop { .. }) => false,
            Said::FromSync(FromSync::State(state)) => {
                let before = last.replace(Some(state.standing.clone()));
                before.is_none_or(|before| discriminant(&before) != discriminant(&state.standing))
            }
        };
        if is_change {
            heard.update(|n| *n += 1);
        }
    });
    changes
}

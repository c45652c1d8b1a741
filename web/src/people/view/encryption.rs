//! Encryption of one's conversations: turning it on, unlocking a device, other secrets, turning it off.

use leptos::html;
use leptos::prelude::*;
use portico_people::strength::Strength;
use portico_people::texts::Text;
use portico_shared::error::ApiError;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use super::{approval, plain_files};
use crate::approval::{Approvals, Stage};
use crate::elsewhere;
use crate::parts::{self, Doing, Field, field, once, submit, sure};
use crate::sealing::{self, By, Lock, Made};
use crate::state::{Asked, People};

const PASSPHRASE: Field =
    Field { text: Text::SealPassphrase, kind: "password", autocomplete: "current-password" };
const NEW_PASSPHRASE: Field =
    Field { text: Text::SealNewPassphrase, kind: "password", autocomplete: "new-password" };
const AGAIN: Field =
    Field { text: Text::SealAgain, kind: "password", autocomplete: "new-password" };
const RECOVERY: Field = Field { text: Text::SealRecoveryKey, kind: "text", autocomplete: "off" };

/// What the person is at.
#[derive(Clone, PartialEq)]
pub enum Step {
    Rest,
    /// Another device is asked to let this one in.
    Ask,
    /// Another device is to be let in, by this code as far as it is known.
    Approve(String),
    /// A passphrase for the first time, or another one.
    Passphrase {
        begins: bool,
    },
    /// The recovery key, to be kept.
    Keep(Box<Made>),
    TurnOff,
}

#[derive(Clone, Copy)]
pub struct Encryption {
    pub people: People,
    pub approvals: Approvals,
    pub person: Uuid,
    lock: RwSignal<Asked<Lock>>,
    step: RwSignal<Step>,
    pub doing: Doing,
}

pub fn encryption(people: People, approvals: Approvals, person: Uuid) -> impl IntoView {
    let (lock, step) = (RwSignal::new(Asked::Loading), RwSignal::new(Step::Rest));
    let this = Encryption { people, approvals, person, lock, step, doing: Doing::new() };
    this.look();
    let heading = NodeRef::<html::H3>::new();
    follow(this, heading);
    let_in(this);
    let changes = elsewhere::changes();
    Effect::new(move |before: Option<u32>| {
        let n = changes.get();
        if before.is_some_and(|before| before != n) {
            this.look_again();
        }
        n
    });
    view! {
        <section class="card people-seal" aria-labelledby="people-encryption" data-lock=move || lock.with(name)>
            <h3 id="people-encryption" tabindex="-1" node_ref=heading>{people.t(Text::Seal)}</h3>
            {move || match (lock.get(), step.get()) {
                (Asked::Loading, _) => parts::loading(people).into_any(),
                (Asked::Failed(error), _) => {
                    parts::failed(people, error, move || this.look()).into_any()
                }
                (_, Step::Passphrase { begins }) => passphrase(this, begins).into_any(),
                (_, Step::Keep(made)) => keep(this, *made).into_any(),
                (_, Step::TurnOff) => turn_off(this).into_any(),
                (_, Step::Ask) => approval::ask(this).into_any(),
                (_, Step::Approve(code)) => approval::approve(this, code).into_any(),
                (Asked::Loaded(Lock::Plain), _) => plain(this).into_any(),
                (Asked::Loaded(Lock::Open), _) => open(this).into_any(),
                (Asked::Loaded(Lock::Locked), _) => locked(this).into_any(),
                (Asked::Loaded(Lock::Unsealed), _) => unsealed(this).into_any(),
            }}
        </section>
    }
}

fn name(lock: &Asked<Lock>) -> &'static str {
    match lock {
        Asked::Loading => "loading",
        Asked::Failed(_) => "failed",
        Asked::Loaded(Lock::Plain) => "plain",
        Asked::Loaded(Lock::Open) => "open",
        Asked::Loaded(Lock::Locked) => "locked",
        Asked::Loaded(Lock::Unsealed) => "unsealed",
    }
}

/// Where the content changes, who reads with the keyboard or by ear goes on at its heading; so does who was
/// led here by an address.
fn follow(this: Encryption, heading: NodeRef<html::H3>) {
    Effect::new(move |before: Option<(bool, Step)>| {
        let is_known = this.lock.with(|lock| !matches!(lock, Asked::Loading));
        let step = this.step.get();
        let is_led = || {
            let hash = web_sys::window().and_then(|window| window.location().hash().ok());
            hash.is_some_and(|hash| hash.ends_with("/encryption"))
        };
        let is_due = match &before {
            Some((true, last)) => *last != step,
            _ => is_known && is_led(),
        };
        if is_due && let Some(heading) = heading.get_untracked() {
            heading.focus().ok();
            heading.scroll_into_view();
        }
        (is_known, step)
    });
}

/// What devices say to each other, and addresses that lead to it.
fn let_in(this: Encryption) {
    let approvals = this.approvals;
    Effect::new(move |_| {
        if approvals.stage.get() == Stage::LetIn {
            approvals.stage.set(Stage::Rest);
            this.step.set(Step::Rest);
            this.people.say(Text::SealUnlocked);
            this.look();
        }
    });
    Effect::new(move |_| {
        let code = this.people.hash.with(|hash| approval::led_to(hash));
        let is_open = this.lock.with(|lock| *lock == Asked::Loaded(Lock::Open));
        if is_open && let Some(code) = code {
            approval::forget_code();
            this.go(Step::Approve(code));
        }
    });
    // A device that asks says it again once this one can answer.
    Effect::new(move |_| {
        if this.lock.with(|lock| *lock == Asked::Loaded(Lock::Open)) {
            approvals.look();
        }
    });
    on_cleanup(move || approvals.cancel());
}

impl Encryption {
    fn look(self) {
        let Self { person, lock, .. } = self;
        spawn_local(async move { lock.set(sealing::look(person).await.into()) });
    }

    /// Others may have changed it: where they have, what the person is at is over. A new recovery key stays to be
    /// kept, and what is being typed where nothing has changed.
    fn look_again(self) {
        let Self { person, lock, step, approvals, .. } = self;
        spawn_local(async move {
            let Ok(now) = sealing::look(person).await.map(Asked::Loaded) else { return };
            let is_changed = lock.try_with_untracked(|before| *before != now) == Some(true);
            if !is_changed {
                return;
            }
            lock.set(now);
            match step.get_untracked() {
                Step::Keep(_) => {}
                Step::Ask => {
                    approvals.cancel();
                    step.set(Step::Rest);
                }
                _ => step.set(Step::Rest),
            }
        });
    }

    /// Does something, then says what was done and how it stands.
    pub fn run(self, work: impl Future<Output = Result<(), ApiError>> + 'static, said: Text) {
        self.doing.run(work, move |()| {
            self.step.set(Step::Rest);
            self.people.say(said);
            self.look();
        });
    }

    pub fn go(self, step: Step) {
        self.doing.error.set(None);
        self.step.set(step);
    }

    pub fn cancel(self) -> impl IntoView {
        let back = move |_| {
            self.approvals.cancel();
            self.go(Step::Rest);
        };
        view! {
            <button type="button" class="button quiet" on:click=back>
                {self.people.t(Text::Cancel)}
            </button>
        }
    }
}

fn plain(this: Encryption) -> impl IntoView {
    let people = this.people;
    view! {
        <p>{people.t(Text::SealPlain)}</p>
        <p class="muted">{people.t(Text::SealLimits)}</p>
        {this.doing.fault(people)}
        <div class="row">
            <button type="button" class="button" on:click=move |_| this.go(Step::Passphrase { begins: true })>
                {people.t(Text::SealTurnOn)}
            </button>
        </div>
    }
}

fn open(this: Encryption) -> impl IntoView {
    let Encryption { people, person, doing, .. } = this;
    let renew = move |_| {
        doing.run(sealing::make_recovery(person), move |made| this.go(Step::Keep(Box::new(made))));
    };
    view! {
        {plain_files::standing(this)}
        <p class="muted">{people.t(Text::SealLimits)}</p>
        {approval::notice(this)}
        {doing.fault(people)}
        <div class="row">
            <button type="button" class="button" on:click=move |_| this.go(Step::Approve(String::new()))>
                {people.t(Text::ApproveOther)}
            </button>
            <button type="button" class="button" on:click=move |_| this.go(Step::Passphrase { begins: false })>
                {people.t(Text::SealChange)}
            </button>
            <button type="button" class="button" disabled=move || doing.is_busy.get() on:click=renew>
                {people.t(Text::SealRenew)}
            </button>
            {sure(people, move || Text::SealLock.get(people.lang.get()).to_owned(), Text::SealLockShort,
                move || this.run(sealing::lock(person), Text::SealLocked))}
            <button type="button" class="button quiet danger" on:click=move |_| this.go(Step::TurnOff)>
                {people.t(Text::SealTurnOff)}
            </button>
        </div>
    }
}

fn locked(this: Encryption) -> impl IntoView {
    let Encryption { people, person, doing, .. } = this;
    let (by, secret) = (RwSignal::new(By::Passphrase), RwSignal::new(String::new()));
    let other = move |_| {
        by.update(|by| *by = if *by == By::Passphrase { By::RecoveryKey } else { By::Passphrase });
        secret.set(String::new());
        doing.error.set(None);
    };
    let ask = move |_| {
        this.approvals.ask(person);
        this.go(Step::Ask);
    };
    let is_by_passphrase = move || by.get() == By::Passphrase;
    view! {
        <form class="people-form" data-form="unlock" on:submit=move |event| {
            event.prevent_default();
            let work = sealing::unlock(person, by.get_untracked(), secret.get_untracked());
            this.run(work, Text::SealUnlocked);
        }>
            <p>{people.t(Text::SealIsLocked)}</p>
            {move || field(people, if is_by_passphrase() { PASSPHRASE } else { RECOVERY }, secret)}
            {doing.fault(people)}
            <div class="row">
                {submit(people, doing, Text::SealUnlock)}
                <button type="button" class="button quiet" on:click=other>{move || {
                    let other = if is_by_passphrase() { Text::SealByRecovery } else { Text::SealByPassphrase };
                    other.get(people.lang.get())
                }}</button>
                <button type="button" class="button quiet" on:click=ask>{people.t(Text::Ask)}</button>
            </div>
            <Busy this/>
        </form>
    }
}

fn unsealed(this: Encryption) -> impl IntoView {
    let people = this.people;
    view! {
        <div class="notice" role="alert"><p>{people.t(Text::SealUnsealed)}</p></div>
        {this.doing.fault(people)}
        <div class="row">
            {sure(people, move || Text::SealAgree.get(people.lang.get()).to_owned(), Text::SealAgreeShort,
                move || this.run(sealing::agree(), Text::SealAgreed))}
        </div>
    }
}

fn passphrase(this: Encryption, begins: bool) -> impl IntoView {
    let Encryption { people, person, doing, .. } = this;
    let (new, again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let differs = RwSignal::new(false);
    let go_on = move || {
        let passphrase = new.get_untracked();
        differs.set(passphrase != again.get_untracked());
        if differs.get_untracked() {
            return;
        }
        match begins {
            true => doing
                .run(sealing::make(passphrase), move |made| this.go(Step::Keep(Box::new(made)))),
            false => {
                this.run(sealing::change_passphrase(person, passphrase), Text::SealChanged);
            }
        }
    };
    view! {
        <form class="people-form" data-form="passphrase" on:submit=move |event| {
            event.prevent_default();
            go_on();
        }>
            <p>{people.t(Text::SealPassphraseLead)}</p>
            {field(people, NEW_PASSPHRASE, new)}
            {strength(people, new)}
            {field(people, AGAIN, again)}
            <Show when=move || differs.get()>
                <div class="notice error" role="alert" data-error="differs"><p>{people.t(Text::SealDiffers)}</p></div>
            </Show>
            {doing.fault(people)}
            <div class="row">
                {submit(people, doing, if begins { Text::SealGoOn } else { Text::SealChange })}
                {this.cancel()}
            </div>
            <Busy this/>
        </form>
    }
}

fn strength(people: People, passphrase: RwSignal<String>) -> impl IntoView {
    let strength = Memo::new(move |_| passphrase.with(|text| Strength::of(text)));
    let text = move || match strength.get() {
        Strength::Weak => Text::SealWeak,
        Strength::Fair => Text::SealFair,
        Strength::Strong => Text::SealStrong,
    };
    view! {
        <p class="hint people-strength" aria-live="polite">
            <meter min="0" max="3" low="2" high="2.5" optimum="3" aria-label=people.t(Text::SealStrength)
                prop:value=move || f64::from(strength.get() as u8 + 1)></meter>
            <span>{move || text().get(people.lang.get())}</span>
        </p>
    }
}

/// Shows the recovery key; nothing happens before the person says that it is kept.
fn keep(this: Encryption, made: Made) -> impl IntoView {
    let Encryption { people, person, doing, .. } = this;
    let is_kept = RwSignal::new(false);
    let hint = Text::SealKeep.get(people.lang.get_untracked()).to_owned();
    let file = format!("data:text/plain;charset=utf-8,{}%0A", made.recovery);
    let recovery = made.recovery.clone();
    view! {
        <form class="people-form" data-form="recovery" on:submit=move |event| {
            event.prevent_default();
            this.run(sealing::hold(person, made.clone()), Text::SealHeld);
        }>
            {once(people, hint, recovery)}
            <div class="row">
                <a class="button small" href=file download="portico-recovery-key.txt">{people.t(Text::SealSave)}</a>
            </div>
            <label class="switch">
                <input type="checkbox" required prop:checked=move || is_kept.get()
                    on:change:target=move |event| is_kept.set(event.target().checked())/>
                {people.t(Text::SealIsKept)}
            </label>
            {doing.fault(people)}
            <div class="row">
                <button type="submit" class="button primary"
                    disabled=move || doing.is_busy.get() || !is_kept.get()>{people.t(Text::SealHold)}</button>
                {this.cancel()}
            </div>
        </form>
    }
}

fn turn_off(this: Encryption) -> impl IntoView {
    let people = this.people;
    view! {
        <form class="people-form" data-form="turn-off" on:submit=move |event| {
            event.prevent_default();
            this.run(sealing::turn_off(), Text::SealIsOff);
        }>
            <div class="notice" role="alert"><p>{people.t(Text::SealOffWarning)}</p></div>
            {this.doing.fault(people)}
            <div class="row">
                <button type="submit" class="button danger" disabled=move || this.doing.is_busy.get()>
                    {people.t(Text::SealTurnOff)}
                </button>
                {this.cancel()}
            </div>
        </form>
    }
}

/// Stretching a passphrase takes a moment, in which the page stands still.
#[component]
fn Busy(this: Encryption) -> impl IntoView {
    view! {
        <Show when=move || this.doing.is_busy.get()>
            <p class="hint" role="status">{this.people.t(Text::SealBusy)}</p>
        </Show>
    }
}

//! Letting a device in by another one: what the new one shows, and where the other one approves.

use leptos::prelude::*;
use portico_people::texts::Text;

use super::encryption::{Encryption, Step};
use crate::approval::Stage;
use crate::parts::{Field, fault, field, qr, submit};

const CODE: Field = Field { text: Text::ApproveCode, kind: "text", autocomplete: "off" };
/// Behind it the code, in the address that the QR code leads to.
const LINK: &str = "#/account/approve";

/// Whether an address asks for [`approve`], and the code in it.
pub fn led_to(hash: &str) -> Option<String> {
    let code = hash.strip_prefix(LINK)?;
    Some(code.trim_start_matches('/').to_owned())
}

/// The code has been read: it stays in no history.
pub fn forget_code() {
    if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
        let state = history.state().unwrap_or_default();
        history.replace_state_with_url(&state, "", Some("#/account/encryption")).ok();
    }
}

/// The new device: its code, and what the others say.
pub fn ask(this: Encryption) -> impl IntoView {
    let (people, approvals) = (this.people, this.approvals);
    // What is shown stays while only the state of waiting changes.
    let code = Memo::new(move |_| match approvals.stage.get() {
        Stage::Asking { code, .. } => Some(code),
        _ => None,
    });
    let again = move || {
        view! {
            <div class="row">
                <button type="button" class="button" on:click=move |_| approvals.ask(this.person)>
                    {people.t(Text::AskAgain)}
                </button>
                {this.cancel()}
            </div>
        }
    };
    move || {
        match code.get() {
        Some(code) => view! {
            <p>{people.t(Text::AskLead)}</p>
            {qr(people, &address(&code), Text::AskImage)}
            <p class="people-code"><code data-code="">{code}</code></p>
            <p class="muted" role="status">{move || {
                let is_heard = matches!(approvals.stage.get(), Stage::Asking { is_heard: true, .. });
                if is_heard { Text::AskHeard } else { Text::AskWaits }.get(people.lang.get())
            }}</p>
            <div class="row">{this.cancel()}</div>
        }
        .into_any(),
        None => {
            let said = move |name: &'static str, text: Text| view! {
                <div class="notice" role="alert" data-approval=name><p>{people.t(text)}</p></div>
            };
            view! {
                {move || match approvals.stage.get() {
                    Stage::Refused => said("refused", Text::AskRefused).into_any(),
                    Stage::Expired => said("expired", Text::AskExpired).into_any(),
                    Stage::Failed(error) => fault(people, error).into_any(),
                    Stage::Rest | Stage::Asking { .. } | Stage::LetIn => ().into_any(),
                }}
                {again}
            }
            .into_any()
        }
    }
    }
}

/// The address of the page, with the code behind its `#`, where no server sees it.
fn address(code: &str) -> String {
    let location = web_sys::window().map(|window| window.location());
    let origin = location.and_then(|location| location.origin().ok()).unwrap_or_default();
    format!("{origin}/{LINK}/{code}")
}

/// A device that has the key: the code of the other one, and the person's yes or no.
pub fn approve(this: Encryption, code: String) -> impl IntoView {
    let Encryption { people, approvals, person, doing, .. } = this;
    let code = RwSignal::new(code);
    approvals.look();
    let is_asked = move || approvals.n_heard.get() > 0;
    view! {
        <form class="people-form" data-form="approve" data-asked=move || is_asked().to_string()
            on:submit=move |event| {
                event.prevent_default();
                this.run(approvals.approve(person, code.get_untracked()), Text::Approved);
            }>
            <p role="status">{move || {
                if is_asked() { Text::ApproveLead } else { Text::ApproveNone }.get(people.lang.get())
            }}</p>
            {field(people, CODE, code)}
            <p class="hint">{people.t(Text::ApproveWarning)}</p>
            {doing.fault(people)}
            <div class="row">
                {submit(people, doing, Text::Approve)}
                <Show when=is_asked>
                    <button type="button" class="button danger" disabled=move || doing.is_busy.get()
                        on:click=move |_| this.run(approvals.refuse(), Text::ApproveRefused)>
                        {people.t(Text::ApproveRefuse)}
                    </button>
                </Show>
                {this.cancel()}
            </div>
        </form>
    }
}

/// Said where the person looks at the encryption of their account.
pub fn notice(this: Encryption) -> impl IntoView {
    let (people, approvals) = (this.people, this.approvals);
    view! {
        <Show when=move || { approvals.n_heard.get() > 0 }>
            <div class="notice" role="status" data-condition="approval-asked">
                <p>{people.t(Text::ApproveAsked)}</p>
                <div class="row">
                    <button type="button" class="button primary" on:click=move |_| this.go(Step::Approve(String::new()))>
                        {people.t(Text::ApproveLook)}
                    </button>
                </div>
            </div>
        </Show>
    }
}

//! Where the open conversation's answers are computed: what the server offers, what the person chose,
//! and what follows.

use leptos::prelude::*;
use portico_page::assistants::Model;
use portico_page::route::{Choice, Offer, Route, route};
use portico_shared::error::ErrorCode;
use portico_shared::sync::Setting;
use portico_web::server_call;
use portico_web::turns::Turns;
use uuid::Uuid;

use crate::page::Page;
use crate::{assistants, log, prefs};

/// Asks the server what it computes for this page.
pub async fn load_offer(page: Page) {
    thread_local!(static ASKED: Turns = const { Turns::new() });
    let turn = ASKED.with(Turns::next);
    let offer = match server_call::models().await {
        Ok(models) if models.is_empty() => Offer::Refused,
        Ok(models) => Offer::Models(models),
        Err(error) if error.code == ErrorCode::ServerUnreachable => Offer::Unreachable,
        // Without a right to them the page has no models, and that is no fault.
        Err(error) if matches!(error.code.status(), 401 | 403) => Offer::Refused,
        Err(error) => {
            web_sys::console::warn_1(&format!("portico: what the server offers: {error}").into());
            Offer::Failed(error.code)
        }
    };
    if ASKED.with(|asked| asked.take(turn)) {
        page.offer.set(offer);
    }
}

/// The person's choice for a conversation, or for the next new one.
pub fn choice(page: Page, conversation: Option<Uuid>) -> Choice {
    page.place_version.track();
    page.log_version.track();
    if conversation.is_some_and(log::stays_on_device) {
        return Choice::Device;
    }
    let settings = prefs::answer_settings(conversation);
    settings.place.as_deref().and_then(Choice::from_name).unwrap_or_default()
}

pub fn set_choice(page: Page, conversation: Option<Uuid>, choice: Choice) {
    let mut settings = prefs::answer_settings(conversation);
    settings.place = Some(choice.name().to_owned());
    prefs::set_answer_settings(conversation, &settings);
    if let Some(conversation) = conversation {
        keep_choice(page, conversation);
    }
    page.place_version.update(|version| *version += 1);
}

/// Writes down, for all devices, whether a conversation stays on this one.
pub fn keep_choice(page: Page, conversation: Uuid) {
    let settings = prefs::answer_settings(Some(conversation));
    let stays = settings.place.as_deref() == Some(Choice::Device.name());
    if stays != log::stays_on_device(conversation) {
        log::set(page, conversation, Setting::StaysOnDevice(stays));
    }
}

/// What a new conversation says of its place, where it says anything.
pub fn first_setting(conversation: Uuid) -> Option<Setting> {
    let settings = prefs::answer_settings(Some(conversation));
    let stays = settings.place.as_deref() == Some(Choice::Device.name());
    stays.then_some(Setting::StaysOnDevice(true))
}

/// Where an answer of `model` would run in the open conversation, for views.
pub fn route_here(page: Page, model: &str) -> Route {
    route_of(page, page.open.get(), model)
}

/// Where an answer of `model` runs now.
pub fn route_for(page: Page, conversation: Uuid, model: &str) -> Route {
    untrack(|| route_of(page, Some(conversation), model))
}

/// Where an answer of `model` would run in a conversation, for views.
pub fn route_of(page: Page, conversation: Option<Uuid>, model: &str) -> Route {
    let choice = choice(page, conversation);
    // For an assistant nobody waits until gigabytes have come where the server has the same model; nor
    // before a model was chosen.
    if choice == Choice::Auto
        && (assistants::wants(page, conversation, model) || page.chosen.with(Option::is_none))
        && !assistants::is_here(page, model)
        && page.offer.with(|offer| offer.has(model))
    {
        return Route::Server { model: model.to_owned(), instead: None };
    }
    let fit = page.model(model).map(|model| page.fit(&model));
    page.offer.with(|offer| route(choice, model, fit, offer))
}

/// The model that answers: the chosen one, else the server's while the device has none. None while there
/// is one to be loaded first.
pub fn answering_model(page: Page) -> Option<String> {
    match assistants::model(page, page.open.get()) {
        Model::Preferred(model) => return Some(model),
        Model::Missing(_) => return None,
        Model::Usual | Model::StandsIn(_) => {}
    }
    page.chosen.get().or_else(|| {
        let choice = choice(page, page.open.get());
        if choice == Choice::Server {
            return page.offer.with(|offer| offer.model_for("").map(str::to_owned));
        }
        let offered = page.offered_model()?;
        let cannot = !page.fit(&offered).runs() && page.device.with(Option::is_some);
        let id = &offered.model.id;
        match choice {
            // So that it is said why nothing can be asked.
            Choice::Device => cannot.then(|| id.clone()),
            // So that the first visit can chat at once.
            _ if cannot || !assistants::is_here(page, id) => {
                page.offer.with(|offer| offer.model_for(id).map(str::to_owned))
            }
            _ => None,
        }
    })
}

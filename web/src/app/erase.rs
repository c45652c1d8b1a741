//! Deletes all that this profile keeps: conversations, choices, models, the cached page.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::browser::{js_error, window};
use crate::{files, log, prefs, setup};

/// Says what could not be deleted.
pub async fn erase_all() -> Result<(), String> {
    log::destroy().await.map_err(|error| error.to_string())?;
    // The worker holds the files of the models open: it ends first.
    setup::end_worker();
    files::forget_all().await?;
    erase_files().await.map_err(|error| js_error(&error))?;
    erase_caches().await.map_err(|error| js_error(&error))?;
    prefs::clear();
    Ok(())
}

/// Everything in the origin's private file system.
async fn erase_files() -> Result<(), JsValue> {
    let Some(window) = window() else { return Ok(()) };
    let storage = Reflect::get(&window.navigator(), &"storage".into())?;
    let Ok(get_directory) = method(&storage, "getDirectory") else { return Ok(()) };
    let directory = JsFuture::from(Promise::from(get_directory.call0(&storage)?)).await?;
    let names = method(&directory, "keys")?.call0(&directory)?;
    let next = method(&names, "next")?;
    let mut found = Vec::new();
    loop {
        let step = JsFuture::from(Promise::from(next.call0(&names)?)).await?;
        if Reflect::get(&step, &"done".into())?.is_truthy() {
            break;
        }
        found.push(Reflect::get(&step, &"value".into())?);
    }
    let remove = method(&directory, "removeEntry")?;
    let options = js_sys::Object::new();
    Reflect::set(&options, &"recursive".into(), &JsValue::TRUE)?;
    for name in found {
        JsFuture::from(Promise::from(remove.call2(&directory, &name, &options)?)).await?;
    }
    Ok(())
}

/// What the service worker keeps.
async fn erase_caches() -> Result<(), JsValue> {
    let Some(window) = window() else { return Ok(()) };
    let caches = Reflect::get(&window, &"caches".into())?;
    let Ok(keys) = method(&caches, "keys") else { return Ok(()) };
    let names = Array::from(&JsFuture::from(Promise::from(keys.call0(&caches)?)).await?);
    let delete = method(&caches, "delete")?;
    for name in names.iter() {
        JsFuture::from(Promise::from(delete.call1(&caches, &name)?)).await?;
    }
    Ok(())
}

fn method(object: &JsValue, name: &str) -> Result<Function, JsValue> {
    Reflect::get(object, &name.into())?.dyn_into()
}

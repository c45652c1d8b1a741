//! A model's licence, by its name and with its text where the catalogue has the address.

use leptos::prelude::*;
use portico_shared::catalogue::Licence;

pub fn licence(licence: &Licence) -> impl IntoView {
    let name = licence.name.clone().unwrap_or_else(|| licence.id.clone());
    let url = licence.url.clone().or_else(|| {
        let is_listed = !licence.id.starts_with("LicenseRef-");
        is_listed.then(|| format!("https://spdx.org/licenses/{}.html", licence.id))
    });
    match url {
        Some(url) => view! {
            <a href=url target="_blank" rel="noopener noreferrer">{name}</a>
        }
        .into_any(),
        None => name.into_any(),
    }
}

//! Rules as a form: for each thing what is said of it, and names or a number where these are wanted.

use leptos::prelude::*;
use portico_people::rules::{Choice, Draft, Field, Kind, Rules, names_of};
use portico_people::texts::Text;

use super::effect::field_text;
use super::known::Known;
use crate::state::People;

/// What stands in the form.
#[derive(Clone, Copy)]
pub struct Drafts {
    drafts: StoredValue<Vec<(Field, RwSignal<Draft>)>>,
    /// What was there, with what this page does not know.
    before: StoredValue<Rules>,
}

impl Drafts {
    pub fn new(rules: &Rules) -> Self {
        let draft = |field| (field, RwSignal::new(Draft::of(field, rules.get(field).as_ref())));
        Self {
            drafts: StoredValue::new(Field::ALL.map(draft).to_vec()),
            before: StoredValue::new(rules.clone()),
        }
    }

    /// The rules that stand there; the error is the field that says nothing.
    pub fn rules(self) -> Result<Rules, Field> {
        let mut rules = self.before.get_value();
        for (field, draft) in self.drafts.get_value() {
            rules.set(field, draft.get().said(field)?);
        }
        Ok(rules)
    }
}

/// `unsaid`: what it means that nothing is said.
pub fn rules_form(people: People, drafts: Drafts, unsaid: Text) -> impl IntoView {
    let known = Known::load();
    let rows = drafts.drafts.get_value().into_iter();
    let rows = rows.map(move |(field, draft)| row(people, field, draft, unsaid, known).into_any());
    view! { <div class="people-rules">{rows.collect_view()}</div> }
}

fn choice_text(field: Field, choice: Choice, unsaid: Text) -> Text {
    match (choice, field.kind()) {
        (Choice::Unsaid, _) => unsaid,
        (Choice::Open, Kind::Names) => Text::ChoiceAll,
        (Choice::Open, Kind::Limit) => Text::ChoiceNoLimit,
        (Choice::Open, Kind::Flag) => Text::Yes,
        (Choice::Closed, Kind::Flag) => Text::No,
        (Choice::Closed, _) => Text::ChoiceNone,
        (Choice::These, Kind::Names) => Text::ChoiceThese,
        (Choice::These, _) if field == Field::RetentionDays => Text::ChoiceDays,
        (Choice::These, _) => Text::ChoiceAtMost,
    }
}

fn row(
    people: People,
    field: Field,
    draft: RwSignal<Draft>,
    unsaid: Text,
    known: Known,
) -> impl IntoView {
    let label = match field {
        Field::StorageBytes => Text::RuleStorageBytes,
        Field::RetentionDays => Text::RuleRetentionDays,
        other => field_text(other),
    };
    let option = move |choice: &Choice| {
        let choice = *choice;
        let is_chosen = draft.with_untracked(|draft| draft.choice) == choice;
        let text = people.t(choice_text(field, choice, unsaid));
        view! { <option value=choice.as_str() selected=is_chosen>{text}</option> }
    };
    let is_these = Memo::new(move |_| draft.with(|draft| draft.choice == Choice::These));
    let is_names = field.kind() == Kind::Names;
    let inner_label = move || {
        let lang = people.lang.get();
        let text = if is_names { Text::TheseFor } else { Text::CountFor };
        text.fill(lang, &[("field", label.get(lang))])
    };
    view! {
        <div class="people-rule" data-rule=field.as_str()>
            <label>
                <span>{people.t(label)}</span>
                <select on:change:target=move |event| {
                    let choice = Choice::from_name(&event.target().value());
                    draft.update(|draft| draft.choice = choice);
                }>{Choice::of(field).iter().map(option).collect_view()}</select>
            </label>
            <Show when=move || is_these.get()>
                <input type="text" autocomplete="off" spellcheck="false" aria-label=inner_label
                    inputmode=if is_names { "text" } else { "decimal" }
                    prop:value=move || draft.with(|draft| draft.text.clone())
                    on:input:target=move |event| {
                        let text = event.target().value();
                        draft.update(|draft| draft.text = text);
                    }/>
                {is_names.then(|| suggestions(people, field, draft, known))}
            </Show>
        </div>
    }
}

/// Names that are known and do not stand there yet.
fn suggestions(
    people: People,
    field: Field,
    draft: RwSignal<Draft>,
    known: Known,
) -> impl IntoView {
    let rest = move || {
        let typed = draft.with(|draft| names_of(&draft.text));
        let mut names = known.names(field);
        names.retain(|name| !typed.contains(name));
        names
    };
    let add = move |name: &str| {
        draft.update(|draft| {
            let mut names = names_of(&draft.text);
            names.push(name.to_owned());
            draft.text = names.join(", ");
        });
    };
    view! {
        <p class="hint">{people.t(Text::NamesHint)}</p>
        <div class="row">
            {move || rest().into_iter().map(|name| {
                let (shown, label) = (name.clone(), name.clone());
                let label = move || Text::AddName.fill(people.lang.get(), &[("name", &label)]);
                view! {
                    <button type="button" class="button quiet small" aria-label=label
                        on:click=move |_| add(&name)>"+ " {shown}</button>
                }
            }).collect_view()}
        </div>
    }
}

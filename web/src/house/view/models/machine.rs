//! What can the server's machine do?

use leptos::prelude::*;
use portico_page::format;
use portico_people::models::Machine;
use portico_people::texts::Text;
use portico_shared::error::Lang;

use crate::state::People;

pub fn machine(people: People, machine: Machine) -> impl IntoView {
    let is_plain = machine.is_plain;
    let fact = move |text: Text, said: Box<dyn Fn(Lang) -> String + Send + Sync>| {
        view! {
            <div>
                <dt>{people.t(text)}</dt>
                <dd>{move || said(people.lang.get())}</dd>
            </div>
        }
    };
    let Machine { cpu, isa, n_cores, n_threads, gpu, .. } = machine.clone();
    let threads = move |lang| {
        let (n, all) = (n_threads.to_string(), n_cores.to_string());
        let said = Text::MachineThreads.fill(lang, &[("isa", &isa), ("n", &n), ("all", &all)]);
        if cpu.is_empty() { said } else { format!("{cpu}: {said}") }
    };
    let graphics = move |lang| {
        gpu.as_deref().map_or_else(|| Text::MachineNoGpu.get(lang).to_owned(), str::to_uppercase)
    };
    let memory = move |lang: Lang| {
        let bytes = |bytes: Option<u64>| bytes.map(|bytes| format::bytes(lang, bytes));
        let (free, all) = (bytes(machine.memory_free_bytes), bytes(machine.memory_bytes));
        match (free, all) {
            (Some(free), Some(all)) => {
                Text::MachineOf.fill(lang, &[("free", &free), ("all", &all)])
            }
            _ => "?".to_owned(),
        }
    };
    let disk = move |lang| {
        let free = machine.disk_free_bytes.map(|bytes| format::bytes(lang, bytes));
        free.unwrap_or_else(|| "?".to_owned())
    };
    view! {
        <section class="card" aria-labelledby="models-machine" data-machine="">
            <h3 id="models-machine">{people.t(Text::Machine)}</h3>
            <dl class="facts wide">
                {fact(Text::MachineCpu, Box::new(threads))}
                {fact(Text::MachineGpu, Box::new(graphics))}
                {fact(Text::MachineMemory, Box::new(memory))}
                {fact(Text::MachineBudget, Box::new(move |lang| format::bytes(lang, machine.budget_bytes)))}
                {fact(Text::MachineDisk, Box::new(disk))}
                {fact(Text::MachineSpeed, Box::new(move |lang| {
                    format::byte_rate(lang, machine.memory_bytes_per_s as f64)
                }))}
            </dl>
            {is_plain.then(|| view! { <p class="notice">{people.t(Text::MachinePlain)}</p> })}
            <p class="hint">{people.t(Text::MachineHint)}</p>
        </section>
    }
}

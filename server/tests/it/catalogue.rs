use portico_server::models::{BUILT_IN_CATALOGUE, FileState};
use portico_shared::catalogue::{Architecture, Catalogue, CatalogueView, Kind, Model, RunsIn};

use crate::common::*;

fn built_in() -> Catalogue {
    Catalogue::from_toml(BUILT_IN_CATALOGUE).unwrap()
}

#[test]
fn the_default_can_be_fetched_from_packages_and_runs_in_the_browser() {
    let catalogue = built_in();
    let default = catalogue.default_model().unwrap();
    assert_eq!(default.id, "smollm2-135m-instruct");
    assert!(default.runs_in(RunsIn::Browser) && default.kind == Kind::Chat && !default.base);
    assert!(default.files.iter().all(|file| file.sha256.is_some()));
    assert_eq!(default.licence.id, "Apache-2.0");
}

/// Each tier of memory has a model that answers in German, and one under a free licence.
#[test]
fn every_memory_tier_is_served() {
    let catalogue = built_in();
    let gigabytes = [0_u64, 1, 2, 4, 8, 16].map(|gigabytes| gigabytes * 1_000_000_000);
    let usable = |model: &&Model| model.kind == Kind::Chat && !model.test_only && !model.base;
    for tier in gigabytes.windows(2) {
        let in_tier = |model: &&Model| {
            let bytes = model.usual_memory_bytes();
            tier[0] < bytes && bytes <= tier[1]
        };
        let models: Vec<_> = catalogue.models.iter().filter(usable).filter(in_tier).collect();
        assert!(models.len() >= 2, "{} models up to {} bytes", models.len(), tier[1]);
        assert!(models.iter().any(|model| model.speaks("de")), "German up to {}", tier[1]);
        assert!(
            models.iter().any(|model| model.licence.id == "Apache-2.0"),
            "free up to {}",
            tier[1]
        );
    }
    let largest = catalogue.models.iter().map(Model::usual_memory_bytes).max().unwrap();
    assert!(largest <= gigabytes[5]);
}

#[test]
fn every_architecture_and_a_german_embedder_are_listed() {
    let catalogue = built_in();
    for &architecture in Architecture::ALL {
        let mut models = catalogue.models.iter();
        assert!(models.any(|m| m.architecture == architecture), "{}", architecture.as_str());
    }
    let mut models = catalogue.models.iter();
    assert!(models.any(|model| model.kind == Kind::Embedding && model.speaks("de")));
    for model in &catalogue.models {
        assert!(!model.sources.is_empty(), "{} has no source", model.id);
    }
}

/// Bits a weight must fit the quantisation's name: catches a size of another file.
#[test]
fn sizes_fit_the_quantisation() {
    for model in built_in().models {
        let bits = model.files[0].size_bytes as f64 * 8.0 / model.parameters as f64;
        let (least, most) = match model.quantisation.as_str() {
            "Q4_0" => (4.4, 5.2),
            "Q4_1" => (5.0, 6.2),
            // Small models keep their large embeddings in more bits.
            "Q4_K_M" => (4.6, 8.2),
            "Q8_0" => (8.4, 9.2),
            "F32" => (31.0, 33.0),
            other => panic!("{}: {other}", model.id),
        };
        assert!(least < bits && bits < most, "{}: {bits:.2} bits a weight", model.id);
    }
}

#[tokio::test]
async fn the_page_learns_what_is_here() {
    let bytes = big_gguf(1);
    let catalogue =
        entry("tiny", "tiny.gguf", 5, "") + &entry("absent", "absent.gguf", 100, "default = true");
    let site = Site::new(&catalogue, &[("tiny/tiny.gguf", &bytes)]);
    let answer = site.get("/api/catalogue").await;
    assert_eq!(answer.header("cache-control"), "no-cache");
    let view: CatalogueView = answer.json();
    let here: Vec<_> = view.models.iter().map(|m| (m.model.id.as_str(), m.available)).collect();
    assert_eq!(here, [("tiny", true), ("absent", false)]);
    assert_eq!(view.default_model.as_deref(), Some("tiny"), "the default is not here");
    assert_eq!(view.models[0].size_bytes, bytes.len() as u64, "the real size, not the rounded one");
    let health: portico_server::health::Health = site.get("/healthz").await.json();
    assert_eq!(health.models, ["tiny"]);
}

#[tokio::test]
async fn models_that_come_and_go_are_seen_without_a_restart() {
    let site = Site::new(&entry("tiny", "tiny.gguf", 100, ""), &[]);
    let is_available =
        async || site.get("/api/catalogue").await.json::<CatalogueView>().models[0].available;
    assert!(!is_available().await);
    site.folder.write("models/tiny/tiny.gguf", big_gguf(2));
    assert!(is_available().await);
    std::fs::remove_file(site.model_path()).unwrap();
    assert!(!is_available().await);
}

#[test]
fn a_file_of_another_size_than_pinned_is_damaged() {
    let digest = format!("size_bytes = 100, sha256 = \"{}\"", "0".repeat(64));
    let catalogue = entry("tiny", "tiny.gguf", 100, "").replace("size_bytes = 100", &digest);
    let site = Site::new(&catalogue, &[("tiny/tiny.gguf", b"short")]);
    let shelf = site.app.library.look().unwrap();
    assert_eq!(shelf.entries[0].files, [FileState::WrongSize { size_bytes: 5 }]);
    assert!(!shelf.entries[0].is_available() && shelf.entries[0].has_damage());
}

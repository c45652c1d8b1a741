//! Does the server make the vectors that other programs make of the same texts?
//!
//! These models come with `cargo xtask test --models all`, as the other large ones do.

mod other_models {
    use std::env;
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use anyhow::Context;
    use portico_inference::{Embedder, EmbedderFile};
    use portico_kernels::Pool;
    use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Reference {
        items: Vec<Item>,
    }

    #[derive(Deserialize)]
    struct Item {
        text: String,
        #[serde(default)]
        is_query: Option<bool>,
        input_ids: Vec<u32>,
        #[serde(alias = "embedding_f32_dequant")]
        embedding: Vec<f32>,
    }

    const SAME: f32 = 0.999;

    fn folder(id: &str) -> anyhow::Result<PathBuf> {
        let models = env::var_os("PORTICO_MODELS_DIR")
            .context("PORTICO_MODELS_DIR names no folder: use cargo xtask")?;
        Ok(Path::new(&models).join(id))
    }

    fn check(file: EmbedderFile, reference: &str) -> anyhow::Result<Embedder> {
        let reference: Reference = serde_json::from_str(reference)?;
        let tokenizer = Tokenizer::from_gguf(file.metadata())?;
        let embedder = file.load(Arc::new(Pool::new(2)))?;
        for item in &reference.items {
            let text = match item.is_query {
                Some(true) => format!("query: {}", item.text),
                Some(false) => format!("passage: {}", item.text),
                None => item.text.clone(),
            };
            let mut ids = tokenizer.encode(&text, AddSpecial::Yes, ParseSpecial::No)?;
            if ids.len() > embedder.n_ctx() {
                // A longer text is cut before its end token.
                let end = ids[ids.len() - 1];
                ids.truncate(embedder.n_ctx() - 1);
                ids.push(end);
            }
            assert_eq!(ids, item.input_ids, "{}", item.text);
        }
        // Together, in another order, and alone: the same bits.
        let texts: Vec<Vec<u32>> =
            reference.items.iter().map(|item| item.input_ids.clone()).collect();
        let together = embedder.embed(&texts)?;
        for (index, (vector, item)) in together.iter().zip(&reference.items).enumerate() {
            assert_eq!(embedder.embed(&texts[index..=index])?[0], *vector);
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            assert!((dot(vector, vector) - 1.0).abs() < 1e-5);
            let cosine = dot(vector, &item.embedding);
            println!("{cosine:.6} {}", item.text.chars().take(40).collect::<String>());
            assert!(cosine > SAME, "{cosine} {}", item.text);
        }
        Ok(embedder)
    }

    #[test]
    fn server_minilm_is_sentence_transformers() -> anyhow::Result<()> {
        let folder = folder("all-minilm-l6-v2")?;
        let text = |name: &str| fs::read_to_string(folder.join(name));
        let weights = File::open(folder.join("model.safetensors"))?;
        let (config, tokenizer) = (text("config.json")?, text("tokenizer.json")?);
        let pooling = text("pooling.json")?;
        let file = EmbedderFile::safetensors(&weights, &config, &tokenizer, &pooling, 256)?;
        let embedder = check(file, include_str!("../../reference/all-minilm-l6-v2.json"))?;
        for senseless in [vec![], vec![1; 257], vec![30_522]] {
            assert!(embedder.embed(&[senseless]).is_err());
        }
        Ok(())
    }

    #[test]
    fn server_e5_is_float32_on_the_same_weights() -> anyhow::Result<()> {
        let file = File::open(folder("multilingual-e5-small")?.join("e5-small-q4.bin"))?;
        let reference = include_str!("../../reference/multilingual-e5-small-q4_0.json");
        check(EmbedderFile::e5s1(&file)?, reference)?;
        Ok(())
    }
}

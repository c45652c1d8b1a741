//! Does the browser's engine make the vectors that other programs and the server make of the same
//! texts?
//!
//! These models come with `cargo xtask test --models all`, as the other large ones do.

mod other_models {
    use std::env;
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::ops::ControlFlow;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use anyhow::Context;
    use pollster::block_on;
    use portico_engine::{
        Encoder, EncoderLoader, EngineError, Gpu, GpuOptions, LoadOptions, Precision, supports,
    };
    use portico_inference::EmbedderFile;
    use portico_kernels::Pool;
    use portico_shared::gguf::{Gguf, Parsed, parse_header};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Reference {
        items: Vec<Item>,
    }

    #[derive(Deserialize)]
    struct Item {
        input_ids: Vec<u32>,
        #[serde(alias = "embedding_f32_dequant")]
        embedding: Vec<f32>,
    }

    fn folder(id: &str) -> anyhow::Result<PathBuf> {
        let models = env::var_os("PORTICO_MODELS_DIR")
            .context("PORTICO_MODELS_DIR names no folder: use cargo xtask")?;
        Ok(Path::new(&models).join(id))
    }

    fn minilm() -> anyhow::Result<EmbedderFile> {
        let folder = folder("all-minilm-l6-v2")?;
        let text = |name: &str| fs::read_to_string(folder.join(name));
        let weights = File::open(folder.join("model.safetensors"))?;
        let (config, tokenizer) = (text("config.json")?, text("tokenizer.json")?);
        Ok(EmbedderFile::safetensors(&weights, &config, &tokenizer, &text("pooling.json")?, 256)?)
    }

    fn e5() -> anyhow::Result<EmbedderFile> {
        let file = File::open(folder("multilingual-e5-small")?.join("e5-small-q4.bin"))?;
        Ok(EmbedderFile::e5s1(&file)?)
    }

    fn header(file: &[u8]) -> anyhow::Result<Gguf> {
        match parse_header(file, file.len() as u64)? {
            Parsed::Done(gguf) => Ok(*gguf),
            Parsed::NeedBytes(bytes) => anyhow::bail!("{bytes} bytes of {}", file.len()),
        }
    }

    fn encoder(file: &[u8], options: &GpuOptions, precision: Precision) -> anyhow::Result<Encoder> {
        let gpu = block_on(Gpu::acquire(options))?;
        let gguf = header(file)?;
        supports(&gguf, gpu.caps())?;
        let options = LoadOptions { precision, ..LoadOptions::default() };
        let mut loader = block_on(EncoderLoader::new(&gpu, &gguf, &options))?;
        for slice in file[gguf.data_offset_bytes as usize..].chunks(1 << 20) {
            loader.push(slice)?;
        }
        Ok(block_on(loader.finish())?)
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn go_on(_done: usize, _total: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Converts, embeds in the engine and on the server, and compares all three.
    fn check(file: EmbedderFile, reference: &str) -> anyhow::Result<(Encoder, Vec<Vec<u32>>)> {
        let reference: Reference = serde_json::from_str(reference)?;
        let texts: Vec<Vec<u32>> =
            reference.items.iter().map(|item| item.input_ids.clone()).collect();
        let converted = file.to_gguf(&[])?.finish()?;
        let pool = Arc::new(Pool::new(2));
        let server = file.load(pool.clone())?.embed(&texts)?;
        for (precision, least) in [(Precision::F32, 0.999), (Precision::Auto, 0.99)] {
            let mut encoder = encoder(&converted, &GpuOptions::default(), precision)?;
            let vectors = block_on(encoder.embed(&texts, go_on))?;
            for ((vector, item), server) in vectors.iter().zip(&reference.items).zip(&server) {
                assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
                let (to_reference, to_server) =
                    (cosine(vector, &item.embedding), cosine(vector, server));
                println!("{precision:?} {to_reference:.6} {to_server:.6}");
                assert!(to_reference > least, "{precision:?}: {to_reference}");
                assert!(to_server > 0.999, "{precision:?}: {to_server} to the server");
            }
        }
        // The server reads what the browser reads, and makes the same of it.
        let mut path = tempfile::NamedTempFile::new()?;
        path.write_all(&converted)?;
        let again = EmbedderFile::gguf(path.as_file(), header(&converted)?, usize::MAX)?;
        for (vector, server) in again.load(pool)?.embed(&texts)?.iter().zip(&server) {
            // MiniLM's embedding has 8 bits there, floats here.
            assert!(cosine(vector, server) > 0.999);
        }
        Ok((encoder(&converted, &GpuOptions::default(), Precision::Auto)?, texts))
    }

    #[test]
    fn engine_minilm_is_sentence_transformers_and_the_servers() -> anyhow::Result<()> {
        check(minilm()?, include_str!("../../reference/all-minilm-l6-v2.json"))?;
        Ok(())
    }

    #[test]
    fn engine_e5_is_float32_on_the_same_weights_and_the_servers() -> anyhow::Result<()> {
        let reference = include_str!("../../reference/multilingual-e5-small-q4_0.json");
        let (mut encoder, texts) = check(e5()?, reference)?;
        // Together, in another order and alone: the same bits.
        let together = block_on(encoder.embed(&texts, go_on))?;
        let before = encoder.gpu().counters();
        for (text, vector) in texts.iter().zip(&together) {
            assert_eq!(block_on(encoder.embed_batch(&[text]))?[0], *vector);
        }
        let two: Vec<&[u32]> = vec![&texts[2], &texts[0]];
        let vectors = block_on(encoder.embed_batch(&two))?;
        assert_eq!(vectors, [together[2].clone(), together[0].clone()]);
        let after = encoder.gpu().counters();
        assert_eq!(after.objects_created, before.objects_created, "something is made for a batch");
        assert_eq!(after.submits - before.submits, texts.len() as u64 + 1);
        let n_floats = (texts.len() + 2) * encoder.dim();
        assert_eq!(after.bytes_read_back - before.bytes_read_back, n_floats as u64 * 4);
        Ok(())
    }

    #[test]
    fn engine_e5_without_options_is_the_same_and_refuses_nonsense() -> anyhow::Result<()> {
        let reference = include_str!("../../reference/multilingual-e5-small-q4_0.json");
        let reference: Reference = serde_json::from_str(reference)?;
        let converted = e5()?.to_gguf(&[])?.finish()?;
        let mut encoder = encoder(&converted, &GpuOptions::plain(), Precision::F32)?;
        let item = &reference.items[0];
        let vectors = block_on(encoder.embed_batch(&[&item.input_ids]))?;
        assert!(cosine(&vectors[0], &item.embedding) > 0.999);
        assert_eq!(encoder.n_ctx(), 512);
        let error = block_on(encoder.embed_batch(&[&[5; 513]])).expect_err("it is too long");
        assert_eq!(error, EngineError::ContextFull { n_ctx: 512, needed: 513 });
        for senseless in [vec![], vec![encoder.n_vocab()]] {
            let error = block_on(encoder.embed_batch(&[&senseless])).expect_err("no text");
            assert!(matches!(error, EngineError::InvalidArgument { .. }), "{error}");
        }
        let stopped =
            block_on(encoder.embed(&vec![vec![0, 5, 2]; 400], |_, _| ControlFlow::Break(())));
        assert_eq!(stopped.expect_err("it was stopped"), EngineError::Cancelled);
        Ok(())
    }
}

//! Does the server run the other real models? With `cargo xtask test --models all`.

mod other_models {
    use portico_shared::sampling::argmax;
    use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
    use portico_tests::engine;
    use portico_tests::forced::ForcedReference;
    use portico_tests::hosted::Stepper;
    use portico_tests::real::{ALICE, RealModel};
    use portico_tests::reference::FloatModel;

    const SHARE: f64 = 0.97;
    const N_POSITIONS: usize = 100;

    /// Forced decoding of the text against float32 on candle's tensors, computed here.
    fn check(model: RealModel) -> anyhow::Result<()> {
        let mut file = model.open()?;
        let tokenizer = Tokenizer::from_gguf(&engine::header(&mut file)?.metadata)?;
        let mut tokens = tokenizer.encode(ALICE, AddSpecial::Yes, ParseSpecial::No)?;
        tokens.truncate(N_POSITIONS + 1);
        let reference = FloatModel::load(&mut file, tokens.len())?;
        let reference = ForcedReference::compute(&reference, &tokens)?;
        let logits = Stepper::open(&mut file, 2)?.logits(&tokens[..N_POSITIONS], 64)?;
        let agreement = reference.agreement(logits.iter().filter_map(|logits| argmax(logits)));
        println!("{model:?}: {agreement:?}");
        anyhow::ensure!(agreement.n_positions == N_POSITIONS, "a position without numbers");
        anyhow::ensure!(agreement.clear_share() >= SHARE, "{agreement:?}");
        Ok(())
    }

    #[test]
    fn server_qwen2_chooses_as_float32() -> anyhow::Result<()> {
        check(RealModel::QwenCoder)
    }

    #[test]
    fn server_gemma3_chooses_as_float32() -> anyhow::Result<()> {
        check(RealModel::Gemma3)
    }
}

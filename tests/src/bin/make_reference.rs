//! Makes the stored float32 reference of a real model on the beginning of `alice29.txt`:
//!
//! ```sh
//! PORTICO_MODELS_DIR=… cargo run --release -p portico-tests --bin make_reference > tests/reference/smollm2-135m-q4_1.alice29.f32.json
//! ```

use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
use portico_tests::forced::ForcedReference;
use portico_tests::real::{ALICE, RealModel};
use portico_tests::reference::FloatModel;

/// Positions that are worth their place in the repository and in every test run.
const N_TOKENS: usize = 512;

fn main() -> anyhow::Result<()> {
    let mut file = RealModel::SmolLm2.open()?;
    let gguf = portico_tests::engine::header(&mut file)?;
    let tokenizer = Tokenizer::from_gguf(&gguf.metadata)?;
    let mut tokens = tokenizer.encode(ALICE, AddSpecial::No, ParseSpecial::No)?;
    tokens.truncate(N_TOKENS);
    let model = FloatModel::load(&mut file, N_TOKENS)?;
    let mut reference = ForcedReference::compute(&model, &tokens)?;
    reference.command = "cargo run --release -p portico-tests --bin make_reference".to_owned();
    reference.model_sha256 =
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53".to_owned();
    reference.text = "tests/reference/alice29-head.txt, from its beginning, no BOS".to_owned();
    println!("{}", serde_json::to_string(&reference)?);
    Ok(())
}

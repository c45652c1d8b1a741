//! What crosses crates, in one program: each would be linked with both engines and candle.

mod engine_embedders;
mod other_models;
mod reference;
mod server_candle;
mod server_embedders;
mod server_models;
mod server_other_models;
mod server_scheduler;
mod server_smollm2;
mod smollm2;
mod structured;
mod tiny_models;

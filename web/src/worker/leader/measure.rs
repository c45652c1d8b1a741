//! What tests ask of the engine on this device: how fast is it beside what the device can do?

use portico_engine::roofline;
use portico_relay::queue::Ticket;
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::Value;

use super::actor::Actor;
use crate::protocol::FromWorker;

pub enum Measure {
    Roofline { model: String, n_prompt: u32, n_decode: u32 },
}

/// Measures, and tells the tab that asked.
pub(super) async fn run_measure(actor: &mut Actor, ticket: &Ticket, measure: Measure) {
    let (report, error) = match measured(actor, measure).await {
        Ok(report) => (report, None),
        Err(error) => (Value::Null, Some(error)),
    };
    (actor.leader.deliver)(Some(&ticket.tab), FromWorker::Measured { report, error });
}

async fn measured(actor: &mut Actor, measure: Measure) -> Result<Value, ApiError> {
    match measure {
        Measure::Roofline { model, n_prompt, n_decode } => {
            actor.make_ready(&model).await?;
            let loaded = actor.loaded.as_mut();
            let loaded = loaded.ok_or_else(|| ApiError::new(ErrorCode::DeviceLost))?;
            // Which tokens they are makes no difference to the time.
            let n_vocab = loaded.engine.n_vocab().max(1);
            let prompt: Vec<u32> = (0..n_prompt).map(|i| (1000 + i % 97) % n_vocab).collect();
            let report = roofline::report(&mut loaded.engine, &prompt, n_decode).await?;
            serde_json::to_value(report)
                .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
        }
    }
}

//! Who answers for a model's name?

use std::sync::Arc;

use axum::http::HeaderValue;
use portico_shared::error::{ApiError, ErrorCode};

use super::fault::Fault;
use super::{Caller, Gateway};
use crate::http_error::RETRY_AFTER_S;
use crate::upstream::{Place, SendError, Upstream};

/// A model that was asked for, and who is to be tried for it, in this order.
#[derive(Clone, Debug)]
pub struct Served {
    /// Its own name, where an alias was asked for.
    pub model: String,
    pub targets: Vec<Target>,
}

#[derive(Clone, Debug)]
pub enum Target {
    /// A model of the catalogue, in this process.
    Here(String),
    /// An upstream, and the model's name there.
    Upstream(Arc<Upstream>, String),
}

impl Gateway {
    /// # Errors
    /// `model_forbidden`, `place_forbidden`, `quota_used_up`. Whether a model of the catalogue is there is seen when it is loaded.
    pub fn served(&self, caller: &Caller, name: &str) -> Result<Served, ApiError> {
        caller.may_spend()?;
        let Some(model) = self.fleet.model(name) else {
            caller.may_use(name)?;
            let targets = vec![Target::Here(name.to_owned())];
            return Ok(Served { model: name.to_owned(), targets });
        };
        // A key's list may name either.
        if !caller.sees(name) {
            caller.may_use(&model.id)?;
        }
        let targets = model.order().into_iter().map(|endpoint| match &endpoint.place {
            Place::Here => Target::Here(endpoint.model.clone()),
            Place::Upstream(upstream) => {
                Target::Upstream(Arc::clone(upstream), endpoint.model.clone())
            }
        });
        Ok(Served { model: model.id.clone(), targets: targets.collect() })
    }
}

impl Served {
    /// Asks one after another, `here` in this process and `there` on an upstream, until one answers.
    ///
    /// # Errors
    /// The request's own fault, as soon as one says so; else what the last one said.
    pub async fn first_that_answers<'s, T, Here, There>(
        &'s self,
        here: impl Fn(&'s str) -> Here,
        there: impl Fn(&'s Arc<Upstream>, &'s str) -> There,
    ) -> Result<T, Fault>
    where
        Here: Future<Output = Result<T, ApiError>>,
        There: Future<Output = Result<T, SendError>>,
    {
        let mut tried = Tried::default();
        for target in &self.targets {
            match target {
                Target::Here(id) => match here(id).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => tried.note_here(error)?,
                },
                Target::Upstream(upstream, model) => match there(upstream, model).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => tried.note(upstream, error)?,
                },
            }
        }
        Err(tried.fault(&self.model))
    }
}

/// What came of the targets that were tried.
#[derive(Debug, Default)]
struct Tried {
    last: Option<Fault>,
    retry_after_s: u64,
}

impl Tried {
    /// Takes note of an upstream that gave nothing.
    ///
    /// # Errors
    /// When it is the request that is refused: then no other is tried.
    fn note(&mut self, upstream: &Upstream, error: SendError) -> Result<(), Fault> {
        match error {
            SendError::Refused(refusal) => return Err(Fault::Theirs(refusal)),
            SendError::Busy(refusal) => self.last = Some(Fault::Theirs(refusal)),
            SendError::Failed { cause } => {
                tracing::warn!(upstream = upstream.id, cause, "failed");
                let detail = format!("{}: {cause}", upstream.id);
                let error = ApiError::new(ErrorCode::UpstreamFailed).detail(detail);
                self.last = Some(Fault::Ours(error));
            }
            SendError::Unreached { cause } => {
                tracing::warn!(upstream = upstream.id, cause, "not reached");
                let wait_s = upstream.wait().as_secs_f64().ceil() as u64;
                self.retry_after_s = match self.retry_after_s {
                    0 => wait_s.max(1),
                    other => other.min(wait_s.max(1)),
                };
            }
        }
        Ok(())
    }

    /// Takes note of a model in this process that cannot answer now.
    ///
    /// # Errors
    /// When it is the request that is at fault.
    fn note_here(&mut self, error: ApiError) -> Result<(), Fault> {
        let another_may_help = matches!(error.code.status(), 429 | 500.. | 404);
        match another_may_help {
            true => {
                self.last = Some(Fault::Ours(error));
                Ok(())
            }
            false => Err(Fault::Ours(error)),
        }
    }

    /// What the client is told when nobody is left.
    fn fault(self, model: &str) -> Fault {
        self.last.unwrap_or_else(|| {
            let error = ApiError::new(ErrorCode::UpstreamUnavailable).with("model", model);
            Fault::Ours(error.with(RETRY_AFTER_S, self.retry_after_s.max(1)))
        })
    }
}

/// For a response's headers: which model answered, and where.
pub fn place_headers(model: &str, upstream: &str) -> [(&'static str, HeaderValue); 2] {
    let value =
        |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("?"));
    let place = if upstream.is_empty() { "server" } else { upstream };
    [("portico-model", value(model)), ("portico-place", value(place))]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another cannot mend the request; another may be there, have the model, or have room.
    #[test]
    fn only_what_another_could_do_better_is_passed_to_the_next() {
        for (code, goes_on) in [
            (ErrorCode::InvalidRequest, false),
            (ErrorCode::ContextFull, false),
            (ErrorCode::ModelNotFound, true),
            (ErrorCode::TooManyRequests, true),
            (ErrorCode::ServerMemoryFull, true),
            (ErrorCode::Internal, true),
        ] {
            let mut tried = Tried::default();
            assert_eq!(tried.note_here(ApiError::new(code)).is_ok(), goes_on, "{code:?}");
            let told = tried.fault("m").code();
            let expected = if goes_on { code } else { ErrorCode::UpstreamUnavailable };
            assert_eq!(told, expected.as_str(), "the last one's own words");
        }
    }
}

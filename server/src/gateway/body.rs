//! What does a request say, and where is it wrong?
//!
//! Unknown fields are accepted; null means that nothing is said; what has a wrong type is named by
//! its path.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::SamplingFields;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::http_error::{HttpError, PARAM};

/// A request's JSON object.
#[derive(Clone, Debug)]
pub struct Body(Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let bytes = match Bytes::from_request(request, state).await {
            Ok(bytes) => bytes,
            // The guards say how much is allowed.
            Err(refused) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(ErrorCode::PayloadTooLarge.into());
            }
            Err(refused) => return Err(invalid(None, refused.body_text()).into()),
        };
        Ok(Self::from_bytes(&bytes)?)
    }
}

impl Body {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ApiError> {
        let value = serde_json::from_slice(bytes)
            .map_err(|error| invalid(None, format!("the body is not JSON: {error}")))?;
        let Value::Object(mut fields) = value else {
            return Err(invalid(None, "the body is not a JSON object"));
        };
        fields.retain(|_, value| !value.is_null());
        Ok(Self(Value::Object(fields)))
    }

    pub fn from_fields(fields: Map<String, Value>) -> Self {
        Self(Value::Object(fields))
    }

    /// As the type wants it.
    ///
    /// # Errors
    /// `invalid_request` with the path of what is wrong.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_path_to_error::deserialize(&self.0).map_err(|error| {
            let path = error.path().to_string();
            let reason = error.inner().to_string();
            if path != "." {
                return at(&path, &reason);
            }
            // What is flattened into a type has lost its path: it is looked for by itself.
            match serde_path_to_error::deserialize::<_, SamplingFields>(&self.0) {
                Err(error) => at(&error.path().to_string(), &error.inner().to_string()),
                Ok(_) => invalid(missing(&reason), &reason),
            }
        })
    }

    pub fn fields(&self) -> &Map<String, Value> {
        static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.0.as_object().unwrap_or(&EMPTY)
    }

    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// A copy with another value in a field.
    pub fn with(&self, field: &str, value: Value) -> Self {
        let mut fields = self.fields().clone();
        fields.insert(field.to_owned(), value);
        Self(Value::Object(fields))
    }

    /// The model's name.
    pub fn model(&self) -> Result<&str, ApiError> {
        match self.get("model") {
            Some(Value::String(model)) => Ok(model),
            Some(_) => Err(at("model", "invalid type, expected a string")),
            None => Err(at("model", "missing field")),
        }
    }

    /// A truth value that is false where nothing is said.
    pub fn flag(&self, field: &str) -> Result<bool, ApiError> {
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(at(field, "invalid type, expected true or false")),
        }
    }
}

/// `missing field `messages`` → `messages`
fn missing(reason: &str) -> Option<&str> {
    reason.strip_prefix("missing field `")?.split('`').next()
}

fn at(path: &str, reason: &str) -> ApiError {
    invalid(Some(path), format!("`{path}`: {reason}"))
}

/// `invalid_request`, with the field where one is at fault.
pub fn invalid(param: Option<&str>, reason: impl std::fmt::Display) -> ApiError {
    let error = ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
    match param {
        Some(param) => error.with(PARAM, param),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use portico_shared::openai::{ChatCompletionRequest, EmbeddingRequest};

    use super::*;

    #[track_caller]
    fn check<T: DeserializeOwned>(json: &str, param: Option<&str>, word: &str) {
        let read = Body::from_bytes(json.as_bytes()).and_then(|body| body.read::<T>());
        let Err(error) = read else { panic!("{json} was read") };
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        assert_eq!(error.params.get(PARAM).map(String::as_str), param, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        type Chat = ChatCompletionRequest;
        check::<Chat>("{", None, "line 1");
        check::<Chat>("[]", None, "not a JSON object");
        check::<Chat>(r#"{"model":"m"}"#, Some("messages"), "missing field");
        let with = |more: &str| {
            format!(r#"{{"model":"m","messages":[{{"role":"user","content":"a"}}],{more}}}"#)
        };
        check::<Chat>(&with(r#""max_tokens":"many""#), Some("max_tokens"), "invalid type");
        check::<Chat>(&with(r#""temperature":"hot""#), Some("temperature"), "invalid type");
        check::<Chat>(&with(r#""stream":1"#), Some("stream"), "invalid type");
        let role = r#"{"model":"m","messages":[{"role":"user"},{"role":"king"}]}"#;
        check::<Chat>(role, Some("messages[1].role"), "king");
        check::<EmbeddingRequest>(r#"{"model":"m","input":5}"#, Some("input"), "");
    }

    #[test]
    fn null_says_nothing_and_unknown_fields_are_accepted() {
        let json =
            r#"{"model":"m","messages":[],"stream":null,"logprobs":null,"seed":null,"user":"x"}"#;
        let body = Body::from_bytes(json.as_bytes()).unwrap();
        let request: ChatCompletionRequest = body.read().unwrap();
        assert!(!request.stream && !request.logprobs);
        assert_eq!(body.model().unwrap(), "m");
        assert!(body.flag("user").is_err());
    }
}

//! How do files lie in S3-compatible storage? `prefix/ab/abcdef…`, as they would in the folder.
//!
//! What is larger than a part goes in parts, and is there once the last one has come: also here a file
//! lies whole or not at all.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{
    BackoffConfig, Error, GetOptions, GetRange, MultipartUpload, ObjectStore as _,
    ObjectStoreExt as _, PutPayload, RetryConfig, path,
};
use portico_shared::error::{ApiError, ErrorCode};
use tokio::io::AsyncReadExt as _;

use super::storage_error;
use super::wire::Wire;
use crate::config::{ConfigError, FilesConfig};
use crate::upstream::{authorities, read_secret};

/// Bytes of a part; what is smaller goes in one request.
const PART_BYTES: u64 = 8 << 20;
/// S3 takes no more of them.
const PARTS_MAX: u64 = 10_000;
/// How long `/readyz` waits.
const CHECK: Duration = Duration::from_secs(5);

/// A bucket's part that is one data folder's.
#[derive(Debug)]
pub struct S3 {
    store: AmazonS3,
    prefix: path::Path,
    /// As people are told: `https://s3.example/bucket/prefix`.
    name: String,
}

impl S3 {
    /// # Errors
    /// When a secret or the certificates cannot be read.
    pub fn new(config: &FilesConfig, config_path: &Path) -> Result<Self, ConfigError> {
        let fault = |reason: String| ConfigError::Inconsistent {
            path: config_path.to_owned(),
            reason: format!("[files]: {reason}"),
        };
        let bucket = config.bucket.clone().unwrap_or_default();
        let authorities = config.ca_file.as_deref().map(|file| authorities(file, config_path));
        let endpoint = config.endpoint.as_ref().map(|uri| uri.to_string());
        let endpoint = endpoint.map(|uri| uri.trim_end_matches('/').to_owned());
        let is_plain = endpoint.as_ref().is_some_and(|uri| uri.starts_with("http://"));
        let wire = Wire::new(is_plain, authorities.transpose()?, config.timeout);
        let retry = RetryConfig {
            backoff: BackoffConfig { max_backoff: Duration::from_secs(1), ..Default::default() },
            // Soon again, in case of a moment's fault; for longer ones there is the queue.
            max_retries: 2,
            retry_timeout: config.timeout,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&bucket)
            .with_region(&config.region)
            .with_access_key_id(read_secret(&config.access_key, config_path)?)
            .with_secret_access_key(read_secret(&config.secret_key, config_path)?)
            .with_virtual_hosted_style_request(!config.path_style)
            .with_allow_http(is_plain)
            .with_disable_bulk_delete(true)
            .with_retry(retry)
            .with_http_connector(wire.map_err(|error| fault(error.to_string()))?);
        if let Some(endpoint) = &endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let host = endpoint.unwrap_or_else(|| format!("s3.{}.amazonaws.com", config.region));
        let name = format!("{host}/{bucket}/{}", config.prefix);
        Ok(Self {
            store: builder.build().map_err(|error| fault(error.to_string()))?,
            prefix: path::Path::from(config.prefix.as_str()),
            name: name.trim_end_matches('/').to_owned(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    fn path(&self, sha256: &str) -> path::Path {
        self.prefix.clone().join(sha256.get(..2).unwrap_or("--")).join(sha256)
    }

    /// None where it is not.
    ///
    /// # Errors
    /// `files_unreachable`
    pub async fn size_bytes(&self, sha256: &str) -> Result<Option<u64>, ApiError> {
        match self.store.head(&self.path(sha256)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Sends a file, unless it is there.
    ///
    /// # Errors
    /// `files_unreachable`, `storage_failed` for a file that cannot be read here.
    pub async fn send(&self, from: &Path, sha256: &str, size_bytes: u64) -> Result<(), ApiError> {
        if self.size_bytes(sha256).await? == Some(size_bytes) {
            return Ok(());
        }
        let unread = |error| storage_error(from, &error);
        let mut file = tokio::fs::File::open(from).await.map_err(unread)?;
        if size_bytes <= PART_BYTES {
            let mut bytes = Vec::with_capacity(size_bytes as usize);
            file.read_to_end(&mut bytes).await.map_err(unread)?;
            let put = self.store.put(&self.path(sha256), PutPayload::from(bytes)).await;
            return put.map(|_| ()).map_err(|error| self.fault(&error));
        }
        let upload = self.store.put_multipart(&self.path(sha256)).await;
        let mut upload = upload.map_err(|error| self.fault(&error))?;
        let part_bytes = PART_BYTES.max(size_bytes.div_ceil(PARTS_MAX));
        let sent = self.send_parts(file, from, part_bytes, upload.as_mut()).await;
        if sent.is_err() {
            // What cannot be told to go now is the bucket's rule for unfinished uploads to remove.
            let _ = upload.abort().await;
        }
        sent
    }

    async fn send_parts(
        &self,
        mut file: tokio::fs::File,
        from: &Path,
        part_bytes: u64,
        upload: &mut dyn MultipartUpload,
    ) -> Result<(), ApiError> {
        loop {
            let mut part = Vec::with_capacity(part_bytes as usize);
            let read = (&mut file).take(part_bytes).read_to_end(&mut part).await;
            if read.map_err(|error| storage_error(from, &error))? == 0 {
                let completed = upload.complete().await;
                return completed.map(|_| ()).map_err(|error| self.fault(&error));
            }
            let sent = upload.put_part(PutPayload::from(part)).await;
            sent.map_err(|error| self.fault(&error))?;
        }
    }

    /// # Errors
    /// `files_unreachable`, `storage_failed` where it is not.
    pub async fn read(
        &self,
        sha256: &str,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, ApiError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..Default::default() };
        let got = self.store.get_opts(&self.path(sha256), options).await;
        let got = got.map_err(|error| match error {
            Error::NotFound { .. } => self.missing(sha256),
            error => self.fault(&error),
        })?;
        Ok(got.into_stream().map_err(io::Error::other).boxed())
    }

    /// Also where it is gone already.
    ///
    /// # Errors
    /// `files_unreachable`
    pub async fn remove(&self, sha256: &str) -> Result<(), ApiError> {
        match self.store.delete(&self.path(sha256)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Whether it answers and lets the server in.
    ///
    /// # Errors
    /// `files_unreachable`
    pub async fn check(&self) -> Result<(), ApiError> {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        // Folders only: 256 at most.
        let listed = tokio::time::timeout(CHECK, self.store.list_with_delimiter(prefix)).await;
        match listed {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.fault(&error)),
            Err(_) => Err(self.unreachable().detail(format!("no answer in {} s", CHECK.as_secs()))),
        }
    }

    pub fn missing(&self, sha256: &str) -> ApiError {
        let error = ApiError::new(ErrorCode::StorageFailed).with("path", &self.name);
        error.detail(format!("{sha256} is not there"))
    }

    fn fault(&self, error: &Error) -> ApiError {
        self.unreachable().detail(error)
    }

    pub fn unreachable(&self) -> ApiError {
        ApiError::new(ErrorCode::FilesUnreachable).with("store", &self.name)
    }
}

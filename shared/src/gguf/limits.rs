//! How large may a header become before it is refused?
//!
//! Generous against every file seen in the wild, small against memory: a hostile header can make
//! the parser hold no more than a small multiple of the bytes that were really given to it.

/// Bytes of magic, metadata and tensor directory together. Gemma 3's, with 262,144 tokens, has 7 MB.
pub const HEADER_BYTES_MAX: u64 = 256 << 20;
/// Tensors of a file. The largest mixtures of experts have a few thousand.
pub const TENSORS_MAX: u64 = 1 << 16;
/// Metadata keys of a file.
pub const METADATA_KEYS_MAX: u64 = 1 << 16;
/// Bytes of a metadata key (the format's own limit).
pub const KEY_BYTES_MAX: u64 = (1 << 16) - 1;
/// Bytes of a tensor's name (the format's own limit).
pub const TENSOR_NAME_BYTES_MAX: u64 = 64;
/// Bytes of one string: a chat template has up to 100 kB.
pub const STRING_BYTES_MAX: u64 = 16 << 20;
/// Elements of one array: a vocabulary has up to 300,000.
pub const ARRAY_LEN_MAX: u64 = 1 << 24;
/// Axes of a tensor (ggml's own limit).
pub const DIMS_MAX: u32 = 4;
/// Elements of one tensor.
pub const TENSOR_ELEMENTS_MAX: u64 = 1 << 40;
/// Where `general.alignment` says nothing.
pub const DEFAULT_ALIGNMENT_BYTES: u64 = 32;
/// The largest `general.alignment`.
pub const ALIGNMENT_BYTES_MAX: u64 = 1 << 16;
/// What to read first when nothing is known: most headers fit in four of these.
pub const FIRST_PREFIX_BYTES: u64 = 1 << 20;

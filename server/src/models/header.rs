//! May this file be used at all? Judged from its header, before the rest is fetched.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use portico_shared::catalogue::{Architecture, Format, Model};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::gguf::{Gguf, Parsed, parse_header, type_id_from_ggml_type};

use super::ModelsError;

/// Tensor types that a place of this portal computes, by ggml's numbers, with their usual names.
const TYPES: &[(u32, &str)] = &[
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (6, "Q5_0"),
    (7, "Q5_1"),
    (8, "Q8_0"),
    (12, "Q4_K"),
    (13, "Q5_K"),
    (14, "Q6_K"),
];

/// No header of a real model comes near this; what asks for more is refused.
const MAX_HEADER_BYTES: u64 = 64 * 1024 * 1024;

/// Reads a GGUF header through `read(from, to)`, which gives the bytes `from..to` of the file.
pub fn read(
    file: &str,
    file_bytes: u64,
    mut read: impl FnMut(u64, u64) -> Result<Vec<u8>, ModelsError>,
) -> Result<Gguf, ModelsError> {
    let invalid = |reason: String| ModelsError::Invalid { file: file.to_owned(), reason };
    let mut prefix = Vec::new();
    loop {
        let need_bytes = match parse_header(&prefix, file_bytes) {
            Ok(Parsed::Done(gguf)) => {
                check_types(file, &gguf)?;
                return Ok(*gguf);
            }
            Ok(Parsed::NeedBytes(need_bytes)) => need_bytes,
            Err(error) => {
                let reason = error.to_string();
                return Err(match ApiError::from(error).code {
                    ErrorCode::ModelUnsupported => {
                        ModelsError::Unsupported { file: file.to_owned(), reason }
                    }
                    _ => invalid(reason),
                });
            }
        };
        let have_bytes = prefix.len() as u64;
        if need_bytes <= have_bytes || need_bytes > MAX_HEADER_BYTES.min(file_bytes) {
            return Err(invalid(format!("its header would take {need_bytes} bytes")));
        }
        let more = read(have_bytes, need_bytes)?;
        if more.len() as u64 != need_bytes - have_bytes {
            return Err(invalid("it ends within its header".to_owned()));
        }
        prefix.extend(more);
    }
}

/// [`read`] from a file on this machine.
pub fn read_file(path: &Path) -> Result<Gguf, ModelsError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut file = File::open(path).map_err(ModelsError::io(path))?;
    let file_bytes = file.metadata().map_err(ModelsError::io(path))?.len();
    read(&name, file_bytes, |from, to| {
        let mut bytes = Vec::new();
        let part = file
            .seek(SeekFrom::Start(from))
            .and_then(|_| Read::by_ref(&mut file).take(to - from).read_to_end(&mut bytes));
        part.map_err(ModelsError::io(path))?;
        Ok(bytes)
    })
}

/// The architecture that a header names, if one of ours.
pub fn architecture(file: &str, gguf: &Gguf) -> Result<Architecture, ModelsError> {
    let unsupported = |reason: String| ModelsError::Unsupported { file: file.to_owned(), reason };
    let name = match gguf.metadata.str("general.architecture") {
        Ok(name) => name,
        Err(error) => return Err(unsupported(error.to_string())),
    };
    Architecture::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Architecture::ALL.iter().map(|a| a.as_str()).collect();
        unsupported(format!("the architecture `{name}` is none of {}", known.join(", ")))
    })
}

/// Whether a model's weights are what its catalogue entry says.
pub fn check(model: &Model, file: &str, gguf: &Gguf) -> Result<(), ModelsError> {
    debug_assert_eq!(model.format, Format::Gguf);
    let found = architecture(file, gguf)?;
    if found == model.architecture {
        return Ok(());
    }
    Err(ModelsError::Invalid {
        file: file.to_owned(),
        reason: format!(
            "its architecture is {}, the catalogue says {}",
            found.as_str(),
            model.architecture.as_str()
        ),
    })
}

/// What most of the weights are quantised as.
pub fn quantisation(gguf: &Gguf) -> String {
    let bytes_of = |type_id: u32| -> u64 {
        let tensors = gguf.tensors.iter();
        let of_type = tensors.filter(|tensor| type_id_from_ggml_type(tensor.ggml_type) == type_id);
        of_type.map(|tensor| tensor.size_bytes).sum()
    };
    let most = TYPES.iter().max_by_key(|(type_id, _)| bytes_of(*type_id));
    most.map_or_else(String::new, |(_, name)| (*name).to_owned())
}

/// The reader knows more types than the kernels do.
fn check_types(file: &str, gguf: &Gguf) -> Result<(), ModelsError> {
    let known = |tensor_type| {
        let type_id = type_id_from_ggml_type(tensor_type);
        TYPES.iter().any(|(known, _)| *known == type_id)
    };
    match gguf.tensors.iter().find(|tensor| !known(tensor.ggml_type)) {
        None => Ok(()),
        Some(tensor) => Err(ModelsError::Unsupported {
            file: file.to_owned(),
            reason: format!(
                "the tensor `{}` is of type {:?}, which is none of {}",
                tensor.name,
                tensor.ggml_type,
                TYPES.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
            ),
        }),
    }
}

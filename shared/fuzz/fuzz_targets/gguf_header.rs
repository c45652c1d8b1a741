//! Any bytes as the beginning of a file: the parser answers, and what it accepts is consistent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portico_shared::gguf::{Parsed, parse_header};
use portico_shared::template::ChatTemplate;
use portico_shared::tokenizer::Tokenizer;

fuzz_target!(|input: (u32, &[u8])| {
    // Most files are longer than what is known of them.
    let (beyond_bytes, prefix) = input;
    let file_bytes = prefix.len() as u64 + u64::from(beyond_bytes);
    match parse_header(prefix, file_bytes) {
        Ok(Parsed::NeedBytes(bytes)) => {
            assert!(bytes > prefix.len() as u64 && bytes <= file_bytes);
        }
        Ok(Parsed::Done(gguf)) => {
            assert!(gguf.tensors.iter().all(|tensor| tensor.end_bytes() <= file_bytes));
            let _ = Tokenizer::from_gguf(&gguf.metadata);
            let _ = ChatTemplate::from_gguf(&gguf.metadata);
        }
        Err(_) => {}
    }
});

//! Headers written and read back, and every fault named.

use candle_core::quantized::GgmlDType;
use proptest::prelude::*;

use super::limits::*;
use super::*;

/// A file of two tensors and one key of most kinds.
fn sample() -> GgufWriter {
    let tokens: StringArray = ["<s>", "", "Ü", "▁b"].into_iter().collect();
    GgufWriter::new()
        .metadata("general.architecture", "llama")
        .metadata("llama.block_count", 30u32)
        .metadata("llama.context_length", 8192u64)
        .metadata("llama.rope.freq_base", 1e5f32)
        .metadata("tokenizer.ggml.add_bos_token", true)
        .metadata("tokenizer.ggml.tokens", tokens)
        .metadata("tokenizer.ggml.token_type", vec![3i32, 1, 1, 1])
        .metadata("tokenizer.ggml.scores", vec![0f32, -1., -2., -3.])
        .tensor("token_embd.weight", &[64, 4], GgmlDType::Q4_0, vec![7; 2 * 4 * 18])
        .tensor("output_norm.weight", &[5], GgmlDType::F32, vec![1; 20])
}

fn parse_whole(file: &[u8]) -> Result<Parsed, GgufError> {
    parse_header(file, file.len() as u64)
}

fn parsed(file: &[u8]) -> Gguf {
    match parse_whole(file) {
        Ok(Parsed::Done(gguf)) => *gguf,
        other => panic!("not parsed: {other:?}"),
    }
}

#[test]
fn reads_what_was_written() {
    let file = sample().finish().unwrap();
    let gguf = parsed(&file);
    assert_eq!((gguf.version, gguf.alignment), (3, 32));
    assert_eq!(gguf.data_offset_bytes % 32, 0);
    assert_eq!(gguf.metadata.str("general.architecture"), Ok("llama"));
    assert_eq!(gguf.metadata.u32("llama.block_count"), Ok(30));
    assert_eq!(gguf.metadata.u32("llama.context_length"), Ok(8192), "any width that fits");
    assert_eq!(gguf.metadata.f32("llama.rope.freq_base"), Ok(1e5));
    assert_eq!(gguf.metadata.bool("tokenizer.ggml.add_bos_token"), Ok(true));
    let tokens = gguf.metadata.strings("tokenizer.ggml.tokens").unwrap();
    assert_eq!(tokens.iter().collect::<Vec<_>>(), ["<s>", "", "Ü", "▁b"]);
    assert_eq!(tokens.get(4), None);
    assert_eq!(&*gguf.metadata.i32s("tokenizer.ggml.token_type").unwrap(), [3, 1, 1, 1]);
    assert_eq!(gguf.metadata.f32s("tokenizer.ggml.scores").unwrap()[3], -3.);

    let names: Vec<&str> = gguf.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["token_embd.weight", "output_norm.weight"], "directory order");
    let [embedding, norm] = gguf.tensors.as_slice() else { panic!("{:?}", gguf.tensors) };
    assert_eq!(embedding.dims, [64, 4]);
    assert_eq!(embedding.size_bytes, 144);
    assert_eq!(embedding.offset_bytes, gguf.data_offset_bytes);
    assert_eq!(norm.offset_bytes, gguf.data_offset_bytes + 160, "aligned to 32");
    assert_eq!(file[norm.offset_bytes as usize..norm.end_bytes() as usize], [1; 20]);
    assert_eq!(gguf.tensor("output_norm.weight"), Some(norm));
}

#[test]
fn getters_name_the_key() {
    let gguf = parsed(&sample().finish().unwrap());
    let metadata = &gguf.metadata;
    assert_eq!(
        metadata.u32("llama.embedding_length").unwrap_err().to_string(),
        "the key `llama.embedding_length` is missing"
    );
    assert_eq!(metadata.opt_u32("llama.embedding_length"), Ok(None));
    assert_eq!(
        metadata.u32("general.architecture").unwrap_err().to_string(),
        "`general.architecture` is a string, not a number of 32 bits"
    );
    assert!(matches!(metadata.opt_str("llama.block_count"), Err(MetadataError::Type { .. })));
    let mut metadata = metadata.clone();
    metadata.insert("big", 1u64 << 40);
    metadata.insert("negative", -1i32);
    assert!(matches!(metadata.u32("big"), Err(MetadataError::Range { .. })));
    assert_eq!(metadata.u64("big"), Ok(1 << 40));
    assert!(matches!(metadata.u64("negative"), Err(MetadataError::Range { .. })));
}

#[test]
fn asks_for_a_growing_prefix() {
    // A directory of several mebibytes.
    let tokens: StringArray = (0..300_000).map(|i| format!("token number {i}")).collect();
    let writer = sample().metadata("tokens", tokens);
    let file = writer.finish().unwrap();
    let mut prefix_bytes = 0;
    let mut read_bytes = 0;
    let gguf = loop {
        read_bytes += prefix_bytes;
        match parse_header(&file[..prefix_bytes], file.len() as u64).unwrap() {
            Parsed::NeedBytes(bytes) => {
                assert!(bytes > prefix_bytes as u64, "progress");
                assert!(bytes <= file.len() as u64);
                prefix_bytes = bytes as usize;
            }
            Parsed::Done(gguf) => break gguf,
        }
    };
    assert_eq!(gguf.metadata.strings("tokens").unwrap().len(), 300_000);
    assert!(read_bytes <= 3 * file.len(), "{read_bytes} bytes read of {}", file.len());
}

/// A header by hand, for what the writer cannot say.
struct Raw(Vec<u8>);

impl Raw {
    fn new(n_tensors: u64, n_keys: u64) -> Self {
        Self(b"GGUF".to_vec()).u32(3).u64(n_tensors).u64(n_keys)
    }

    fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn string(self, text: &str) -> Self {
        self.u64(text.len() as u64).bytes(text.as_bytes())
    }

    fn tensor(self, name: &str, dims: &[u64], type_id: u32, offset_bytes: u64) -> Self {
        let head = self.string(name).u32(dims.len() as u32);
        dims.iter().fold(head, |raw, &dim| raw.u64(dim)).u32(type_id).u64(offset_bytes)
    }

    /// With room for data, so that a claim of moderate size is not refused for the file's end.
    #[track_caller]
    fn refused(self) -> GgufError {
        let mut file = self.0;
        file.resize(file.len() + 4096, 0);
        match parse_whole(&file) {
            Err(error) => error,
            Ok(parsed) => panic!("accepted: {parsed:?}"),
        }
    }
}

#[test]
fn refuses_each_fault_by_its_name() {
    use GgufError as E;
    let f32_type = 0;
    let with_tensor = || Raw::new(1, 0);
    let with_key = |key: &str| Raw::new(0, 1).string(key);

    assert_eq!(Raw(b"PK\x03\x04zip".to_vec()).refused(), E::BadMagic(*b"PK\x03\x04"));
    assert_eq!(Raw(b"GGUF".to_vec()).u32(1).refused(), E::Version(1));
    assert_eq!(Raw(b"GGUF".to_vec()).u32(4).refused(), E::Version(4));
    assert_eq!(Raw(b"GGUF".to_vec()).bytes(&3u32.to_be_bytes()).refused(), E::BigEndian);
    assert_eq!(Raw::new(1 << 40, 0).refused(), E::TensorCount { count: 1 << 40 });
    assert_eq!(Raw::new(u64::MAX, 0).refused(), E::TensorCount { count: u64::MAX });
    assert_eq!(Raw::new(1000, 0).refused(), E::TensorCount { count: 1000 }, "not in 4 kB");
    assert_eq!(Raw::new(0, 1 << 40).refused(), E::MetadataCount { count: 1 << 40 });
    assert!(matches!(Raw::new(0, 1).u64(1 << 40).refused(), E::KeyLength { .. }));
    assert!(matches!(Raw::new(0, 1).u64(0).refused(), E::KeyLength { bytes: 0, .. }));
    assert!(matches!(Raw::new(0, 1).u64(2).bytes(&[0xff, 0xfe]).refused(), E::NotUtf8 { .. }));
    assert_eq!(
        with_key("k").u32(99).refused(),
        E::UnknownValueType { key: "k".into(), type_id: 99 }
    );
    assert_eq!(
        with_key("k").u32(7).bytes(&[2]).refused(),
        E::NotABool { key: "k".into(), value: 2 }
    );
    assert_eq!(
        with_key("k").u32(8).u64(1 << 50).refused(),
        E::StringLength { key: "k".into(), bytes: 1 << 50 }
    );
    assert_eq!(
        with_key("k").u32(8).u64(1).bytes(&[0x80]).refused(),
        E::NotUtf8 { key: "k".into() }
    );
    for element in [0, 4, 8, 12] {
        assert_eq!(
            with_key("k").u32(9).u32(element).u64(1 << 60).refused(),
            E::ArrayLength { key: "k".into(), len: 1 << 60 }
        );
    }
    assert_eq!(
        with_key("k").u32(9).u32(8).u64(1 << 20).refused(),
        E::ArrayLength { key: "k".into(), len: 1 << 20 },
        "more than the file holds"
    );
    assert_eq!(with_key("k").u32(9).u32(9).u64(1).refused(), E::NestedArray { key: "k".into() });
    assert_eq!(
        Raw::new(0, 2).string("k").u32(0).bytes(&[1]).string("k").u32(0).bytes(&[1]).refused(),
        E::DuplicateKey { key: "k".into() }
    );
    for alignment in [0, 1, 24, 1 << 20] {
        assert_eq!(
            with_key("general.alignment").u32(4).u32(alignment).refused(),
            E::Alignment,
            "{alignment}"
        );
    }
    assert_eq!(with_key("general.alignment").u32(8).string("x").refused(), E::Alignment);

    assert!(matches!(with_tensor().u64(65).refused(), E::TensorNameLength { bytes: 65, .. }));
    assert!(matches!(with_tensor().u64(0).refused(), E::TensorNameLength { bytes: 0, .. }));
    for n_dims in [0, 5, u32::MAX] {
        assert_eq!(
            with_tensor().string("t").u32(n_dims).refused(),
            E::TensorRank { tensor: "t".into(), n_dims }
        );
    }
    for dims in [vec![0], vec![4, 0], vec![1 << 41], vec![1 << 32, 1 << 32], vec![u64::MAX; 4]] {
        assert_eq!(
            with_tensor().tensor("t", &dims, f32_type, 0).refused(),
            E::TensorShape { tensor: "t".into(), dims }
        );
    }
    assert_eq!(
        with_tensor().tensor("t", &[32], 1000, 0).refused(),
        E::UnknownTensorType { tensor: "t".into(), type_id: 1000 }
    );
    assert_eq!(
        with_tensor().tensor("t", &[256], 23, 0).refused(),
        E::UnsupportedTensorType { tensor: "t".into(), type_name: "IQ4_XS" }
    );
    assert_eq!(
        with_tensor().tensor("t", &[48, 2], 2, 0).refused(),
        E::RowNotWholeBlocks { tensor: "t".into(), row_len: 48, block_len: 32 }
    );
    assert_eq!(
        with_tensor().tensor("t", &[4], f32_type, 8).refused(),
        E::TensorMisaligned { tensor: "t".into(), offset_bytes: 8, alignment: 32 }
    );
    for (dims, offset) in [(4, 1 << 20), (4, u64::MAX - 31), (1 << 20, 0)] {
        assert!(matches!(
            with_tensor().tensor("t", &[dims], f32_type, offset).refused(),
            E::TensorOutOfFile { .. }
        ));
    }
    assert_eq!(
        Raw::new(2, 0).tensor("b", &[8], f32_type, 32).tensor("a", &[9], f32_type, 0).refused(),
        E::TensorsOverlap { first: "a".into(), second: "b".into() }
    );
    assert_eq!(
        Raw::new(2, 0).tensor("a", &[8], f32_type, 0).tensor("a", &[8], f32_type, 32).refused(),
        E::DuplicateTensor { tensor: "a".into() }
    );
    assert_eq!(parse_whole(b"GGUF\x03\0\0\0\x01"), Err(E::Truncated { file_bytes: 9 }));
    assert_eq!(parse_whole(b""), Err(E::Truncated { file_bytes: 0 }));
}

#[test]
fn refuses_a_header_longer_than_any() {
    let mut raw = Raw::new(0, 1).string("k").u32(9).u32(8).u64(ARRAY_LEN_MAX);
    // Strings of 32 bytes: 640 MiB, claimed by a file that is large enough.
    for _ in 0..1000 {
        raw = raw.string(&"x".repeat(32));
    }
    let file_bytes = 10 << 30;
    let known = raw.0.len();
    let Ok(Parsed::NeedBytes(bytes)) = parse_header(&raw.0, file_bytes) else {
        panic!("more strings are to come")
    };
    assert!(bytes >= known as u64);
    let one = Raw::new(0, 1).string("k").u32(9).u32(0).u64(ARRAY_LEN_MAX);
    let len = one.0.len() as u64;
    assert_eq!(
        parse_header(&one.0, file_bytes),
        Ok(Parsed::NeedBytes(len + ARRAY_LEN_MAX)),
        "a long array is asked for in one step"
    );
    let mut reader = Reader::new(&[], file_bytes);
    assert!(matches!(reader.bytes(HEADER_BYTES_MAX), Err(Stop::Short { .. })));
    let too_long = reader.bytes(HEADER_BYTES_MAX + 1);
    assert!(matches!(too_long, Err(Stop::Bad(GgufError::HeaderTooLong))));
}

#[test]
fn errors_become_the_tables_codes() {
    use crate::error::{ApiError, ErrorCode, Lang};
    let invalid = ApiError::from(GgufError::BadMagic(*b"PK\x03\x04"));
    assert_eq!(invalid.code, ErrorCode::ModelInvalid);
    assert!(invalid.text(Lang::En).contains("does not begin with `GGUF`"), "{invalid}");
    let unsupported = GgufError::UnsupportedTensorType { tensor: "t".into(), type_name: "IQ4_XS" };
    assert_eq!(ApiError::from(unsupported).code, ErrorCode::ModelUnsupported);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::from),
        any::<i16>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9f32..1e9).prop_map(Value::from),
        (-1e9f64..1e9).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::collection::vec(any::<u16>(), 0..20).prop_map(Value::from),
        prop::collection::vec(any::<i8>(), 0..20).prop_map(Value::from),
        prop::collection::vec(any::<bool>(), 0..20).prop_map(|v| Value::Array(Array::Bool(v))),
        prop::collection::vec(".{0,9}", 0..20)
            .prop_map(|v| Value::from(v.iter().collect::<StringArray>())),
    ]
}

type AnyTensor = (Vec<u64>, GgmlDType);

fn any_tensor() -> impl Strategy<Value = AnyTensor> {
    use GgmlDType::*;
    let types =
        vec![F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_1, Q2K, Q3K, Q4K, Q5K, Q6K, Q8K];
    (prop::sample::select(types), 1u64..4, prop::collection::vec(1u64..4, 0..3)).prop_map(
        |(ggml_type, blocks, rows)| {
            let mut dims = vec![blocks * ggml_type.block_size() as u64];
            dims.extend(rows);
            (dims, ggml_type)
        },
    )
}

fn any_writer() -> impl Strategy<Value = (GgufWriter, Vec<(String, Value)>, Vec<AnyTensor>)> {
    let keys = prop::collection::btree_map("[a-z.]{1,12}", any_value(), 0..6);
    let tensors = prop::collection::vec(any_tensor(), 0..5);
    (keys, tensors, prop::sample::select(vec![8u32, 32, 64, 4096])).prop_map(
        |(keys, tensors, alignment)| {
            let keys: Vec<(String, Value)> = keys
                .into_iter()
                .filter(|(key, _)| key != ALIGNMENT_KEY)
                .chain([(ALIGNMENT_KEY.to_owned(), Value::from(alignment))])
                .collect();
            let mut writer = GgufWriter::new();
            for (key, value) in &keys {
                writer = writer.metadata(key.as_str(), value.clone());
            }
            for (i, (dims, ggml_type)) in tensors.iter().enumerate() {
                let bytes = tensor_size_bytes("t", dims, *ggml_type).unwrap() as usize;
                writer = writer.tensor(format!("t{i}"), dims, *ggml_type, vec![i as u8 + 1; bytes]);
            }
            (writer, keys, tensors)
        },
    )
}

proptest! {
    #[test]
    fn any_file_reads_back((writer, keys, tensors) in any_writer()) {
        let file = writer.finish().unwrap();
        let gguf = parsed(&file);
        prop_assert_eq!(&gguf.metadata, &keys.into_iter().collect::<Metadata>());
        prop_assert_eq!(gguf.tensors.len(), tensors.len());
        for (i, (tensor, (dims, ggml_type))) in gguf.tensors.iter().zip(&tensors).enumerate() {
            prop_assert_eq!(&tensor.name, &format!("t{i}"));
            prop_assert_eq!(&tensor.dims, dims);
            prop_assert_eq!(tensor.ggml_type, *ggml_type);
            prop_assert_eq!(tensor.offset_bytes % gguf.alignment, 0);
            let data = &file[tensor.offset_bytes as usize..tensor.end_bytes() as usize];
            prop_assert!(data.iter().all(|&byte| byte == i as u8 + 1));
        }
    }

    /// A prefix of a good file asks for more or is done; a file that ends early is refused.
    #[test]
    fn any_truncation_is_met((writer, _, tensors) in any_writer(), at in any::<prop::sample::Index>()) {
        let file = writer.finish().unwrap();
        let cut = at.index(file.len());
        let data_offset_bytes = parsed(&file).data_offset_bytes as usize;
        match parse_header(&file[..cut], file.len() as u64) {
            Ok(Parsed::NeedBytes(bytes)) => {
                prop_assert!(cut < data_offset_bytes);
                prop_assert!(bytes > cut as u64 && bytes <= file.len() as u64);
            }
            Ok(Parsed::Done(gguf)) => prop_assert_eq!(*gguf, parsed(&file)),
            Err(error) => prop_assert!(false, "a prefix of a good file: {error}"),
        }
        let last_byte = parsed(&file).tensors.iter().map(TensorInfo::end_bytes).max();
        match parse_whole(&file[..cut]) {
            Err(_) => {}
            Ok(Parsed::Done(_)) => {
                prop_assert!(tensors.is_empty() || cut as u64 >= last_byte.unwrap_or(0));
            }
            Ok(Parsed::NeedBytes(_)) => prop_assert!(false, "there is no more to be had"),
        }
    }

    /// Whatever a byte becomes, the parser answers, and what it holds fits what it was given.
    #[test]
    fn any_flipped_byte_is_met(
        (writer, _, _) in any_writer(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut file = writer.finish().unwrap();
        let header_bytes = parsed(&file).data_offset_bytes as usize;
        for (at, byte) in flips {
            let at = at.index(header_bytes);
            file[at] = byte;
        }
        if let Ok(Parsed::Done(gguf)) = parse_whole(&file) {
            prop_assert!(gguf.tensors.iter().all(|tensor| tensor.end_bytes() <= file.len() as u64));
            let held: usize = gguf.metadata.iter().map(|(key, value)| key.len() + match value {
                Value::String(text) => text.len(),
                Value::Array(Array::Strings(strings)) => strings.text_bytes() + strings.len(),
                Value::Array(array) => array.len(),
                _ => 1,
            }).sum();
            prop_assert!(held <= file.len());
        }
    }
}

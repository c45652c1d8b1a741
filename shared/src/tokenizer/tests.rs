//! Every kind of tokenizer over a vocabulary small enough to check by hand. Real vocabularies:
//! `tests/real_models.rs`.

use std::sync::Arc;

use proptest::prelude::*;

use super::vocab::TokenKind::{self, *};
use super::*;
use crate::gguf::{StringArray, Value};

fn kind_id(kind: TokenKind) -> i32 {
    match kind {
        Normal => 1,
        Unknown => 2,
        Control => 3,
        UserDefined => 4,
        Unused => 5,
        Byte => 6,
    }
}

/// Metadata of a vocabulary of texts, scores and kinds.
fn metadata(model: &str, tokens: &[(String, f32, TokenKind)]) -> Metadata {
    let texts: StringArray = tokens.iter().map(|(text, _, _)| text).collect();
    let scores: Vec<f32> = tokens.iter().map(|(_, score, _)| *score).collect();
    let kinds: Vec<i32> = tokens.iter().map(|(_, _, kind)| kind_id(*kind)).collect();
    [
        ("tokenizer.ggml.model", Value::from(model)),
        ("tokenizer.ggml.tokens", Value::from(texts)),
        ("tokenizer.ggml.scores", Value::from(scores)),
        ("tokenizer.ggml.token_type", Value::from(kinds)),
    ]
    .into_iter()
    .collect()
}

fn token(text: impl Into<String>, score: f32, kind: TokenKind) -> (String, f32, TokenKind) {
    (text.into(), score, kind)
}

/// The visible character of a byte, as GPT-2 numbers them: made by counting, not from the table
/// under test.
fn visible(byte: u8) -> char {
    let is_visible = |b: u8| matches!(b, 33..=126 | 161..=172 | 174..=255);
    if is_visible(byte) {
        byte as char
    } else {
        let hidden_before = (0..byte).filter(|&b| !is_visible(b)).count() as u32;
        char::from_u32(256 + hidden_before).unwrap()
    }
}

/// Ids 0–3 special, 4–259 the bytes, then the merges' results.
fn byte_level(pre: &str, merges: &[&str]) -> Metadata {
    let mut tokens = vec![
        token("<|endoftext|>", 0., Control),
        token("<|im_start|>", 0., Control),
        token("<|im_end|>", 0., Control),
        token("<tool>", 0., UserDefined),
    ];
    tokens.extend((0..=255u8).map(|byte| token(visible(byte), 0., Normal)));
    tokens.extend(merges.iter().map(|merge| token(merge.replace(' ', ""), 0., Normal)));
    let mut metadata = metadata("gpt2", &tokens);
    metadata.insert("tokenizer.ggml.pre", pre);
    metadata.insert("tokenizer.ggml.merges", merges.iter().copied().collect::<StringArray>());
    metadata.insert("tokenizer.ggml.bos_token_id", 1u32);
    metadata.insert("tokenizer.ggml.eos_token_id", 2u32);
    metadata.insert("tokenizer.ggml.add_bos_token", false);
    metadata
}

const MERGES: &[&str] =
    &["1 2", "12 3", "Ġ h", "Ġh e", "h e", "' s", "Ã ¼", "Ġ Ġ", "ĠĠ Ġ", "r e", "' re", "Ċ Ċ"];

/// What a text is cut into, each token as its bytes' text.
#[track_caller]
fn check_cut(metadata: &Metadata, text: &str, expect: &[&str]) {
    let tokenizer = Tokenizer::from_gguf(metadata).unwrap();
    let ids = tokenizer.encode(text, AddSpecial::No, ParseSpecial::No).unwrap();
    let pieces: Vec<String> =
        ids.iter().map(|&id| tokenizer.decode(&[id], SkipSpecial::No)).collect();
    assert_eq!(pieces, expect, "{text:?}");
    assert_eq!(tokenizer.decode(&ids, SkipSpecial::No), text);
}

#[test]
fn cuts_digits_as_each_family_does() {
    check_cut(&byte_level("gpt-2", MERGES), "1234", &["123", "4"]);
    check_cut(&byte_level("smollm", MERGES), "1234", &["1", "2", "3", "4"]);
    check_cut(&byte_level("qwen2", MERGES), "1234", &["1", "2", "3", "4"]);
    check_cut(&byte_level("llama-bpe", MERGES), "12312", &["123", "12"]);
    // Llama 3 cuts after three digits, GPT-2 not at all.
    check_cut(&byte_level("llama-bpe", MERGES), "4123", &["4", "12", "3"]);
    check_cut(&byte_level("gpt-2", MERGES), "4123", &["4", "123"]);
}

#[test]
fn cuts_spaces_words_and_contractions() {
    // The last of several spaces belongs to the word.
    check_cut(&byte_level("gpt-2", MERGES), "a    he", &["a", "   ", " he"]);
    check_cut(&byte_level("smollm", MERGES), "he's", &["he", "'s"]);
    check_cut(&byte_level("gpt-2", MERGES), "we're", &["w", "e", "'re"]);
    check_cut(&byte_level("qwen2", MERGES), "ü", &["ü"]);
    check_cut(&byte_level("qwen2", MERGES), "a\n\nhe", &["a", "\n\n", "he"]);
}

#[test]
fn qwen_composes_characters_and_others_do_not() {
    let ids = |pre: &str| {
        let tokenizer = Tokenizer::from_gguf(&byte_level(pre, MERGES)).unwrap();
        tokenizer.encode("u\u{308}", AddSpecial::No, ParseSpecial::No).unwrap().len()
    };
    assert_eq!((ids("qwen2"), ids("llama-bpe")), (1, 3));
}

#[test]
fn llama3_takes_known_words_whole() {
    // "ab" is in the vocabulary and no merge makes it.
    let with_word = |pre: &str| {
        let mut metadata = byte_level(pre, &["x y"]);
        let texts: StringArray = metadata
            .strings("tokenizer.ggml.tokens")
            .unwrap()
            .iter()
            .map(|text| if text == "xy" { "ab" } else { text })
            .collect();
        metadata.insert("tokenizer.ggml.tokens", texts);
        metadata.insert("tokenizer.ggml.merges", StringArray::default());
        metadata
    };
    check_cut(&with_word("llama-bpe"), "ab", &["ab"]);
    check_cut(&with_word("gpt-2"), "ab", &["a", "b"]);
    // Its files count on a first token where they say nothing.
    let says_nothing = |pre: &str| -> Metadata {
        let metadata = byte_level(pre, &[]);
        let kept = metadata.iter().filter(|(key, _)| !key.ends_with("add_bos_token"));
        kept.map(|(key, value)| (key, value.clone())).collect()
    };
    assert!(Tokenizer::from_gguf(&says_nothing("llama-bpe")).unwrap().adds_bos());
    assert!(!Tokenizer::from_gguf(&says_nothing("gpt-2")).unwrap().adds_bos());
}

#[test]
fn special_tokens_are_parsed_only_where_asked() {
    let tokenizer = Tokenizer::from_gguf(&byte_level("smollm", MERGES)).unwrap();
    let text = "<|im_start|>he<|im_end|>";
    let parsed = tokenizer.encode(text, AddSpecial::No, ParseSpecial::Yes).unwrap();
    assert_eq!((parsed[0], parsed.len(), parsed[2]), (1, 3, 2));
    let plain = tokenizer.encode(text, AddSpecial::No, ParseSpecial::No).unwrap();
    assert!(plain.iter().all(|&id| id > 3), "a person's text makes no control token: {plain:?}");
    assert_eq!(tokenizer.decode(&plain, SkipSpecial::No), text);
    assert_eq!(tokenizer.decode(&parsed, SkipSpecial::Yes), "he");
    assert_eq!(tokenizer.decode(&parsed, SkipSpecial::No), text);
    // User-defined tokens are text that is always one token.
    for parse in [ParseSpecial::Yes, ParseSpecial::No] {
        assert_eq!(tokenizer.encode("<tool>", AddSpecial::No, parse).unwrap(), [3]);
    }
    assert_eq!(tokenizer.decode(&[3], SkipSpecial::Yes), "<tool>");
}

#[test]
fn knows_its_special_ids() {
    let mut metadata = byte_level("smollm", MERGES);
    let tokenizer = Tokenizer::from_gguf(&metadata).unwrap();
    assert_eq!((tokenizer.bos_id(), tokenizer.eos_id()), (Some(1), Some(2)));
    assert_eq!(tokenizer.end_ids(), [0, 2], "`<|endoftext|>` by its name");
    assert_eq!(tokenizer.n_vocab(), 260 + MERGES.len());
    assert_eq!(tokenizer.token_text(1), Some("<|im_start|>"));
    assert_eq!(tokenizer.token_bytes(tokenizer.n_vocab() as u32), None);
    assert!(!tokenizer.adds_bos());
    metadata.insert("tokenizer.ggml.add_bos_token", true);
    let tokenizer = Tokenizer::from_gguf(&metadata).unwrap();
    assert!(tokenizer.adds_bos());
    let ids = tokenizer.encode("he", AddSpecial::Yes, ParseSpecial::No).unwrap();
    assert_eq!((ids[0], ids.len()), (1, 2));
}

/// SentencePiece: ids 0–2 special, 3–258 bytes, then pieces.
fn sentence_piece(add_space_prefix: bool) -> Metadata {
    let mut tokens =
        vec![token("<unk>", 0., Unknown), token("<s>", 0., Control), token("</s>", 0., Control)];
    tokens.extend((0..=255u8).map(|byte| token(format!("<0x{byte:02X}>"), 0., Byte)));
    for (piece, score) in [
        ("▁", -10.),
        ("a", -11.),
        ("b", -12.),
        ("c", -13.),
        ("ab", -3.),
        ("bc", -2.),
        ("abc", -5.),
        ("▁a", -4.),
        ("▁abc", -6.),
        ("ü", -14.),
    ] {
        tokens.push(token(piece, score, Normal));
    }
    tokens.push(token("  ", 0., UserDefined));
    let mut metadata = metadata("llama", &tokens);
    metadata.insert("tokenizer.ggml.bos_token_id", 1u32);
    metadata.insert("tokenizer.ggml.eos_token_id", 2u32);
    metadata.insert("tokenizer.ggml.add_space_prefix", add_space_prefix);
    metadata
}

#[test]
fn sentence_piece_merges_the_best_score_first() {
    let metadata = sentence_piece(false);
    // bc (−2) before ab (−3); then a + bc.
    check_cut(&metadata, "abc", &["abc"]);
    check_cut(&metadata, "abab", &["ab", "ab"]);
    check_cut(&metadata, "bcb", &["bc", "b"]);
    check_cut(&metadata, "a abc", &["a", " abc"]);
    check_cut(&metadata, "a  abc", &["a", "  ", "abc"]);
    // Not in the vocabulary: bytes.
    let tokenizer = Tokenizer::from_gguf(&metadata).unwrap();
    let ids = tokenizer.encode("aé", AddSpecial::No, ParseSpecial::No).unwrap();
    assert_eq!(ids[1..], [3 + 0xc3, 3 + 0xa9]);
    assert_eq!(tokenizer.decode(&ids, SkipSpecial::No), "aé");
    // `<0x41>` in a text is six characters.
    let ids = tokenizer.encode("<0x41>", AddSpecial::No, ParseSpecial::No).unwrap();
    assert_eq!(ids.len(), 6);
    assert_eq!(tokenizer.decode(&ids, SkipSpecial::No), "<0x41>");
}

#[test]
fn sentence_piece_sets_a_space_before_the_text() {
    let tokenizer = Tokenizer::from_gguf(&sentence_piece(true)).unwrap();
    let ids = tokenizer.encode("abc", AddSpecial::Yes, ParseSpecial::No).unwrap();
    assert_eq!(ids[0], 1, "its family begins with a token");
    assert_eq!(tokenizer.token_text(ids[1]), Some("▁abc"));
    assert_eq!(tokenizer.decode(&ids, SkipSpecial::Yes), "abc");
    assert_eq!(tokenizer.decode(&ids[1..], SkipSpecial::Yes), "abc");
    assert_eq!(tokenizer.token_bytes(ids[1]).as_deref(), Some(&b" abc"[..]));
    // Its own leading space stays.
    let ids = tokenizer.encode(" abc", AddSpecial::No, ParseSpecial::No).unwrap();
    assert_eq!(tokenizer.decode(&ids, SkipSpecial::Yes), " abc");
}

#[test]
fn word_piece_takes_the_longest_known_piece() {
    let pieces = ["▁un", "aff", "able", "▁über", "▁uber", "▁!", "▁中", "▁a", "a", "b"];
    let mut tokens = vec![
        token("[PAD]", 0., Control),
        token("[UNK]", 0., Unknown),
        token("[CLS]", 0., Control),
        token("[SEP]", 0., Control),
    ];
    tokens.extend(pieces.iter().map(|piece| token(*piece, 0., Normal)));
    let mut metadata = metadata("bert", &tokens);
    metadata.insert("tokenizer.ggml.unknown_token_id", 1u32);
    metadata.insert("tokenizer.ggml.cls_token_id", 2u32);
    metadata.insert("tokenizer.ggml.seperator_token_id", 3u32);
    let tokenizer = Tokenizer::from_gguf(&metadata).unwrap();
    let encode = |text: &str| tokenizer.encode(text, AddSpecial::Yes, ParseSpecial::No).unwrap();
    assert_eq!(encode("Unaffable!"), [2, 4, 5, 6, 9, 3]);
    assert_eq!(encode("ÜBER"), [2, 8, 3], "lower-cased, accents off");
    assert_eq!(encode("a中a"), [2, 11, 10, 11, 3], "each Chinese character a word");
    assert_eq!(encode("unx"), [2, 1, 3], "a word with an unknown part is unknown");
    assert_eq!(tokenizer.decode(&encode("unaffable !"), SkipSpecial::Yes), "unaffable !");

    // The same vocabulary as BERT itself writes it.
    let bert_style: Vec<_> = tokens
        .iter()
        .map(|(text, score, kind)| match (kind, text.strip_prefix('▁')) {
            (Normal, Some(word)) => token(word, *score, Normal),
            (Normal, None) => token(format!("##{text}"), *score, Normal),
            _ => token(text, *score, *kind),
        })
        .collect();
    let mut bert = self::metadata("bert", &bert_style);
    bert.insert("tokenizer.ggml.cls_token_id", 2u32);
    bert.insert("tokenizer.ggml.seperator_token_id", 3u32);
    let tokenizer = Tokenizer::from_gguf(&bert).unwrap();
    let ids = tokenizer.encode("Unaffable!", AddSpecial::Yes, ParseSpecial::No).unwrap();
    assert_eq!(ids, [2, 4, 5, 6, 9, 3]);
    assert_eq!(tokenizer.decode(&ids, SkipSpecial::Yes), "unaffable !");
}

/// A table that turns `Ａ` (U+FF21) into `A` and drops U+00AD: three bytes and two, as a trie of
/// Darts units.
fn charsmap() -> Vec<u8> {
    // Each state's children stand at `base ^ byte`; leaves at `base` itself.
    let mut units = vec![0u32; 2048];
    let mut put = |parent: usize, byte: u8, base: usize, has_leaf: bool| -> usize {
        let at = parent ^ byte as usize;
        let offset = (at ^ base) as u32;
        units[at] = offset << 10 | u32::from(has_leaf) << 8 | u32::from(byte);
        base
    };
    let root = 256;
    let ef = put(root, 0xef, 512, false);
    let bc = put(ef, 0xbc, 768, false);
    let a = put(bc, 0xa1, 1024, true);
    let c2 = put(root, 0xc2, 1280, false);
    let shy = put(c2, 0xad, 1536, true);
    units[0] = (root as u32) << 10;
    units[a] = 0x8000_0000;
    units[shy] = 0x8000_0000 | 2;
    let mut bytes = (units.len() as u32 * 4).to_le_bytes().to_vec();
    bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes.extend_from_slice(b"A\0\0");
    bytes
}

fn unigram() -> Metadata {
    let mut tokens =
        vec![token("<s>", 0., Control), token("</s>", 0., Control), token("<unk>", 0., Unknown)];
    for (piece, score) in
        [("▁", -4.), ("▁ab", -3.), ("▁a", -2.), ("b", -3.), ("c", -3.), ("bc", -2.5), ("A", -5.)]
    {
        tokens.push(token(piece, score, Normal));
    }
    let mut metadata = metadata("t5", &tokens);
    metadata.insert("tokenizer.ggml.bos_token_id", 0u32);
    metadata.insert("tokenizer.ggml.eos_token_id", 1u32);
    metadata.insert("tokenizer.ggml.unknown_token_id", 2u32);
    metadata.insert("tokenizer.ggml.add_bos_token", true);
    metadata.insert("tokenizer.ggml.precompiled_charsmap", charsmap());
    metadata
}

#[test]
fn unigram_takes_the_likeliest_cut() {
    let tokenizer = Tokenizer::from_gguf(&unigram()).unwrap();
    let texts = |text: &str| -> Vec<&str> {
        let ids = tokenizer.encode(text, AddSpecial::Yes, ParseSpecial::No).unwrap();
        ids.iter().map(|&id| tokenizer.token_text(id).unwrap()).collect()
    };
    // ▁a bc (−4.5) before ▁ab c (−6).
    assert_eq!(texts("abc"), ["<s>", "▁a", "bc", "</s>"]);
    assert_eq!(texts("ab"), ["<s>", "▁ab", "</s>"]);
    assert_eq!(texts("  ab   abc "), ["<s>", "▁ab", "▁a", "bc", "</s>"], "spaces collapse");
    assert_eq!(texts("\u{ff21}b\u{ad}c"), ["<s>", "▁", "A", "bc", "</s>"], "characters replaced");
    assert_eq!(texts("xyz"), ["<s>", "▁", "<unk>", "</s>"], "unknown characters are one token");
    assert!(
        !texts("</s>")[1..texts("</s>").len() - 1].contains(&"</s>"),
        "text makes no control token"
    );
}

#[test]
fn a_hostile_character_table_is_refused_or_harmless() {
    use super::charsmap::CharsMap;
    for bytes in [&[][..], &[1, 0, 0], &[4, 0, 0, 0], &[3, 0, 0, 0, 1, 2, 3], &[0, 0, 0, 0]] {
        assert!(CharsMap::from_bytes(bytes).is_err(), "{bytes:?}");
    }
    let good = charsmap();
    assert_eq!(CharsMap::from_bytes(&good).unwrap().map("xＡy\u{ad}z"), "xAyz");
    for at in (4..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        if let Ok(charsmap) = CharsMap::from_bytes(&bad) {
            charsmap.map("Ａ\u{ad}xé中😀");
        }
    }
}

#[test]
fn unknown_kinds_are_refused_by_name() {
    let refused = |metadata: &Metadata| Tokenizer::from_gguf(metadata).err().unwrap();
    let mut metadata = byte_level("deepseek-llm", MERGES);
    assert_eq!(refused(&metadata), TokenizerError::UnknownPre("deepseek-llm".into()));
    metadata.insert("tokenizer.ggml.model", "rwkv");
    assert_eq!(refused(&metadata), TokenizerError::UnknownModel("rwkv".into()));
    assert!(matches!(refused(&Metadata::default()), TokenizerError::Metadata(_)));
    let mut metadata = byte_level("gpt-2", MERGES);
    metadata.insert("tokenizer.ggml.eos_token_id", 9999u32);
    assert!(matches!(refused(&metadata), TokenizerError::TokenId { id: 9999, .. }));
    let mut metadata = byte_level("gpt-2", MERGES);
    metadata.insert("tokenizer.ggml.token_type", vec![1i32; 3]);
    assert!(matches!(refused(&metadata), TokenizerError::Length { len: 3, .. }));
    let mut metadata = byte_level("gpt-2", MERGES);
    metadata.insert("tokenizer.ggml.merges", ["nospace"].iter().collect::<StringArray>());
    assert!(matches!(refused(&metadata), TokenizerError::Merge { index: 0, .. }));
    let mut metadata = byte_level("gpt-2", MERGES);
    metadata.insert("tokenizer.ggml.merges", ["zzz qqq"].iter().collect::<StringArray>());
    assert!(matches!(refused(&metadata), TokenizerError::Library(_)));
    let mut metadata = sentence_piece(false);
    metadata.insert("tokenizer.ggml.scores", vec![0f32]);
    assert!(matches!(refused(&metadata), TokenizerError::Length { .. }));
}

#[test]
fn holds_back_half_a_character() {
    let tokenizer = Arc::new(Tokenizer::from_gguf(&byte_level("gpt-2", &[])).unwrap());
    let mut decoder = StreamDecoder::new(tokenizer.clone(), SkipSpecial::Yes);
    let id = |byte: u8| 4 + u32::from(byte);
    let pushed: Vec<String> = "ü😀".bytes().map(|byte| decoder.push(id(byte))).collect();
    assert_eq!(pushed, ["", "ü", "", "", "", "😀"]);
    assert_eq!(decoder.finish(), "");
    assert_eq!(decoder.push(id(0xf0)), "");
    assert_eq!(decoder.push(id(b'a')), "\u{fffd}a", "it never became a character");
    assert_eq!(decoder.push(id(0xe4)), "");
    assert_eq!(decoder.finish(), "\u{fffd}");
    assert_eq!(decoder.push(id(0xbc)), "\u{fffd}", "a start, not a rest of before");
}

#[test]
fn a_stream_that_continues_keeps_its_first_space() {
    let tokenizer = Arc::new(Tokenizer::from_gguf(&sentence_piece(true)).unwrap());
    let id = tokenizer.token_id("▁abc").unwrap();
    let mut own = StreamDecoder::new(tokenizer.clone(), SkipSpecial::Yes);
    assert_eq!([own.push(id), own.push(id)], ["abc", " abc"]);
    let mut rest = StreamDecoder::continuing(tokenizer, SkipSpecial::Yes);
    assert_eq!(rest.push(id), " abc");
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,40}", "[abc ü🇩🇪\u{308}\n\t1]{0,60}", any::<String>()]
}

fn tokenizers() -> Vec<Arc<Tokenizer>> {
    let mut all = vec![sentence_piece(false), sentence_piece(true)];
    all.extend(["gpt-2", "smollm", "llama-bpe"].map(|pre| byte_level(pre, MERGES)));
    all.iter().map(|metadata| Arc::new(Tokenizer::from_gguf(metadata).unwrap())).collect()
}

proptest! {
    #[test]
    fn any_text_comes_back(text in any_text()) {
        // SentencePiece's own sign for a space comes back as one.
        prop_assume!(!text.contains('▁'));
        for tokenizer in tokenizers() {
            let ids = tokenizer.encode(&text, AddSpecial::No, ParseSpecial::No).unwrap();
            let decoded = tokenizer.decode(&ids, SkipSpecial::No);
            prop_assert_eq!(&decoded, &text);
        }
    }

    /// Whatever tokens come, the stream's pieces together are the whole's text.
    #[test]
    fn any_stream_is_the_whole(ids in prop::collection::vec(0u32..275, 0..60)) {
        for tokenizer in tokenizers() {
            for skip in [SkipSpecial::Yes, SkipSpecial::No] {
                let mut decoder = StreamDecoder::new(tokenizer.clone(), skip);
                let mut text: String = ids.iter().map(|&id| decoder.push(id)).collect();
                text.push_str(&decoder.finish());
                prop_assert_eq!(text, tokenizer.decode(&ids, skip));
            }
        }
    }
}

/// An answer that another model goes on with, see `Continuation::text`.
#[test]
fn a_standing_text_becomes_this_models_tokens_and_none_of_them_special() {
    use crate::generation::{GenerationRequest, ModelFacts};
    use crate::openai::{ChatCompletionRequest, Continuation};

    let tokenizer = Tokenizer::from_gguf(&byte_level("gpt-2", &[])).unwrap();
    let facts = ModelFacts {
        end_ids: vec![2],
        n_ctx: 100,
        n_vocab: tokenizer.n_vocab() as u32,
        tools: crate::tools::ToolFormat::default(),
    };
    let standing = |token_ids: Vec<u32>, text: &str| {
        let standing = Continuation { token_ids, text: text.to_owned() };
        let request: ChatCompletionRequest =
            serde_json::from_str(r#"{"model": "m", "messages": []}"#).unwrap();
        let request = ChatCompletionRequest { portico_continue: Some(standing.clone()), ..request };
        GenerationRequest::from_chat(&request, vec![4], &facts, 0)
            .and_then(|request| request.with_standing_text(Some(&standing), &tokenizer))
            .unwrap()
            .continuation
    };
    let text = "so<|im_end|>";
    let ids = standing(Vec::new(), text);
    assert!(ids.iter().all(|&id| id > 2), "{ids:?}");
    assert_eq!(tokenizer.decode(&ids, SkipSpecial::No), text);
    // What this model wrote itself stands as it wrote it.
    assert_eq!(standing(vec![7, 8], text), [7, 8]);
}

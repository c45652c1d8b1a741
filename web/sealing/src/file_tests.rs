//! What a server that lies could do to a sealed file, and what another program makes of the same file.

use aead_stream::StreamPrimitive as _;
use chacha20poly1305::aead::Payload;
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::file::VERSION;
use crate::{AccountKey, FILE_CHUNK_BYTES, FileDigest, file_digest, sealed_bytes};

const CHUNK: usize = FILE_CHUNK_BYTES as usize;

fn key() -> AccountKey {
    AccountKey::new([7; 32])
}

fn digest(bytes: &[u8]) -> FileDigest {
    Sha256::digest(bytes).into()
}

/// As `vectors.json` was made.
fn file(size_bytes: usize) -> Vec<u8> {
    (0..size_bytes).map(|at| (at * 7 + at / 251) as u8).collect()
}

fn chunks(file: &[u8]) -> Vec<&[u8]> {
    if file.is_empty() { vec![&[]] } else { file.chunks(CHUNK).collect() }
}

fn seal(key: &AccountKey, file: &[u8]) -> (Vec<Vec<u8>>, String) {
    let (chunks, mut sealer) = (chunks(file), key.seal_file(digest(file)));
    let last = chunks.len() - 1;
    let sealed = chunks.iter().enumerate();
    let sealed = sealed.map(|(at, chunk)| sealer.next(chunk, at == last).unwrap()).collect();
    (sealed, sealer.sealed_digest().unwrap())
}

/// As a device opens it, which takes what comes last for the last chunk.
fn open(key: &AccountKey, file: FileDigest, sealed: &[Vec<u8>]) -> Result<Vec<u8>, ErrorCode> {
    let mut opener = key.open_file(file);
    let mut opened = Vec::new();
    for (at, chunk) in sealed.iter().enumerate() {
        let chunk = opener.next(chunk, at + 1 == sealed.len());
        opened.extend(chunk.map_err(|error: ApiError| error.code)?);
    }
    Ok(opened)
}

#[test]
fn what_another_program_seals_is_the_same() {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let key = AccountKey::from_text(vectors["key"].as_str().unwrap()).unwrap();
    for vector in vectors["files"].as_array().unwrap() {
        let size_bytes = vector["size_bytes"].as_u64().unwrap();
        let file = file(size_bytes as usize);
        let named = file_digest(vector["sha256"].as_str().unwrap()).unwrap();
        assert_eq!(named, digest(&file));
        assert_eq!(key.file_name(&named), vector["name"]);
        let (sealed, sealed_digest) = seal(&key, &file);
        assert_eq!(sealed_digest, vector["sealed_sha256"].as_str().unwrap(), "{size_bytes}");
        let n_bytes: usize = sealed.iter().map(Vec::len).sum();
        assert_eq!(vector["sealed_bytes"], n_bytes);
        assert_eq!(sealed_bytes(size_bytes), n_bytes as u64);
        assert!(open(&key, named, &sealed) == Ok(file));
    }
}

#[test]
fn whatever_is_altered_moved_or_left_out_is_noticed() {
    let file = file(2 * CHUNK + 100);
    let (whole, _) = seal(&key(), &file);
    assert!(open(&key(), digest(&file), &whole).as_ref() == Ok(&file));
    let [a, b, c] = &whole[..] else { panic!("{} chunks", whole.len()) };
    let flipped = |chunk: &Vec<u8>, at: usize| {
        let mut chunk = chunk.clone();
        chunk[at] ^= 1;
        chunk
    };
    let cut = |chunk: &[u8], n: usize| chunk[..chunk.len() - n].to_vec();
    let joined = [&c[..], &c[..]].concat();
    // Another file that begins and ends alike.
    let mut other = file.clone();
    other[CHUNK] ^= 1;
    let (others, _) = seal(&key(), &other);
    for (what, sealed) in [
        ("first byte", vec![flipped(a, 0), b.clone(), c.clone()]),
        ("in the middle", vec![a.clone(), flipped(b, CHUNK / 2), c.clone()]),
        ("last byte of the tag", vec![a.clone(), b.clone(), flipped(c, c.len() - 1)]),
        ("swapped", vec![b.clone(), a.clone(), c.clone()]),
        ("the last one left out", vec![a.clone(), b.clone()]),
        ("only the first", vec![a.clone()]),
        ("only the last", vec![c.clone()]),
        ("the first left out", vec![b.clone(), c.clone()]),
        ("the middle left out", vec![a.clone(), c.clone()]),
        ("one twice", vec![a.clone(), a.clone(), c.clone()]),
        ("something behind the end", vec![a.clone(), b.clone(), c.clone(), c.clone()]),
        ("cut off within the last", vec![a.clone(), b.clone(), cut(c, 1)]),
        ("cut off within a tag", vec![a.clone(), b.clone(), c[..10].to_vec()]),
        ("an empty last one", vec![a.clone(), b.clone(), Vec::new()]),
        ("a longer last one", vec![a.clone(), b.clone(), joined]),
        ("a chunk of another file", vec![others[0].clone(), b.clone(), c.clone()]),
        ("all of another file", others.clone()),
    ] {
        let opened = open(&key(), digest(&file), &sealed);
        assert_eq!(opened.err(), Some(ErrorCode::SealFileDamaged), "{what}");
    }
    let wrong = open(&AccountKey::new([8; 32]), digest(&file), &whole);
    assert_eq!(wrong.err(), Some(ErrorCode::SealFileDamaged));
    // After what is damaged nothing opens more, and nothing after the end.
    let mut opener = key().open_file(digest(&file));
    assert!(opener.next(b, false).is_err() && opener.next(a, false).is_err());
}

/// Chunks and files of the same content: one key and nonce for two of them would show here.
#[test]
fn no_two_chunks_are_sealed_alike() {
    let zeros = vec![0; 3 * CHUNK];
    let (sealed, _) = seal(&key(), &zeros);
    let (longer, _) = seal(&key(), &[&zeros[..], &[0]].concat());
    let (others, _) = seal(&AccountKey::new([8; 32]), &zeros);
    let all = [&sealed, &longer, &others].into_iter().flatten();
    let mut beginnings: Vec<&[u8]> = all.map(|chunk| &chunk[..chunk.len().min(64)]).collect();
    assert_eq!(beginnings.len(), 10);
    beginnings.sort_unstable();
    beginnings.dedup();
    assert_eq!(beginnings.len(), 10);
    // The same file of the same person gives the same bytes, so that sending goes on.
    assert!(seal(&key(), &zeros) == seal(&key(), &zeros));
}

#[test]
fn names_tell_nothing_and_differ() {
    let [one, other] = [digest(b"a"), digest(b"b")];
    let name = key().file_name(&one);
    assert_eq!((name.len(), file_digest(&name).is_some()), (64, true));
    assert!(file_digest(&name) != Some(one));
    assert_eq!(name, key().file_name(&one));
    assert!(name != key().file_name(&other) && name != AccountKey::new([8; 32]).file_name(&one));
    for wrong in ["", "0", &"0".repeat(63), &"0".repeat(65), &"A".repeat(64), &"ü".repeat(32)] {
        assert_eq!(file_digest(wrong), None, "{wrong}");
    }
}

/// A key is one file's: sealing another one with it would use its nonces twice.
#[test]
fn only_the_file_of_the_digest_is_sealed() {
    let (file, other) = (file(CHUNK + 5), vec![1; CHUNK + 5]);
    let mut sealer = key().seal_file(digest(&file));
    assert!(sealer.sealed_digest().is_err(), "it is not begun");
    sealer.next(&other[..CHUNK], false).unwrap();
    assert!(sealer.sealed_digest().is_err(), "it is not whole");
    let error = sealer.next(&other[CHUNK..], true).unwrap_err();
    assert_eq!(error.code, ErrorCode::DigestMismatch);
    assert!(sealer.sealed_digest().is_err() && sealer.next(&[], true).is_err());
    for (chunk, is_last) in [(CHUNK - 1, false), (CHUNK + 1, false), (CHUNK + 1, true), (0, false)]
    {
        let mut sealer = key().seal_file(digest(&file));
        let error = sealer.next(&vec![0; chunk], is_last).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest, "{chunk}");
    }
    let mut sealer = key().seal_file(digest(b"x"));
    sealer.next(b"x", true).unwrap();
    assert!(sealer.next(b"x", true).is_err(), "once");
}

/// A device with the key that errs, or another program: what it seals for the digest is not the file of it.
#[test]
fn only_the_file_of_the_digest_is_opened() {
    let payload = Payload { msg: b"another", aad: VERSION };
    let sealed = key().stream(&digest(b"a file")).encryptor().encrypt_last(payload).unwrap();
    let opened = open(&key(), digest(b"a file"), &[sealed]);
    assert_eq!(opened.err(), Some(ErrorCode::SealFileDamaged));
}

// What do TOKENS tokens read from the cache? Softmax over the scores of all positions that a query
// sees, computed on the fly tile by tile (Milakov & Gimelshein, arXiv:1805.02867; Dao et al.,
// FlashAttention, arXiv:2205.14135). A workgroup takes TOKENS tokens and HEADS query heads that
// share one key-value head: ROWS = TOKENS·HEADS queries for every key and value that is loaded.
// Lanes own positions of keys, then dims of values. `reference/attention.rs` is the CPU twin.
//
// With SPLIT a workgroup takes one run of CHUNK positions and `attention_reduce.wgsl` joins them;
// else it goes over all positions and writes the next bundle.
//
// With ROTATE (one token; HEADS are all that share a key-value head) it begins with what
// `rope_kv.wgsl` does for many: it norms and rotates its queries and caches its key and value.
//
// With TILES (encoders, many tokens) several texts lie one behind the other in the cache, and every
// token sees all of its own text: a workgroup takes a tile of one text.
//
// symbols: HEAD_DIM, N_HEADS, N_KV_HEADS, HEADS, TOKENS, N_CTX, WINDOW (0: all), SCALE_BITS,
// SOFTCAP_BITS (0: none), LANES, SUBGROUP (LANES are one subgroup of 4 or 8), SPLIT, CHUNK,
// MAX_SPLITS, TILES; KV_HALF of `shared/kv.wgsl`; NEXT, NEXT_COLS, NEXT_BLOCKS_AT of the bundle; with ROTATE those of
// `shared/rotate.wgsl`.
#define ROWS TOKENS*HEADS
#define D4 HEAD_DIM/4
#define NEXT_NORM 0
// [0] tokens of this submit, [1] tiles, [2] position of the first.
@group(0) @binding(0) var<storage, read> params: array<u32>;
#if ROTATE
// [N_HEADS + 2·N_KV_HEADS][D4]
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> rope: array<vec4<f32>>;
#if QK_NORM
@group(0) @binding(6) var<storage, read> norm_weight: array<vec4<f32>>;
var<workgroup> norms: array<f32, ${HEADS+1}>;
#endif
#include "shared/rotate.wgsl"
#else
// [token][N_HEADS][D4]
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
#endif
// k: [kv_head][D4][N_CTX], v: [kv_head][N_CTX][D4]
#if ROTATE && KV_HALF
@group(0) @binding(2) var<storage, read_write> k_cache: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<vec2<u32>>;
#elif ROTATE
@group(0) @binding(2) var<storage, read_write> k_cache: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<vec4<f32>>;
#elif KV_HALF
@group(0) @binding(2) var<storage, read> k_cache: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> v_cache: array<vec2<u32>>;
#else
@group(0) @binding(2) var<storage, read> k_cache: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v_cache: array<vec4<f32>>;
#endif
#include "shared/kv.wgsl"
#if SPLIT
// (largest score, Σ of weights, 0, 0), then the unnormalised output: [token][head][split][1 + D4]
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;
#else
@group(0) @binding(4) var<storage, read_write> next: array<u32>;
#endif

#if TILES
// First token, the one behind the last; first token of their text, the one behind its last.
@group(0) @binding(5) var<storage, read> tiles: array<vec4<u32>>;
#endif

const NONE: f32 = -1e30;

fn capped(score: f32) -> f32 {
#if SOFTCAP_BITS
  let cap = bitcast<f32>(${SOFTCAP_BITS}u);
  return cap * tanh(clamp(score / cap, -15.0, 15.0));
#else
  return score;
#endif
}

#if SUBGROUP
#include "shared/attention_subgroup.wgsl"
#else
#include "shared/attention_workgroup.wgsl"
#endif

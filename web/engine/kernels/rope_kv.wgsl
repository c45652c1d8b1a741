// Where do queries, keys and values of new tokens go? A workgroup takes one head of one token:
// optional RMS norm over the head (qwen3, gemma3), rotation by position, then queries to `q`, keys
// and values in place into the cache. `reference/rope_kv.rs` is the CPU twin.
//
// Keys lie `[kv_head][dim/4][position]` and values `[kv_head][position][dim/4]`, both of vec4
// (`shared/kv.wgsl`): the attention's lanes own positions of keys and dims of values, so that neighbours
// read neighbours.
//
// symbols: N_HEADS, N_KV_HEADS, N_CTX, KV_HALF, and those of `shared/rotate.wgsl`.
#define LANES 32
// [0] tokens of this submit, [2] position of the first.
@group(0) @binding(0) var<storage, read> params: array<u32>;
// [token][N_HEADS + 2·N_KV_HEADS][D4]
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> rope: array<vec4<f32>>;
// [token][N_HEADS][D4]
@group(0) @binding(3) var<storage, read_write> q: array<vec4<f32>>;
#if KV_HALF
@group(0) @binding(4) var<storage, read_write> k_cache: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> v_cache: array<vec2<u32>>;
#else
@group(0) @binding(4) var<storage, read_write> k_cache: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> v_cache: array<vec4<f32>>;
#endif
#include "shared/kv.wgsl"
#if QK_NORM
@group(0) @binding(6) var<storage, read> norm_weight: array<vec4<f32>>;
#endif
#include "shared/rotate.wgsl"

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let slot = group.x;
  let token = group.y;
  let position = params[2] + token;
  if (token >= params[0] || position >= ${N_CTX}u) { return; }
  let head_at = (token * ${N_HEADS + 2*N_KV_HEADS}u + slot) * ${D4}u;

  if (slot >= ${N_HEADS + N_KV_HEADS}u) {
    let kv_head = slot - ${N_HEADS + N_KV_HEADS}u;
    for (var i = lane; i < ${D4}u; i += ${LANES}u) {
      v_cache[(kv_head * ${N_CTX}u + position) * ${D4}u + i] = kv_from_vec4(qkv[head_at + i]);
    }
    return;
  }

  let is_key = slot >= ${N_HEADS}u;
#if QK_NORM
  let norm = head_norm(head_at);
#else
  let norm = 1.0;
#endif
  for (var i = lane; i < ${D4}u; i += ${LANES}u) {
    let value = rotated(head_at, i, norm, is_key, position);
    if (is_key) {
      k_cache[((slot - ${N_HEADS}u) * ${D4}u + i) * ${N_CTX}u + position] = kv_from_vec4(value);
    } else {
      q[(token * ${N_HEADS}u + slot) * ${D4}u + i] = value;
    }
  }
}

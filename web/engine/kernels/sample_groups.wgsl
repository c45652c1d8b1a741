// Where may the largest logits be? Logits are dealt out to GROUPS groups (`i % GROUPS`), a lane for
// each, and every group's largest is noted. The k-th largest of these bounds the k-th largest logit
// from below, so `sample_choose.wgsl` looks only into groups that reach it.
// `reference/sample.rs` is the CPU twin of both.
//
// symbols: N_VOCAB, GROUPS (a multiple of LANES), LANES.
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> group_keys: array<u32>;
#include "shared/logit_key.wgsl"

@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var largest = 0u;
  for (var i = id.x; i < ${N_VOCAB}u; i += ${GROUPS}u) {
    largest = max(largest, key_from_logit(logits[i]));
  }
  group_keys[id.x] = largest;
}

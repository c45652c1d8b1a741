// What do an encoder's layers read? x = (x - mean) / deviation · weight + bias, in place, and the
// next bundle of it. With EMBED the embeddings of the token's position and of the only type are added
// before. A workgroup takes one token, a lane whole blocks of 32. `reference/layer_norm.rs` is the CPU
// twin.
//
// symbols: COLS, EPSILON_BITS, EMBED; NEXT, NEXT_COLS, NEXT_BLOCKS_AT of the bundle.
#define LANES 32
#define NEXT_NORM 0
@group(0) @binding(0) var<storage, read> params: array<u32>;
// [token][COLS/4]
@group(0) @binding(1) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> next: array<u32>;
#if EMBED
// Of each token.
@group(0) @binding(5) var<storage, read> positions: array<u32>;
@group(0) @binding(6) var<storage, read> position_embd: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> type_embd: array<vec4<f32>>;
#endif
var<workgroup> sums: array<f32, ${LANES}>;
var<private> values: array<vec4<f32>, 8>;
#include "shared/bundle_out.wgsl"
#include "shared/sum_of_lanes.wgsl"

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let token = group.x;
  if (token >= params[0]) { return; }
  let row = token * ${COLS/4}u;
  var sum = 0.0;
  for (var block = lane; block < ${COLS/32}u; block += ${LANES}u) {
    for (var i = block * 8u; i < block * 8u + 8u; i += 1u) {
#if EMBED
      let value = x[row + i] + position_embd[positions[token] * ${COLS/4}u + i] + type_embd[i];
      x[row + i] = value;
#else
      let value = x[row + i];
#endif
      sum += dot(value, vec4<f32>(1.0));
    }
  }
  let mean = sum_of_lanes(lane, sum) / ${COLS}.0;
  sum = 0.0;
  for (var block = lane; block < ${COLS/32}u; block += ${LANES}u) {
    for (var i = block * 8u; i < block * 8u + 8u; i += 1u) {
      let value = x[row + i] - mean;
      sum += dot(value, value);
    }
  }
  let norm = inverseSqrt(sum_of_lanes(lane, sum) / ${COLS}.0 + bitcast<f32>(${EPSILON_BITS}u));
  for (var block = lane; block < ${COLS/32}u; block += ${LANES}u) {
    for (var k = 0u; k < 8u; k += 1u) {
      let i = block * 8u + k;
      let value = fma((x[row + i] - mean) * norm, weight[i], bias[i]);
      x[row + i] = value;
      values[k] = value;
    }
    write_block(token, block, 0u);
  }
}

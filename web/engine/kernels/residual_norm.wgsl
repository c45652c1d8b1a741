// What does a norm behind attention or feed-forward (gemma3) add to the residual stream?
// x += rms_norm(y)·w, and the next bundle of x. A workgroup takes one token, a lane whole blocks of
// 32. `reference/residual_norm.rs` is the CPU twin.
//
// symbols: COLS, EPSILON_BITS; NEXT, NEXT_NORM, NEXT_COLS, NEXT_BLOCKS_AT of the bundle.
#define LANES 32
@group(0) @binding(0) var<storage, read> params: array<u32>;
// [token][COLS/4]
@group(0) @binding(1) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> next: array<u32>;
#if NEXT_NORM
@group(0) @binding(5) var<storage, read> norm_weight: array<vec4<f32>>;
#endif
var<workgroup> squares: array<f32, ${LANES}>;
var<private> values: array<vec4<f32>, 8>;
#include "shared/bundle_out.wgsl"

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let token = group.x;
  if (token >= params[0]) { return; }
  var sum = 0.0;
  for (var i = lane; i < ${COLS/4}u; i += ${LANES}u) {
    let value = y[token * ${COLS/4}u + i];
    sum += dot(value, value);
  }
  squares[lane] = sum;
  workgroupBarrier();
  sum = 0.0;
  for (var other = 0u; other < ${LANES}u; other += 1u) { sum += squares[other]; }
  let norm = inverseSqrt(sum / ${COLS}.0 + bitcast<f32>(${EPSILON_BITS}u));
  for (var block = lane; block < ${COLS/32}u; block += ${LANES}u) {
#for K 0 8
    {
      let i = block * 8u + ${K}u;
      let at = token * ${COLS/4}u + i;
      let value = fma(y[at] * norm, weight[i], x[at]);
      x[at] = value;
      values[${K}] = value;
    }
#end
    write_block(token, block, 0u);
  }
}

// What is a text's vector? The sum of its tokens' rows, or with CLS the first one, at length 1. A
// workgroup takes one text. `reference/pool.rs` is the CPU twin.
//
// symbols: COLS, CLS.
#define LANES 64
// [3] texts of this submit.
@group(0) @binding(0) var<storage, read> params: array<u32>;
// First token of a text, and the one behind its last.
@group(0) @binding(1) var<storage, read> texts: array<vec2<u32>>;
// [token][COLS/4]
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
// [text][COLS/4]
@group(0) @binding(3) var<storage, read_write> vectors: array<vec4<f32>>;
var<workgroup> sums: array<f32, ${LANES}>;
#include "shared/sum_of_lanes.wgsl"

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let text = group.x;
  if (text >= params[3]) { return; }
  let first = texts[text].x;
#if CLS
  let end = first + 1u;
#else
  let end = texts[text].y;
#endif
  var squares = 0.0;
  for (var i = lane; i < ${COLS/4}u; i += ${LANES}u) {
    var sum = vec4<f32>(0.0);
    for (var token = first; token < end; token += 1u) { sum += x[token * ${COLS/4}u + i]; }
    vectors[text * ${COLS/4}u + i] = sum;
    squares += dot(sum, sum);
  }
  let norm = inverseSqrt(max(sum_of_lanes(lane, squares), 1e-30));
  for (var i = lane; i < ${COLS/4}u; i += ${LANES}u) { vectors[text * ${COLS/4}u + i] *= norm; }
}

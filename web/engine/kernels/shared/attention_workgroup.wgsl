// LANES = D4·SLICES lanes: each takes a position of a tile's keys, then a vec4 of dims for a slice
// of the tile's values. Needs nothing but workgroup memory.
#define SLICES LANES/D4
// Queries first, then what they read.
var<workgroup> values: array<vec4<f32>, ${ROWS*D4}>;
var<workgroup> weights: array<f32, ${ROWS*LANES}>;
var<workgroup> sums: array<vec4<f32>, ${LANES}>;
// (largest score, fade of what was summed before)
var<workgroup> state: array<vec2<f32>, ${ROWS}>;
#if !SPLIT
#include "shared/bundle_out.wgsl"
#endif

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
#include "shared/attention_range.wgsl"
#if ROTATE
#include "shared/attention_rotate.wgsl"
#else
  for (var item = lane; item < ${ROWS*D4}u; item += ${LANES}u) {
    let row = item / ${D4}u;
    let token = min(token0 + row / ${HEADS}u, n_tokens - 1u);
    values[item] = q[(token * ${N_HEADS}u + head0 + row % ${HEADS}u) * ${D4}u + item % ${D4}u];
  }
#endif
  if (lane < ${ROWS}u) { state[lane] = vec2<f32>(NONE, 0.0); }
  workgroupBarrier();
  let d = lane % ${D4}u;
  let slice = lane / ${D4}u;
#for R 0 ROWS
  var sum_${R} = 0.0;
  var out_${R} = vec4<f32>(0.0);
#end

  for (var tile = start; tile < end; tile += ${LANES}u) {
    let position = tile + lane;
    var k_at = kv_head * ${D4*N_CTX}u + min(position, end - 1u);
#for R 0 ROWS
    var dots_${R} = vec4<f32>(0.0);
#end
    for (var i = 0u; i < ${D4}u; i += 1u) {
      let k = vec4_from_kv(k_cache[k_at]);
      k_at += ${N_CTX}u;
#for R 0 ROWS
      dots_${R} = fma(values[${R*D4}u + i], k, dots_${R});
#end
    }
#for R 0 ROWS
#if WINDOW
    let sees_${R} = position < end && position <= position0 + ${R/HEADS}u
      && position + ${WINDOW}u > position0 + ${R/HEADS}u;
#else
    let sees_${R} = position < end && position <= position0 + ${R/HEADS}u;
#endif
    let score_${R} = select(NONE, capped(((dots_${R}.x + dots_${R}.y) + (dots_${R}.z + dots_${R}.w)) * bitcast<f32>(${SCALE_BITS}u)), sees_${R});
    weights[${R*LANES}u + lane] = score_${R};
#end
    workgroupBarrier();
    for (var row = lane; row < ${ROWS}u; row += ${LANES}u) {
      let before = state[row].x;
      var largest = before;
      for (var i = 0u; i < ${LANES}u; i += 1u) {
        largest = max(largest, weights[row * ${LANES}u + i]);
      }
      state[row] = vec2<f32>(largest, exp(before - largest));
    }
    workgroupBarrier();
#for R 0 ROWS
    {
      let weight = select(0.0, exp(score_${R} - state[${R}].x), sees_${R});
      weights[${R*LANES}u + lane] = weight;
      sum_${R} = fma(sum_${R}, state[${R}].y, weight);
      out_${R} *= state[${R}].y;
    }
#end
    workgroupBarrier();
    let n_here = min(${LANES}u, end - tile);
    for (var i = slice; i < n_here; i += ${SLICES}u) {
      let v = vec4_from_kv(v_cache[(kv_head * ${N_CTX}u + tile + i) * ${D4}u + d]);
#for R 0 ROWS
      out_${R} = fma(vec4<f32>(weights[${R*LANES}u + i]), v, out_${R});
#end
    }
    workgroupBarrier();
  }

  // Σ over the lanes' positions, and over the slices.
#for R 0 ROWS
  weights[${R*LANES}u + lane] = sum_${R};
#end
  workgroupBarrier();
  for (var row = lane; row < ${ROWS}u; row += ${LANES}u) {
    var total = 0.0;
    for (var i = 0u; i < ${LANES}u; i += 1u) { total += weights[row * ${LANES}u + i]; }
    state[row].y = total;
  }
#for R 0 ROWS
  sums[lane] = out_${R};
  workgroupBarrier();
  if (lane < ${D4}u) {
    var out = sums[lane];
#for I 1 SLICES
    out += sums[${I*D4}u + lane];
#end
    values[${R*D4}u + lane] = out;
  }
  workgroupBarrier();
#end

#if SPLIT
  for (var item = lane; item < ${ROWS*(D4+1)}u; item += ${LANES}u) {
    let row = item / ${D4+1}u;
    let i = item % ${D4+1}u;
    let token = token0 + row / ${HEADS}u;
    if (token >= n_tokens) { continue; }
    let at = ((token * ${N_HEADS}u + head0 + row % ${HEADS}u) * ${MAX_SPLITS}u + split) * ${D4+1}u;
    if (i == 0u) {
      partial[at] = vec4<f32>(state[row], 0.0, 0.0);
    } else {
      partial[at + i] = values[row * ${D4}u + i - 1u];
    }
  }
#else
  for (var item = lane; item < ${ROWS*D4}u; item += ${LANES}u) {
    values[item] *= 1.0 / state[item / ${D4}u].y;
  }
  workgroupBarrier();
  for (var item = lane; item < ${ROWS*HEAD_DIM/32}u; item += ${LANES}u) {
    let row = item / ${HEAD_DIM/32}u;
    let token = token0 + row / ${HEADS}u;
    if (token >= n_tokens) { continue; }
    let block = (head0 + row % ${HEADS}u) * ${HEAD_DIM/32}u + item % ${HEAD_DIM/32}u;
    write_block(token, block, item * 8u);
  }
#endif
}

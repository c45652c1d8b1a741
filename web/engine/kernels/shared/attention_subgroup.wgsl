// LANES lanes of one subgroup are the workgroup: scores, weights and sums stay in registers and no
// barrier is needed. Made for software adapters, where subgroups are SIMD registers.
#define J D4/LANES
#if ROTATE
// The queries.
var<workgroup> values: array<vec4<f32>, ${HEADS*D4}>;
#endif

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
#include "shared/attention_range.wgsl"
#if ROTATE
#include "shared/attention_rotate.wgsl"
#endif
#for T 0 TOKENS
  let token_${T} = min(token0 + ${T}u, n_tokens - 1u);
#end
#for R 0 ROWS
#if ROTATE
  let q_at_${R} = ${R*D4}u + lane;
#else
  let q_at_${R} = (token_${R/HEADS} * ${N_HEADS}u + head0 + ${R%HEADS}u) * ${D4}u + lane;
#endif
  var largest_${R} = NONE;
  var sum_${R} = 0.0;
#for I 0 J
  var out_${R}_${I} = vec4<f32>(0.0);
#end
#end

  for (var tile = start; tile < end; tile += ${LANES}u) {
    let position = tile + lane;
    let k_at = kv_head * ${D4*N_CTX}u + min(position, end - 1u);
#for R 0 ROWS
    var dots_${R} = vec4<f32>(0.0);
#end
#for I 0 J
    {
#for R 0 ROWS
#if ROTATE
      let q_${R} = values[q_at_${R} + ${I*LANES}u];
#else
      let q_${R} = q[q_at_${R} + ${I*LANES}u];
#endif
#end
#for K 0 LANES
      let k_${K} = vec4_from_kv(k_cache[k_at + ${(I*LANES+K)*N_CTX}u]);
#for R 0 ROWS
      dots_${R} = fma(subgroupBroadcast(q_${R}, ${K}u), k_${K}, dots_${R});
#end
#end
    }
#end
#for R 0 ROWS
#if WINDOW
    let sees_${R} = position < end && position <= position0 + ${R/HEADS}u
      && position + ${WINDOW}u > position0 + ${R/HEADS}u;
#else
    let sees_${R} = position < end && position <= position0 + ${R/HEADS}u;
#endif
    let score_${R} = select(NONE, capped(((dots_${R}.x + dots_${R}.y) + (dots_${R}.z + dots_${R}.w)) * bitcast<f32>(${SCALE_BITS}u)), sees_${R});
    let larger_${R} = max(largest_${R}, subgroupMax(score_${R}));
    let fade_${R} = exp(largest_${R} - larger_${R});
    let weight_${R} = select(0.0, exp(score_${R} - larger_${R}), sees_${R});
    largest_${R} = larger_${R};
    sum_${R} = fma(sum_${R}, fade_${R}, weight_${R});
#for I 0 J
    out_${R}_${I} *= fade_${R};
#end
#end
#for K 0 LANES
    {
      let v_at = (kv_head * ${N_CTX}u + min(tile + ${K}u, end - 1u)) * ${D4}u + lane;
#for I 0 J
      let v_${I} = vec4_from_kv(v_cache[v_at + ${I*LANES}u]);
#end
#for R 0 ROWS
      let w_${R} = vec4<f32>(subgroupBroadcast(weight_${R}, ${K}u));
#for I 0 J
      out_${R}_${I} = fma(w_${R}, v_${I}, out_${R}_${I});
#end
#end
    }
#end
  }

#for R 0 ROWS
  {
    let total = subgroupAdd(sum_${R});
#if SPLIT
    let at = ((token_${R/HEADS} * ${N_HEADS}u + head0 + ${R%HEADS}u) * ${MAX_SPLITS}u + split) * ${D4+1}u;
    if (lane == 0u) { partial[at] = vec4<f32>(largest_${R}, total, 0.0, 0.0); }
#for I 0 J
    partial[at + ${1+I*LANES}u + lane] = out_${R}_${I};
#end
#else
    let is_live = token0 + ${R/HEADS}u < n_tokens;
    let norm = 1.0 / total;
    // A block of 32 values is 8/LANES vec4s of each lane.
#for B 0 HEAD_DIM/32
    {
      let block = (head0 + ${R%HEADS}u) * ${HEAD_DIM/32}u + ${B}u;
      var biggest = 0.0;
      var block_sum = 0.0;
      var squares = 0.0;
#for H 0 8/LANES
      let value_${H} = out_${R}_${B*8/LANES+H} * norm;
      let size_${H} = abs(value_${H});
      biggest = max(biggest, max(max(size_${H}.x, size_${H}.y), max(size_${H}.z, size_${H}.w)));
      squares += dot(value_${H}, value_${H});
#end
      biggest = subgroupMax(biggest);
      squares = subgroupAdd(squares);
#if NEXT == 8
      let scale = biggest / 127.0;
      let inverse = select(0.0, 127.0 / biggest, biggest > 0.0);
#for H 0 8/LANES
      let rounded_${H} = round(value_${H} * inverse);
      block_sum += (rounded_${H}.x + rounded_${H}.y) + (rounded_${H}.z + rounded_${H}.w);
      let bytes_${H} = bitcast<vec4<u32>>(vec4<i32>(rounded_${H})) & vec4<u32>(0xffu);
      if (is_live) {
        next[token_${R/HEADS} * ${NEXT_COLS/4}u + block * 8u + ${H*LANES}u + lane] =
          bytes_${H}.x | (bytes_${H}.y << 8u) | (bytes_${H}.z << 16u) | (bytes_${H}.w << 24u);
      }
#end
#else
      let scale = 1.0;
#for H 0 8/LANES
      block_sum += (value_${H}.x + value_${H}.y) + (value_${H}.z + value_${H}.w);
      if (is_live) {
#for C 0 4
        next[token_${R/HEADS} * ${NEXT_COLS}u + block * 32u + (${H*LANES}u + lane) * 4u + ${C}u] = bitcast<u32>(value_${H}[${C}]);
#end
      }
#end
#endif
      block_sum = subgroupAdd(block_sum);
      if (is_live && lane == 0u) {
        let block_at = ${NEXT_BLOCKS_AT}u + (token_${R/HEADS} * ${NEXT_COLS/32}u + block) * 4u;
        next[block_at] = bitcast<u32>(scale);
        next[block_at + 1u] = bitcast<u32>(scale * block_sum);
        next[block_at + 2u] = bitcast<u32>(squares);
        next[block_at + 3u] = 0u;
      }
    }
#end
#endif
  }
#end
}

// Which vectors do the tokens stand for? A workgroup dequantises one token's row of the embedding
// into the residual stream and the first bundle. Rows in other parts of the matrix are left to
// those parts' dispatches. `reference/embed.rs` is the CPU twin.
#define S 0
#define I 0
#define SEGMENT 0
#define TOKENS 2
#define DOT 0
#define LANES 32
#define BINDING 2
@group(0) @binding(0) var<storage, read> weight4: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> weight1: array<u32>;
@group(0) @binding(${BINDING}) var<storage, read> params: array<u32>;
#define BINDING BINDING+1
@group(0) @binding(${BINDING}) var<storage, read> token_ids: array<u32>;
#define BINDING BINDING+1
@group(0) @binding(${BINDING}) var<storage, read_write> x: array<vec4<f32>>;
#define BINDING BINDING+1
@group(0) @binding(${BINDING}) var<storage, read_write> next: array<vec4<u32>>;
#define BINDING BINDING+1
#if NEXT_NORM
@group(0) @binding(${BINDING}) var<storage, read> norm_weight: array<vec4<f32>>;
#define BINDING BINDING+1
#endif
#include "shared/unpack.wgsl"

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let token = group.x;
#if MAX_TOKENS > 1
  if (token >= params[0]) { return; }
#endif
  let id = token_ids[token];
  // The first part also answers for ids beyond the vocabulary, so that every x is written.
#if IS_FIRST
  if (id >= ${SEG_ROWS[0]}u && id < ${VOCAB}u) { return; }
  let row = min(id, ${SEG_ROWS[0]-1}u);
#else
  if (id < ${FIRST_ROW}u || id >= ${FIRST_ROW+SEG_ROWS[0]}u) { return; }
  let row = id - ${FIRST_ROW}u;
#endif
  let tile_0 = row / 32u;
  let lane = row % 32u;
  for (var block = local; block < ${BLOCKS}u; block += 32u) {
    #include "shared/linear_w.wgsl"
    let scale_of_all = bitcast<f32>(${SCALE_BITS}u);
    var squares = 0.0;
    var largest = 0.0;
    var total = 0.0;
#for K 0 8
    let x_${K} = w_0_0_${K} * scale_of_all;
    x[(token * ${BLOCKS}u + block) * 8u + ${K}u] = x_${K};
    squares += dot(x_${K}, x_${K});
#if NEXT_NORM
    let value_${K} = x_${K} * norm_weight[block * 8u + ${K}u];
#else
    let value_${K} = x_${K};
#endif
    let size_${K} = abs(value_${K});
    largest = max(largest, max(max(size_${K}.x, size_${K}.y), max(size_${K}.z, size_${K}.w)));
#if NEXT == 32
    total += (value_${K}.x + value_${K}.y) + (value_${K}.z + value_${K}.w);
    next[(token * ${BLOCKS}u + block) * 8u + ${K}u] = bitcast<vec4<u32>>(value_${K});
#endif
#end
#if NEXT == 8
    let inverse = select(0.0, 127.0 / largest, largest > 0.0);
    let scale = largest / 127.0;
#for K 0 8
    let rounded_${K} = round(value_${K} * inverse);
    total += (rounded_${K}.x + rounded_${K}.y) + (rounded_${K}.z + rounded_${K}.w);
    let bytes_${K} = bitcast<vec4<u32>>(vec4<i32>(rounded_${K})) & vec4<u32>(0xffu);
    let word_${K} = bytes_${K}.x | (bytes_${K}.y << 8u) | (bytes_${K}.z << 16u) | (bytes_${K}.w << 24u);
#end
    next[(token * ${BLOCKS}u + block) * 2u] = vec4<u32>(word_0, word_1, word_2, word_3);
    next[(token * ${BLOCKS}u + block) * 2u + 1u] = vec4<u32>(word_4, word_5, word_6, word_7);
#else
    let scale = 1.0;
#endif
    next[${NEXT_BLOCKS_AT/4}u + token * ${BLOCKS}u + block] =
      bitcast<vec4<u32>>(vec4<f32>(scale, scale * total, squares, 0.0));
  }
}

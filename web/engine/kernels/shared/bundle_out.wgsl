// Writes one block of a bundle from 32 values in workgroup memory, `values[values_at / 4 …]` as
// vec4s. `src/linear/act.rs` has the layout. Symbols: NEXT (8, 32), NEXT_COLS, NEXT_BLOCKS_AT
// (words), NEXT_NORM. The includer declares `next` (array<u32>) and, with NEXT_NORM, `norm_weight`
// (array<vec4<f32>>).
fn write_block(token: u32, block: u32, values_at: u32) {
  var squares = 0.0;
  var largest = 0.0;
  var total = 0.0;
#for K 0 8
  let plain_${K} = values[values_at + ${K}u];
  squares += dot(plain_${K}, plain_${K});
#if NEXT_NORM
  let value_${K} = plain_${K} * norm_weight[block * 8u + ${K}u];
#else
  let value_${K} = plain_${K};
#endif
  let size_${K} = abs(value_${K});
  largest = max(largest, max(max(size_${K}.x, size_${K}.y), max(size_${K}.z, size_${K}.w)));
#end
#if NEXT == 8
  let scale = largest / 127.0;
  let inverse = select(0.0, 127.0 / largest, largest > 0.0);
#for K 0 8
  let rounded_${K} = round(value_${K} * inverse);
  total += (rounded_${K}.x + rounded_${K}.y) + (rounded_${K}.z + rounded_${K}.w);
  let bytes_${K} = bitcast<vec4<u32>>(vec4<i32>(rounded_${K})) & vec4<u32>(0xffu);
  next[token * ${NEXT_COLS/4}u + block * 8u + ${K}u] =
    bytes_${K}.x | (bytes_${K}.y << 8u) | (bytes_${K}.z << 16u) | (bytes_${K}.w << 24u);
#end
#else
  let scale = 1.0;
#for K 0 8
  total += (value_${K}.x + value_${K}.y) + (value_${K}.z + value_${K}.w);
#for C 0 4
  next[token * ${NEXT_COLS}u + block * 32u + ${4*K+C}u] = bitcast<u32>(value_${K}[${C}]);
#end
#end
#endif
  let block_at = ${NEXT_BLOCKS_AT}u + (token * ${NEXT_COLS/32}u + block) * 4u;
  next[block_at] = bitcast<u32>(scale);
  next[block_at + 1u] = bitcast<u32>(scale * total);
  next[block_at + 2u] = bitcast<u32>(squares);
  next[block_at + 3u] = 0u;
}

// How is a bundle read? `src/linear/act.rs` has the layout. Symbols: ACT (8, 32), SUBGROUP, BLOCKS,
// BLOCKS_AT (words), BINDING.
#if ACT == 8 && SUBGROUP
@group(0) @binding(${BINDING}) var<storage, read> bundle: array<u32>;
#else
@group(0) @binding(${BINDING}) var<storage, read> bundle: array<vec4<u32>>;
#endif
#define BINDING BINDING+1

fn block_scale(token: u32, block: u32) -> f32 {
#if ACT == 32
  return 1.0;
#elif SUBGROUP
  return bitcast<f32>(bundle[${BLOCKS_AT}u + (token * ${BLOCKS}u + block) * 4u]);
#else
  return bitcast<f32>(bundle[${BLOCKS_AT/4}u + token * ${BLOCKS}u + block].x);
#endif
}

fn block_sum(token: u32, block: u32) -> f32 {
#if ACT == 8 && SUBGROUP
  return bitcast<f32>(bundle[${BLOCKS_AT + 1}u + (token * ${BLOCKS}u + block) * 4u]);
#else
  return bitcast<f32>(bundle[${BLOCKS_AT/4}u + token * ${BLOCKS}u + block].y);
#endif
}

// Σx² of a block before the norm's weight.
fn block_squares(token: u32, block: u32) -> f32 {
#if ACT == 8 && SUBGROUP
  return bitcast<f32>(bundle[${BLOCKS_AT + 2}u + (token * ${BLOCKS}u + block) * 4u]);
#else
  return bitcast<f32>(bundle[${BLOCKS_AT/4}u + token * ${BLOCKS}u + block].z);
#endif
}

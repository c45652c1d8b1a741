// The block's 32 inputs of token T: x_K (vec4<f32>, K = 0…7) or, for integer dot products, xq_K
// (four signed bytes); x_scale and, where a minimum needs it, x_sum. For one token xs_K besides, scaled
// for Q4's weights in place.
#define INTEGER DOT == 1 && FMT[SEGMENT] < 16
#if ACT == 8
#if TOKENS > 1 && SUBGROUP
let x_scale = subgroupBroadcast(scales_${T/LANES}, ${T%LANES}u);
#if INTEGER
let x_sum = subgroupBroadcast(sums_${T/LANES}, ${T%LANES}u);
#endif
#else
let x_scale = block_scale(token_${T}, block);
#if (INTEGER || TOKENS == 1) && (FMT[SEGMENT] < 6 || SETS == 2)
let x_sum = block_sum(token_${T}, block);
#endif
#endif
#if SUBGROUP
#for H 0 8/LANES
let held_${H} = bundle[(token_${T} * ${BLOCKS}u + block) * 8u + ${H*LANES}u + lane];
#end
#for K 0 8
#if INTEGER
let xq_${K} = subgroupBroadcast(held_${K/LANES}, ${K%LANES}u);
#else
// One broadcast and four conversions are cheaper than four broadcasts.
let x_${K} = floats_from_i8(subgroupBroadcast(held_${K/LANES}, ${K%LANES}u));
#endif
#end
#else
let low_words = bundle[(token_${T} * ${BLOCKS}u + block) * 2u];
let high_words = bundle[(token_${T} * ${BLOCKS}u + block) * 2u + 1u];
#for K 0 4
#if INTEGER
let xq_${K} = low_words[${K}];
let xq_${K+4} = high_words[${K}];
#else
let x_${K} = floats_from_i8(low_words[${K}]);
let x_${K+4} = floats_from_i8(high_words[${K}]);
#endif
#end
#endif
#else
// float32 inputs
#if TOKENS == 1
let x_scale = 1.0;
#if FMT[SEGMENT] < 6 || SETS == 2
let x_sum = block_sum(token_${T}, block);
#endif
#endif
#if SUBGROUP
#for H 0 8/LANES
let floats_${H} = bitcast<vec4<f32>>(bundle[(token_${T} * ${BLOCKS}u + block) * 8u + ${H*LANES}u + lane]);
#end
#for K 0 8
let x_${K} = subgroupBroadcast(floats_${K/LANES}, ${K%LANES}u);
#end
#else
#for K 0 8
let x_${K} = bitcast<vec4<f32>>(bundle[(token_${T} * ${BLOCKS}u + block) * 8u + ${K}u]);
#end
#endif
#endif
#if TOKENS == 1 && DOT == 0 && (FMT[SEGMENT] == 4 || SETS == 2)
#for K 0 4
let xs_${2*K} = x_${2*K} * FROM_LOW;
let xs_${2*K+1} = x_${2*K+1} * FROM_HIGH;
#end
#endif

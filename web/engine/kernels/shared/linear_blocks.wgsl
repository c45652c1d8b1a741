// Adds up W·x over this lane's rows of a segment (SEGMENT; two for gated weights) into y_S_I_T.
{
#for S 0 SETS
  let tile_${S} = row0 / 32u;
#end
#if SPLIT > 1
  for (var block = split; block < ${BLOCKS}u; block += ${SPLIT}u) {
#else
  for (var block = 0u; block < ${BLOCKS}u; block += 1u) {
#endif
#if TOKENS == 1
    #define T 0
    #include "shared/linear_x.wgsl"
#for S 0 SETS
#for I 0 ROWS_PER_LANE
    {
      #include "shared/linear_w.wgsl"
      #include "shared/linear_dot.wgsl"
    }
#end
#end
#else
#for S 0 SETS
#for I 0 ROWS_PER_LANE
    #include "shared/linear_w.wgsl"
#end
#end
#if SUBGROUP && ACT == 8
    // A lane loads the scale and the sum of one token's block and passes them on below.
#for G 0 (TOKENS+LANES-1)/LANES
    let token_of_lane_${G} = min(token0 + ${G*LANES}u + lane, n_tokens - 1u);
    let scales_${G} = block_scale(token_of_lane_${G}, block);
#if DOT == 1
    let sums_${G} = block_sum(token_of_lane_${G}, block);
#endif
#end
#endif
#for T 0 TOKENS
    {
      #include "shared/linear_x.wgsl"
#if DOT == 1 && FMT[SEGMENT] < 16
#for S 0 SETS
#for I 0 ROWS_PER_LANE
      #include "shared/linear_dot.wgsl"
#end
#end
#else
      // Rows innermost: their sums are independent, so that latencies overlap.
#for K 0 8
#for C 0 4
#for S 0 SETS
#for I 0 ROWS_PER_LANE
#if K + C == 0
      var part_${S}_${I} = w_${S}_${I}_0[0] * x_0[0];
#else
      part_${S}_${I} = fma(w_${S}_${I}_${K}[${C}], x_${K}[${C}], part_${S}_${I});
#endif
#end
#end
#end
#end
#for S 0 SETS
#for I 0 ROWS_PER_LANE
#if ACT == 8
      y_${S}_${I}_${T} = fma(x_scale, part_${S}_${I}, y_${S}_${I}_${T});
#else
      y_${S}_${I}_${T} += part_${S}_${I};
#endif
#end
#end
#endif
    }
#end
#endif
  }
}

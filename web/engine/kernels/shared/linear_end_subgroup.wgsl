// What follows the sums, where LANES lanes of one subgroup are the workgroup: all in registers.
#if NORM
#for T 0 TOKENS
  var squares_${T} = 0.0;
  for (var block = lane; block < ${BLOCKS}u; block += ${LANES}u) {
    squares_${T} += block_squares(token_${T}, block);
  }
#for STEP 0 3
#if LANES > 1 + (STEP == 1) + 3*(STEP == 2)
  squares_${T} += subgroupShuffleXor(squares_${T}, ${1 + (STEP == 1) + 3*(STEP == 2)}u);
#endif
#end
  let norm_${T} = inverseSqrt(squares_${T} / ${COLS}.0 + bitcast<f32>(${EPSILON_BITS}u));
#end
#endif
#for T 0 TOKENS
{
#if TOKENS > 1
  let token = token0 + ${T}u;
  let token_is_live = token < n_tokens;
#else
  let token = 0u;
  let token_is_live = true;
#endif
#for I 0 ROWS_PER_LANE
  var result_${I} = 0.0;
  {
    let row = row0 + ${I*LANES}u + lane;
    let is_live = token_is_live && row < n_rows;
#for S 0 SETS
#if NORM
    let sum_${S} = y_${S}_${I}_${T} * norm_${T};
#else
    let sum_${S} = y_${S}_${I}_${T};
#endif
#end
    #include "shared/linear_value.wgsl"
#if NEXT
    result_${I} = result;
#endif
  }
#end
#if NEXT
#for J 0 ROWS/32
  {
    // The block of rows row0 + 32·J …: LANES lanes hold 32/LANES values each.
    let first_row = row0 + ${32*J}u;
    var squares = 0.0;
    var largest = 0.0;
    var total = 0.0;
#for H 0 32/LANES
    squares = fma(result_${J*32/LANES+H}, result_${J*32/LANES+H}, squares);
#if NEXT_NORM
    let value_${H} = result_${J*32/LANES+H} * norm_weight[min(out_at + first_row + ${H*LANES}u + lane, ${NEXT_COLS-1}u)];
#else
    let value_${H} = result_${J*32/LANES+H};
#endif
    largest = max(largest, abs(value_${H}));
    total += value_${H};
#end
#for STEP 0 3
#if LANES > 1 + (STEP == 1) + 3*(STEP == 2)
    squares += subgroupShuffleXor(squares, ${1 + (STEP == 1) + 3*(STEP == 2)}u);
    largest = max(largest, subgroupShuffleXor(largest, ${1 + (STEP == 1) + 3*(STEP == 2)}u));
#endif
#end
    let block_is_live = token_is_live && first_row < n_rows;
    let block = (out_at + first_row) / 32u;
#if NEXT == 8
    let inverse = select(0.0, 127.0 / largest, largest > 0.0);
    var scale = largest / 127.0;
    total = 0.0;
#for H 0 32/LANES
    let rounded_${H} = round(value_${H} * inverse);
    total += rounded_${H};
    var word_${H} = (bitcast<u32>(i32(rounded_${H})) & 0xffu) << ((lane & 3u) * 8u);
    word_${H} |= subgroupShuffleXor(word_${H}, 1u);
    word_${H} |= subgroupShuffleXor(word_${H}, 2u);
    if (block_is_live && (lane & 3u) == 0u) {
      next[token * ${NEXT_COLS/4}u + block * 8u + ${H*LANES/4}u + lane / 4u] = word_${H};
    }
#end
#else
    let scale = 1.0;
#for H 0 32/LANES
    if (block_is_live) {
      next[token * ${NEXT_COLS}u + block * 32u + ${H*LANES}u + lane] = bitcast<u32>(value_${H});
    }
#end
#endif
#for STEP 0 3
#if LANES > 1 + (STEP == 1) + 3*(STEP == 2)
    total += subgroupShuffleXor(total, ${1 + (STEP == 1) + 3*(STEP == 2)}u);
#endif
#end
    if (block_is_live && lane == 0u) {
      let params_at = ${NEXT_BLOCKS_AT}u + (token * ${NEXT_COLS/32}u + block) * 4u;
      next[params_at] = bitcast<u32>(scale);
      next[params_at + 1u] = bitcast<u32>(scale * total);
      next[params_at + 2u] = bitcast<u32>(squares);
      next[params_at + 3u] = 0u;
    }
  }
#end
#endif
}
#end

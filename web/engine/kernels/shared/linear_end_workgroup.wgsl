// What follows the sums, with workgroup memory: Σ over SPLIT, the norm, the output, the next bundle.
#if NORM
  // LANES_PER_TOKEN neighbours add a token's squares up.
#define LANES_PER_TOKEN WORKGROUP/TOKENS
  {
    let token = min(${TOKENS-1}u, local / ${LANES_PER_TOKEN}u);
#if TOKENS > 1
    let source = min(token0 + token, n_tokens - 1u);
#else
    let source = token_0;
#endif
    var squares = 0.0;
    for (var block = local % ${LANES_PER_TOKEN}u; block < ${BLOCKS}u; block += ${LANES_PER_TOKEN}u) {
      squares += block_squares(source, block);
    }
    scratch[${SUMS_AT}u + local] = squares;
    workgroupBarrier();
    for (var half = ${LANES_PER_TOKEN/2}u; half > 0u; half /= 2u) {
      if (local % ${LANES_PER_TOKEN}u < half) {
        scratch[${SUMS_AT}u + local] += scratch[${SUMS_AT}u + local + half];
      }
      workgroupBarrier();
    }
  }
#endif
#if SPLIT > 1 || NEXT
#for S 0 SETS
#for T 0 TOKENS
#for I 0 ROWS_PER_LANE
#if SPLIT > 1
  scratch[(${S*TOKENS+T}u * ${SPLIT}u + split) * ${ROWS}u + ${I*LANES}u + lane] = y_${S}_${I}_${T};
#else
  scratch[${(S*TOKENS+T)*ROWS + I*LANES}u + lane] = y_${S}_${I}_${T};
#endif
#end
#end
#end
  workgroupBarrier();
  for (var item = local; item < ${TOKENS*ROWS}u; item += ${WORKGROUP}u) {
    let t = item / ${ROWS}u;
    let local_row = item % ${ROWS}u;
    let row = row0 + local_row;
#if TOKENS > 1
    let token = token0 + t;
    let is_live = token < n_tokens && row < n_rows;
#else
    let token = 0u;
    let is_live = row < n_rows;
#endif
#if NORM
    let norm = inverseSqrt(scratch[${SUMS_AT}u + t * ${LANES_PER_TOKEN}u] / ${COLS}.0 + bitcast<f32>(${EPSILON_BITS}u));
#endif
#for S 0 SETS
    var sum_${S} = 0.0;
    for (var part = 0u; part < ${SPLIT}u; part += 1u) {
      sum_${S} += scratch[((${S*TOKENS}u + t) * ${SPLIT}u + part) * ${ROWS}u + local_row];
    }
#if NORM
    sum_${S} *= norm;
#endif
#end
    #include "shared/linear_value.wgsl"
#if NEXT
    scratch[${RESULTS_AT}u + item] = result;
#endif
  }
#if NEXT
  workgroupBarrier();
  for (var item = local; item < ${TOKENS*ROWS/32}u; item += ${WORKGROUP}u) {
    let first = ${RESULTS_AT}u + item * 32u;
    let first_row = row0 + item % ${ROWS/32}u * 32u;
    let block = (out_at + first_row) / 32u;
#if TOKENS > 1
    let token = token0 + item / ${ROWS/32}u;
    if (token >= n_tokens || first_row >= n_rows) { continue; }
#else
    let token = 0u;
    if (first_row >= n_rows) { continue; }
#endif
    var squares = 0.0;
    var largest = 0.0;
    var total = 0.0;
    for (var i = 0u; i < 32u; i += 1u) {
      let result = scratch[first + i];
      squares = fma(result, result, squares);
#if NEXT_NORM
      let value = result * norm_weight[out_at + first_row + i];
      scratch[first + i] = value;
#else
      let value = result;
#endif
      largest = max(largest, abs(value));
#if NEXT == 32
      total += value;
      next[token * ${NEXT_COLS}u + block * 32u + i] = bitcast<u32>(value);
#endif
    }
#if NEXT == 8
    let scale = largest / 127.0;
    let inverse = select(0.0, 127.0 / largest, largest > 0.0);
    for (var i = 0u; i < 8u; i += 1u) {
      var word = 0u;
#for K 0 4
      let rounded_${K} = round(scratch[first + i * 4u + ${K}u] * inverse);
      total += rounded_${K};
      word |= (bitcast<u32>(i32(rounded_${K})) & 0xffu) << ${8*K}u;
#end
      next[token * ${NEXT_COLS/4}u + block * 8u + i] = word;
    }
#else
    let scale = 1.0;
#endif
    let params_at = ${NEXT_BLOCKS_AT}u + (token * ${NEXT_COLS/32}u + block) * 4u;
    next[params_at] = bitcast<u32>(scale);
    next[params_at + 1u] = bitcast<u32>(scale * total);
    next[params_at + 2u] = bitcast<u32>(squares);
    next[params_at + 3u] = 0u;
  }
#endif
#else
#for T 0 TOKENS
  {
#if TOKENS > 1
    let token = token0 + ${T}u;
    let token_is_live = token < n_tokens;
#else
    let token = 0u;
    let token_is_live = true;
#endif
#if NORM
    let norm = inverseSqrt(scratch[${SUMS_AT+T*LANES_PER_TOKEN}u] / ${COLS}.0 + bitcast<f32>(${EPSILON_BITS}u));
#endif
#for I 0 ROWS_PER_LANE
    {
      let row = row0 + ${I*LANES}u + lane;
      let is_live = token_is_live && row < n_rows;
#for S 0 SETS
#if NORM
      let sum_${S} = y_${S}_${I}_${T} * norm;
#else
      let sum_${S} = y_${S}_${I}_${T};
#endif
#end
      #include "shared/linear_value.wgsl"
    }
#end
  }
#end
#endif

// From the whole sums of row `row` and token `token` (`sum_0`, for gated weights `sum_1`) to
// `result`, stored where the output says. `is_live`: the row and the token exist.
#if BIAS
let biased = sum_0 + bias[out_at + min(row, n_rows - 1u)];
#else
let biased = sum_0;
#endif
#if OUTPUT == 2
let result = gate(biased) * sum_1;
#elif OUTPUT == 3
let result = activated(biased);
#elif OUTPUT == 1
let at = token * ${Y_ROWS}u + out_at + row;
var result = 0.0;
if (is_live) {
  result = x[at] + biased;
  x[at] = result;
}
#else
if (is_live) {
  y[token * ${Y_ROWS}u + out_at + row] = biased;
}
#endif

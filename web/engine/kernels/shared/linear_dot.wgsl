// y_S_I_T += the block's weights · the block's inputs, for whole numbers scaled afterwards.
#define F FMT[SEGMENT+S]
#define INTEGER DOT == 1 && F < 16
{
#if INTEGER
  var low = dot4I8Packed(wq_${S}_${I}_0, xq_0);
  var high = dot4I8Packed(wq_${S}_${I}_4, xq_4);
#for K 1 4
  low += dot4I8Packed(wq_${S}_${I}_${K}, xq_${K});
  high += dot4I8Packed(wq_${S}_${I}_${K+4}, xq_${K+4});
#end
#if F < 6
  y_${S}_${I}_${T} += ws_${S}_${I}.x * x_scale * f32(low + high) + ws_${S}_${I}.y * x_sum;
#else
  y_${S}_${I}_${T} += x_scale * (ws_${S}_${I}.x * f32(low) + ws_${S}_${I}.y * f32(high));
#endif
#else
#if F == 4
  var low = w_${S}_${I}_0 * xs_0;
  var high = w_${S}_${I}_4 * xs_4;
#for K 1 4
  low = fma(w_${S}_${I}_${K}, xs_${K}, low);
  high = fma(w_${S}_${I}_${K+4}, xs_${K+4}, high);
#end
#else
  var low = w_${S}_${I}_0 * x_0;
  var high = w_${S}_${I}_4 * x_4;
#for K 1 4
  low = fma(w_${S}_${I}_${K}, x_${K}, low);
  high = fma(w_${S}_${I}_${K+4}, x_${K+4}, high);
#end
#endif
#if F < 6
  low += high;
  y_${S}_${I}_${T} += ws_${S}_${I}.x * x_scale * ((low.x + low.y) + (low.z + low.w)) + ws_${S}_${I}.y * x_sum;
#elif F < 16
  y_${S}_${I}_${T} += x_scale * (ws_${S}_${I}.x * ((low.x + low.y) + (low.z + low.w))
    + ws_${S}_${I}.y * ((high.x + high.y) + (high.z + high.w)));
#else
  low += high;
  y_${S}_${I}_${T} += x_scale * ((low.x + low.y) + (low.z + low.w));
#endif
#endif
}

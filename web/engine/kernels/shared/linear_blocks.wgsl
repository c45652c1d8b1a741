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
#for T 0 TOKENS
    {
      #include "shared/linear_x.wgsl"
#for S 0 SETS
#for I 0 ROWS_PER_LANE
      #include "shared/linear_dot.wgsl"
#end
#end
    }
#end
#endif
  }
}

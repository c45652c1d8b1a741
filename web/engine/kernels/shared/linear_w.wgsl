// The block's 32 weights of row I of set S. Packed bytes wq_S_I_K with the scale word ws_S_I where
// the format is quantised; floats w_S_I_K where they are multiplied as floats. With TOKENS > 1
// floats are complete (scale and minimum applied), else only the whole numbers; those of Q4 times what
// xs_K is divided by.
#define F FMT[SEGMENT+S]
#define INTEGER DOT == 1 && F < 16
let at_${S}_${I} = ((tile_${S} + ${I*LANES/32}u) * ${BLOCKS}u + block) * 32u + ${I*LANES%32}u + lane;
#if F < 16
let ws_${S}_${I} = unpack2x16float(weight1[${SCALES_AT[SEGMENT+S]}u + at_${S}_${I}]);
#endif
#if F < 8
let wb_${S}_${I} = weight4[${QUANTS_AT[SEGMENT+S]}u + at_${S}_${I}];
#endif
#if F == 4
#for K 0 4
#if INTEGER
let wq_${S}_${I}_${2*K} = wb_${S}_${I}[${K}] & 0x0f0f0f0fu;
let wq_${S}_${I}_${2*K+1} = (wb_${S}_${I}[${K}] >> 4u) & 0x0f0f0f0fu;
#elif TOKENS > 1
let w_${S}_${I}_${2*K} = fma(low_in_place(wb_${S}_${I}[${K}]), ws_${S}_${I}.x * FROM_LOW, vec4<f32>(ws_${S}_${I}.y));
let w_${S}_${I}_${2*K+1} = fma(high_in_place(wb_${S}_${I}[${K}]), ws_${S}_${I}.x * FROM_HIGH, vec4<f32>(ws_${S}_${I}.y));
#else
let w_${S}_${I}_${2*K} = low_in_place(wb_${S}_${I}[${K}]);
let w_${S}_${I}_${2*K+1} = high_in_place(wb_${S}_${I}[${K}]);
#endif
#end
#elif F == 5
let wh_${S}_${I} = weight1[${HIGH_AT[SEGMENT+S]}u + at_${S}_${I}];
#for K 0 4
let wq_${S}_${I}_${2*K} = (wb_${S}_${I}[${K}] & 0x0f0f0f0fu) | (((wh_${S}_${I} >> ${2*K}u) & 0x01010101u) << 4u);
let wq_${S}_${I}_${2*K+1} = ((wb_${S}_${I}[${K}] >> 4u) & 0x0f0f0f0fu) | (((wh_${S}_${I} >> ${2*K+1}u) & 0x01010101u) << 4u);
#end
#elif F == 6
let wh0_${S}_${I} = weight1[${HIGH_AT[SEGMENT+S]}u + at_${S}_${I}];
let wh1_${S}_${I} = weight1[${HIGH_AT[SEGMENT+S] + SEG_PADDED[SEGMENT+S]*BLOCKS}u + at_${S}_${I}];
#for K 0 4
let wq_${S}_${I}_${2*K} = less_32((wb_${S}_${I}[${K}] & 0x0f0f0f0fu) | (((wh${K/2}_${S}_${I} >> ${4*(K%2)}u) & 0x03030303u) << 4u));
let wq_${S}_${I}_${2*K+1} = less_32(((wb_${S}_${I}[${K}] >> 4u) & 0x0f0f0f0fu) | (((wh${K/2}_${S}_${I} >> ${4*(K%2)+2}u) & 0x03030303u) << 4u));
#end
#elif F == 8
#for V 0 2
let wb${V}_${S}_${I} = weight4[${QUANTS_AT[SEGMENT+S]}u + (at_${S}_${I} - lane - ${I*LANES%32}u) * 2u + ${V*32 + I*LANES%32}u + lane];
#for K 0 4
let wq_${S}_${I}_${4*V+K} = wb${V}_${S}_${I}[${K}];
#end
#end
#elif F == 16
#for V 0 4
let wb${V}_${S}_${I} = weight4[${QUANTS_AT[SEGMENT+S]}u + (at_${S}_${I} - lane - ${I*LANES%32}u) * 4u + ${V*32 + I*LANES%32}u + lane];
#for K 0 2
let w_${S}_${I}_${2*V+K} = vec4<f32>(unpack2x16float(wb${V}_${S}_${I}[${2*K}]), unpack2x16float(wb${V}_${S}_${I}[${2*K+1}]));
#end
#end
#else
#for V 0 8
let w_${S}_${I}_${V} = bitcast<vec4<f32>>(weight4[${QUANTS_AT[SEGMENT+S]}u + (at_${S}_${I} - lane - ${I*LANES%32}u) * 8u + ${V*32 + I*LANES%32}u + lane]);
#end
#endif
#if (F == 5 || F == 6 || F == 8) && !INTEGER
#for K 0 8
#if F == 5 && TOKENS > 1
let w_${S}_${I}_${K} = fma(floats_from_u7(wq_${S}_${I}_${K}), vec4<f32>(ws_${S}_${I}.x), vec4<f32>(ws_${S}_${I}.y));
#elif F == 5
let w_${S}_${I}_${K} = floats_from_u7(wq_${S}_${I}_${K});
#elif TOKENS > 1
let w_${S}_${I}_${K} = floats_from_i8(wq_${S}_${I}_${K}) * ws_${S}_${I}[${K/4}];
#else
let w_${S}_${I}_${K} = floats_from_i8(wq_${S}_${I}_${K});
#endif
#end
#endif

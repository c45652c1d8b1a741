// This token's queries, rotated, to `values`; its key and value into the cache, by the workgroup
// whose positions they belong to. LANES lanes that share workgroup memory.
  let own = params[2];
#if QK_NORM
  // A lane for each head, the key's the last.
  for (var row = lane; row < ${HEADS+1}u; row += ${LANES}u) {
    let slot = select(head0 + row, ${N_HEADS}u + kv_head, row == ${HEADS}u);
    norms[row] = head_norm(slot * ${D4}u);
  }
  workgroupBarrier();
#endif
  for (var item = lane; item < ${HEADS*D4}u; item += ${LANES}u) {
    let row = item / ${D4}u;
    let i = item % ${D4}u;
#if QK_NORM
    let norm = norms[row];
#else
    let norm = 1.0;
#endif
    values[item] = rotated((head0 + row) * ${D4}u, i, norm, false, own);
  }
  if (own >= start && own < end) {
#if QK_NORM
    let norm = norms[${HEADS}];
#else
    let norm = 1.0;
#endif
    for (var i = lane; i < ${D4}u; i += ${LANES}u) {
      k_cache[(kv_head * ${D4}u + i) * ${N_CTX}u + own] =
        kv_from_vec4(rotated((${N_HEADS}u + kv_head) * ${D4}u, i, norm, true, own));
      v_cache[(kv_head * ${N_CTX}u + own) * ${D4}u + i] =
        kv_from_vec4(qkv[(${N_HEADS+N_KV_HEADS}u + kv_head) * ${D4}u + i]);
    }
  }
  storageBarrier();
  workgroupBarrier();

// Which positions does this workgroup go over? `from` … `to`; row R is token ROW_TOKEN of the
// workgroup and sees positions `first_R` … `end_R`.
  let n_tokens = params[0];
  let token0 = group.x * ${TOKENS}u;
  if (token0 >= n_tokens) { return; }
  let position0 = params[2] + token0;
  let head0 = group.y * ${HEADS}u;
  let kv_head = head0 / ${N_HEADS/N_KV_HEADS}u;
#if WINDOW
  var from = max(position0, ${WINDOW-1}u) - ${WINDOW-1}u;
#else
  var from = 0u;
#endif
  var to = min(position0 + min(${TOKENS}u, n_tokens - token0), ${N_CTX}u);
#if SPLIT
  let split = group.z;
  from = max(from, split * ${CHUNK}u);
  to = min(to, (split + 1u) * ${CHUNK}u);
  if (from >= to) { return; }
#endif

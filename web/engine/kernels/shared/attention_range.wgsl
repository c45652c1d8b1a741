// Which positions does this workgroup go over? `start` … `end`, of which a token sees those up to its own.
  let n_tokens = params[0];
  let token0 = group.x * ${TOKENS}u;
  if (token0 >= n_tokens) { return; }
  let position0 = params[2] + token0;
  let head0 = group.y * ${HEADS}u;
  let kv_head = head0 / ${N_HEADS/N_KV_HEADS}u;
#if WINDOW
  var start = max(position0, ${WINDOW-1}u) - ${WINDOW-1}u;
#else
  var start = 0u;
#endif
  var end = min(position0 + min(${TOKENS}u, n_tokens - token0), ${N_CTX}u);
#if SPLIT
  let split = group.z;
  start = max(start, split * ${CHUNK}u);
  end = min(end, (split + 1u) * ${CHUNK}u);
  if (start >= end) { return; }
#endif

// Which positions does this workgroup go over? `start` … `end`, of which a token sees those up to its own.
  let head0 = group.y * ${HEADS}u;
  let kv_head = head0 / ${N_HEADS/N_KV_HEADS}u;
#if TILES
  if (group.x >= params[1]) { return; }
  let token0 = tiles[group.x].x;
  let n_tokens = tiles[group.x].y;
  let start = tiles[group.x].z;
  let end = tiles[group.x].w;
  // Every token sees all of its text.
  let position0 = end;
#else
  let n_tokens = params[0];
  let token0 = group.x * ${TOKENS}u;
  if (token0 >= n_tokens) { return; }
  let position0 = params[2] + token0;
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
#endif

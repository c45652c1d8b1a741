// What did the page's thread do, and how long did it compute?

/**
 * Records the tasks of the page's thread while `work` runs.
 * @returns {Promise<{result: any, tasks: {start_ms: number, wall_ms: number, cpu_ms: number}[], compiled: number}>}
 *   `start_ms` is on the page's clock (`performance.now()`); `cpu_ms` is the task's own time on a core;
 *   `compiled`: functions of a Wasm that were compiled because they were called for the first time.
 */
export async function tasksOf(page, work) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: {
      recordMode: "recordAsMuchAsPossible",
      includedCategories: ["toplevel", "blink.user_timing", "v8.wasm", "__metadata"],
    },
  });
  // Names the thread among all renderers' in the trace, and the moment on both clocks.
  const mark = `portico-${Date.now()}`;
  const markedMs = await page.evaluate((name) => performance.mark(name).startTime, mark);
  const result = await work();
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  await session.detach();

  const stamp = events.find((event) => event.name === mark);
  if (!stamp) throw new Error("the trace does not name the page's thread");
  const ofThread = events.filter((event) => event.ph === "X" && event.pid === stamp.pid && event.tid === stamp.tid);
  const compiled = ofThread.filter((event) => event.name === "wasm.CompileLazy").length;
  const tasks = ofThread
    .filter((event) => ["RunTask", "ThreadControllerImpl::RunTask", "ThreadPool_RunTask"].includes(event.name))
    .map(({ ts, dur, tdur }) => ({
      start_ms: markedMs + (ts - stamp.ts) / 1000,
      wall_ms: dur / 1000,
      cpu_ms: (tdur ?? 0) / 1000,
    }));
  if (tasks.length === 0) throw new Error("the trace has no tasks of the page's thread");
  return { result, tasks, compiled };
}

/**
 * The task that computed longest while `work` ran.
 * @returns {Promise<{result: any, longest: {cpu_ms: number, wall_ms: number}, tasks: number}>}
 *   The software GPU competes for the same cores here, so wall time says little.
 */
export async function longestTask(page, work) {
  const { result, tasks } = await tasksOf(page, work);
  const { cpu_ms, wall_ms } = tasks.reduce((a, b) => (a.cpu_ms > b.cpu_ms ? a : b));
  return { result, longest: { cpu_ms, wall_ms }, tasks: tasks.length };
}

/**
 * A frame's length without what other programs took of it: time in which a task of the page's thread was
 * running by the clock and had no core. On a machine that does nothing else it is the frame's length.
 */
export function ownMs({ start, ms }, tasks) {
  const end = start + ms;
  const withheld = tasks.map(({ start_ms, wall_ms, cpu_ms }) => {
    const inside = Math.min(end, start_ms + wall_ms) - Math.max(start, start_ms);
    return inside > 0 ? (inside / wall_ms) * Math.max(0, wall_ms - cpu_ms) : 0;
  });
  return ms - withheld.reduce((sum, part) => sum + part, 0);
}

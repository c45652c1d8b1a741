// How long did the longest task on the page's thread compute?

/**
 * Records the renderer's tasks while `work` runs.
 * @returns {Promise<{result: any, longest: {cpu_ms: number, wall_ms: number}, tasks: number}>}
 *   `cpu_ms` is the task's own time on a core: the software GPU competes for the same cores here, so
 *   wall time says little.
 */
export async function longestTask(page, work) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: {
      recordMode: "recordAsMuchAsPossible",
      includedCategories: ["toplevel", "blink.user_timing", "__metadata"],
    },
  });
  // Names the thread among all renderers' in the trace.
  const mark = `portico-${Date.now()}`;
  await page.evaluate((name) => performance.mark(name), mark);
  const result = await work();
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  await session.detach();

  const stamp = events.find((event) => event.name === mark);
  if (!stamp) throw new Error("the trace does not name the page's thread");
  const tasks = events.filter(
    (event) =>
      event.ph === "X" &&
      event.pid === stamp.pid &&
      event.tid === stamp.tid &&
      ["RunTask", "ThreadControllerImpl::RunTask", "ThreadPool_RunTask"].includes(event.name),
  );
  if (tasks.length === 0) throw new Error("the trace has no tasks of the page's thread");
  const longest = tasks.reduce((a, b) => ((a.tdur ?? 0) > (b.tdur ?? 0) ? a : b));
  return {
    result,
    longest: { cpu_ms: (longest.tdur ?? 0) / 1000, wall_ms: longest.dur / 1000 },
    tasks: tasks.length,
  };
}

// A fleet whose one model says what a test has it say, so that what follows from it can be seen.

import { createServer } from "node:http";

/** A turn that calls a tool. */
export const calls = (name, args) => ({ calls: [{ name, args: typeof args === "string" ? args : JSON.stringify(args) }] });
/** A turn in words. */
export const says = (text) => ({ text });

/**
 * Starts it; `turn(request)` gives what is said to a request.
 * @returns {Promise<{url: string, asked: object[], stop: () => Promise<void>}>}
 */
export async function startUpstream(turn) {
  const asked = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "application/json" });
      return response.end(JSON.stringify({ object: "list", data: [{ id: "script", object: "model" }] }));
    }
    const wanted = JSON.parse(body);
    asked.push(wanted);
    const { text, calls: called } = turn(wanted);
    if (!wanted.stream && !called) {
      response.writeHead(200, { "content-type": "application/json" });
      const choices = [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }];
      const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
      return response.end(JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "script", choices, usage }));
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = (delta, finish_reason = null) =>
      response.write(`data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "script", choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
    chunk({ role: "assistant", content: "" });
    if (text) for (const piece of text.match(/.{1,7}/gsu)) chunk({ content: piece });
    (called ?? []).forEach(({ name, args }, index) => {
      chunk({ tool_calls: [{ index, id: `call_${asked.length}_${index}`, type: "function", function: { name, arguments: "" } }] });
      for (const piece of args.match(/.{1,5}/gsu) ?? []) chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    });
    chunk({}, called ? "tool_calls" : "stop");
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
    response.write(`data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "script", choices: [], usage })}\n\n`);
    response.end("data: [DONE]\n\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}/v1`, asked, stop };
}

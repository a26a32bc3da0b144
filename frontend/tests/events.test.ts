import { expect, it } from "vitest";
import { type Hint, hintsOf } from "../src/api/events";

async function read(...chunks: string[]): Promise<Hint[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      controller.close();
    },
  });
  const found: Hint[] = [];
  for await (const hint of hintsOf(body)) found.push(hint);
  return found;
}

it("reads hints wherever the network cuts them", async () => {
  const whole = 'event: changed\r\nid: 7\r\ndata: {"conversation_id":"x"}\r\n\r\n: ping\r\n\r\n';
  for (let cut = 1; cut < whole.length; cut++) {
    const hints = await read(whole.slice(0, cut), whole.slice(cut));
    expect(hints).toEqual([{ kind: "changed", id: "7", data: { conversation_id: "x" } }]);
  }
});

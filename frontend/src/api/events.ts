// Live hints, by a streamed answer: EventSource cannot send a token.

import type { Session } from "./session";

export interface Hint {
  kind: string;
  id: string;
  data: Record<string, unknown>;
}

export type StreamState = "connecting" | "live" | "lost";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** One stream for any number of listeners; it is open while there is one. */
export class EventStream {
  #hints = new Set<(hint: Hint) => void>();
  #states = new Set<(state: StreamState) => void>();
  #abort: AbortController | undefined;
  #last: string | undefined;
  state: StreamState = "connecting";

  constructor(private readonly session: Session) {}

  /** Calls back with each hint until the function that is returned is called. */
  listen(hint: (hint: Hint) => void, state?: (state: StreamState) => void): () => void {
    this.#hints.add(hint);
    if (state) this.#states.add(state);
    if (!this.#abort) void this.#follow();
    return () => {
      this.#hints.delete(hint);
      if (state) this.#states.delete(state);
      if (this.#hints.size === 0) {
        this.#abort?.abort();
        this.#abort = undefined;
      }
    };
  }

  /** Tells the listeners of what the reader did here, if no one else would. */
  tell(hint: Hint): void {
    for (const told of this.#hints) told(hint);
  }

  async #follow(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    let pause = FIRST_PAUSE;
    while (!abort.signal.aborted) {
      try {
        await this.#read(abort.signal, () => {
          pause = FIRST_PAUSE;
        });
      } catch {
        if (abort.signal.aborted) return;
      }
      this.#become("lost");
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  async #read(signal: AbortSignal, opened: () => void): Promise<void> {
    const headers = new Headers({ Accept: "text/event-stream" });
    if (this.#last) headers.set("Last-Event-ID", this.#last);
    const answer = await this.session.fetch(
      new Request(new URL("/v1/events", this.session.base), { headers, signal }),
    );
    if (!answer.ok || !answer.body) throw new Error(`events: ${answer.status}`);
    opened();
    this.#become("live");
    for await (const hint of hintsOf(answer.body)) {
      if (hint.id) this.#last = hint.id;
      for (const tell of this.#hints) tell(hint);
    }
  }

  #become(state: StreamState): void {
    if (this.state === state) return;
    this.state = state;
    for (const tell of this.#states) tell(state);
  }
}

/** Reads server-sent events (WHATWG HTML section 9.2.6) from a stream of bytes. */
export async function* hintsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Hint> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  let kind = "message";
  let id = "";
  let data: string[] = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const text = rest + value;
    const end = text.endsWith("\r") ? text.length - 1 : text.length; // its \n may be yet to come
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "") + text.slice(end);
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { kind, id, data: parsed(data.join("\n")) };
        kind = "message";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const said = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") kind = said;
      else if (field === "data") data.push(said);
      else if (field === "id") id = said;
    }
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

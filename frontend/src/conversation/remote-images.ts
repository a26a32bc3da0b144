// Pictures that others keep: fetched by the proxy, put into the frame as data.

import type { Session } from "../api/session";
import { bytesOf } from "./mails";

const AT_ONCE = 4;
const MOST_TRUSTED = 500;

/** Returns the pictures that wait; not those of a size that only counts readers. */
export function waitingImages(page: Document): HTMLImageElement[] {
  const images = page.querySelectorAll<HTMLImageElement>("img[data-remote-src]");
  return [...images].filter((image) => !isCounter(image));
}

function isCounter(image: HTMLImageElement): boolean {
  const sizes = [image.getAttribute("width"), image.getAttribute("height")];
  return sizes.some((size) => size !== null && /^[0-2](?:px)?$/.test(size.trim()));
}

/** Puts the pictures of a document in; returns how many there were and how many failed. */
export async function loadImages(
  session: Session,
  page: Document,
  path: string,
  signal: AbortSignal,
): Promise<number> {
  const waiting = new Map<string, HTMLImageElement[]>();
  for (const image of waitingImages(page)) {
    const url = image.dataset.remoteSrc ?? "";
    waiting.set(url, [...(waiting.get(url) ?? []), image]);
  }
  const urls = [...waiting.keys()];
  let failed = 0;
  const work = async () => {
    for (let url = urls.shift(); url !== undefined; url = urls.shift()) {
      try {
        const joint = path.includes("?") ? "&" : "?";
        const asked = `${path}${joint}url=${encodeURIComponent(url)}`;
        const data = await dataUriOf(await bytesOf(session, asked, signal));
        for (const image of waiting.get(url) ?? []) {
          image.src = data;
          image.removeAttribute("data-remote-src");
        }
      } catch {
        if (signal.aborted) return;
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failed;
}

function dataUriOf(bytes: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(bytes);
  });
}

/** The senders whose pictures a reader has chosen to load always, on this machine. */
export class TrustedSenders {
  readonly #key: string;

  constructor(claims: { account: string; sub: string }) {
    this.#key = `satchel.images:${claims.account}:${claims.sub}`;
  }

  has(address: string): boolean {
    return this.#read().includes(address);
  }

  add(address: string): void {
    const kept = [...this.#read().filter((one) => one !== address), address].slice(-MOST_TRUSTED);
    try {
      localStorage.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // This time they are loaded; next time the reader is asked again.
    }
  }

  #read(): string[] {
    try {
      const read: unknown = JSON.parse(localStorage.getItem(this.#key) ?? "[]");
      return Array.isArray(read) ? read.filter((one) => typeof one === "string") : [];
    } catch {
      return [];
    }
  }
}

// A mail's HTML, in a frame that runs nothing and loads nothing (DESIGN: pages).

import { useEffect, useRef } from "preact/hooks";

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
const STYLE =
  "body{margin:0;font:14px/1.5 system-ui,sans-serif;overflow-wrap:anywhere;background:#fff;color:#1b1c1f}" +
  "img{max-width:100%;height:auto}";

export function MailFrame({ html }: { html: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another mail is another document
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    let watched: Element | undefined;
    // Its height follows its content before pictures are there, and again with each of them.
    const fit = () => {
      const root = element.contentDocument?.documentElement;
      if (root) element.style.height = `${root.scrollHeight}px`;
    };
    const observer = new ResizeObserver(fit);
    const look = () => {
      const body = element.contentDocument?.body;
      if (!body || body === watched || !body.hasChildNodes()) return;
      watched = body;
      observer.observe(body);
      fit();
    };
    const timer = setInterval(look, 20);
    element.addEventListener("load", look);
    return () => {
      clearInterval(timer);
      observer.disconnect();
      element.removeEventListener("load", look);
    };
  }, [html]);
  const page =
    `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
    `<style>${STYLE}</style><body>${html}`;
  return (
    <iframe
      ref={frame}
      class="frame"
      title="mail"
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
      srcdoc={page}
    />
  );
}

// What the custom elements share: a shadow root with its styles, a session, a language.

import { type ComponentType, render } from "preact";
import { sessionFor, type TokenSource } from "../api/session";
import { LanguageContext, languageOf } from "../i18n";
import { SessionContext, StylesContext } from "../shared/context";
import controls from "../shared/controls.css?inline";
import { KeyContext, type KeyScope } from "../shared/keyboard";
import { Failure } from "../shared/state";
import theme from "../shared/theme.css?inline";

export interface View {
  component: ComponentType<{ element: SatchelElement }>;
  styles: readonly string[];
}

/** Shown instead of a view whose code could not be loaded. */
function failed(error: unknown, retry: () => void): View {
  return { component: () => <Failure error={error} retry={retry} />, styles: [] };
}

const sheets = new Map<string, CSSStyleSheet>();

function sheetOf(css: string): CSSStyleSheet {
  const known = sheets.get(css);
  if (known) return known;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  sheets.set(css, sheet);
  return sheet;
}

/** An element that shows a view once it has a token. */
export abstract class SatchelElement extends HTMLElement {
  static observedAttributes = ["back", "base", "conversation", "keys", "lang", "person", "section"];
  #token: string | TokenSource | undefined;
  #round = 0;

  /** The code of the view, fetched when the element is first shown. */
  protected abstract load(): Promise<View>;

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
  }

  /** A token, or a function that returns one and is called again when the last one has expired. */
  get token(): string | TokenSource | undefined {
    return this.#token;
  }

  set token(token: string | TokenSource | undefined) {
    this.#token = token;
    void this.#show();
  }

  get base(): string {
    return this.getAttribute("base") ?? new URL("/", import.meta.url).origin;
  }

  connectedCallback(): void {
    this.#takeToken();
    void this.#show();
  }

  disconnectedCallback(): void {
    this.#round += 1;
    if (this.shadowRoot) render(null, this.shadowRoot);
  }

  attributeChangedCallback(): void {
    void this.#show();
  }

  /** Where single keys count: while the focus is in the element, in the whole page, or nowhere. */
  get keys(): KeyScope {
    const asked = this.getAttribute("keys");
    return asked === "page" || asked === "off" ? asked : "focus";
  }

  /** Tells the host page; returns false if the page does itself what the event asks for. */
  tell(name: "satchel-open" | "satchel-unread" | "satchel-back", detail: unknown): boolean {
    const options = { detail, bubbles: true, composed: true, cancelable: true };
    return this.dispatchEvent(new CustomEvent(name, options));
  }

  // A property that was set before the element was defined hides the accessor.
  #takeToken(): void {
    if (!Object.hasOwn(this, "token")) return;
    const token = this.token;
    Reflect.deleteProperty(this, "token");
    this.token = token;
  }

  #adopt = (css: string): void => {
    const sheets = this.shadowRoot?.adoptedStyleSheets;
    const sheet = sheetOf(css);
    if (sheets && !sheets.includes(sheet)) sheets.push(sheet);
  };

  async #show(): Promise<void> {
    const round = ++this.#round;
    const token = this.#token;
    if (!this.isConnected || token === undefined) return;
    const [view, language] = await Promise.all([
      this.load().catch((error: unknown) => failed(error, () => void this.#show())),
      languageOf(
        [this.lang, this.ownerDocument.documentElement.lang, ...navigator.languages].filter(
          Boolean,
        ),
      ).catch(() => languageOf([])),
    ]);
    const root = this.shadowRoot;
    if (round !== this.#round || !root) return;
    for (const css of [theme, controls, ...view.styles]) this.#adopt(css);
    const Component = view.component;
    render(
      <SessionContext.Provider value={sessionFor(this.base, token)}>
        <LanguageContext.Provider value={language}>
          <StylesContext.Provider value={this.#adopt}>
            <KeyContext.Provider value={{ scope: this.keys, element: this }}>
              <Component element={this} />
            </KeyContext.Provider>
          </StylesContext.Provider>
        </LanguageContext.Provider>
      </SessionContext.Provider>,
      root,
    );
  }
}

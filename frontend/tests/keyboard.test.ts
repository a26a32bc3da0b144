// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { keyOf } from "../src/shared/keyboard";

function press(on: Element, key: string, more: KeyboardEventInit = {}): string | undefined {
  let found: string | undefined;
  const listen = (event: Event) => {
    found = keyOf(event as KeyboardEvent);
  };
  document.body.append(on);
  document.addEventListener("keydown", listen);
  on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, ...more }));
  document.removeEventListener("keydown", listen);
  on.remove();
  return found;
}

it("knows a key, and none that belongs to the browser or a field", () => {
  expect(press(document.createElement("button"), "j")).toBe("j");
  expect(press(document.createElement("button"), "j", { ctrlKey: true })).toBeUndefined();
  expect(press(document.createElement("button"), "j", { metaKey: true })).toBeUndefined();
  expect(press(document.createElement("input"), "j")).toBeUndefined();
  expect(press(document.createElement("textarea"), "j")).toBeUndefined();
});

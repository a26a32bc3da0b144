// The element that Satchel's own app alone has: an account is not embedded.

import { SatchelElement, type View } from "../elements/element";

class SatchelAccount extends SatchelElement {
  protected override async load(): Promise<View> {
    return (await import("../elements/AccountElement")).view;
  }
}

if (!customElements.get("satchel-account"))
  customElements.define("satchel-account", SatchelAccount);

// Satchel's own pages: the elements, a menu, and an address for each page.

import "../satchel";
import type { SatchelElement } from "../elements/element";
import "./app.css";

/** Takes the token out of the address, so that no link, history or screenshot has it. */
function tokenOfAddress(): string | undefined {
  const found = new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;
  if (found) history.replaceState(null, "", location.pathname + location.search);
  return found;
}

const token = tokenOfAddress();
const inbox = document.createElement("satchel-inbox") as SatchelElement;
const chosen = /\/app\/conversations\/([a-z2-7]{32})$/.exec(location.pathname)?.[1];
if (chosen) inbox.setAttribute("conversation", chosen);
inbox.token = token;
inbox.addEventListener("satchel-open", (event) => {
  const { conversation } = (event as CustomEvent<{ conversation: string }>).detail;
  history.pushState(null, "", `/app/conversations/${conversation}`);
});
document.body.append(inbox);

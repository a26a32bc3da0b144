// What a host does: it loads the elements, gives them tokens, and listens.

import "./satchel.js";

// A real host asks its own server, which makes a token for the user who is signed in there.
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
history.replaceState(null, "", location.pathname);
const source = async () => token;
for (const name of ["satchel-timeline", "satchel-inbox", "satchel-setup"])
  document.querySelector(name).token = source;

addEventListener("satchel-unread", (event) => {
  const { unread } = event.detail;
  document.querySelector("#unread").textContent = unread > 0 ? `${unread} unread.` : "";
});
addEventListener("satchel-open", (event) => {
  const { person } = event.detail;
  if (!person) return; // the inbox opens a conversation by itself
  event.preventDefault();
  document.querySelector("satchel-timeline").setAttribute("person", person);
});

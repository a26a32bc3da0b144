import type { Part } from "..";
import type { app as en } from "../en/app";

export const app: Part<typeof en> = {
  "nav.setup": "Einrichten",
  "nav.account": "Konto",
  "nav.held": (count) => `${count} zurückgehalten`,
  "menu.open": "Darstellung, Sprache, Abmelden",
  "menu.who": (who) => `Angemeldet als ${who}`,
  "menu.become": (who) => `Zu ${who} wechseln`,
  "menu.theme": "Darstellung",
  "menu.theme.auto": "System",
  "menu.theme.light": "Hell",
  "menu.theme.dark": "Dunkel",
  "menu.language": "Sprache",
  "menu.sign-out": "Abmelden",
  "sign-in.title": "Bei Satchel anmelden",
  "sign-in.what": "Melden Sie sich wie bei Ihren anderen Programmen an.",
  "sign-in.act": "Anmelden",
  "sign-in.link.what":
    "Öffnen Sie Satchel aus Ihrer Recruiting-Software. Sie werden dabei automatisch angemeldet.",
  "sign-in.out": "Sie haben sich abgemeldet.",
  "sign-in.failed": "Die Anmeldung hat nicht geklappt. Versuchen Sie es noch einmal.",
};

import type { Part } from "..";
import type { app as en } from "../en/app";

export const app: Part<typeof en> = {
  "nav.setup": "Einrichten",
  "nav.account": "Konto",
  "nav.held": (count) => `${count} zurückgehalten`,
  "menu.open": "Darstellung, Sprache, Abmelden",
  "menu.who": (who) => `Angemeldet als ${who}`,
  "menu.theme": "Darstellung",
  "menu.theme.auto": "Wie das System",
  "menu.theme.light": "Hell",
  "menu.theme.dark": "Dunkel",
  "menu.language": "Sprache",
  "menu.sign-out": "Abmelden",
  "sign-in.title": "Bei Satchel anmelden",
  "sign-in.what": "Sie melden sich dort an, wo Sie sich auch für Ihre anderen Programme anmelden.",
  "sign-in.act": "Anmelden",
  "sign-in.link.what":
    "Öffnen Sie Satchel aus Ihrer Recruiting-Software. Sie sind dann schon angemeldet.",
  "sign-in.out": "Sie haben sich abgemeldet.",
  "sign-in.failed": "Die Anmeldung hat nicht geklappt. Versuchen Sie es noch einmal.",
};

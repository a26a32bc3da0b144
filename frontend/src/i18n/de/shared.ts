import type { Part } from "..";
import type { shared as en } from "../en/shared";

export const shared: Part<typeof en> = {
  "nav.label": "Seiten",
  "nav.inbox": "Posteingang",
  "nav.person": "Profil",
  "nav.skip": "Zum Inhalt springen",
  "action.close": "Schließen",
  "action.back": "Zurück",
  "action.remove": (what) => `${what} entfernen`,
  "state.loading": "Wird geladen",
  "state.error": "Das ließ sich nicht laden",
  "state.error.what": "Es ist nichts verloren. Versuchen Sie es gleich noch einmal.",
  "state.offline": "Keine Verbindung",
  "state.offline.what":
    "Es ist nichts verloren. Prüfen Sie Ihr Netzwerk und versuchen Sie es noch einmal.",
  "state.expired": "Sie sind abgemeldet",
  "state.expired.what":
    "Öffnen Sie diese Seite erneut aus Ihrer Recruiting-Software, um sich anzumelden.",
  "state.forbidden": "Sie haben keinen Zugriff",
  "state.forbidden.what": "Fragen Sie Ihre Satchel-Administration.",
  "state.missing": "Das ist nicht mehr da",
  "state.missing.what": "Es wurde gelöscht, oder Sie haben keinen Zugriff darauf.",
  "state.invalid": "Diese Suche ist noch unvollständig",
  "state.invalid.what":
    "Ergänzen Sie Ihre Eingabe: after: und before: brauchen einen Tag wie 2026-01-31.",
  "state.retry": "Noch einmal versuchen",
  "live.lost": "Keine Live-Aktualisierung. Verbindung wird wiederhergestellt …",
  "keys.title": "Tastenkürzel",
  "keys.on": "Kürzel mit einzelnen Tasten sind eingeschaltet",
  "keys.next": "Nächste Unterhaltung",
  "keys.previous": "Vorige Unterhaltung",
  "keys.open": "Unterhaltung öffnen",
  "keys.up": "Zurück zur Liste",
  "keys.read": "Als gelesen oder ungelesen markieren",
  "keys.search": "Suchen",
  "keys.help": "Diese Liste zeigen",
  unnamed: "Unbekannte Person",
};

import type { Catalogue } from "./en";

export const de: Catalogue = {
  inbox: "Posteingang",
  "inbox.empty":
    "Noch keine Nachrichten. Was Sie mit Ihrer Sammeladresse in Cc oder Bcc senden, erscheint hier.",
  "inbox.empty.found": "Nichts gefunden.",
  "inbox.unread": "Ungelesen",
  "inbox.mine": "Meine",
  "inbox.search": "Suchen",
  "inbox.mark-all": "Alle als gelesen markieren",
  "conversation.choose": "Wählen Sie eine Unterhaltung.",
  "conversation.mails": (count) => (count === 1 ? "1 Nachricht" : `${count} Nachrichten`),
  "mail.show-quoted": "Zitierten Text anzeigen",
  "mail.hide-quoted": "Zitierten Text ausblenden",
  "mail.to": "an",
  "mail.no-subject": "(kein Betreff)",
  "mail.attachments": (count) => (count === 1 ? "1 Anhang" : `${count} Anhänge`),
  "state.loading": "Wird geladen",
  "state.error": "Das konnte nicht geladen werden. Es ist nichts verloren.",
  "state.offline": "Keine Verbindung. Was Sie sehen, kann veraltet sein.",
  "state.expired": "Sie sind abgemeldet. Öffnen Sie Satchel erneut aus Ihrer Bewerbersoftware.",
  "state.forbidden": "Das dürfen Sie nicht sehen.",
  "state.retry": "Erneut versuchen",
};

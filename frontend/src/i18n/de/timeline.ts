import type { Part } from "..";
import type { timeline as en } from "../en/timeline";

export const timeline: Part<typeof en> = {
  timeline: (name) => `E-Mails mit ${name}`,
  "timeline.empty": "Noch keine E-Mails mit dieser Person",
  "timeline.empty.what":
    "Was Sie an eine ihrer Adressen senden oder von dort bekommen, erscheint hier, sobald es über Ihre Erfassungsadresse läuft.",
  "timeline.empty.filtered": "Nichts in dieser Art",
  "timeline.all": "Alle",
  "timeline.received": "Empfangen",
  "timeline.sent": "Gesendet",
  "timeline.attachments": "Mit Anhängen",
  "timeline.automatic": "Automatische ausblenden",
  "timeline.end": "Das ist alles",
  "timeline.as.from": "als Absender/in",
  "timeline.as.sender": "im Auftrag gesendet",
  "timeline.as.reply_to": "bekommt die Antworten",
  "timeline.as.to": "als Empfänger/in",
  "timeline.as.cc": "in Kopie",
  "timeline.as.bcc": "in Blindkopie",
  "kind.candidate": "Kandidat/in",
  "kind.contact": "Ansprechpartner/in",
  "kind.user": "Teammitglied",
  "kind.guest": "Gast",
  "kind.vendor": "Dienstleister",
};

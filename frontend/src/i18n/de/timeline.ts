import type { Part } from "..";
import type { timeline as en } from "../en/timeline";

export const timeline: Part<typeof en> = {
  timeline: (name) => `E-Mails mit ${name}`,
  "timeline.empty": "Noch keine E-Mails mit dieser Person",
  "timeline.empty.what":
    "E-Mails, die Sie an diese Person senden oder von ihr bekommen, erscheinen hier, sobald sie über Ihre Erfassungsadresse laufen.",
  "timeline.empty.filtered": "Keine E-Mails dieser Art",
  "timeline.hidden.deleted":
    "Diese Person wurde aus dem Verzeichnis entfernt, deshalb sind E-Mails mit ihr ausgeblendet.",
  "timeline.hidden.blocked":
    "Diese Person gehört zum Team oder teilt eine Adresse mit einem Teammitglied, deshalb sind E-Mails mit ihr ausgeblendet.",
  "timeline.merged": "Das gesuchte Profil wurde mit diesem zusammengeführt",
  "timeline.all": "Alle",
  "timeline.received": "Empfangen",
  "timeline.sent": "Gesendet",
  "timeline.attachments": "Mit Anhängen",
  "timeline.automatic": "Automatische ausblenden",
  "timeline.end": "Keine weiteren E-Mails",
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

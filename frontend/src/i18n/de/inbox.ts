import type { Part } from "..";
import type { inbox as en } from "../en/inbox";

export const inbox: Part<typeof en> = {
  inbox: "Posteingang",
  "inbox.conversations": "Unterhaltungen",
  "inbox.empty": "Noch keine E-Mails",
  "inbox.empty.what":
    "Setzen Sie Ihre Erfassungsadresse ins Bcc, wenn Sie einem Kandidaten schreiben. Die E-Mail erscheint nach wenigen Sekunden hier.",
  "inbox.empty.unread": "Alles gelesen",
  "inbox.empty.unread.what": "Neue E-Mails erscheinen hier automatisch.",
  "inbox.empty.mine": "Nichts von Ihrer Erfassungsadresse",
  "inbox.empty.mine.what":
    "„Meine“ zeigt nur, was Ihre eigene Adresse erfasst hat. Schalten Sie es aus, um die E-Mails Ihres Teams zu sehen.",
  "inbox.empty.found": "Nichts gefunden",
  "inbox.empty.found.what": "Versuchen Sie es mit weniger Wörtern oder ohne Filter.",
  "inbox.empty.reset": "Alle Filter entfernen",
  "inbox.empty.setup": "E-Mail einrichten",
  "inbox.all": "Alle",
  "inbox.unread": "Ungelesen",
  "inbox.mine": "Meine",
  "inbox.mine.what": "Nur E-Mails, die Ihre eigene Adresse erfasst hat",
  "inbox.filters": "Filter",
  "inbox.mark-all": "Alle als gelesen markieren",
  "inbox.mark-all.ask":
    "Den ganzen Posteingang als gelesen markieren? Bei Ihren Kollegen ändert sich nichts.",
  "inbox.mark-all.done": "Alles ist als gelesen markiert",
  "inbox.mark-all.failed": "Das hat nicht geklappt. Es wurde nichts geändert.",
  "inbox.new": (count) => (count === 1 ? "1 neue" : `${count} neue`),
  "inbox.end": "Keine weiteren Unterhaltungen",
  "inbox.more-failed": "Weitere Unterhaltungen ließen sich nicht laden.",
  "inbox.partial": (count) =>
    count === 1
      ? "1 sehr lange E-Mail wurde nur zum Teil durchsucht."
      : `${count} sehr lange E-Mails wurden nur zum Teil durchsucht.`,
  "row.unread": "Ungelesen",
  "row.mark-read": "Als gelesen markieren",
  "row.mark-unread": "Als ungelesen markieren",
  "row.count": (count) => `${count} E-Mails`,
  "row.attachments": "Mit Anhängen",
  "row.no-names": "Niemand aus dem Verzeichnis",
  search: "E-Mails durchsuchen",
  "search.clear": "Suche leeren",
  "search.help": "Hilfe zur Suche",
  "search.help.words": "Jedes Wort muss vorkommen. Das letzte darf unvollständig sein.",
  "search.op.from": "von einer Person, mit Name oder Adresse",
  "search.op.to": "an eine Person",
  "search.op.attachment": "mit Anhang",
  "search.op.after": "ab diesem Tag",
  "search.op.before": "vor diesem Tag",
  "search.op.phrase": "diese Wörter in dieser Reihenfolge",
  "search.op.prefix": "beginnt mit diesen Buchstaben",
  "search.suggestions": "Personen",
  "search.only": (name) => `Nur E-Mails mit ${name}`,
  "person.filter": (name) => `Mit ${name}`,
};

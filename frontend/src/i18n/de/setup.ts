import type { Part } from "..";
import type { setup as en } from "../en/setup";

export const setup: Part<typeof en> = {
  title: "E-Mail einrichten",
  "lead.new": "Etwa fünf Minuten. Diese Seite merkt selbst, was funktioniert.",
  "lead.done":
    "Alles funktioniert. Neue E-Mails mit Kandidaten und Ansprechpartnern ordnen sich von selbst zu.",
  "state.nothing_yet": "Noch nichts",
  "state.awaiting_confirmation": "Wartet auf Ihre Antwort",
  "state.working": "Funktioniert",
  "state.silent": "Verstummt",
  "state.seen": (when) => `Letzte E-Mail: ${when}`,
  "address.title": "Ihre Erfassungsadresse",
  "address.what":
    "Was über diese Adresse läuft, wird beim richtigen Kandidaten oder Ansprechpartner abgelegt. E-Mails, die niemanden in Ihrer Recruiting-Software betreffen, werden nicht aufbewahrt. Behandeln Sie die Adresse wie ein Passwort.",
  "address.none": "Sie haben noch keine Erfassungsadresse.",
  "address.make": "Meine Adresse erstellen",
  "address.make-failed": "Die Adresse ließ sich nicht erstellen.",
  "address.not-user":
    "Nur Mitglieder des Teams haben eine Erfassungsadresse. Bitten Sie die Person, die Satchel verwaltet, Sie hinzuzufügen.",
  "address.copy": "Kopieren",
  "address.copied": "Kopiert",
  "address.copy-failed": "Bitte von Hand markieren und kopieren.",
  "address.card": "Als Kontakt speichern",
  "address.card.what":
    "Dann ergänzt Ihr E-Mail-Programm die Adresse, sobald Sie „Satchel“ ins Bcc-Feld tippen.",
  "address.old": (when) => `Ihre alte Adresse gilt noch bis ${when}.`,
  "received.title": "E-Mails, die Sie bekommen",
  "received.what": "Lassen Sie Ihren Anbieter sie weiterleiten, ein für alle Mal.",
  "sent.title": "E-Mails, die Sie senden",
  "sent.what": "Setzen Sie die Erfassungsadresse ins Bcc.",
  "both.title": "E-Mails der ganzen Firma",
  "both.what": "Ihre Administration richtet das einmal für alle ein.",
  "guide.for": "Anleitung für",
  "guide.mailbox": "Postfach",
  "guide.chosen": (name) =>
    `Ihr Postfach liegt bei ${name}. Stimmt das nicht? Wählen Sie etwas anderes.`,
  "guide.unknown":
    "Wir konnten nicht erkennen, wo Ihr Postfach liegt. Wählen Sie es aus der Liste.",
  "guide.own-choice": "Diese Anleitung haben Sie gewählt.",
  "guide.kind.provider": "E-Mail-Anbieter",
  "guide.kind.client": "E-Mail-Programme",
  "guide.kind.company": "Ganze Firma",
  "guide.automatic.yes": "Läuft danach von selbst",
  "guide.automatic.partly": "Läuft teilweise von selbst",
  "guide.automatic.no": "Von Hand für jede E-Mail",
  "guide.automatic.unknown": "",
  "guide.need.paid_plan": "Braucht einen bezahlten Tarif",
  "guide.need.administrator": "Braucht Administrationsrechte",
  "guide.need.own_server": "Braucht einen eigenen Server",
  "guide.need.account_capture_address": "Braucht die Firmenadresse",
  "guide.need.journal_reports": "Braucht Journalberichte",
  "guide.traps": "Achtung",
  "guide.can": "Was damit geht",
  "guide.cannot": "Was nicht geht",
  "guide.unsure": "Nicht bestätigt",
  "guide.more": "Gut zu wissen",
  "guide.checked": (when) => `Geprüft am ${when}`,
  "guide.nothing": "Hier ist nichts zu tun.",
  "guide.language": "Diese Schritte gibt es nur auf Englisch.",
  "guide.value.capture_address": "Ihre Erfassungsadresse",
  "guide.value.account_capture_address": "die Erfassungsadresse der Firma",
  "guide.value.address": "Ihre Adresse",
  "guide.no-account-address":
    "Hierfür ist die Erfassungsadresse der Firma nötig. Wer Satchel verwaltet, findet sie unter „Konto“, „Ganze Firma“, und liest diese Schritte dort vollständig.",
  "question.title": (provider) => `${provider} bittet um Ihre Bestätigung`,
  "question.for": (mailbox) => `Die E-Mails von ${mailbox} sollen weitergeleitet werden.`,
  "question.check":
    "Bestätigen Sie nur, wenn Sie das gerade selbst angestoßen haben. Sonst ignorieren Sie es einfach: Dann wird nichts weitergeleitet.",
  "question.either":
    "Eines von beiden genügt: Geben Sie den Code dort ein, wo Sie die Weiterleitung einrichten, oder öffnen Sie den Link.",
  "question.code": (provider) => `Code für ${provider}`,
  "question.then":
    "Führen Sie danach die Schritte unten zu Ende. Dieser Hinweis verschwindet von selbst.",
  "question.doubt.failed": (provider) =>
    `Das hat nicht ${provider} geschrieben: Jemand anderes möchte, dass Sie bestätigen. Antworten Sie nicht darauf.`,
  "question.doubt.stranger": () =>
    "Dieses Postfach steht in Ihrer Recruiting-Software nicht als Ihres. Gehört es Ihnen nicht, antworten Sie nicht darauf.",
  "question.doubt.unproved": (provider) =>
    `Nichts belegt, dass das von ${provider} kommt. Antworten Sie nur, wenn Sie die Weiterleitung gerade selbst einrichten.`,
  "question.link": (host) => `Bestätigen bei ${host}`,
  "notice.leak": (when) =>
    `Ihre Erfassungsadresse war in einer E-Mail vom ${when} für Außenstehende sichtbar. Sie könnten dorthin schreiben.`,
  "notice.leak.unknown": "Ihre Erfassungsadresse war für Außenstehende sichtbar.",
  "notice.leak.act": "Neue Adresse holen",
  "notice.silent_half.sent": (when) =>
    `Seit ${when} ist keine E-Mail mehr gekommen, die Sie gesendet haben.`,
  "notice.silent_half.received": (when) =>
    `Seit ${when} ist keine E-Mail mehr gekommen, die Sie empfangen haben. Vielleicht hat Ihr Anbieter die Weiterleitung abgeschaltet.`,
  "notice.confirmation_expired": (provider) =>
    `Die Anfrage von ${provider} ist abgelaufen. Fügen Sie die Weiterleitungsadresse noch einmal hinzu, dann kommt eine neue.`,
  "notice.round_trip_failed":
    "Die letzte Test-E-Mail kam nicht zurück. Siehe „Prüfen, ob es funktioniert“.",
  "notice.other": "Ihre Einrichtung braucht Sie. Sehen Sie sich die Schritte unten an.",
  "check.title": "Prüfen, ob es funktioniert",
  "check.what":
    "Bitten Sie einen Kandidaten oder Ansprechpartner aus Ihrer Recruiting-Software, Ihnen zu schreiben. Oder schreiben Sie selbst einem, mit der Erfassungsadresse im Bcc. Die E-Mail erscheint in Sekunden im Posteingang.",
  "check.done": "Auf beiden Wegen ist E-Mail angekommen. Es gibt nichts mehr zu prüfen.",
  "prove.what": (mailbox) =>
    `Wir senden eine Test-E-Mail an ${mailbox}. Sie sollte hierher zurückkommen.`,
  "prove.act": "Test-E-Mail senden",
  "prove.none": (mailbox) =>
    `Satchel sendet hier keine Test-E-Mails. Bitten Sie jemanden außerhalb Ihrer Firma, an ${mailbox} zu schreiben: Diese Seite merkt, wenn die E-Mail ankommt.`,
  "prove.again": "Noch eine Test-E-Mail senden",
  "prove.sent": (when) => `Test-E-Mail gesendet ${when}. Wir warten auf ihre Rückkehr …`,
  "prove.returned": (when) => `Die Test-E-Mail kam zurück ${when}: Die Weiterleitung funktioniert.`,
  "prove.bounced": "Ein Mailserver hat die Test-E-Mail abgewiesen.",
  "prove.failed": "Die Test-E-Mail ließ sich nicht senden. Über Ihr Postfach sagt das nichts aus.",
  "prove.lost":
    "Die Test-E-Mail kam nicht zurück. Prüfen Sie, ob die Weiterleitung eingeschaltet ist.",
  "watch.title": "Die erwartete Anfrage erscheint nicht?",
  "watch.what":
    "60 Minuten lang kann diese Seite Ihnen, und nur Ihnen, die nächsten fünf E-Mails zeigen, die an Ihrer Erfassungsadresse ankommen und keinen Kandidaten oder Ansprechpartner betreffen.",
  "watch.act": "Nächste E-Mails zeigen",
  "watch.open": (when) => `Sichtbar bis ${when}.`,
  "watch.seen": "Angekommen, nicht aufbewahrt",
  "watch.careful":
    "An diese Adresse kann jeder schreiben. Öffnen Sie einen Link nur, wenn Sie diese E-Mail erwarten.",
  "watch.links": "Links in dieser E-Mail, als Text",
  "watch.no-sender": "(kein Absender)",
  "rotate.title": "Adresse ändern",
  "rotate.what":
    "Wenn jemand Ihre Adresse kennt, der sie nicht kennen soll, holen Sie sich eine neue. Richten Sie Weiterleitung und Bcc dann damit neu ein.",
  "rotate.grace": "Die alte Adresse funktioniert noch",
  "rotate.hours": (hours) =>
    hours === 0 ? "gar nicht mehr" : hours < 48 ? `${hours} Stunden` : `${hours / 24} Tage`,
  "rotate.act": "Adresse ändern",
  "rotate.ask": "Jetzt ändern? Weiterleitung und Kontakt brauchen dann die neue Adresse.",
  "rotate.yes": "Ja, ändern",
  "rotate.no": "Abbrechen",
  "rotate.done": "Sie haben eine neue Adresse. Setzen Sie sie überall dort ein, wo die alte stand.",
  "never.title": "Nie erfassen",
  "never.what":
    "E-Mails mit diesen Personen werden nie aufbewahrt, auch wenn ein Kandidat beteiligt ist: Arztpraxis, Familie, Anwalt.",
  "never.add": "Adresse oder Domain",
  "never.add.act": "Hinzufügen",
  "never.none": "Die Liste ist leer.",
  "never.invalid": "Das ist weder eine Adresse noch eine Domain.",
  "never.remove": (what) => `${what} entfernen`,
  failed: "Das hat nicht geklappt. Es wurde nichts geändert.",
};

import type { Part } from "..";
import type { setup as en } from "../en/setup";

export const setup: Part<typeof en> = {
  title: "E-Mail einrichten",
  "lead.new": "Das dauert etwa fünf Minuten. Jeder Schritt wird grün, sobald er funktioniert.",
  "lead.done":
    "Alles funktioniert. Neue E-Mails mit Kandidaten und Ansprechpartnern werden automatisch abgelegt.",
  "state.nothing_yet": "Noch keine E-Mails",
  "state.awaiting_confirmation": "Wartet auf Ihre Bestätigung",
  "state.working": "Funktioniert",
  "state.silent": "Keine E-Mails mehr",
  "state.seen": (when) => `Letzte E-Mail: ${when}`,
  "address.title": "Ihre Erfassungsadresse",
  "address.what":
    "E-Mails, die über diese Adresse laufen, werden beim richtigen Kandidaten oder Ansprechpartner abgelegt. E-Mails, die niemanden in Ihrer Recruiting-Software betreffen, werden nicht aufbewahrt. Behandeln Sie die Adresse wie ein Passwort.",
  "address.none": "Sie haben noch keine Erfassungsadresse.",
  "address.make": "Meine Adresse erstellen",
  "address.make-failed": "Die Adresse ließ sich nicht erstellen.",
  "address.not-user":
    "Nur Teammitglieder können eine Erfassungsadresse haben. Bitten Sie Ihre Satchel-Administration, Sie hinzuzufügen.",
  "address.copy": "Kopieren",
  "address.copied": "Kopiert",
  "address.copy-failed": "Bitte markieren und kopieren Sie sie selbst.",
  "address.card": "Als Kontakt speichern",
  "address.card.what":
    "Speichern Sie sie als Kontakt. Ihr E-Mail-Programm schlägt sie dann vor, sobald Sie „Satchel“ ins Bcc-Feld tippen.",
  "address.old": (when) => `Ihre alte Adresse gilt noch bis ${when}.`,
  "received.title": "E-Mails, die Sie bekommen",
  "received.what": "Lassen Sie Ihren Anbieter sie weiterleiten. Das richten Sie nur einmal ein.",
  "sent.title": "E-Mails, die Sie senden",
  "sent.what": "Setzen Sie die Erfassungsadresse ins Bcc.",
  "both.title": "E-Mails der ganzen Firma",
  "both.what": "Ihre Administration richtet das einmal für alle ein.",
  "guide.for": "Anleitung für",
  "guide.mailbox": "Postfach",
  "guide.chosen": (name) =>
    `Ihr Postfach liegt offenbar bei ${name}. Stimmt das nicht? Wählen Sie etwas anderes.`,
  "guide.unknown":
    "Wir konnten nicht erkennen, wo Ihr Postfach liegt. Wählen Sie es aus der Liste.",
  "guide.own-choice": "Diese Anleitung haben Sie gewählt.",
  "guide.kind.provider": "E-Mail-Anbieter",
  "guide.kind.client": "E-Mail-Programme",
  "guide.kind.company": "Ganze Firma",
  "guide.automatic.yes": "Nach dem Einrichten automatisch",
  "guide.automatic.partly": "Teilweise automatisch",
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
    "Hierfür ist die Erfassungsadresse der Firma nötig. Ihre Satchel-Administration findet sie unter „Konto“, „Ganze Firma“, zusammen mit der vollständigen Anleitung.",
  "question.title": (provider) => `${provider} bittet um Ihre Bestätigung`,
  "question.for": (mailbox) => `Die E-Mails von ${mailbox} sollen weitergeleitet werden.`,
  "question.check":
    "Bestätigen Sie nur, wenn Sie die Weiterleitung gerade selbst eingerichtet haben. Sonst ignorieren Sie die Anfrage. Dann wird nichts weitergeleitet.",
  "question.either":
    "Geben Sie den Code dort ein, wo Sie die Weiterleitung einrichten, oder öffnen Sie den Link. Eines von beiden genügt.",
  "question.code": (provider) => `Code für ${provider}`,
  "question.then":
    "Führen Sie danach die Schritte unten zu Ende. Dieser Hinweis verschwindet, sobald E-Mails ankommen.",
  "question.doubt.failed": (provider) =>
    `Das kommt nicht von ${provider}. Jemand anderes möchte, dass Sie bestätigen. Bestätigen Sie nicht.`,
  "question.doubt.stranger": () =>
    "Dieses Postfach steht in Ihrer Recruiting-Software nicht als Ihres. Gehört es Ihnen nicht, bestätigen Sie nicht.",
  "question.doubt.unproved": (provider) =>
    `Nichts belegt, dass das von ${provider} kommt. Bestätigen Sie nur, wenn Sie die Weiterleitung gerade selbst eingerichtet haben.`,
  "question.link": (host) => `Bestätigen bei ${host}`,
  "notice.leak": (when) =>
    `Ihre Erfassungsadresse war in einer E-Mail vom ${when} für Außenstehende sichtbar. Diese könnten dorthin schreiben.`,
  "notice.leak.unknown": "Ihre Erfassungsadresse war für Außenstehende sichtbar.",
  "notice.leak.act": "Neue Adresse erstellen",
  "notice.silent_half.sent": (when) =>
    `Seit ${when} ist keine von Ihnen gesendete E-Mail mehr angekommen.`,
  "notice.silent_half.received": (when) =>
    `Seit ${when} ist keine E-Mail an Sie mehr angekommen. Vielleicht hat Ihr Anbieter die Weiterleitung abgeschaltet.`,
  "notice.confirmation_expired": (provider) =>
    `Die Anfrage von ${provider} ist abgelaufen. Fügen Sie die Weiterleitungsadresse noch einmal hinzu, dann kommt eine neue.`,
  "notice.round_trip_failed":
    "Die letzte Test-E-Mail kam nicht zurück. Siehe „Prüfen, ob es funktioniert“.",
  "notice.other": "Etwas an Ihrer Einrichtung ist zu tun. Sehen Sie sich die Schritte unten an.",
  "check.title": "Prüfen, ob es funktioniert",
  "check.what.both":
    "Bitten Sie einen Kandidaten oder Ansprechpartner aus Ihrer Recruiting-Software, Ihnen zu schreiben. Schreiben Sie dann selbst einem, mit der Erfassungsadresse im Bcc. Jede E-Mail erscheint nach wenigen Sekunden im Posteingang.",
  "check.what.sent":
    "Das Empfangen funktioniert. Schreiben Sie jetzt einem Kandidaten oder Ansprechpartner, mit der Erfassungsadresse im Bcc. Die E-Mail erscheint nach wenigen Sekunden im Posteingang.",
  "check.what.received":
    "Das Senden funktioniert. Bitten Sie jetzt einen Kandidaten oder Ansprechpartner aus Ihrer Recruiting-Software, Ihnen zu schreiben. Die E-Mail erscheint nach wenigen Sekunden im Posteingang.",
  "check.done": "Beide Richtungen funktionieren. Es gibt nichts mehr zu prüfen.",
  "prove.what": (mailbox) =>
    `Wir senden eine Test-E-Mail an ${mailbox}. Sie sollte hierher zurückkommen.`,
  "prove.act": "Test-E-Mail senden",
  "prove.none": (mailbox) =>
    `Test-E-Mails gibt es hier nicht. Bitten Sie jemanden außerhalb Ihrer Firma, an ${mailbox} zu schreiben. Diese Seite zeigt, wenn die E-Mail ankommt.`,
  "prove.again": "Noch eine Test-E-Mail senden",
  "prove.sent": (when) => `Test-E-Mail gesendet ${when}. Wir warten, bis sie zurückkommt …`,
  "prove.returned": (when) => `Die Test-E-Mail kam zurück ${when}. Die Weiterleitung funktioniert.`,
  "prove.bounced": "Ein Mailserver hat die Test-E-Mail abgewiesen.",
  "prove.failed": "Die Test-E-Mail ließ sich nicht senden. An Ihrem Postfach liegt das nicht.",
  "prove.lost":
    "Die Test-E-Mail kam nicht zurück. Prüfen Sie, ob die Weiterleitung eingeschaltet ist.",
  "watch.title": "Fehlt die Anfrage zur Bestätigung?",
  "watch.what":
    "60 Minuten lang kann diese Seite Ihnen die nächsten fünf E-Mails zeigen, die an Ihrer Erfassungsadresse ankommen und keinen Kandidaten oder Ansprechpartner betreffen. Nur Sie sehen sie.",
  "watch.act": "Nächste E-Mails zeigen",
  "watch.open": (when) => `Sichtbar bis ${when}.`,
  "watch.seen": "Angekommen, nicht aufbewahrt",
  "watch.careful":
    "An diese Adresse kann jeder schreiben. Öffnen Sie einen Link nur, wenn Sie diese E-Mail erwarten.",
  "watch.links": "Links in dieser E-Mail, als Text",
  "watch.no-sender": "(kein Absender)",
  "rotate.title": "Adresse ändern",
  "rotate.what":
    "Wenn jemand Ihre Adresse kennt, der sie nicht kennen soll, erstellen Sie eine neue. Richten Sie Weiterleitung und Bcc dann damit neu ein.",
  "rotate.grace": "Die alte Adresse gilt",
  "rotate.hours": (hours) =>
    hours === 0
      ? "ab sofort nicht mehr"
      : hours < 48
        ? `noch ${hours} Stunden`
        : `noch ${hours / 24} Tage`,
  "rotate.act": "Adresse ändern",
  "rotate.ask": "Jetzt ändern? Tragen Sie die neue Adresse dann in Weiterleitung und Kontakte ein.",
  "rotate.yes": "Ja, ändern",
  "rotate.no": "Abbrechen",
  "rotate.done":
    "Sie haben eine neue Adresse. Verwenden Sie sie überall, wo Sie die alte verwendet haben.",
  "never.title": "Nie erfassen",
  "never.what":
    "E-Mails mit diesen Personen werden nie aufbewahrt, auch wenn ein Kandidat beteiligt ist. Tragen Sie etwa Arztpraxis, Familie oder Anwalt ein.",
  "never.add": "Adresse oder Domain",
  "never.add.act": "Hinzufügen",
  "never.none": "Die Liste ist leer.",
  "never.invalid": "Geben Sie eine E-Mail-Adresse oder eine Domain ein.",
  "never.remove": (what) => `${what} entfernen`,
  failed: "Das hat nicht geklappt. Es wurde nichts geändert.",
};

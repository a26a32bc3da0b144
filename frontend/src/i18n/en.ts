// English, and the keys of every other catalogue.

export const en = {
  inbox: "Inbox",
  "inbox.empty": "No mail yet. What you send with your capture address in Cc or Bcc appears here.",
  "inbox.empty.found": "Nothing matches.",
  "inbox.unread": "Unread",
  "inbox.mine": "Mine",
  "inbox.search": "Search",
  "inbox.mark-all": "Mark all as read",
  "conversation.choose": "Choose a conversation.",
  "conversation.mails": (count: number) => (count === 1 ? "1 mail" : `${count} mails`),
  "mail.show-quoted": "Show quoted text",
  "mail.hide-quoted": "Hide quoted text",
  "mail.to": "to",
  "mail.no-subject": "(no subject)",
  "mail.attachments": (count: number) => (count === 1 ? "1 attachment" : `${count} attachments`),
  "state.loading": "Loading",
  "state.error": "This could not be loaded. Nothing is lost.",
  "state.offline": "No connection. What you see may be old.",
  "state.expired": "You are signed out. Open Satchel from your recruiting software again.",
  "state.forbidden": "You may not see this.",
  "state.retry": "Try again",
} as const;

export type Catalogue = {
  [Key in keyof typeof en]: (typeof en)[Key] extends (...args: infer Args) => string
    ? (...args: Args) => string
    : string;
};

export const timeline = {
  timeline: (name: string) => `Email with ${name}`,
  "timeline.empty": "No email with this person yet",
  "timeline.empty.what":
    "Email that you send to or receive from their addresses appears here once it passes through your capture address.",
  "timeline.empty.filtered": "No email of this kind",
  "timeline.hidden.deleted":
    "This person was removed from the directory, so email with them is hidden.",
  "timeline.hidden.blocked":
    "This person is a team member or shares an address with one, so email with them is hidden.",
  "timeline.merged": "The profile you asked for was merged into this one",
  "timeline.all": "All",
  "timeline.received": "Received",
  "timeline.sent": "Sent",
  "timeline.attachments": "With attachments",
  "timeline.automatic": "Hide automatic email",
  "timeline.end": "No more email",
  "timeline.as.from": "as sender",
  "timeline.as.sender": "sent on behalf",
  "timeline.as.reply_to": "gets the replies",
  "timeline.as.to": "as recipient",
  "timeline.as.cc": "in copy",
  "timeline.as.bcc": "in blind copy",
  "kind.candidate": "Candidate",
  "kind.contact": "Contact",
  "kind.user": "Team member",
  "kind.guest": "Guest",
  "kind.vendor": "Vendor",
} as const;

// What an inbox fetches when its first conversation is opened.

export { ConversationView } from "./Conversation";
export { default as css } from "./conversation.css?inline";

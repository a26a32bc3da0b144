import { app } from "./app";
import { inbox } from "./inbox";
import { mail } from "./mail";
import { shared } from "./shared";
import { timeline } from "./timeline";

export const de = { ...shared, ...app, ...inbox, ...mail, ...timeline };

import { inbox } from "./inbox";
import { mail } from "./mail";
import { shared } from "./shared";
import { timeline } from "./timeline";

export const en = { ...shared, ...inbox, ...mail, ...timeline };

import { Setup } from "../setup/Setup";
import css from "../setup/setup.css?inline";
import page from "../shared/page.css?inline";
import type { View } from "./element";

export const view: View = { component: Setup, styles: [page, css] };

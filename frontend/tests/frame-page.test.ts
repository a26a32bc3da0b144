import { expect, it } from "vitest";
import { isDesigned, pageOf } from "../src/conversation/frame-page";

it("tells a designed mail from one that takes the colours around it", () => {
  expect(isDesigned('<p style="color:#333">x</p>')).toBe(true);
  expect(isDesigned('<td bgcolor="#fff">x</td>')).toBe(true);
  expect(isDesigned('<div style="background-color:red">x</div>')).toBe(true);
  expect(isDesigned('<div dir="ltr"><b>Yes</b>, the color: red</div>')).toBe(false);
  expect(isDesigned('<blockquote style="border-left:1px solid rgb(1,2,3)">x</blockquote>')).toBe(
    false,
  );
});

it("gives the frame a policy that loads nothing, before anything of the mail", () => {
  const page = pageOf("<p>x</p>");
  expect(page.indexOf("default-src 'none'")).toBeGreaterThan(0);
  expect(page.indexOf("default-src 'none'")).toBeLessThan(page.indexOf("<p>x</p>"));
  expect(page).not.toContain("script");
});

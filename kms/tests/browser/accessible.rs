//! What every page owes to whoever uses it without a mouse, without good eyes, or without a wide
//! screen: asked of the page as the browser has it, and asked of every page that a test looks at.

use serde_json::Value;

use crate::browser::Browser;

/// Everything that is wrong with a page, in words. The ratio of contrast is that of WCAG 2.2, section
/// 1.4.3 (4.5, and 3 for large text); sizes are those of section 1.4.10 (320 px without scrolling
/// sideways) and 2.5.8 (targets of 24 px, links within text excepted).
const CHECK: &str = r#"
const wrong = [];
const shown = element => element.checkVisibility({ visibilityProperty: true });
const text = element => element.outerHTML.slice(0, 120);
if (document.documentElement.lang !== "en") wrong.push("no language");
if (!document.title.endsWith(" · Hanzo KMS")) wrong.push("title: " + document.title);
if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
if (!document.querySelector("main")) wrong.push("no main");
if (document.compatMode !== "CSS1Compat") wrong.push("quirks mode");
let level = 1;
for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) wrong.push("a level of headings is left out: " + text(heading));
  level = next;
}
const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
if (new Set(ids).size !== ids.length) wrong.push("an id stands twice: " + ids);
for (const name of ["for", "aria-describedby", "aria-labelledby"]) {
  for (const element of document.querySelectorAll(`[${name}]`)) {
    for (const id of element.getAttribute(name).split(" ")) {
      if (!document.getElementById(id)) wrong.push(name + " of nothing: " + text(element));
    }
  }
}
for (const field of document.querySelectorAll("input, select, textarea")) {
  if (field.type === "hidden" || !shown(field)) continue;
  if (!field.labels.length) wrong.push("no label: " + text(field));
  const typed = ["text", "email", "password", "search"].includes(field.type);
  if (typed && !field.autocomplete) wrong.push("no autocomplete: " + text(field));
}
const luminance = color => {
  const [r, g, b] = color.map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const parse = color => {
  const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
  return { color: [r, g, b], a };
};
const ground = element => {
  for (; element; element = element.parentElement) {
    const { color, a } = parse(getComputedStyle(element).backgroundColor);
    if (a === 1) return color;
    if (a > 0) wrong.push("half-transparent: " + text(element));
  }
  return [255, 255, 255];
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !shown(element)) continue;
  if (["SCRIPT", "STYLE", "NOSCRIPT", "OPTION"].includes(element.tagName)) continue;
  if (element.matches(".unseen, .unseen *, :disabled, :has(> :disabled), :has(> :disabled) *")) continue;
  const style = getComputedStyle(element);
  const [a, b] = [parse(style.color).color, ground(element)].map(luminance);
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ` + text(element));
  if (size < 14) wrong.push(`small (${size} px): ` + text(element));
}
if (document.documentElement.scrollWidth > innerWidth) wrong.push("wider than the screen");
for (const target of document.querySelectorAll("button:not(.plain), .button")) {
  const { width, height } = target.getBoundingClientRect();
  if (shown(target) && (width < 24 || height < 24)) wrong.push("small target: " + text(target));
}
for (const element of document.querySelectorAll("[tabindex]")) {
  if (element.tabIndex > 0) wrong.push("an order of its own: " + text(element));
}
for (const form of document.querySelectorAll("form")) {
  if (!["get", "post"].includes(form.getAttribute("method"))) wrong.push("method: " + text(form));
}
return wrong;
"#;

impl Browser {
    /// Checks the page that is shown, as [`crate::look`] has it shown.
    #[track_caller]
    pub(crate) fn check(&self, what: &str) {
        let wrong = self.run(CHECK);
        assert_eq!(wrong, Value::Array(Vec::new()), "{what} at {}: {wrong:#}", self.url());
    }
}

// A screen with an explanation and the possible next steps.

import { button, heading, make, saying } from "../dom.js";

/** @typedef {import("../dom.js").MessageKey} MessageKey */
/** @typedef {import("../dom.js").Parts} Parts */

/**
 * @param {MessageKey} title
 * @param {MessageKey} text
 * @param {HTMLElement[]} ways the buttons for the next steps
 * @param {Parts} [parts]
 */
export function notice(title, text, ways, parts = {}) {
  return make(
    "section",
    { class: "card notice" },
    heading(title, parts),
    saying("p", text, {}, parts),
    make("div", { class: "ways" }, ...ways),
  );
}

/**
 * @param {import("../main.js").Go} go
 * @param {string} look a class
 */
export function toStart(go, look = "secondary") {
  return button("toStart", () => go.home(), look);
}

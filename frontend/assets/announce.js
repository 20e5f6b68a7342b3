// Announcements: one line for a while, which screen readers read out.

import { message, say } from "./language.js";

/** @typedef {import("./language.js").MessageKey} MessageKey */
/** @typedef {import("./language.js").Parts} Parts */

const SHOWN_MS = 6000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Show and read out a message for a while.
 *
 * @param {MessageKey} key
 * @param {Parts} [parts]
 */
export function announce(key, parts) {
  announceAll([{ key, parts: parts ?? {} }]);
}

/**
 * Show several messages at once: one after the other, each would replace the one before.
 *
 * @param {{key: MessageKey, parts: Parts}[]} news
 */
export function announceAll(news) {
  if (news.length === 0) return;
  const line = /** @type {HTMLElement} */ (document.querySelector("#news"));
  say(line, () => news.map(({ key, parts }) => message(key, parts)).join(" · "));
  line.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => line.classList.remove("shown"), SHOWN_MS);
}

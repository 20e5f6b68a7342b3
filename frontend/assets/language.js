// Which language the page speaks, and how what it says gets into elements.
//
// An element remembers what it says, so that another language changes the words and nothing else:
// what was typed and where the focus is stay.

import { MESSAGES } from "./messages.js";
import { stored } from "./storage.js";

/** @typedef {import("./messages.js").Language} Language */
/** @typedef {import("./messages.js").MessageKey} MessageKey */
/** @typedef {Record<string, string | number>} Parts */

const chosen = stored(() => localStorage, "language");
/** @type {Language} */
let language = firstSpoken(chosen.read());
/** @type {WeakMap<Element, Map<string, () => string>>} */
const said = new WeakMap();

/** @returns {Language} */
export function currentLanguage() {
  return language;
}

/**
 * Return a message with its parts filled in.
 *
 * @param {MessageKey} key
 * @param {Parts} [parts]
 */
export function message(key, parts = {}) {
  return MESSAGES[language][key].replace(/\{(\w+)\}/gu, (_, name) => String(parts[name] ?? ""));
}

/**
 * Let an element say a message, now and in every other language: as its text, or as an attribute.
 *
 * @template {Element} E
 * @param {E} element
 * @param {MessageKey | (() => string)} what
 * @param {Parts} [parts]
 * @param {string} [attribute]
 * @returns {E}
 */
export function say(element, what, parts, attribute = "") {
  const text = typeof what === "function" ? what : () => message(what, parts);
  const texts = said.get(element) ?? new Map();
  said.set(element, texts.set(attribute, text));
  element.toggleAttribute("data-says", true);
  put(element, attribute, text());
  return element;
}

/**
 * Let an element say nothing.
 *
 * @param {Element} element
 */
export function hush(element) {
  said.get(element)?.delete("");
  if (element.textContent) element.textContent = "";
}

/** Speak the other language from now on. */
export function switchLanguage() {
  language = language === "ja" ? "en" : "ja";
  chosen.write(language);
  speak();
}

/** Put what is said into the language, in the whole document. */
export function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-says]")) {
    for (const [attribute, text] of said.get(element) ?? []) put(element, attribute, text());
  }
}

/**
 * Return the first language that the page speaks: what was chosen, what the browser wants, English.
 *
 * @param {unknown} before
 * @returns {Language}
 */
function firstSpoken(before) {
  const wanted = [before, ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  return wanted.find((tag) => tag === "ja" || tag === "en") === "ja" ? "ja" : "en";
}

/**
 * @param {Element} element
 * @param {string} attribute
 * @param {string} text
 */
function put(element, attribute, text) {
  if (attribute) element.setAttribute(attribute, text);
  // Setting the same text again would make a screen reader say it again.
  else if (element.textContent !== text) element.textContent = text;
}

// The language of the page, and the texts of its elements.
//
// The text of every element is remembered as a message, so that a switch of the language replaces
// only texts: typed text and focus stay.

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
 * Show a message as the text or an attribute of an element, in the current language.
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
 * Remove the text of an element.
 *
 * @param {Element} element
 */
export function hush(element) {
  said.get(element)?.delete("");
  if (element.textContent) element.textContent = "";
}

/** Switch to the other language. */
export function switchLanguage() {
  language = language === "ja" ? "en" : "ja";
  chosen.write(language);
  speak();
}

/** Show all texts of the document in the current language. */
export function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-says]")) {
    for (const [attribute, text] of said.get(element) ?? []) put(element, attribute, text());
  }
}

/**
 * Return the language to begin with: the one chosen before, else the browser's, else English.
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
  // Setting the same text again would make a screen reader repeat it.
  else if (element.textContent !== text) element.textContent = text;
}

// Elements with text content: nothing in the page turns text into HTML.

import { say } from "./language.js";

/** @typedef {import("./language.js").MessageKey} MessageKey */
/** @typedef {import("./language.js").Parts} Parts */

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} [attributes]
 * @param {...Node} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Make an element with a message as its text.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {MessageKey} key
 * @param {Record<string, string>} [attributes]
 * @param {Parts} [parts]
 * @returns {HTMLElementTagNameMap[T]}
 */
export function saying(tag, key, attributes = {}, parts = {}) {
  return say(make(tag, attributes), key, parts);
}

/**
 * Make a button.
 *
 * @param {MessageKey} key
 * @param {() => void} pressed
 * @param {string} look a class
 * @param {Parts} [parts]
 */
export function button(key, pressed, look, parts = {}) {
  const element = saying("button", key, { type: "button", class: look }, parts);
  element.addEventListener("click", pressed);
  return element;
}

/**
 * Make the heading of a screen, which gets the focus when the screen is shown.
 *
 * @param {MessageKey} key
 * @param {Parts} [parts]
 */
export function heading(key, parts = {}) {
  return saying("h1", key, { tabindex: "-1" }, parts);
}

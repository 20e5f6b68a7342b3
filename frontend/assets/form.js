// A form of text fields: what is wrong stands under its field, and Enter never sends half a word.

import { inWords } from "./act.js";
import { make, saying } from "./dom.js";
import { hush, say } from "./language.js";

/** @typedef {import("./language.js").MessageKey} MessageKey */
/**
 * @template T
 * @typedef {{value: T, problem?: undefined} | {value?: undefined, problem: MessageKey}} Read
 */
/**
 * @template T
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {HTMLInputElement} input
 * @property {() => Read<T>} read
 * @property {(problem: MessageKey | null) => void} tell
 */

let count = 0;

/**
 * Make a field.
 *
 * @template T
 * @param {MessageKey} label
 * @param {MessageKey} hint
 * @param {Record<string, string>} attributes of the input
 * @param {(typed: string) => Read<T>} read
 * @returns {Field<T>}
 */
export function field(label, hint, attributes, read) {
  count += 1;
  const id = `field-${count}`;
  const input = make("input", {
    id,
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": `${id}-hint`,
    ...attributes,
  });
  const help = saying("p", hint, { id: `${id}-hint`, class: "hint" });
  /** @param {MessageKey | null} problem */
  function tell(problem) {
    input.setAttribute("aria-invalid", String(problem !== null));
    help.classList.toggle("problem", problem !== null);
    say(help, problem ?? hint);
  }
  input.addEventListener("input", () => {
    if (input.ariaInvalid === "true") tell(null);
  });
  return {
    element: make("div", { class: "field" }, saying("label", label, { for: id }), input, help),
    input,
    read: () => read(input.value),
    tell,
  };
}

/**
 * Make a form that hands on what its fields hold, once all of them are right. What `send` returns
 * is done then, unless the player has gone to another screen meanwhile.
 *
 * @param {MessageKey} name
 * @param {Field<any>[]} fields
 * @param {{label: MessageKey, busy: MessageKey}} submit
 * @param {(values: any[], waiting: () => void) => Promise<() => void>} send throws a Refusal
 */
export function form(name, fields, submit, send) {
  const submitButton = saying("button", submit.label, { type: "submit", class: "primary" });
  const failure = make("p", { class: "failure", role: "alert" });
  const element = make("form", { novalidate: "" }, ...fields.map((one) => one.element), failure);
  element.append(submitButton);
  say(element, name, {}, "aria-label");
  let isBusy = false;

  async function submitted() {
    const reads = fields.map((one) => one.read());
    for (const [index, one] of fields.entries()) one.tell(reads[index]?.problem ?? null);
    const wrong = fields.find((_, index) => reads[index]?.problem);
    wrong?.input.focus();
    if (isBusy || wrong) return;
    isBusy = true;
    hush(failure);
    say(submitButton, submit.busy);
    submitButton.setAttribute("aria-disabled", "true");
    try {
      const goOn = await send(
        reads.map((read) => read.value),
        () => say(failure, "retrying"),
      );
      hush(failure);
      if (element.isConnected) goOn();
    } catch (error) {
      say(failure, inWords(error));
    }
    isBusy = false;
    say(submitButton, submit.label);
    submitButton.removeAttribute("aria-disabled");
  }

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted();
  });
  keepEnterFromSendingHalfAWord(element);
  return element;
}

/**
 * The Enter that ends a Japanese conversion is the input method's. Browsers say so by
 * `isComposing`; Safari ends the composition first, and says so by the key code 229 alone:
 * https://developer.mozilla.org/docs/Web/API/Element/keydown_event#keydown_events_with_ime
 *
 * @param {HTMLFormElement} element
 */
function keepEnterFromSendingHalfAWord(element) {
  element.addEventListener("keydown", (event) => {
    const isOfInputMethod = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && isOfInputMethod) event.preventDefault();
  });
}

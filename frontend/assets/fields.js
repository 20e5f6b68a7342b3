// The two fields: a player's name and a room code.

import { foldCode } from "./codes.js";
import { field } from "./form.js";
import { cleanName } from "./names.js";

/** @typedef {import("./messages.js").MessageKey} MessageKey */

/** @type {Record<import("./names.js").NameProblem, MessageKey>} */
const NAME_PROBLEMS = {
  empty: "nameEmpty",
  long: "nameLong",
  control: "nameControl",
  invisible: "nameInvisible",
};

/** @param {string} [typed] the initial value */
export function nameField(typed = "") {
  return field("yourName", "nameHint", { name: "name", value: typed }, (text) => {
    const { name, problem } = cleanName(text);
    return problem ? { problem: NAME_PROBLEMS[problem] } : { value: name ?? "" };
  });
}

export function codeField() {
  const attributes = { name: "code", class: "code", autocapitalize: "characters" };
  const made = field("roomCode", "codeHint", attributes, (text) => {
    const code = foldCode(text);
    return code ? { value: code } : { problem: "codeWrong" };
  });
  // Not while typing: that would disturb an input method.
  made.input.addEventListener("change", () => {
    made.input.value = foldCode(made.input.value) ?? made.input.value;
  });
  return made;
}

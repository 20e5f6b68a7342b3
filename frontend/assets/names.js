// The rules for player names, as in lambda_src/rooms/names.py, so that a mistake is shown before
// anything is sent. The server decides; one table of cases tests both.

/** In Unicode code points, after trimming and NFC. */
export const MAX_LENGTH = 20;

const TRIMMED =
  "[\\t\\n\\v\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff" +
  "\\u00ad\\u034f\\u115f\\u1160\\u180e\\u200b-\\u200d\\u2060-\\u2064\\u3164\\uffa0]+";
const EDGES = new RegExp(`^${TRIMMED}|${TRIMMED}$`, "gu");
// U+FFFD is what decoders write for bytes that they cannot read.
const FORBIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Noncharacter_Code_Point}\ufffd]/u;
const BLANKS = /[\u115f\u1160\u2800\u3164\uffa0\u{e0000}-\u{e0fff}]/gu;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}\p{Cn}\p{Co}]/u;

/** @typedef {"empty" | "long" | "control" | "invisible"} NameProblem */

/**
 * Return a name as the server stores it, or the problem with it.
 *
 * @param {string} typed
 * @returns {{name: string, problem?: undefined} | {name?: undefined, problem: NameProblem}}
 */
export function cleanName(typed) {
  const name = typed.normalize("NFC").replace(EDGES, "");
  if (!name) return { problem: "empty" };
  if ([...name].length > MAX_LENGTH) return { problem: "long" };
  if (FORBIDDEN.test(name)) return { problem: "control" };
  if (!VISIBLE.test(name.replace(BLANKS, ""))) return { problem: "invisible" };
  return { name };
}

// Room codes, as people type them: the rules of lambda_src/rooms/codes.py.

const CODE = /^[BCDFGHJKMNPQRSTVWXZ2-9]{6}$/u;
const SEPARATORS = /[\p{Zs}\p{Zl}\p{Zp}\p{Pd}\p{Cc}\p{Cf}~\u2212\u30fc]/gu;

/**
 * Return the code for a typed text, or null. Full-width letters, lower case, spaces and hyphens
 * make no difference.
 *
 * @param {string} typed
 * @returns {string | null}
 */
export function foldCode(typed) {
  const code = typed.normalize("NFKC").toUpperCase().replace(SEPARATORS, "");
  return CODE.test(code) ? code : null;
}

/**
 * Return the code after the "#" of the address, or null.
 *
 * @param {string} hash
 * @returns {string | null}
 */
export function codeInAddress(hash) {
  try {
    return foldCode(decodeURIComponent(hash.replace(/^#\/?/u, "")));
  } catch {
    return null;
  }
}

/**
 * Return the link to a room, for friends.
 *
 * @param {string} code
 * @returns {string}
 */
export function linkTo(code) {
  return `${location.origin}${location.pathname}#${code}`;
}

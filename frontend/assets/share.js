// The link that others are sent: on this machine alone, the page's own address is of no use to them.

import { linkTo } from "./codes.js";

const LOOPBACK = /^((.+\.)?localhost|127(\.\d+){3}|\[::1\])$/u;
/** Where `make run` says at which address it is reached from other devices. */
const SHARED_URL = "/local/shared-url";
/** @type {Promise<string | null> | undefined} */
let shared;

/**
 * Return the link to a room that other devices can open, or null where no other device can.
 *
 * @param {string} code
 * @returns {Promise<string | null>}
 */
export async function linkForOthers(code) {
  if (!LOOPBACK.test(location.hostname)) return linkTo(code);
  shared ??= ask();
  const url = await shared;
  return url && `${url}${location.pathname}#${code}`;
}

/** @returns {Promise<string | null>} */
async function ask() {
  try {
    const answer = await fetch(SHARED_URL);
    const found = answer.ok ? await answer.json() : null;
    return typeof found?.url === "string" ? found.url : null;
  } catch {
    return null;
  }
}

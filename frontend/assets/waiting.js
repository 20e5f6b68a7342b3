// How long to wait before asking again, in milliseconds.

/** Two pages that began together do not stay together. */
const JITTER = 0.2;

/**
 * @param {number} ms
 * @returns {number}
 */
export function jittered(ms) {
  return ms * (1 - JITTER + 2 * JITTER * Math.random());
}

/**
 * Return the wait after so many failures before this one: 1, 2, 4 … 30 seconds, or longer when the
 * server asked for it.
 *
 * @param {number} failures
 * @param {number} retryAfterMs
 */
export function backOff(failures, retryAfterMs) {
  const wait = Math.min(2 ** failures * 1000, 30_000);
  // A wait that was asked for is never made shorter.
  return Math.max(jittered(wait), retryAfterMs * (1 + JITTER * Math.random()));
}

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

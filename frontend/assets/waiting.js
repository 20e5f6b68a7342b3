// The waits between requests, in milliseconds.

/** So that pages that began together do not send their requests together. */
const JITTER = 0.2;

/**
 * @param {number} ms
 * @returns {number}
 */
export function jittered(ms) {
  return ms * (1 - JITTER + 2 * JITTER * Math.random());
}

/**
 * Return the wait after a failure: 1, 2, 4 … 30 seconds, or longer with a Retry-After. `failures`
 * counts those before this one.
 *
 * @param {number} failures
 * @param {number} retryAfterMs
 */
export function backOff(failures, retryAfterMs) {
  const wait = Math.min(2 ** failures * 1000, 30_000);
  // Never shorter than Retry-After.
  return Math.max(jittered(wait), retryAfterMs * (1 + JITTER * Math.random()));
}

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

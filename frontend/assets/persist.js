// An act of the player's that is tried again by itself. Each act carries the player's own token, so
// that one whose answer was lost finds what it has done.

import { Refusal } from "./api.js";
import { backOff, pause } from "./waiting.js";

const ATTEMPTS = 4;

/**
 * Try until it is done or refused for good.
 *
 * @template T
 * @param {() => Promise<T>} act
 * @param {() => void} waiting is told before every further attempt
 * @returns {Promise<T>}
 * @throws {Refusal}
 */
export async function persist(act, waiting) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Refusal) || !error.isPassing || attempt === ATTEMPTS) throw error;
      waiting();
      await pause(backOff(attempt - 1, error.retryAfterMs));
    }
  }
}

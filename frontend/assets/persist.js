// Retries of the player's actions. Each request carries the player's own token, so that a repeat
// after a lost answer finds the result.

import { Refusal } from "./api.js";
import { backOff, pause } from "./waiting.js";

const ATTEMPTS = 4;

/**
 * Retry an action until it succeeds, is refused for good, or has failed too often.
 *
 * @template T
 * @param {() => Promise<T>} act
 * @param {() => void} waiting is called before every further attempt
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

// What players do: open a room, join one, leave it. Seats are kept and forgotten here.

import { createRoom, joinRoom, leaveRoom, Refusal } from "./api.js";
import { MESSAGES } from "./messages.js";
import { persist } from "./persist.js";
import * as seats from "./seats.js";

/** @typedef {import("./api.js").Room} Room */
/** @typedef {import("./messages.js").MessageKey} MessageKey */
/** @typedef {import("./seats.js").Seat} Seat */

/** Leaving is done when the API says that there is nothing to leave. */
const NOT_IN_IT = ["FORBIDDEN", "NOT_FOUND"];

/**
 * Open a room and take its first seat.
 *
 * @param {string} name
 * @param {() => void} waiting is told when it takes another attempt
 * @returns {Promise<Room>}
 */
export async function create(name, waiting) {
  const token = seats.tokenToCreate(name);
  try {
    const { room, playerId } = await persist(() => createRoom(name, token), waiting);
    seats.keep(room.roomId, { token, name, playerId, since: stamp(room) });
    seats.createdOrRefused();
    return room;
  } catch (error) {
    if (isFinal(error)) seats.createdOrRefused();
    throw error;
  }
}

/**
 * Take a seat.
 *
 * @param {string} code
 * @param {string} name
 * @param {() => void} waiting is told when it takes another attempt
 * @returns {Promise<Room>}
 */
export async function join(code, name, waiting) {
  const token = seats.tokenToJoin(code, name);
  try {
    const { room, playerId } = await persist(() => joinRoom(code, name, token), waiting);
    seats.keep(code, { token, name, playerId, since: stamp(room) });
    return room;
  } catch (error) {
    if (isFinal(error)) seats.forget(code, token);
    throw error;
  }
}

/**
 * Give up a seat; it is kept as long as the API has not said so.
 *
 * @param {string} code
 * @param {Seat} seat
 */
export async function leave(code, seat) {
  try {
    await leaveRoom(code, seat.token);
  } catch (error) {
    if (!(error instanceof Refusal) || !NOT_IN_IT.includes(error.code)) throw error;
  }
  seats.forget(code, seat.token);
}

/**
 * Return the words for what went wrong.
 *
 * @param {unknown} error
 * @returns {MessageKey}
 */
export function inWords(error) {
  if (!(error instanceof Refusal)) throw error;
  return error.code in MESSAGES.en ? /** @type {MessageKey} */ (error.code) : "INTERNAL_ERROR";
}

/** @param {Room} room */
function stamp({ createdAt, version }) {
  return { createdAt, version };
}

/** @param {unknown} error */
function isFinal(error) {
  return error instanceof Refusal && !error.isPassing;
}

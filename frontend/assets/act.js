// The actions of players: create, join and leave a room. They store and remove seats.

import { createRoom, joinRoom, leaveRoom, Refusal } from "./api.js";
import { MESSAGES } from "./messages.js";
import { persist } from "./persist.js";
import * as seats from "./seats.js";

/** @typedef {import("./api.js").Room} Room */
/** @typedef {import("./messages.js").MessageKey} MessageKey */
/** @typedef {import("./seats.js").Seat} Seat */

/** With these errors of the API there is no seat to give up. */
const NO_SEAT = ["FORBIDDEN", "NOT_FOUND"];

/** With these nobody has looked: an earlier request may have taken the seat. */
const NOT_LOOKED_AT = ["DIRECT_ACCESS", "TOO_MANY_REQUESTS"];

/**
 * Open a room and take its first seat.
 *
 * @param {string} name
 * @param {() => void} waiting is called before another attempt
 * @returns {Promise<Room>}
 */
export async function create(name, waiting) {
  const token = seats.tokenToCreate(name);
  try {
    const { room, playerId } = await persist(() => createRoom(name, token), waiting);
    seats.keep(room.roomId, { token, name, playerId, since: stamp(room) });
    seats.forgetCreating();
    return room;
  } catch (error) {
    if (isFinal(error)) seats.forgetCreating();
    throw error;
  }
}

/**
 * Take a seat.
 *
 * @param {string} code
 * @param {string} name
 * @param {() => void} waiting is called before another attempt
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
 * Give up a seat; it stays stored until the API has confirmed that.
 *
 * @param {string} code
 * @param {Seat} seat
 */
export async function leave(code, seat) {
  try {
    await leaveRoom(code, seat.token);
  } catch (error) {
    if (!(error instanceof Refusal) || !NO_SEAT.includes(error.code)) throw error;
  }
  seats.forget(code, seat.token);
}

/**
 * Return the key of the message for an error.
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
  return error instanceof Refusal && !error.isPassing && !NOT_LOOKED_AT.includes(error.code);
}

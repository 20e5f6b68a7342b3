// The seats of this browser, each with a token that is made here and sent only to the API.
//
// A token is stored before it is sent. So a repeat after a lost answer, a reload and a second tab
// all find the same seat. Two people may share a browser, so it can have several seats in a room;
// each tab remembers its own.

import { stored } from "./storage.js";

/**
 * @typedef {object} Seat
 * @property {string} token
 * @property {string} name
 * @property {string | null} playerId null as long as no answer has come
 * @property {{createdAt: number, version: number} | null} since the room as it was when the seat was
 *   taken: what is older says nothing of the seat
 */
/** @typedef {Record<string, Seat[]>} Seats by room code */

const kept = stored(() => localStorage, "seats");
const creating = stored(() => localStorage, "creating");
const ofTab = stored(() => sessionStorage, "tab");

/**
 * Return the seat in a room for this tab: its own, or else the first one of this browser.
 *
 * @param {string} code
 * @returns {Seat | undefined}
 */
export function seatIn(code) {
  const seats = seatsIn(code);
  return seats.find((seat) => isOfTab(code, seat)) ?? seats[0];
}

/**
 * @param {string} code
 * @returns {Seat[]}
 */
export function seatsIn(code) {
  return all()[code] ?? [];
}

/** Return the codes of all rooms in which this browser has a seat. */
export function rooms() {
  return Object.entries(all())
    .filter(([, seats]) => seats.some((seat) => seat.playerId))
    .map(([code]) => code);
}

/**
 * Return whether this tab itself took or chose a seat.
 *
 * @param {string} code
 * @param {Seat} seat
 */
export function isOfTab(code, seat) {
  return ofTab.read()?.[code] === seat.token;
}

/**
 * Return the token to create a room with: the same one until there is an answer for this name.
 *
 * @param {string} name
 * @returns {string}
 */
export function tokenToCreate(name) {
  const before = creating.read();
  if (before?.name === name) return before.token;
  const token = newToken();
  creating.write({ token, name });
  return token;
}

/** Forget the token for creating a room. */
export function forgetCreating() {
  creating.write(null);
}

/**
 * Return the token to join a room with: the same one until there is an answer.
 *
 * @param {string} code
 * @param {string} name
 * @returns {string}
 */
export function tokenToJoin(code, name) {
  const seat = seatIn(code);
  const waiting = seat?.playerId ? undefined : seat;
  const token = waiting?.token ?? newToken();
  keep(code, { token, name, playerId: null, since: null });
  return token;
}

/**
 * Store a seat, as the one of this tab.
 *
 * @param {string} code
 * @param {Seat} seat
 */
export function keep(code, seat) {
  const others = seatsIn(code).filter(({ token }) => token !== seat.token);
  kept.write({ ...all(), [code]: [...others, seat] });
  ofTab.write({ ...ofTab.read(), [code]: seat.token });
}

/**
 * @param {string} code
 * @param {string} token
 */
export function forget(code, token) {
  const { [code]: seats = [], ...others } = all();
  const left = seats.filter((seat) => seat.token !== token);
  kept.write(left.length > 0 ? { ...others, [code]: left } : others);
}

/**
 * Forget every seat in a room that has ended.
 *
 * @param {string} code
 */
export function forgetRoom(code) {
  const { [code]: _, ...others } = all();
  kept.write(others);
}

/** @returns {Seats} */
function all() {
  return kept.read() ?? {};
}

/** Return 256 random bits in the API's alphabet. */
function newToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

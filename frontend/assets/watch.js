// Polls a room: often while it changes, seldom when it does not.

import { getRoom, Refusal } from "./api.js";
import { backOff, jittered } from "./waiting.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** @typedef {import("./api.js").Room} Room */
/** @typedef {Pick<Room, "createdAt" | "version">} Stamp identifies a state of a room */
/**
 * @typedef {object} Listener
 * @property {(room: Room) => void} changed
 * @property {() => void} gone the room has ended
 * @property {(isDown: boolean) => void} trouble requests fail, or work again
 */

/**
 * Return the time between two requests, in milliseconds.
 *
 * @param {number} quietMs how long ago the last change was
 * @param {boolean} isHidden
 */
export function interval(quietMs, isHidden) {
  if (isHidden) return 30 * SECOND;
  if (quietMs < MINUTE) return 2 * SECOND;
  return quietMs < 5 * MINUTE ? 5 * SECOND : 15 * SECOND;
}

/**
 * Return whether an answer is older than the shown room: an edge may be a second behind.
 *
 * @param {Stamp} room
 * @param {Stamp | null} shown
 */
export function isOlder(room, shown) {
  if (!shown) return false;
  if (room.createdAt !== shown.createdAt) return room.createdAt < shown.createdAt;
  return room.version < shown.version;
}

/**
 * Poll a room until it is stopped.
 *
 * @param {string} code
 * @param {Stamp | null} known the room that is shown already
 * @param {Listener} listener
 * @returns {() => void} a function that stops it
 */
export function watch(code, known, listener) {
  const stopping = new AbortController();
  const { signal } = stopping;
  let shown = known;
  let etag = "";
  let failures = 0;
  let changedAt = Date.now();
  let isRequesting = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  async function poll() {
    if (isRequesting || signal.aborted) return;
    clearTimeout(timer);
    isRequesting = true;
    const wait = await request();
    isRequesting = false;
    if (!signal.aborted) timer = setTimeout(poll, wait);
  }

  /** @returns {Promise<number>} how long to wait then */
  async function request() {
    try {
      const found = await getRoom(code, etag, shown?.createdAt);
      if (signal.aborted) return 0;
      if (failures) listener.trouble(false);
      failures = 0;
      etag = found.etag;
      if (found.room && isOlder(found.room, shown)) return jittered(SECOND);
      if (found.room) {
        if (found.room.version !== shown?.version) changedAt = Date.now();
        shown = found.room;
        listener.changed(found.room);
      }
    } catch (error) {
      if (signal.aborted) return 0;
      const refusal = error instanceof Refusal ? error : new Refusal("NETWORK");
      if (refusal.code === "NOT_FOUND") {
        stopping.abort();
        listener.gone();
        return 0;
      }
      listener.trouble(true);
      failures += 1;
      return backOff(failures, refusal.retryAfterMs);
    }
    return jittered(interval(Date.now() - changedAt, document.hidden));
  }

  function pollWhenVisible() {
    if (!document.hidden) poll();
  }

  document.addEventListener("visibilitychange", pollWhenVisible, { signal });
  addEventListener("online", poll, { signal });
  poll();
  return () => {
    stopping.abort();
    clearTimeout(timer);
  };
}

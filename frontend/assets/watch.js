// Looking at a room again and again: often while things happen, seldom when nothing does.

import { getRoom, Refusal } from "./api.js";
import { backOff, jittered } from "./waiting.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** @typedef {import("./api.js").Room} Room */
/** @typedef {Pick<Room, "createdAt" | "version">} Stamp which state of a room this is */
/**
 * @typedef {object} Told
 * @property {(room: Room) => void} changed
 * @property {() => void} gone the room is not there any more
 * @property {(isDown: boolean) => void} trouble asking fails; or works again
 */

/**
 * How long after the last change to wait, in milliseconds.
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
 * Tell whether an answer is older than what is shown: an edge may be a second behind.
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
 * Look at a room until told to stop.
 *
 * @param {string} code
 * @param {Stamp | null} known what is shown already
 * @param {Told} told
 * @returns {() => void} stops it
 */
export function watch(code, known, told) {
  const stopping = new AbortController();
  const { signal } = stopping;
  let shown = known;
  let etag = "";
  let failures = 0;
  let changedAt = Date.now();
  let isAsking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  async function look() {
    if (isAsking || signal.aborted) return;
    clearTimeout(timer);
    isAsking = true;
    const wait = await ask();
    isAsking = false;
    if (!signal.aborted) timer = setTimeout(look, wait);
  }

  /** @returns {Promise<number>} how long to wait then */
  async function ask() {
    try {
      const found = await getRoom(code, etag);
      if (signal.aborted) return 0;
      if (failures) told.trouble(false);
      failures = 0;
      etag = found.etag;
      if (found.room && isOlder(found.room, shown)) return jittered(SECOND);
      if (found.room) {
        if (found.room.version !== shown?.version) changedAt = Date.now();
        shown = found.room;
        told.changed(found.room);
      }
    } catch (error) {
      if (signal.aborted) return 0;
      const refusal = error instanceof Refusal ? error : new Refusal("NETWORK");
      if (refusal.code === "NOT_FOUND") {
        stopping.abort();
        told.gone();
        return 0;
      }
      told.trouble(true);
      failures += 1;
      return backOff(failures, refusal.retryAfterMs);
    }
    return jittered(interval(Date.now() - changedAt, document.hidden));
  }

  function lookWhenSeen() {
    if (!document.hidden) look();
  }

  document.addEventListener("visibilitychange", lookWhenSeen, { signal });
  addEventListener("online", look, { signal });
  look();
  return () => {
    stopping.abort();
    clearTimeout(timer);
  };
}

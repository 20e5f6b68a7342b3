// The screen behind a friend's link: it shows the room, and a form to join it.

import { inWords, join } from "../act.js";
import { getRoom, Refusal } from "../api.js";
import { button, heading, make, saying } from "../dom.js";
import { nameField } from "../fields.js";
import { form } from "../form.js";
import { say } from "../language.js";
import { persist } from "../persist.js";
import { seatIn } from "../seats.js";
import { notice, toStart } from "./notice.js";

/** @typedef {import("../api.js").Room} Room */
/** @typedef {import("../main.js").Go} Go */

/**
 * Show that the room is being checked, then the result.
 *
 * @param {Go} go
 * @param {string} code
 * @returns {HTMLElement}
 */
export function invited(go, code) {
  const status = saying("p", "checking", { role: "status" });
  const screen = make("section", { class: "card" }, heading("invitedTo", { code }), status);
  fetchRoom(code, () => say(status, "trouble")).then(
    (room) => {
      if (screen.isConnected) go.show(screenOf(go, code, room));
    },
    (error) => {
      if (!screen.isConnected) return;
      const again = button("checkAgain", () => go.toRoom(code), "primary");
      if (error instanceof Refusal && error.code === "NOT_FOUND") go.show(notFound(go, code));
      else go.show(notice("invitedTo", inWords(error), [again, toStart(go)], { code }));
    },
  );
  return screen;
}

/**
 * @param {Go} go
 * @param {string | null} code null when the text after the "#" is no code
 */
export function notFound(go, code) {
  const again = code ? [button("checkAgain", () => go.toRoom(code), "primary")] : [];
  return notice("notFoundTitle", "notFoundText", [...again, toStart(go)]);
}

/**
 * Return the screen for a room that cannot be joined; null for any other error.
 *
 * @param {Go} go
 * @param {string} code
 * @param {string} why
 * @returns {HTMLElement | null}
 */
function refused(go, code, why) {
  const ways = [button("checkAgain", () => go.toRoom(code), "primary"), toStart(go)];
  switch (why) {
    case "ROOM_FULL":
      return notice("fullTitle", "fullText", ways);
    case "ROOM_NOT_JOINABLE":
      return notice("begunTitle", "begunText", ways);
    case "NOT_FOUND":
      return notFound(go, code);
    default:
      return null;
  }
}

/**
 * @param {string} code
 * @param {() => void} waiting
 * @returns {Promise<Room>}
 */
async function fetchRoom(code, waiting) {
  const { room } = await persist(() => getRoom(code), waiting);
  if (!room) throw new Refusal("NETWORK");
  return room;
}

/**
 * @param {Go} go
 * @param {string} code
 * @param {Room} room
 */
function screenOf(go, code, room) {
  const seat = seatIn(code);
  // After a lost answer, this player may be one of the five.
  const pending = seat?.playerId ? undefined : seat;
  const isFull = room.players.length >= room.maxPlayers && !pending;
  const why = room.status === "waiting" ? isFull && "ROOM_FULL" : "ROOM_NOT_JOINABLE";
  return (why && refused(go, code, why)) || joinable(go, code, room, pending?.name);
}

/**
 * @param {Go} go
 * @param {string} code
 * @param {Room} room
 * @param {string | undefined} typed the name of an earlier request without an answer
 */
function joinable(go, code, room, typed) {
  const names = room.players.map((player) => make("li", {}, document.createTextNode(player.name)));
  const joining = form(
    "joinTitle",
    [nameField(typed)],
    { label: "join", busy: "joining" },
    async ([name], waiting) => {
      try {
        const joined = await join(code, name, waiting);
        return () => go.toRoom(code, joined);
      } catch (error) {
        // The room filled up, began or ended meanwhile.
        const screen = error instanceof Refusal ? refused(go, code, error.code) : null;
        if (!screen) throw error;
        return () => go.show(screen);
      }
    },
  );
  return make(
    "section",
    { class: "card" },
    heading("invitedTo", { code }),
    saying("p", "seatsTaken", {}, { count: room.players.length, max: room.maxPlayers }),
    make("ul", { class: "names" }, ...names),
    joining,
  );
}

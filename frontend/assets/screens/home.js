// The first screen: create a room, or join one by its code.

import { create, join } from "../act.js";
import { button, heading, make, saying } from "../dom.js";
import { codeField, nameField } from "../fields.js";
import { form } from "../form.js";
import * as seats from "../seats.js";
import { notice } from "./notice.js";

/** @typedef {import("../main.js").Go} Go */

/**
 * @param {Go} go
 * @returns {HTMLElement}
 */
export function home(go) {
  const creating = form(
    "create",
    [nameField()],
    { label: "create", busy: "creating" },
    async ([name], waiting) => {
      const room = await create(name, waiting);
      return () => go.toRoom(room.roomId, room);
    },
  );
  const joining = form(
    "joinTitle",
    [codeField(), nameField()],
    { label: "join", busy: "joining" },
    async ([code, name], waiting) => {
      const taken = seats.seatsIn(code).find((seat) => seat.playerId);
      if (taken) return () => go.show(alreadySeated(go, code, taken, name));
      const room = await join(code, name, waiting);
      return () => go.toRoom(code, room);
    },
  );
  return make(
    "section",
    { class: "home" },
    make("div", { class: "hero" }, heading("title"), saying("p", "tagline")),
    ...back(go),
    make("div", { class: "card" }, saying("h2", "create"), creating),
    make("div", { class: "card" }, saying("h2", "joinTitle"), joining),
  );
}

/**
 * Return buttons to the rooms in which this browser has a seat.
 *
 * @param {Go} go
 */
function back(go) {
  const codes = seats.rooms();
  if (codes.length === 0) return [];
  const buttons = codes.map((code) =>
    button("backToSeatIn", () => go.toRoom(code), "secondary", { code }),
  );
  return [make("div", { class: "card back" }, saying("h2", "youHaveSeats"), ...buttons)];
}

/**
 * Ask before taking a second seat: two people may share a browser, but it may be a mistake.
 *
 * @param {Go} go
 * @param {string} code
 * @param {import("../seats.js").Seat} seat
 * @param {string} name of the player who wants to join
 */
function alreadySeated(go, code, seat, name) {
  const another = form(
    "someoneElse",
    [nameField(name)],
    { label: "someoneElse", busy: "joining" },
    async ([typed], waiting) => {
      const room = await join(code, typed, waiting);
      return () => go.toRoom(code, room);
    },
  );
  const back = button("backToSeat", () => go.toRoom(code), "primary");
  const parts = { code, name: seat.name };
  const screen = notice("haveSeatTitle", "haveSeatText", [back], parts);
  screen.append(another);
  return screen;
}

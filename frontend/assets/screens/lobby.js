// The lobby: a room as its players see it, updated live.

import { inWords, leave } from "../act.js";
import { announce, announceAll } from "../announce.js";
import { linkTo } from "../codes.js";
import { button, heading, make, saying } from "../dom.js";
import { currentLanguage, hush, message, say } from "../language.js";
import * as seats from "../seats.js";
import { linkForOthers } from "../share.js";
import { watch } from "../watch.js";
import { notice, toStart } from "./notice.js";

/** @typedef {import("../api.js").Player} Player */
/** @typedef {import("../api.js").Room} Room */
/** @typedef {import("../main.js").Go} Go */
/** @typedef {import("../seats.js").Seat} Seat */

const SEATS = 5;

/**
 * @param {Go} go
 * @param {string} code
 * @param {Seat} seat
 * @param {Room | null} known the API's last answer
 * @returns {{element: HTMLElement, stop: () => void}}
 */
export function lobby(go, code, seat, known) {
  const count = make("span", { class: "count" });
  const state = make("p", { class: "state" });
  const trouble = make("p", { class: "trouble", role: "status" });
  const closes = make("p", { class: "hint" });
  const places = Array.from({ length: SEATS }, () => make("li"));
  const failure = make("p", { class: "failure", role: "alert" });
  const link = linkForOthers(code);
  const element = make(
    "section",
    { class: "lobby" },
    make("div", { class: "card invite" }, heading("lobby"), ...invitation(code, link)),
    make(
      "div",
      { class: "card table" },
      make("div", { class: "seats-head" }, saying("h2", "seats"), count),
      say(make("ol", { class: "seats" }, ...places), "seats", {}, "aria-label"),
      state,
      trouble,
      failure,
      leaving(go, code, seat, failure),
      ...otherPerson(go, code, seat),
      closes,
    ),
    toScan(link),
  );
  /** @type {Room | null} */
  let shown = null;

  /** @param {Room} room */
  function show(room) {
    if (!room.players.some((player) => player.playerId === seat.playerId)) {
      seats.forget(code, seat.token);
      go.show(noLongerIn(go, code));
      return;
    }
    tellNews(shown, room, seat);
    shown = room;
    for (const [index, place] of places.entries()) fill(place, room.players[index], room, seat);
    count.textContent = `${room.players.length}/${room.maxPlayers}`;
    tellState(state, room);
    say(closes, () => message("closesAt", { time: clock(room.expiresAt) }));
  }

  for (const place of places) fill(place, undefined, null, seat);
  count.textContent = `–/${SEATS}`;
  if (known) show(known);
  const stop = watch(code, known ?? seat.since, {
    changed: show,
    gone() {
      seats.forgetRoom(code);
      go.show(notice("endedTitle", "endedText", [toStart(go, "primary")]));
    },
    trouble: (isDown) => (isDown ? say(trouble, "trouble") : hush(trouble)),
  });
  return { element, stop };
}

/**
 * @param {string} code
 * @param {Promise<string | null>} link for others
 */
function invitation(code, link) {
  const text = make("p", { class: "big-code", "data-testid": "code" });
  text.textContent = code;
  return [
    make("div", { class: "code-block" }, saying("p", "codeLabel", { class: "hint" }), text),
    make(
      "div",
      { class: "ways" },
      button("copyCode", () => copy(code), "secondary"),
      button("share", async () => share(code, (await link) ?? linkTo(code)), "secondary"),
    ),
  ];
}

/**
 * Return a place for the QR code, which is loaded last: friends with the link do not need it.
 *
 * Where no phone can open the page, it says why instead.
 *
 * @param {Promise<string | null>} link for others
 */
function toScan(link) {
  const place = make("div", { class: "qr" });
  const hint = saying("figcaption", "qrHint", { class: "hint" });
  const figure = make("figure", { class: "card scan" }, place, hint);
  Promise.all([import("../qr.js"), link]).then(
    ([{ qrCode }, text]) => {
      if (text) place.replaceWith(say(qrCode(text), "qr", {}, "aria-label"));
      else {
        place.remove();
        say(hint, "onlyHere");
      }
    },
    () => figure.remove(),
  );
  return figure;
}

/**
 * @param {Go} go
 * @param {string} code
 * @param {Seat} seat
 * @param {HTMLElement} failure
 */
function leaving(go, code, seat, failure) {
  let isBusy = false;
  const pressed = async () => {
    if (isBusy) return;
    isBusy = true;
    hush(failure);
    say(element, "leaving");
    try {
      await leave(code, seat);
      go.home();
      announce("left", { code });
    } catch (error) {
      say(failure, inWords(error));
      say(element, "leave");
      isBusy = false;
    }
  };
  const element = button("leave", pressed, "leave");
  return element;
}

/**
 * Offer another seat in a second tab, which somebody else may use.
 *
 * @param {Go} go
 * @param {string} code
 * @param {Seat} seat
 */
function otherPerson(go, code, seat) {
  if (seats.isOfTab(code, seat)) return [];
  const another = button("someoneElse", () => go.invited(code), "link");
  return [make("p", { class: "hint" }, saying("span", "notYou"), another)];
}

/**
 * @param {Go} go
 * @param {string} code
 */
function noLongerIn(go, code) {
  const again = button("rejoin", () => go.invited(code), "primary");
  return notice("goneTitle", "goneText", [again, toStart(go)]);
}

/**
 * @param {HTMLElement} place
 * @param {Player | undefined} player
 * @param {Room | null} room
 * @param {Seat} seat
 */
function fill(place, player, room, seat) {
  const name = make("span", { class: "name", dir: "auto" });
  if (player) name.textContent = player.name;
  else say(name, "freeSeat");
  const badges = [];
  if (player && player.playerId === room?.hostId)
    badges.push(saying("span", "host", { class: "badge host" }));
  if (player && player.playerId === seat.playerId)
    badges.push(saying("span", "you", { class: "badge you" }));
  place.classList.toggle("free", !player);
  place.replaceChildren(name, ...badges);
}

/**
 * @param {HTMLElement} state
 * @param {Room} room
 */
function tellState(state, room) {
  const free = room.maxPlayers - room.players.length;
  if (room.status !== "waiting") say(state, "begun");
  else if (free > 0) say(state, "waitingForMore", { count: free });
  else say(state, "everyoneIsHere");
}

/**
 * @param {Room | null} before
 * @param {Room} now
 * @param {Seat} seat
 */
function tellNews(before, now, seat) {
  if (!before) return;
  const came = now.players.filter(({ playerId }) => !has(before, playerId));
  const went = before.players.filter(({ playerId }) => !has(now, playerId));
  announceAll([
    ...came.map(({ name }) => ({ key: /** @type {const} */ ("came"), parts: { name } })),
    ...went.map(({ name }) => ({ key: /** @type {const} */ ("went"), parts: { name } })),
    ...newHost(before, now, seat),
  ]);
}

/**
 * @param {Room} before
 * @param {Room} now
 * @param {Seat} seat
 * @returns {{key: "youAreHostNow" | "hostIsNow", parts: {name: string}}[]}
 */
function newHost(before, now, seat) {
  const host = now.players.find(({ playerId }) => playerId === now.hostId);
  if (!host || now.hostId === before.hostId) return [];
  const key = now.hostId === seat.playerId ? "youAreHostNow" : "hostIsNow";
  return [{ key, parts: { name: host.name } }];
}

/**
 * @param {Room} room
 * @param {string} playerId
 */
function has(room, playerId) {
  return room.players.some((player) => player.playerId === playerId);
}

/** @param {number} ms since the epoch */
function clock(ms) {
  const form = new Intl.DateTimeFormat(currentLanguage(), {
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
  });
  return form.format(ms);
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("copied");
  } catch {
    announce("copyFailed");
  }
}

/**
 * @param {string} code
 * @param {string} link
 */
async function share(code, link) {
  if (!navigator.share) {
    await copy(link);
    return;
  }
  try {
    await navigator.share({ text: message("shareText", { code }), url: link });
  } catch {
    // The player has closed the share sheet.
  }
}

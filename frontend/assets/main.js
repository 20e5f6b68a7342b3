// The entry point of the page: the address decides which screen is shown.

import { codeInAddress } from "./codes.js";
import { watchConnection } from "./connection.js";
import { say, speak, switchLanguage } from "./language.js";
import { home } from "./screens/home.js";
import { invited, notFound } from "./screens/join.js";
import { lobby } from "./screens/lobby.js";
import { seatIn } from "./seats.js";

/** @typedef {import("./api.js").Room} Room */
/**
 * The navigation between screens.
 *
 * @typedef {object} Go
 * @property {() => void} home
 * @property {(code: string, known?: Room) => void} toRoom `known` is the API's last answer
 * @property {(code: string) => void} invited to join a room, even with a seat in it
 * @property {(screen: HTMLElement) => void} show
 */

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
let stop = () => {};
/** @type {Room | null} */
let known = null;

/** @type {Go} */
const go = {
  home() {
    history.pushState(null, "", location.pathname);
    route();
  },
  toRoom(code, room) {
    known = room ?? null;
    if (location.hash !== `#${code}`) history.pushState(null, "", `#${code}`);
    route();
  },
  invited(code) {
    go.show(invited(go, code));
  },
  show(screen) {
    stop();
    stop = () => {};
    const isFirst = main.childElementCount === 0;
    main.replaceChildren(screen);
    if (isFirst) return;
    screen.querySelector("h1")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  },
};

function route() {
  const code = codeInAddress(location.hash);
  const seat = code ? seatIn(code) : undefined;
  if (location.hash.length <= 1) go.show(home(go));
  else if (!code) go.show(notFound(go, null));
  else if (!seat?.playerId) go.show(invited(go, code));
  else {
    const room = lobby(go, code, seat, known?.roomId === code ? known : null);
    go.show(room.element);
    stop = room.stop;
  }
  known = null;
}

function begin() {
  for (const [selector, key] of /** @type {const} */ ([
    ["title", "title"],
    ["#language", "otherLanguage"],
    ["#skip", "skip"],
    ["#brand span", "title"],
  ])) {
    say(/** @type {Element} */ (document.querySelector(selector)), key);
  }
  document.querySelector("#language")?.addEventListener("click", switchLanguage);
  document.querySelector("#brand")?.addEventListener("click", (event) => {
    event.preventDefault();
    go.home();
  });
  document.querySelector("#skip")?.addEventListener("click", (event) => {
    // The link's "#main-content" would be read as a room's code.
    event.preventDefault();
    main.focus();
  });
  speak();
  watchConnection();
  addEventListener("popstate", route);
  route();
}

begin();

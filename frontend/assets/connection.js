// Whether the browser is connected at all: a line that stays as long as it is not.

import { announce } from "./announce.js";
import { say } from "./language.js";

/** Tell now and from now on. */
export function tellWhenOffline() {
  const line = /** @type {HTMLElement} */ (document.querySelector("#offline"));
  function tell() {
    line.hidden = navigator.onLine;
    if (!navigator.onLine) say(line, "offline");
  }
  addEventListener("offline", tell);
  addEventListener("online", () => {
    tell();
    announce("backOnline");
  });
  tell();
}

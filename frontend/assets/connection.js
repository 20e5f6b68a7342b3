// A line that is shown while the browser is offline.

import { announce } from "./announce.js";
import { say } from "./language.js";

/** Show the line now or whenever the browser goes offline. */
export function watchConnection() {
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

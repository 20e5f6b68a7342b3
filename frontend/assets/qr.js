// A link as a QR code.

import { generate } from "./lean-qr.mjs";

const SVG = "http://www.w3.org/2000/svg";
/** The quiet zone that readers need, in modules: ISO/IEC 18004. */
const QUIET = 4;

/**
 * Draw a text as a QR code, dark on light whatever the page's colours are.
 *
 * @param {string} text
 * @returns {SVGElement}
 */
export function qrCode(text) {
  const code = generate(text);
  let path = "";
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) path += `M${x} ${y}h1v1h-1z`;
  }
  const svg = document.createElementNS(SVG, "svg");
  const side = code.size + 2 * QUIET;
  svg.setAttribute("viewBox", `${-QUIET} ${-QUIET} ${side} ${side}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("role", "img");
  svg.setAttribute("class", "qr");
  const modules = document.createElementNS(SVG, "path");
  modules.setAttribute("d", path);
  svg.append(modules);
  return svg;
}

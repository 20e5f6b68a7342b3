// Where `assets/lean-qr.mjs` comes from when the page is put together: `node_modules/lean-qr`.
/// <reference path="../../node_modules/lean-qr/index.d.ts" />
export { generate } from "lean-qr/nano";

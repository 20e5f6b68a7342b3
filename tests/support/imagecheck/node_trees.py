"""Small trees of files with a handler of Node, and what AWS's clients report of them.

What is reported was measured with aws-lambda-ric 3.3.0 and 4.0.2 on Node 20, 22 and 24;
test_clients.py measures it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from tests.support.imagecheck.images import Directory, File, Member, Symlink

IMPORT: Final = "Runtime.ImportModuleError"
SYNTAX: Final = "Runtime.UserCodeSyntaxError"
NOT_FOUND: Final = "Runtime.HandlerNotFound"
MALFORMED: Final = "Runtime.MalformedHandlerName"
CALLBACK: Final = "Runtime.CallbackHandlerDeprecated"
REFERENCE: Final = "ReferenceError"
ERROR: Final = "Error"
TYPE_ERROR: Final = "TypeError"
STARTS: Final = ""
CJS: Final = "exports.handler = async () => ({});\n"
ESM: Final = "export const handler = async () => ({});\n"


@dataclass(frozen=True, eq=False)
class Tree:
    """The files below /task, the handler's name, and what clients 3 and 4 report."""

    name: str
    files: Mapping[str, str | None]
    """A text that begins with ``-> `` is a link's; None is for an empty folder."""
    client_3: str
    client_4: str
    handler: str = "index.handler"

    def members(self) -> tuple[Member, ...]:
        """Return the files with their folders, as a layer has them."""
        made: list[Member] = []
        paths = [f"task/{path}" for path in self.files]
        folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
        made += [Directory(folder) for folder in sorted(folders | {"task"}) if folder != "."]
        for path, content in self.files.items():
            if content is None:
                made.append(Directory(f"task/{path}"))
            elif content.startswith("-> "):
                made.append(Symlink(f"task/{path}", content.removeprefix("-> ")))
            else:
                made.append(File(f"task/{path}", content))
        return tuple(made)


def both(
    name: str, said: str, files: Mapping[str, str | None], handler: str = "index.handler"
) -> Tree:
    """Make a tree of which both clients report the same."""
    return Tree(name, files, said, said, handler)


_MODULE = {"package.json": '{"type": "module"}'}
_X = "node_modules/x"
# As the real one, which throws when it has found nothing.
_FINDER = {
    "node_modules/bindings/index.js": "module.exports = () => { throw Error('no bindings'); };\n",
    f"{_X}/package.json": '{"name": "x"}',
}

TREES: Final = (
    both("commonjs", STARTS, {"index.js": CJS}),
    both("module", STARTS, {"index.mjs": ESM}),
    both("module-by-type", STARTS, {"index.js": ESM, **_MODULE}),
    both("module-by-its-syntax", STARTS, {"index.js": ESM}),
    both("commonjs-in-a-module-package", STARTS, {"index.cjs": CJS, **_MODULE}),
    both("no-file", IMPORT, {"other.js": CJS}),
    both("only-typescript", IMPORT, {"index.ts": ESM}),
    both("no-package", IMPORT, {"index.js": "require('axios');\n" + CJS}),
    both("no-relative", IMPORT, {"index.js": "require('./store');\n" + CJS}),
    both("no-package-deeper", IMPORT, {
        "index.js": "const s = require('./lib/store');\n" + CJS,
        "lib/store.js": "module.exports = require('pg');\n",
    }),
    both("no-package-of-a-package", IMPORT, {
        "index.js": "require('x');\n" + CJS,
        f"{_X}/index.js": "const y = require('y');\n",
    }),
    both("optional-packages", STARTS, {
        "index.js": "require('x');\nlet a; try { a = require('a'); } catch {}\n"
        "if (process.env.NOT_SET) require('b');\nconst c = () => require('c');\n"
        "const d = process.env.NOT_SET && require('d');\n"
        "const e = process.env.NOT_SET ? require('e') : null;\n" + CJS,
        f"{_X}/index.js": "try { require('y'); } catch (error) {}\n"
        "// require('z')\nconst text = `require('w')`;\n",
    }),
    both("behind-a-condition-that-is-known", IMPORT, {
        "index.js": "if (process.env.PATH === '/usr/local/bin') require('axios');\n" + CJS,
    }),
    both("in-the-other-branch", IMPORT, {
        "index.js": "!process.env.PATH || process.env['PATH'] === 'x' ? 1 : require('a');\n"
        + CJS,
    }),
    both("behind-conditions-that-do-not-hold", STARTS, {
        "index.js": "if (process.env.PATH !== '/usr/local/bin') require('axios');\n"
        "else if (process.env.NOT_SET === 'x') require('pg');\n"
        "if (process.env.PATH && process.env.NOT_SET) require('a');\n" + CJS,
    }),
    both("try-without-catch", IMPORT, {
        "index.js": "let a;\ntry { a = require('axios'); } finally { a ??= null; }\n" + CJS,
    }),
    both("called-on-the-spot", IMPORT, {
        "index.js": "(() => { const a = require('axios'); })();\n" + CJS,
    }),
    both("import-of-no-package", ERROR, {"index.mjs": "import axios from 'axios';\n" + ESM}),
    both("import-without-ending", ERROR, {
        "index.mjs": "import { a } from './a';\n" + ESM, "a.js": "export const a = 1;\n", **_MODULE,
    }),
    both("import-of-a-folder", ERROR, {
        "index.mjs": "import './lib';\n" + ESM, "lib/index.js": "",
    }),
    both("import-of-json", TYPE_ERROR, {"index.mjs": "import './a.json';\n" + ESM, "a.json": "{}"}),
    both("import-of-json-with-its-type", STARTS, {
        "index.mjs": "import a from './a.json' with { type: 'json' };\n" + ESM, "a.json": "{}",
    }),
    both("import-of-no-such-name", SYNTAX, {
        "index.mjs": "import { a } from './a.mjs';\n" + ESM, "a.mjs": "export const b = 1;\n",
    }),
    both("import-of-a-name-that-commonjs-hides", SYNTAX, {
        "index.mjs": "import { a } from 'x';\n" + ESM,
        f"{_X}/index.js": "const all = {};\nfor (const n of ['a']) all[n] = 1;\n"
        "module.exports = all;\n",
    }),
    both("import-of-a-name-of-a-universal-module", SYNTAX, {
        "index.mjs": "import { map } from 'x';\n" + ESM,
        f"{_X}/index.js": "(function () {\n  const word = /\\u00e4/, all = { map() {} };\n"
        "  all.keys = Object.keys(all);\n"
        "  if (typeof define == 'function') define(() => all); else module.exports = all;\n"
        "}.call(this));\n",
    }),
    both("import-of-a-name-that-is-passed-on-by-all-keys", STARTS, {
        "index.mjs": "import { a } from 'x';\n" + ESM,
        f"{_X}/index.js": "'use strict';\nvar _b = require('./b');\n"
        "Object.keys(_b).forEach(function (key) {\n"
        "  if (key === 'default' || key === '__esModule') return;\n"
        "  exports[key] = _b[key];\n});\n",
        f"{_X}/b.js": "exports.a = 1;\n",
    }),
    both("import-of-names-that-commonjs-shows", STARTS, {
        "index.mjs": "import d, { a, b as e, f, g, h } from 'x';\n" + ESM,
        f"{_X}/index.js": "exports.a = 1;\nmodule.exports['b'] = 2;\nlet f = 3;\n"
        "Object.defineProperty(exports, 'g', { enumerable: true, value: 4 });\n"
        "0 && (module.exports = { f, a });\nexports.h = 5;\n",
    }),
    both("import-of-names-that-commonjs-passes-on", STARTS, {
        "index.mjs": "import { a } from 'x';\n" + ESM,
        f"{_X}/index.js": "module.exports = require('./b.js');\n",
        f"{_X}/b.js": "exports.a = 1;\n",
    }),
    both("cut-off", SYNTAX, {"index.js": "exports.handler = async () => ({\n"}),
    both("module-cut-off", SYNTAX, {"index.mjs": "export const handler = async () => {\n"}),
    both("syntax-of-another-module", SYNTAX, {
        "index.js": "require('./a');\n" + CJS, "a.js": "const a = ;\n",
    }),
    both("typescript-in-javascript", SYNTAX, {
        "index.js": "exports.handler = async (event: any): Promise<string> => 'x';\n",
    }),
    both("jsx", SYNTAX, {"index.js": "const page = () => <p>hi</p>;\n" + CJS}),
    both("decorator", SYNTAX, {"index.js": "@named()\nclass Rooms {}\n" + CJS}),
    both("package-json-cut-off", ERROR, {
        "rooms/index.js": CJS, "rooms/package.json": '{"type": ',
    }, "rooms/index.handler"),
    both("package-json-with-a-comma", STARTS, {
        "rooms/index.js": CJS, "rooms/package.json": '{"files": ["index.js",]}',
    }, "rooms/index.handler"),
    both("package-json-of-a-package-cut-off", ERROR, {
        "index.js": "require('x');\n" + CJS,
        f"{_X}/package.json": '{"main": ', f"{_X}/index.js": "",
    }),
    both("declared-twice", SYNTAX, {"index.js": "const a = 1;\nconst a = 2;\n" + CJS}),
    both("await-outside", SYNTAX, {
        "index.js": "const f = () => { await work(); };\n" + CJS,
    }),
    both("new-syntax", STARTS, {
        "index.mjs": "#!/usr/bin/env node\nclass A { static { this.x = 1_000; } #y; "
        "static has(o) { return #y in o; } }\nconst r = /[\\p{L}--[a-z]]/v;\n"
        "const n = null ?? 1;\nawait 1;\nconst _null = 1;\nexport { _null as null };\n" + ESM,
    }),
    both("exports-in-a-module", REFERENCE, {"index.js": CJS, **_MODULE}),
    both("require-in-a-module", REFERENCE, {
        "index.js": "const fs = require('fs');\n" + ESM, **_MODULE,
    }),
    both("dirname-in-a-module", REFERENCE, {"index.mjs": "const d = __dirname;\n" + ESM}),
    both("require-made-in-a-module", STARTS, {
        "index.mjs": "import { createRequire } from 'module';\n"
        "const require = createRequire(import.meta.url);\nconst fs = require('fs');\n" + ESM,
    }),
    both("typeof-in-a-module", STARTS, {
        "index.mjs": "const cjs = typeof module !== 'undefined' && module.exports;\n" + ESM,
    }),
    both("module-in-commonjs", SYNTAX, {"index.js": ESM, "package.json": '{"type": "commonjs"}'}),
    both("import-in-cjs", SYNTAX, {"index.cjs": "import fs from 'fs';\n" + CJS}),
    both("words-in-a-text", STARTS, {
        "index.js": "const help = `\nexport default x\nimport y from z\n`;\n" + CJS,
        "package.json": '{"type": "commonjs"}',
    }),
    both("required-module-that-awaits", ERROR, {
        "index.js": "require('./a.mjs');\n" + CJS, "a.mjs": "await 1;\nexport const a = 1;\n",
    }),
    both("required-module", STARTS, {
        "index.js": "require('./a.mjs');\n" + CJS, "a.mjs": "export const a = 1;\n",
    }),
    both("required-package-that-awaits", ERROR, {
        "index.js": "require('x');\n" + CJS, f"{_X}/package.json": '{"type": "module"}',
        f"{_X}/index.js": "export const a = await Promise.resolve(1);\n",
    }),
    both("required-package-that-imports-what-awaits", ERROR, {
        "index.js": "require('x');\n" + CJS, f"{_X}/package.json": '{"type": "module"}',
        f"{_X}/index.js": "export * from './a.js';\n", f"{_X}/a.js": "await Promise.resolve(1);\n",
    }),
    both("imported-package-that-awaits", STARTS, {
        "index.mjs": "import 'x';\n" + ESM, f"{_X}/package.json": '{"type": "module"}',
        f"{_X}/index.js": "export const a = await Promise.resolve(1);\n",
    }),
    both("required-package-that-awaits-in-a-function", STARTS, {
        "index.js": "require('x');\n" + CJS, f"{_X}/package.json": '{"type": "module"}',
        f"{_X}/index.js": "export const f = async () => {\nawait f();\n};\n",
    }),
    both("json-with-comments", SYNTAX, {
        "index.js": "require('./a.json');\n" + CJS, "a.json": '{\n  // how many\n  "a": 1\n}\n',
    }),
    both("json-of-nothing", SYNTAX, {"index.js": "require('./a');\n" + CJS, "a.json": ""}),
    both("json-with-a-comma", SYNTAX, {
        "index.mjs": "import a from './a.json' with { type: 'json' };\n" + ESM, "a.json": "[1,]",
    }),
    both("json-that-is-odd", STARTS, {
        "index.js": "require('./a.json');\n" + CJS,
        "a.json": '\ufeff{"a": 1e999, "a": "\\ud800", "b": ' + "9" * 5000 + "}",
    }),
    both("json-by-a-name", SYNTAX, {
        "index.mjs": "import { a } from './a.json' with { type: 'json' };\n" + ESM,
        "a.json": '{"a": 1}',
    }),
    both("import-that-asserts", SYNTAX, {
        "index.mjs": "import a from './a.json' assert { type: 'json' };\n" + ESM, "a.json": "{}",
    }),
    both("import-that-asserts-of-a-package", SYNTAX, {
        "index.mjs": "import 'x';\n" + ESM, f"{_X}/a.json": "{}",
        f"{_X}/package.json": '{"type": "module"}',
        f"{_X}/index.js": "import a from './a.json' assert { type: 'json' };\n",
    }),
    both("using", SYNTAX, {"index.js": "const f = () => { using x = null; };\n" + CJS}),
    both("modifiers", SYNTAX, {"index.js": "const word = /a(?i:b)/;\n" + CJS}),
    both("no-modifiers", STARTS, {
        "index.js": "const words = /[(?i:)]\\(?s:x(?:y)(?=z)(?<n>w)/;\n" + CJS,
    }),
    both("hash-bang-below", SYNTAX, {"index.js": "// built\n#!/usr/bin/env node\n" + CJS}),
    both("import-of-a-text", TYPE_ERROR, {"index.mjs": "import './a.txt';\n" + ESM, "a.txt": ""}),
    both("import-from-the-network", ERROR, {
        "index.mjs": "import x from 'https://example.com/x.js';\n" + ESM,
    }),
    both("typescript-of-a-package", ERROR, {
        "index.js": "require('x');\n" + CJS, f"{_X}/package.json": '{"main": "index.ts"}',
        f"{_X}/index.ts": "exports.a = 1;\n",
    }),
    Tree("await-in-commonjs", {
        "index.js": "const a = await Promise.resolve(1);\nmodule.exports = { handler() {} };\n",
    }, ERROR, REFERENCE),
    both("await-makes-a-module", STARTS, {
        "index.js": "require('./a');\n" + CJS, "a.js": "const f = async () => { await 1; };\n",
    }),
    Tree("function-with-properties", {
        "index.js": "const f = () => 1;\nf.handler = async () => ({});\nmodule.exports = f;\n",
    }, STARTS, NOT_FOUND),
    Tree("class", {
        "index.js": "module.exports = class { static async handler() {} };\n",
    }, STARTS, NOT_FOUND),
    both("function-with-a-handler", STARTS, {
        "index.js": "const app = () => 1;\nmodule.exports = app;\n"
        "module.exports.handler = async () => ({});\n",
    }),
    both("function-or-object", STARTS, {
        "index.js": "function app() {}\nif (process.env.NOT_SET) module.exports = app;\n"
        "else module.exports = { handler: app };\n",
    }),
    both("exports-given-away", NOT_FOUND, {"index.js": "exports = { handler: () => 1 };\n"}),
    both("exports-of-both-names", STARTS, {
        "index.js": "exports = module.exports = {};\nexports.handler = async () => ({});\n",
    }),
    both("exports-replaced", NOT_FOUND, {
        "index.js": CJS + "module.exports = { main: async () => ({}) };\n",
    }),
    both("exports-replaced-by-more", STARTS, {
        "index.js": CJS + "module.exports = { ...exports, main: 1 };\n",
    }),
    both("promise", NOT_FOUND, {"index.js": "exports.handler = (async () => 1)();\n"}),
    Tree("promise-of-all", {
        "index.js": "module.exports = (async () => ({ handler() {} }))();\n",
    }, STARTS, NOT_FOUND),
    both("spread", STARTS, {
        "index.js": "const a = require('./a');\nmodule.exports = { ...a };\n", "a.js": CJS,
    }),
    both("spread-without-it", NOT_FOUND, {
        "index.js": "const a = require('./a');\nmodule.exports = { ...a };\n",
        "a.js": "exports.main = 1;\n",
    }),
    both("announced", NOT_FOUND, {"index.js": "exports.handler = exports.main = void 0;\n"}),
    both("announced-and-made", STARTS, {
        "index.js": "exports.handler = void 0;\n({ a: exports.handler } = { a: () => 1 });\n",
    }),
    Tree("callback-by-its-name", {
        "index.js": "function handler(event, context, done) { done(); }\n"
        "module.exports = { handler };\n",
    }, STARTS, CALLBACK),
    both("import-of-a-value-that-commonjs-has", SYNTAX, {
        "index.mjs": "import { a } from './a.cjs';\n" + ESM,
        "a.cjs": "module.exports = { a: 1 };\n",
    }),
    both("import-of-names-that-commonjs-has", STARTS, {
        "index.mjs": "import { a, b, c } from './a.cjs';\n" + ESM,
        "a.cjs": "let a, x;\nmodule.exports = { a, 'b': x, c: Map, d: 1 };\n",
    }),
    both("require-of-its-own-folder", IMPORT, {
        "index.js": "require(require('path').join(__dirname, 'lib', `a.js`));\n" + CJS,
    }),
    both("reads-nothing", ERROR, {
        "index.js": "const page = require('fs').readFileSync(`${__dirname}/page.html`);\n" + CJS,
    }),
    both("reads-nothing-in-the-working-directory", ERROR, {
        "index.mjs": "import { readdirSync } from 'node:fs';\nreaddirSync('pages');\n" + ESM,
    }),
    both("reads-nothing-in-a-module", ERROR, {
        "index.mjs": "import { readFile } from 'fs/promises';\n"
        "const page = await readFile(new URL('./page.html', import.meta.url));\n" + ESM,
    }),
    both("reads", STARTS, {
        "index.mjs": "import fs from 'fs';\nimport { dirname, join } from 'path';\n"
        "import { fileURLToPath } from 'url';\n"
        "const __dirname = dirname(fileURLToPath(import.meta.url));\n"
        "fs.readFileSync(join(__dirname, '..', 'task', 'a.html'));\nfs.readFileSync('a.html');\n"
        "fs.readFileSync(fileURLToPath(new URL('a.html', import.meta.url)));\n"
        "try { fs.readFileSync('b.html'); } catch {}\n"
        "if (fs.existsSync('c.html')) fs.readFileSync('c.html');\n"
        "const read = () => fs.readFileSync('d.html');\n"
        "const store = { stat: async () => fs, readFileSync: String };\n"
        "await store.stat('e.html');\nstore.readFileSync('f.html');\n" + ESM,
        "a.html": "",
    }),
    both("no-function", NOT_FOUND, {"index.js": "exports.main = async () => ({});\n"}),
    both("no-function-in-a-module", NOT_FOUND, {"index.mjs": "export const main = () => 1;\n"}),
    both("nothing-exported", NOT_FOUND, {"index.js": "const handler = async () => ({});\n"}),
    both("no-function-but-a-number", NOT_FOUND, {"index.js": "exports.handler = 1;\n"}),
    both("no-function-behind-a-star", NOT_FOUND, {
        "index.mjs": "export * from './a.mjs';\n", "a.mjs": "export const main = () => 1;\n",
    }),
    both("function-behind-a-star", STARTS, {
        "index.mjs": "export * from './a.mjs';\n", "a.mjs": ESM,
    }),
    both("function-behind-require", STARTS, {
        "index.js": "module.exports = require('./a');\n", "a.js": CJS,
    }),
    both("object", STARTS, {"index.js": "module.exports = { async handler() {} };\n"}),
    both("object-by-name", STARTS, {
        "index.js": "const all = {};\nall.handler = async () => ({});\nmodule.exports = all;\n",
    }),
    both("defined-property", STARTS, {
        "index.js": "Object.defineProperty(exports, 'handler', { get: () => async () => ({}) });\n",
    }),
    both("assigned", STARTS, {
        "index.js": "Object.assign(module.exports, { handler: async () => ({}) });\n",
    }),
    both("esbuild", STARTS, {
        "index.js": "var __defProp = Object.defineProperty;\nvar __export = (target, all) => {\n"
        "  for (var n in all) __defProp(target, n, { get: all[n], enumerable: true });\n};\n"
        "var __toCommonJS = (mod) => mod;\nvar index_exports = {};\n"
        "__export(index_exports, { handler: () => handler });\n"
        "module.exports = __toCommonJS(index_exports);\nvar handler = async () => ({});\n"
        "0 && (module.exports = { handler });\n",
    }),
    both("webpack-minified", STARTS, {
        "index.js": "(() => { var e = { 7(e) { e.exports = require('events'); } }, t = {};\n"
        "function n(r) { const o = t[r] = { exports: {} }; e[r](o, o.exports, n); }\n"
        "n.d = (e, t) => { for (const r in t) Object.defineProperty(e, r, { get: t[r] }); };\n"
        "var r = {}; n.d(r, { handler: () => o });\n"
        "n(7); const o = async () => { const r = {}; r.nosuch = 1; }; module.exports = r; })();\n",
    }),
    both("webpack-without-it", NOT_FOUND, {
        "index.js": "require('./a.js'); (() => { const n = {};\n"
        "n.d = (e, t) => { for (const r in t) e[r] = t[r](); };\n"
        "var r = {}; n.d(r, { main: () => 1 });\n"
        "(e => { const r = {}; r.handler = 1; })(); module.exports = r; })();\n",
        "a.js": "",
    }),
    both("webpack-without-an-external", IMPORT, {
        "index.js": "(() => { var e = { 7(e, r, n) { n(8); },\n"
        "8: e => { e.exports = require('x'); } };\n"
        "function n(r) { const o = { exports: {} }; e[r](o, o.exports, n); return o.exports; }\n"
        "n(7); module.exports = { handler() {} }; })();\n",
    }),
    both("webpack-with-an-external-for-later", STARTS, {
        "index.js": "(() => { var e = { 7(e, r, n) {}, 8: e => { e.exports = require('x'); } };\n"
        "function n(r) { const o = { exports: {} }; e[r](o, o.exports, n); return o.exports; }\n"
        "n(7); module.exports = { handler: () => n(8) }; })();\n",
    }),
    both("minified-esbuild-without-it", NOT_FOUND, {
        "index.js": "var a=(e,t)=>{for(var n in t)e[n]=t[n]()},b=e=>e,c={};a(c,{main:()=>d});"
        "module.exports=b(c);var d=()=>1;0&&(module.exports={main});\n",
    }),
    both("esbuild-without-it", NOT_FOUND, {
        "index.js": "var __defProp = Object.defineProperty;\nvar __export = (target, all) => {\n"
        "  for (var n in all) __defProp(target, n, { get: all[n], enumerable: true });\n};\n"
        "var __toCommonJS = (mod) => mod;\nvar index_exports = {};\n"
        "__export(index_exports, { main: () => main });\n"
        "module.exports = __toCommonJS(index_exports);\nvar main = async () => ({});\n"
        "0 && (module.exports = { main });\n",
    }),
    both("webpack", STARTS, {
        "index.js": "module.exports = (() => { var e = {}; e.handler = async () => ({}); "
        "return e; })();\n",
    }),
    both("typescript-compiled", STARTS, {
        "index.js": "Object.defineProperty(exports, '__esModule', { value: true });\n"
        "exports.handler = void 0;\nconst handler = async () => ({});\n"
        "exports.handler = handler;\n",
    }),
    both("typescript-with-helpers-and-without-it", NOT_FOUND, {
        "index.js": "var __importStar = (this && this.__importStar) || ((module) => module);\n"
        "Object.defineProperty(exports, '__esModule', { value: true });\n"
        "exports.main = void 0;\nconst main = async () => __importStar(require('node:fs'));\n"
        "exports.main = main;\n",
    }),
    both("rollup-and-a-package-that-is-left-out", IMPORT, {
        "index.js": "var require$$0 = require('events');\nvar lost = require('lost');\n"
        "exports.handler = async () => [require$$0, lost];\n",
    }),
    both("star-helper", STARTS, {
        "index.js": "var __exportStar = (m, e) => { for (var p in m) e[p] = m[p]; };\n"
        "__exportStar(require('./a'), exports);\n", "a.js": CJS,
    }),
    both("nested-name", STARTS, {
        "index.js": "exports.api = { rooms: { handler: async () => ({}) } };\n",
    }, "index.api.rooms.handler"),
    Tree("default", {"index.mjs": "export default { handler: async () => ({}) };\n"}, NOT_FOUND,
         STARTS),
    Tree("callback", {"index.js": "exports.handler = (e, c, done) => done();\n"}, STARTS, CALLBACK),
    Tree("async-callback", {
        "index.mjs": "export async function handler(event, context, callback) {}\n",
    }, STARTS, CALLBACK),
    both("no-callback", STARTS, {"index.js": "exports.handler = async (e, c, d = 1) => ({});\n"}),
    Tree("folder-beside", {"rooms.js": CJS, "rooms/a.js": ""}, STARTS, ERROR, "rooms.handler"),
    Tree("folder-alone", {"rooms/index.js": CJS}, STARTS, ERROR, "rooms.handler"),
    Tree("slash-first", {"index.js": CJS}, IMPORT, STARTS, "/index.handler"),
    both("absolute", STARTS, {"index.js": CJS}, "/task/index.handler"),
    both("in-a-folder", STARTS, {"dist/index.js": CJS}, "dist/index.handler"),
    both("in-a-package", STARTS, {"node_modules/wrap/index.js": CJS}, "wrap.handler"),
    both("in-a-package-by-path", STARTS, {
        "node_modules/wrap/dist/a.js": CJS,
    }, "node_modules/wrap/dist/a.handler"),
    Tree("no-module-name", {"index.js": CJS}, STARTS, ERROR, ".handler"),
    both("no-dot", MALFORMED, {"index.js": CJS}, "index"),
    both("two-dots", MALFORMED, {"index.js": CJS}, "../index.handler"),
    both("dangling-link", IMPORT, {"index.js": "require('x');\n" + CJS, _X: "-> .pnpm/x"}),
    both("link", STARTS, {
        "index.js": "require('x');\n" + CJS, _X: "-> .pnpm/x@1/node_modules/x",
        "node_modules/.pnpm/x@1/node_modules/x/index.js": "require('y');\n",
        "node_modules/.pnpm/x@1/node_modules/y/index.js": "",
    }),
    both("exports-map", STARTS, {
        "index.js": "require('x'); require('x/a');\n" + CJS,
        f"{_X}/package.json": '{"exports": {".": {"import": "./no.mjs", "require": "./i.cjs"},'
        ' "./*": {"node": "./lib/*.js"}}}',
        f"{_X}/i.cjs": "", f"{_X}/lib/a.js": "",
    }),
    both("exports-map-without-it", ERROR, {
        "index.js": "require('x/b');\n" + CJS,
        f"{_X}/package.json": '{"exports": {".": "./a.js"}}', f"{_X}/a.js": "", f"{_X}/b.js": "",
    }),
    both("imports-map", STARTS, {
        "index.js": "require('#db');\n" + CJS,
        "package.json": '{"imports": {"#db": "./db.js"}}', "db.js": "",
    }),
    both("imports-map-without-it", TYPE_ERROR, {
        "index.js": "require('#db');\n" + CJS, "package.json": '{"imports": {}}',
    }),
    both("own-name", STARTS, {
        "index.js": "require('me/a');\n" + CJS,
        "package.json": '{"name": "me", "exports": {"./a": "./a.js"}}', "a.js": "",
    }),
    both("main-that-is-not-there", IMPORT, {
        "index.js": "require('x');\n" + CJS, f"{_X}/package.json": '{"main": "dist/a.js"}',
    }),
    both("built-in", STARTS, {
        "index.js": "require('fs/promises'); require('node:test'); require('fs');\n" + CJS,
    }),
    both("returns-before", STARTS, {
        "index.js": CJS + "if (process.env.PATH) return;\nrequire('axios');\n",
    }),
    both("native-part-not-built", ERROR, {
        "index.js": "require('x');\n" + CJS, **_FINDER,
        f"{_X}/index.js": "module.exports = require('bindings')('x');\n",
    }),
    both("native-part-not-built-by-a-name", ERROR, {
        "index.js": "require('x');\n" + CJS, **_FINDER,
        f"{_X}/index.js": "const find = require('bindings');\nexports.x = find('x.node');\n",
    }),
    both("native-part-that-it-can-do-without", STARTS, {
        "index.js": "require('x');\n" + CJS, **_FINDER,
        f"{_X}/index.js": "try { exports.x = require('bindings')('x'); } catch {}\n",
    }),
    both("native-part-looked-for-later", STARTS, {
        "index.js": "require('x');\n" + CJS, **_FINDER,
        f"{_X}/index.js": "exports.open = () => require('bindings')('x');\n",
    }),
    both("native-part-of-another-package", STARTS, {
        "index.js": "require('x');\n" + CJS,
        "node_modules/bindings/index.js": "module.exports = () => ({});\n",
        f"{_X}/index.js": "module.exports = require('bindings')({ module_root: '/y' });\n",
    }),
)  # fmt: skip

OTHERWISE: Final = {
    ("package-json-cut-off", 3, 20): SYNTAX,
    ("package-json-with-a-comma", 3, 20): SYNTAX,
    ("package-json-with-a-comma", 4, 20): ERROR,
    ("package-json-of-a-package-cut-off", 3, 20): SYNTAX,
    ("package-json-of-a-package-cut-off", 4, 20): SYNTAX,
    ("import-that-asserts", 3, 20): STARTS,
    ("import-that-asserts", 4, 20): STARTS,
    ("import-that-asserts-of-a-package", 3, 20): STARTS,
    ("import-that-asserts-of-a-package", 4, 20): STARTS,
    ("typescript-of-a-package", 3, 20): STARTS,
    ("typescript-of-a-package", 4, 20): STARTS,
    ("using", 3, 24): STARTS,
    ("using", 4, 24): STARTS,
    ("modifiers", 3, 24): STARTS,
    ("modifiers", 4, 24): STARTS,
}
"""What another Node than 22 makes of a tree, by tree, client and Node."""


def reported_by(tree: Tree, client: int, node: int) -> str:
    """Return what a client reports of a tree on a major version of Node."""
    said = tree.client_3 if client == 3 else tree.client_4
    return OTHERWISE.get((tree.name, client, node), said)

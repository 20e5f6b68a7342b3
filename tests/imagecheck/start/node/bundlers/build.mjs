// Bundles the handler in src/ with one bundler, in each way that people do.
//
//     node build.mjs BUNDLER FOLDER
//
// FOLDER gets a folder for each output, FORMAT-HOW, with an index.js in it.
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), "src");
const WAYS = {
  plain: {},
  minified: { minify: true, map: true },
  external: { external: ["uuid"] },
};
// Bundles that are ES modules need it where a bundled CommonJS module requires a built-in one.
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const esbuild = async ({ isModule, minify, map, external, banner = REQUIRE }, folder) => {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [join(SOURCE, "index.ts")],
    outfile: join(folder, "index.js"),
    bundle: true,
    platform: "node",
    target: "node22",
    format: isModule ? "esm" : "cjs",
    banner: isModule ? { js: banner } : {},
    minify,
    sourcemap: map,
    external,
    logLevel: "error",
  });
};

const webpack = async ({ isModule, minify, map, external = [], isLibrary = true }, folder) => {
  const { default: run } = await import("webpack");
  const type = isModule ? "module" : "commonjs2";
  const library = isLibrary ? { type } : undefined;
  const compiler = run({
    mode: minify ? "production" : "development",
    devtool: map ? "source-map" : false,
    target: "node22",
    entry: join(await compiled(), "index.js"),
    experiments: { outputModule: isModule },
    externals: Object.fromEntries(
      external.map((name) => [name, isModule ? `module ${name}` : `commonjs2 ${name}`]),
    ),
    output: { path: folder, filename: "index.js", library, module: isModule },
  });
  await new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error ?? stats.hasErrors()) reject(error ?? new Error(stats.toString()));
      else compiler.close(resolve);
    });
  });
};

const rollup = async ({ isModule, minify, map, external }, folder) => {
  const { rollup: run } = await import("rollup");
  const plugins = await Promise.all(
    ["node-resolve", "commonjs", "json"].map(async (name) => {
      const { default: plugin } = await import(`@rollup/plugin-${name}`);
      return plugin(name === "node-resolve" ? { exportConditions: ["node"] } : {});
    }),
  );
  if (minify) plugins.push((await import("@rollup/plugin-terser")).default());
  const input = join(await compiled(), "index.js");
  const bundle = await run({ input, plugins, external, onLog() {} });
  await bundle.write({ dir: folder, format: isModule ? "es" : "cjs", sourcemap: map });
};

const ncc = async ({ isModule, minify, map, external }, folder) => {
  const { default: run } = await import("@vercel/ncc");
  const { code, map: written, assets } = await run(join(await compiled(), "index.js"), {
    esm: isModule,
    minify,
    sourceMap: map,
    externals: external,
    filename: "index.js",
    cache: false,
    quiet: true,
  });
  write(folder, "index.js", code);
  if (written) write(folder, "index.js.map", written);
  for (const [name, { source }] of Object.entries(assets)) write(folder, name, source);
};

const tsc = async ({ isModule, map }, folder) => {
  const { default: ts } = await import("typescript");
  const options = {
    outDir: folder,
    target: ts.ScriptTarget.ES2023,
    module: isModule ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS,
    moduleResolution: isModule ? ts.ModuleResolutionKind.Bundler : ts.ModuleResolutionKind.Node10,
    esModuleInterop: true,
    resolveJsonModule: true,
    noCheck: true,
    types: [],
    sourceMap: map,
  };
  ts.createProgram([join(SOURCE, "index.ts")], options).emit();
};

const swc = async ({ isModule, minify, map }, folder) => {
  const { transformFile } = await import("@swc/core");
  for (const name of readdirSync(SOURCE)) {
    if (name.endsWith(".json")) {
      cpSync(join(SOURCE, name), join(folder, name));
      continue;
    }
    const { code, map: written } = await transformFile(join(SOURCE, name), {
      jsc: {
        parser: { syntax: "typescript" },
        target: "es2023",
        experimental: { keepImportAttributes: true },
      },
      module: { type: isModule ? "es6" : "commonjs" },
      minify,
      sourceMaps: map,
    });
    write(folder, name.replace(/ts$/, "js"), code);
    if (written) write(folder, name.replace(/ts$/, "js.map"), written);
  }
};

// For those that do not read TypeScript. Packages are found beside it.
let compiling;
const compiled = () => {
  const folder = join(out, "compiled");
  compiling ??= tsc({ isModule: true }, folder).then(() => folder);
  return compiling;
};

const write = (folder, name, content) => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
};

const [name, out] = process.argv.slice(2);
mkdirSync(out);
symlinkSync(join(dirname(SOURCE), "node_modules"), join(out, "node_modules"));
const bundle = { esbuild, webpack, rollup, ncc, tsc, swc }[name];
for (const isModule of [false, true]) {
  for (const [how, settings] of Object.entries(WAYS)) {
    const folder = join(out, `${isModule ? "module" : "commonjs"}-${how}`);
    mkdirSync(folder, { recursive: true });
    await bundle({ ...settings, isModule }, folder);
  }
}
if (name === "esbuild") {
  await esbuild({ isModule: true, banner: "" }, join(out, "module-without_require"));
}
if (name === "webpack") {
  await webpack({ isModule: false, isLibrary: false }, join(out, "commonjs-without_library"));
}

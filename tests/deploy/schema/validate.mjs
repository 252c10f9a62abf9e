// Checks Kubernetes objects against the schemas of the API: `node validate.mjs FILE...`, each a JSON list of objects. Says
// what is wrong with each, and exits with 1 when something is.
//
// Two ways, for neither sees everything: the schemas' validators know required fields, types, formats and bounds, but
// pass over fields that do not exist; the same schemas' TypeScript types know those, when an object is a literal.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import ts from "typescript";

/** The module of an object's schema. */
function moduleOf({ apiVersion, kind }) {
  const library = apiVersion.startsWith("monitoring.coreos.com/")
    ? "@kubernetes-models/prometheus-operator"
    : "kubernetes-models";
  return `${library}/${apiVersion}/${kind}`;
}

async function validated(object) {
  try {
    const model = (await import(moduleOf(object)))[object.kind];
    new model(object).validate();
    return [];
  } catch (error) {
    return [error.message];
  }
}

/** What the compiler says of all objects, by their place in the list. */
function typed(objects) {
  const name = join(import.meta.dirname ?? process.cwd(), "objects.ts");
  const lines = objects.map((object, i) =>
    `import type { I${object.kind} as T${i} } from "${moduleOf(object)}"; ` +
    `export const o${i}: T${i} = ${JSON.stringify(object)};`);
  const options = {
    strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ["lib.es2022.d.ts"],
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (file, ...more) => file === name
    ? ts.createSourceFile(file, lines.join("\n"), options.target) : read.call(host, file, ...more);
  const exists = host.fileExists;
  host.fileExists = (file) => file === name || exists.call(host, file);
  const found = objects.map(() => []);
  for (const diagnostic of ts.getPreEmitDiagnostics(ts.createProgram([name], options, host))) {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ");
    if (!diagnostic.file) throw new Error(message);
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
    found[line].push(message);
  }
  return found;
}

let wrong = 0;
for (const file of process.argv.slice(2)) {
  const objects = JSON.parse(readFileSync(file, "utf8"));
  const byType = typed(objects);
  for (const [i, object] of objects.entries()) {
    for (const message of [...await validated(object), ...byType[i]]) {
      console.log(`${object.kind} ${object.metadata?.name}: ${message}`);
      ++wrong;
    }
  }
  console.log(`${objects.length} objects checked`);
}
process.exitCode = wrong === 0 ? 0 : 1;

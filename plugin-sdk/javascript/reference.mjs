// Writes REFERENCE.md from the doc comments in src/: `node reference.mjs`.

import { readFileSync, writeFileSync } from "node:fs";

const PARTS = [
  ["Nodes and functions", "node"],
  ["Ports", "ports"],
  ["Tensors", "tensor"],
  ["Arithmetic, functions of elements, along axes", "tensor-math"],
  ["What a tensor is, and reading it", "tensor-data"],
  ["Element types", "check"],
  ["Uploads", "upload"],
  ["Generators", "generator"],
  ["Fixed wires", "wires"],
  ["Values, objects, lists, functions", "values"],
  ["Model files", "model-file"],
  ["Errors", "error"],
  ["The run: `context`", "context"],
  ["Memory: `@berth/sdk/memory`", "memory"],
  ["Handles", "handle"],
  ["Globals", "globals.d"],
];

/** A declaration's text up to its body, its semicolon or its value, and the line after it. */
function signature(lines, start) {
  let text = "";
  let depth = 0;
  for (let line = start; line < lines.length; line += 1) {
    const words = lines[line].trim();
    for (let place = 0; place < words.length; place += 1) {
      const letter = words[place];
      const ends =
        letter === ";" ||
        (letter === "{" && /[\w)\]>}|]\s*$/.test(text) && !/(=|=>|extends|:|\|)\s*$/.test(text));
      if (depth === 0 && ends) {
        return [text.trim(), line + 1];
      }
      depth += "([{<".includes(letter) ? 1 : 0;
      depth -= ")]}".includes(letter) || (letter === ">" && words[place - 1] !== "=") ? 1 : 0;
      text += letter;
    }
    text += " ";
  }
  return [text.trim(), lines.length];
}

/** A signature as people read it: without what only the compiler needs. */
function plain(text) {
  return text
    .replace(/^export /, "")
    .replace(/^declare (class|var) /, "$1 ")
    .replace(/, const O extends \w+ = \{\}>/, ">")
    .replace(/<const O extends \w+ = \{\}>/, "")
    .replace(/options: Only<O, (\w+)> = \{\} as never/, "options?: $1")
    .replace(/(?<!type )Maybe<([^,]+), O>/, "$1")
    .replace(/ implements .*$/, "")
    .replace(/ = "f32" as D/, ' = "f32"')
    .replace(/\s+/g, " ")
    .replace(/\( /g, "(")
    .replace(/,? \)/g, ")")
    .replace(/< /g, "<")
    .replace(/,? >/g, ">");
}

function words(comment) {
  return comment
    .replace(/^\s*\/\*\*\s?|\s*\*\/\s*$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .replace(/\{@link ([\w.]+)\}/g, "`$1`")
    .trim();
}

function part(title, file) {
  const lines = readFileSync(new URL(`src/${file}.ts`, import.meta.url), "utf8").split("\n");
  const out = [`## ${title}`, ""];
  let inside = false;
  for (let line = 0; line < lines.length; line += 1) {
    if (!/^\s*\/\*\*/.test(lines[line])) {
      continue;
    }
    const indent = lines[line].search(/\S/);
    let end = line;
    while (!lines[end].includes("*/")) {
      end += 1;
    }
    const doc = words(lines.slice(line, end + 1).join("\n"));
    line = end;
    const next = lines[end + 1] ?? "";
    if (indent === 0) {
      inside = /^(export|declare|interface) ?/.test(next) && !doc.includes("@internal");
    }
    const hidden = doc.includes("@internal") || /^\s*(private|protected)/.test(next);
    if (!inside || hidden || indent > 2 || next.trim() === "") {
      continue;
    }
    const [text] = signature(lines, end + 1);
    if (indent === 0) {
      out.push(`### \`${plain(text)}\``, "", doc, "");
    } else {
      out.push(`- \`${plain(text)}\`  `, ...doc.split("\n").map((each) => `  ${each}`));
      const after = lines.slice(end + 2).find((each) => /^\s{0,2}(\/\*\*|\})/.test(each)) ?? "}";
      if (after.startsWith("}") || /^\/\*\*/.test(after)) {
        out.push("");
      }
    }
  }
  return out.join("\n");
}

const head = `# Reference

Everything that \`@berth/sdk\` exports. Generated from the doc comments in \`src/\` by \`node reference.mjs\`.
`;
const text = [head, ...PARTS.map(([title, file]) => part(title, file))].join("\n");
writeFileSync(
  new URL("REFERENCE.md", import.meta.url),
  `${text
    .replace(/\n*\n(?=###? )/g, "\n\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()}\n`,
);

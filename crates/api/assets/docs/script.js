// Draws openapi.json. Whatever comes out of the document enters the page as text, never as markup.

const METHODS = ["post", "get", "patch", "put", "delete"];

/** An element with attributes and children; strings become text nodes. */
function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** Paragraphs, with `code` between backticks. */
function prose(text = "") {
  return text.split(/\n{2,}/).filter(Boolean).map((paragraph) => element("p", {}, inline(paragraph)));
}

function inline(text = "") {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

/** What one document refers to: schemas, answers and their examples. */
class Schemas {
  constructor(root) {
    this.root = root;
  }

  resolve(schema = {}) {
    const parts = schema.$ref?.split("/").slice(1);
    const target = parts ? parts.reduce((at, key) => at?.[key], this.root) ?? {} : schema;
    const options = target.oneOf ?? target.anyOf;
    // «T or null» is how an optional reference is written.
    const solid = options?.filter((option) => option.type !== "null");
    if (solid?.length === 1) return { ...this.resolve(solid[0]), nullable: true };
    if (!target.allOf) return target;
    const all = target.allOf.map((part) => this.resolve(part));
    return Object.assign({}, ...all, {
      description: target.description,
      properties: Object.assign({}, ...all.map((part) => part.properties)),
      required: all.flatMap((part) => part.required ?? []),
    });
  }

  told(given) {
    const schema = this.resolve(given);
    return schema.examples?.[0] ?? schema.example ?? schema.default ?? schema.const ?? schema.enum?.[0];
  }

  example(given) {
    const schema = this.resolve(given);
    const told = this.told(schema);
    if (told !== undefined) return told;
    const type = [schema.type].flat().find((name) => name !== "null");
    if (type === "object" || schema.properties) {
      // Of what may be left out, only what the document gives a value for.
      const shown = Object.entries(schema.properties ?? {})
        .filter(([name, property]) => schema.required?.includes(name) || this.told(property) !== undefined);
      return Object.fromEntries(shown.map(([name, property]) => [name, this.example(property)]));
    }
    if (type === "array") return [this.example(schema.items)];
    return { integer: 0, number: 0, boolean: true, string: "…" }[type] ?? null;
  }

  type(given) {
    const schema = this.resolve(given);
    const names = [schema.type ?? "any"].flat().filter((name) => name !== "null");
    const base = names[0] === "array" ? `array of ${this.type(schema.items)}` : names.join(" or ");
    const nullable = schema.nullable || [schema.type].flat().includes("null");
    return base + (schema.format ? ` (${schema.format})` : "") + (nullable ? " or null" : "");
  }

  limits(given) {
    const schema = this.resolve(given);
    return [
      schema.enum && `one of ${schema.enum.map((value) => `\`${value}\``).join(", ")}`,
      span(schema.minLength, schema.maxLength, " characters"),
      span(schema.minItems, schema.maxItems, " entries"),
      span(schema.minimum, schema.maximum, ""),
      // A format says it shorter.
      schema.pattern && !schema.format && `matches \`${schema.pattern}\``,
      schema.default !== undefined && `\`${schema.default}\` unless given`,
    ].filter(Boolean).join("; ");
  }

  /** One row for each member, and those of members below it. */
  rows(given, prefix = "", depth = 0) {
    const schema = this.resolve(given);
    return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
      const detail = this.resolve(property);
      const inner = detail.items ? this.resolve(detail.items) : detail;
      const path = prefix + name;
      const description = property.description ?? detail.description;
      const row = fact(path, this.type(property), schema.required?.includes(name), description, this.limits(property));
      return [row, ...(depth < 3 ? this.rows(inner, `${path}${detail.items ? "[]" : ""}.`, depth + 1) : [])];
    });
  }
}

function span(low, high, unit) {
  if (low === undefined) return high === undefined ? "" : `at most ${high}${unit}`;
  return high === undefined ? `at least ${low}${unit}` : `${low} to ${high}${unit}`;
}

function fact(name, type, required, description, limits) {
  const notes = [required ? "" : "optional", limits].filter(Boolean).join("; ");
  return element("tr", {},
    element("th", { scope: "row" }, element("code", {}, name)),
    element("td", {}, type),
    element("td", {}, prose(description), notes ? element("p", { class: "soft" }, inline(notes)) : null));
}

function table(caption, rows) {
  if (rows.length === 0) return null;
  const head = ["Name", "Type", "Meaning"].map((text) => element("th", { scope: "col" }, text));
  return [
    element("h4", {}, caption),
    element("div", { class: "scroll" }, element("table", { "aria-label": caption },
      element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows))),
  ];
}

function sample(text) {
  const button = element("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    const told = document.getElementById("copied");
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = told.textContent = "Copied";
    } catch {
      button.textContent = told.textContent = "Not copied";
    }
    setTimeout(() => { button.textContent = "Copy"; told.textContent = ""; }, 2000);
  });
  return element("div", { class: "sample" }, element("pre", { tabindex: "0" }, element("code", {}, text)), button);
}

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function curl(server, method, path, operation, body) {
  const example = (name) => operation.parameters?.find((parameter) => parameter.name === name)?.example;
  const target = path.replace(/\{(\w+)\}/g, (_, name) => example(name) ?? `$${name.toUpperCase()}`);
  const lines = [`curl -sS${method === "get" ? "" : ` -X ${method.toUpperCase()}`} "${server}${target}"`];
  if (operation.security?.some((need) => Object.keys(need).length)) lines.push(`-H "authorization: Bearer $TOKEN"`);
  if (body !== undefined) lines.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return lines.join(" \\\n  ");
}

function answer(schemas, status, response) {
  const [type, content] = Object.entries(response.content ?? {})[0] ?? [];
  const named = Object.entries(content?.examples ?? {}).map(([name, example]) => [name, example.value]);
  const single = content?.example ?? (content?.schema ? schemas.example(content.schema) : undefined);
  const examples = named.length ? named : single === undefined ? [] : [["Example", single]];
  const headers = Object.entries(response.headers ?? {})
    .map(([name, header]) => fact(name, schemas.type(header.schema), true, header.description, ""));
  // Every error has the same members: its example shows them.
  const members = type === "application/problem+json" ? [] : schemas.rows(content?.schema);
  const title = [element("strong", {}, status), " ", ...inline(response.description)];
  if (!headers.length && !members.length && !examples.length) return element("p", { class: "answer" }, title);
  return element("details", { class: "answer" }, element("summary", {}, title), element("div", {},
    type ? element("p", { class: "soft" }, type) : null,
    table("Headers", headers), table("Members", members),
    examples.flatMap(([name, value]) => [element("h4", {}, name), sample(pretty(value))])));
}

function draw(schemas, server, method, path, operation) {
  const content = Object.values(operation.requestBody?.content ?? {})[0];
  const body = content ? content.example ?? schemas.example(content.schema) : undefined;
  const parameters = (operation.parameters ?? []).map((parameter) =>
    fact(parameter.name, `${schemas.type(parameter.schema)}, in ${parameter.in}`, parameter.required,
      parameter.description ?? parameter.schema?.description, schemas.limits(parameter.schema)));
  const answers = Object.entries(operation.responses).map(([status, response]) =>
    answer(schemas, status, schemas.resolve(response)));
  const closed = operation.security?.some((need) => Object.keys(need).length);
  return element("details", { class: "operation", id: operation.operationId },
    element("summary", {}, element("h3", {},
      element("span", { class: `verb ${method}` }, method.toUpperCase()), " ",
      element("span", { class: "path" }, path), operation.summary ?? "")),
    element("div", {},
      prose(operation.description),
      element("p", { class: "soft" }, closed ? "Needs an access token." : "Needs no access token."),
      table("Parameters", parameters),
      table("Request body", content ? schemas.rows(content.schema) : []),
      element("h4", {}, "Try it"), sample(curl(server, method, path, operation, body)),
      element("h4", {}, "Answers"), answers));
}

function operationsOf(root) {
  return Object.entries(root.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })));
}

function render(root) {
  const schemas = new Schemas(root);
  const server = new URL(root.servers?.[0]?.url ?? "/", location.href).href.replace(/\/$/, "");
  const operations = operationsOf(root);
  const main = document.getElementById("content");
  const index = document.getElementById("index");
  document.title = `${root.info.title} ${root.info.version}`;
  main.replaceChildren(element("h1", {}, root.info.title),
    element("p", { class: "soft" }, `Version ${root.info.version} · `,
      element("a", { href: "openapi.json" }, "openapi.json")),
    ...prose(root.info.description));
  for (const tag of root.tags ?? []) {
    const own = operations.filter(({ operation }) => operation.tags?.includes(tag.name));
    main.append(element("section", {}, element("h2", {}, tag.name), prose(tag.description),
      own.map(({ path, method, operation }) => draw(schemas, server, method, path, operation))));
    const links = own.map(({ path, method, operation }) =>
      element("li", {}, element("a", { href: `#${operation.operationId}` },
        element("span", { class: `verb ${method}` }, method.toUpperCase()), " ", path)));
    index.append(element("section", {}, element("h2", {}, tag.name), element("ul", {}, links)));
  }
  main.setAttribute("aria-busy", "false");
}

/** Opens what the address names. */
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}

function filter(event) {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shows = (node) => words.every((word) => node.textContent.toLowerCase().includes(word));
  for (const operation of document.querySelectorAll(".operation")) {
    const hidden = !shows(operation.querySelector("summary"));
    operation.hidden = hidden;
    document.querySelector(`nav a[href="#${CSS.escape(operation.id)}"]`).parentElement.hidden = hidden;
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = words.length > 0 && !section.querySelector(".operation:not([hidden]), li:not([hidden])");
  }
}

try {
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`the service answered ${response.status}`);
  render(await response.json());
  document.getElementById("filter").addEventListener("input", filter);
  addEventListener("hashchange", reveal);
  reveal();
} catch (error) {
  const notice = element("p", { class: "failed", role: "alert" }, `The document could not be shown: ${error.message}.`);
  document.getElementById("content").replaceChildren(notice);
}

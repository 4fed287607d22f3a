// Building and updating the page. Text only ever goes in as text: names and reasons may hold anything.

export function find(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`no element with id ${id} in this page`);
  return node;
}

export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

// Makes the children of `parent` match `items` without rebuilding those that stay: no flicker, focus is kept.
export function syncChildren(parent, items, keyOf, make, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let previous = null;
  for (const item of items) {
    const key = String(keyOf(item));
    let node = known.get(key);
    known.delete(key);
    if (!node) {
      node = make(item);
      node.dataset.key = key;
    }
    update(node, item);
    const expected = previous ? previous.nextElementSibling : parent.firstElementChild;
    if (node !== expected) parent.insertBefore(node, expected);
    previous = node;
  }
  for (const node of known.values()) node.remove();
}

export function part(node, name) {
  return node.querySelector(`[data-part="${name}"]`);
}

const PROTOCOL_NOTE = "The test set doubles as validation, as in the publication: test figures are too good.";

export function stateBadge(state) {
  return element("span", { class: `badge state-${state}`, text: state });
}

export function updateStateBadge(badge, state) {
  badge.className = `badge state-${state}`;
  setText(badge, state);
}

export function protocolBadge(protocol) {
  if (protocol !== "as_published") return null;
  return element("span", { class: "badge warning", title: PROTOCOL_NOTE, text: "as published: test data selected" });
}

export function showProblem(problem) {
  const box = find("problem");
  show(box, problem !== null);
  if (problem === null) return;
  setText(part(box, "title"), problem.title ?? "Something went wrong in this page");
  setText(part(box, "detail"), problem.detail ?? problem.message ?? "");
}

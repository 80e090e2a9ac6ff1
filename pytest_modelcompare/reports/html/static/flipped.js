// The list of flipped rows: by gate, side and label, with a search. Texts are set as text, never as HTML.

const AT_FIRST = 25;
const AT_ONCE = 100; // more

function flippedList(section, found) {
  const form = section.querySelector("form");
  const field = (name) => form.elements.namedItem(name);
  const more = section.querySelector(".more");
  const body = section.querySelector("tbody");
  const text = (place) => (place < 0 ? "(no answer)" : found.texts[place]);
  let shown = AT_FIRST;

  function gateChosen() {
    const gate = found.gates[field("gate").value];
    field("side").options[1].text = gate.left;
    field("side").options[2].text = gate.right;
    section.querySelector("th.left").textContent = gate.left;
    section.querySelector("th.right").textContent = gate.right;
    const labels = [...new Set(gate.rows.map((row) => text(row[2])))].sort();
    field("label").replaceChildren(new Option("any", ""), ...labels.map((label) => new Option(label, `=${label}`)));
  }

  function matching(gate) {
    const side = field("side").value;
    const label = field("label").value;
    const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    return gate.rows.filter((row) => {
      if (side && (side === "left") !== row[5]) return false;
      if (label && label !== `=${text(row[2])}`) return false;
      const haystack = row.slice(0, 5).map(text).join("\n").toLowerCase();
      return words.every((word) => haystack.includes(word));
    });
  }

  function cell(content, style) {
    const made = document.createElement("td");
    made.textContent = content;
    if (style) made.className = style;
    return made;
  }

  function line(row, gate) {
    const [id, content, label, left, right, leftIsRight, confidence, ofLeft] = row;
    const made = document.createElement("tr");
    const sure = confidence === null ? "" : `${share(confidence)} ${ofLeft ? gate.left : gate.right}`;
    made.append(
      cell(text(content)), cell(text(label)), cell(text(left), leftIsRight ? "right-answer" : "wrong-answer"),
      cell(text(right), leftIsRight ? "wrong-answer" : "right-answer"), cell(sure, "number"), cell(text(id)),
    );
    return made;
  }

  function list() {
    const gate = found.gates[field("gate").value];
    const rows = matching(gate);
    const all = gate.left_alone + gate.right_alone;
    const listed = gate.rows.length < all ? `; ${grouped(gate.rows.length)} of ${grouped(all)} are listed` : "";
    body.replaceChildren(...rows.slice(0, shown).map((row) => line(row, gate)));
    section.querySelector(".count").textContent =
      `${grouped(rows.length)} rows (${gate.left} alone is right on ${grouped(gate.left_alone)}, ${gate.right} on ${grouped(gate.right_alone)}${listed})`;
    more.hidden = rows.length <= shown;
    more.textContent = `Show ${Math.min(AT_ONCE, rows.length - shown)} more`;
  }

  function changed(event) {
    if (event.target.name === "gate") gateChosen();
    shown = AT_FIRST;
    list();
  }

  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { shown += AT_ONCE; list(); });
  section.addEventListener("choose", (event) => {
    const place = found.gates.findIndex((gate) => gate.gate === event.detail);
    if (place >= 0) { field("gate").value = place; gateChosen(); list(); }
  });
  gateChosen();
  list();
}

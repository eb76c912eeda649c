// The map beside the form on which an owner says where a camera hangs and what it
// sees. The form has all of it: what is dragged stands in the form at once, what is
// chosen there is drawn at once, and without this script the form is the page.
import { assumedRange, away, editor, offset } from "../../protocol/pages/_fov";
import type { Aim, Editor, Other, Pair } from "../../protocol/pages/_fov";

interface Data {
  tiles: { min: number; max: number } | null;
  site: string;
  others: Other[];
  previous: { at: Pair; method: string; accuracy: number } | null; // of the button that takes it over
  words: Record<string, string>;
}

type Name = keyof Aim;

// What is proposed with the first direction: the lens and the street that are met most.
// It is drawn and chosen for all to see, and kept only by the button.
const proposed = { angle: 80, range: 30 };

const root = document.documentElement;
const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T | null;

function start(form: HTMLFormElement, d: Data): void {
  const control = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
  const radios = (name: Name) => [...form.querySelectorAll<HTMLInputElement>(`input[type=radio][name=${name}]`)];
  const slider = (name: Name) => form.querySelector<HTMLInputElement>(`[data-slider=${name}]`)!;
  const fill = (key: string, values: Record<string, string | number>) =>
    Object.entries(values).reduce((text, [name, v]) => text.replaceAll("{" + name + "}", String(v)), d.words[key] ?? "");

  const value = (name: Name): number | null => {
    const chosen = radios(name).find((r) => r.checked)?.value;
    return chosen ? Number(chosen) : null;
  };
  const aim = (): Aim => ({ direction: value("direction"), angle: value("angle"), range: value("range") });

  const side = (deg: number) => `${d.words["wind." + (Math.round(deg / 45) % 8)]} (${deg}°)`;
  const spoken: Record<Name, (n: number) => string> = {
    direction: side,
    angle: (n) => fill("view.angle", { deg: n }),
    range: (n) => fill("view.range", { m: n }),
  };

  // choose checks the number's own choice, or the one that stands for any other.
  const choose = (name: Name, n: number) => {
    const preset = radios(name).find((r) => r.value === String(n) && !r.closest("[data-exact]"));
    const exact = form.querySelector<HTMLElement>(`[data-exact=${name}]`)!;
    const other = exact.querySelector("input")!;
    exact.hidden = other.disabled = !!preset;
    if (!preset) {
      other.value = String(n);
      exact.querySelector("span")!.textContent = name === "range" ? fill("exact", { m: n }) : fill("view.exact", { deg: n });
    }
    (preset ?? other).checked = true;
  };

  // propose fills in what is not known once a direction is.
  const propose = () => {
    if (value("direction") === null) return;
    for (const name of ["angle", "range"] as const) if (value(name) === null && !said.has(name)) choose(name, proposed[name]);
  };
  const said = new Set<Name>(); // of what the person has spoken, also that they do not know

  const point = (): Pair | null => {
    const m = /^\s*(-?\d+\.\d+)\s*[,;\s]\s*(-?\d+\.\d+)\s*$/.exec(control("position").value);
    const p: Pair | null = m && [Number(m[2]), Number(m[1])];
    return p && Math.abs(p[0]) <= 180 && Math.abs(p[1]) <= 85 ? p : null;
  };
  const put = (p: Pair, method: string, accuracy: number | null) => {
    control("position").value = control("start").value = p[1].toFixed(6) + ", " + p[0].toFixed(6);
    control("method").value = method;
    find("start-say")!.textContent = "";
    if (accuracy !== null) control("accuracy_m").value = String(accuracy);
    draw();
  };

  let map: Editor | null = null;
  let broken = false; // this browser cannot draw it

  const say = () => {
    const a = aim();
    const at = point();
    let text = d.words["aim.unknown"] ?? "";
    if (a.direction !== null) {
      const street = map && at ? ahead(map, at, a) : "";
      text = street ? fill("aim.street", { street, side: side(a.direction) }) : fill("aim.side", { side: side(a.direction) });
    }
    for (const name of ["angle", "range"] as const) if (a[name] !== null) text += ", " + spoken[name](a[name]!);
    const line = find("say")!;
    line.hidden = false;
    if (line.textContent !== text) line.textContent = text;
  };

  const draw = () => {
    const a = aim();
    for (const name of ["direction", "angle", "range"] as const) {
      const s = slider(name);
      const n = a[name] ?? (name === "direction" ? 0 : name === "angle" ? proposed.angle : assumedRange);
      if (n > Number(s.max)) s.max = String(n);
      s.value = String(n);
      s.setAttribute("aria-valuetext", a[name] === null ? (d.words.unknown ?? "") : spoken[name](n));
      s.classList.toggle("unknown", a[name] === null);
    }
    const needle = document.getElementById("needle")!;
    needle.toggleAttribute("hidden", a.direction === null);
    needle.style.rotate = (a.direction ?? 0) + "deg";
    const at = point();
    if (at && !map && !broken) open(at);
    else if (at) map?.show(at, a);
    say();
  };

  const open = (at: Pair) => {
    const box = find("map")!;
    const off = find("map-off")!;
    const part = (id: string) => find<HTMLTemplateElement>(id)!.content.firstElementChild!.cloneNode(true) as HTMLElement;
    box.hidden = false;
    try {
      map = editor({
        box, at, aim: aim(), others: d.others, words: d.words, pin: part("pin"), handle: part("handle"),
        tiles: d.tiles && { url: location.origin + "/map/{z}/{x}/{y}", min: d.tiles.min, max: d.tiles.max },
        moved: (p, accuracy) => put(p, "map", accuracy),
        aimed: (direction, range) => {
          choose("direction", direction);
          choose("range", range);
          said.add("direction").add("range");
          propose();
          draw();
        },
        lost: () => { find("map-lost")!.hidden = false; },
      });
      off.hidden = true;
      find("map-bare")!.hidden = !!d.tiles;
      map.map.on("idle", () => {
        say(); // the streets have come
        // For tests: what the eye sees, and which form that is.
        root.dataset.mapDrawn = JSON.stringify(map!.drawn());
        root.dataset.mapOf = [...(point() ?? []), ...Object.values(aim()).map((n) => n ?? "")].join();
        root.dataset.map = "ready";
      });
    } catch { // no WebGL2
      broken = true;
      box.hidden = true;
      off.hidden = false;
      off.textContent = d.words.failed ?? "";
      root.dataset.map = "failed";
    }
  };

  form.addEventListener("input", (e) => {
    const target = e.target as HTMLInputElement;
    const name = (target.dataset.slider ?? target.name) as Name;
    if (target.dataset.slider) choose(name, Number(target.value));
    if (["direction", "angle", "range"].includes(name)) said.add(name);
    if (name === "direction") propose();
    draw();
    map?.fit();
  });
  control("position").addEventListener("change", () => {
    control("method").value = "typed";
    control("start").value = control("position").value;
    const at = point();
    if (at) map?.look(at);
  });
  for (const name of ["direction", "angle", "range"] as const) slider(name).hidden = false;
  addresses(d, (p, sure) => {
    put(p, "address", sure ? 20 : 100);
    map?.look(p);
  });
  find("previous")?.addEventListener("click", (e) => {
    const from = d.previous;
    if (!from) return;
    e.preventDefault();
    put(from.at, from.method, from.accuracy);
    map?.look(from.at);
  });
  draw();
  if (!point()) root.dataset.map = "none";
}

// addresses looks for an address without leaving the page.
function addresses(d: Data, put: (p: Pair, sure: boolean) => void): void {
  const search = find<HTMLFormElement>("search")!;
  const list = find("found")!;
  const say = find("found-say")!;
  interface Found { name: string; lon: number; lat: number; sure: boolean }
  const line = (p: Found) => {
    const li = document.createElement("li");
    const b = document.createElement("button");
    b.type = "button";
    b.className = "btn btn-outline-primary btn-sm";
    b.textContent = d.words.here ?? "";
    b.setAttribute("aria-label", d.words.here + ": " + p.name);
    b.addEventListener("click", () => put([p.lon, p.lat], p.sure));
    const name = document.createElement("span");
    name.textContent = p.name;
    li.append(name, " ", b);
    return li;
  };
  search.addEventListener("submit", async (e) => {
    e.preventDefault();
    const q = find<HTMLInputElement>("address")!.value.trim();
    if (!q) return;
    try {
      const answer = await fetch("/places?" + new URLSearchParams({ site: d.site, q }), { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const { places } = (await answer.json()) as { places: Found[] };
      const only = places.length === 1 && places[0]!.sure;
      if (only) put([places[0]!.lon, places[0]!.lat], true);
      list.replaceChildren(...(only ? [] : places.map(line)));
      say.textContent = (d.words[only ? "start.here" : places.length === 0 ? "found.none" : places.length === 1 ? "found.one" : "found.other"] ?? "").replace("{n}", String(places.length));
    } catch {
      list.replaceChildren();
      say.textContent = d.words["found.not"] ?? "";
    }
  });
}

const near = 25; // metres

// ahead gives the street that lies nearest to the middle of what a camera sees, by the
// names that the map's tiles hold; "": none is near, or there are no tiles.
function ahead({ map }: Editor, at: Pair, aim: Aim): string {
  if (!map.getSource("base")) return "";
  const middle = away(at, Math.min((aim.range ?? assumedRange) / 2, 20), aim.direction ?? 0);
  let best = { name: "", metres: near };
  for (const sourceLayer of ["transportation_name", "street_name_local"]) {
    for (const f of map.querySourceFeatures("base", { sourceLayer })) {
      if (["rail", "transit", "path", "track"].includes(String(f.properties["class"]))) continue;
      const name = String(f.properties["name"] ?? f.properties["name:latin"] ?? "").replace(/ \S*\d\S*$/, ""); // a house number that went astray
      if (!name) continue;
      const lines = f.geometry.type === "LineString" ? [f.geometry.coordinates] : f.geometry.type === "MultiLineString" ? f.geometry.coordinates : [];
      for (const line of lines) {
        const metres = distance(line.map((p: number[]) => offset(middle, p as Pair)));
        if (metres < best.metres) best = { name, metres };
      }
    }
  }
  return best.name;
}

// distance is how far a line passes from 0,0.
function distance(line: [number, number][]): number {
  let least = Infinity;
  for (let i = 1; i < line.length; i++) {
    const [ax, ay] = line[i - 1]!;
    const [dx, dy] = [line[i]![0] - ax, line[i]![1] - ay];
    const t = Math.min(1, Math.max(0, -(ax * dx + ay * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(ax + t * dx, ay + t * dy));
  }
  return least;
}

const form = find<HTMLFormElement>("place-form");
const data = find("place-data");
if (form && data) start(form, JSON.parse(data.textContent ?? "") as Data);

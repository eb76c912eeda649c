// The map beside the form on which an owner says where a camera hangs and what it
// sees, as FOV in fov.go and _fov.html have it. The form has all of it: what is dragged
// stands in the form at once, what is chosen there is drawn at once, and without this
// script the form is the page.
import { assumedRange, away, editor, offset } from "./_fov";
import type { Aim, Editor, Other, Pair } from "./_fov";

export interface Data {
  tiles: { min: number; max: number } | null;
  site_id?: string;
  site?: { at: Pair }; // where it hangs as long as the form has no position
  aim: boolean; // the form has a direction, a width and a range; else a point alone
  others: Other[];
  previous: { at: Pair; method: string; accuracy: number } | null; // of the button that takes it over
  words: Record<string, string>;
}

// Found is a place that an address may mean; sure: the very house.
export interface Found { name: string; lon: number; lat: number; sure: boolean }

// Ask gives the places that an address may mean.
export type Ask = (address: string) => Promise<Found[]>;

type Name = keyof Aim;

// What is proposed with the first direction: the lens and the street that are met most.
// It is drawn and chosen for all to see, and kept only by the button.
const usual = { angle: 80, range: 30 };

// Fields of numbers beside the choices, where a form has no choice for any other number.
const exactly: Record<Name, string> = { direction: "direction_deg", angle: "angle_deg", range: "range_m" };

const root = document.documentElement;
const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T | null;

// begin draws the editor of the page, if there is one; ask looks for addresses.
export function begin(ask: (d: Data) => Ask): void {
  const form = find<HTMLFormElement>("place-form");
  const data = find("place-data");
  if (!form || !data) return;
  const d = JSON.parse(data.textContent ?? "") as Data;
  start(form, d, ask(d));
}

function start(form: HTMLFormElement, d: Data, ask: Ask): void {
  const control = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
  const radios = (name: Name) => [...form.querySelectorAll<HTMLInputElement>(`input[type=radio][name=${name}]`)];
  const slider = (name: Name) => form.querySelector<HTMLInputElement>(`[data-slider=${name}]`);
  const typed = (name: Name) => form.elements.namedItem(exactly[name]) as HTMLInputElement | null;
  const fill = (key: string, values: Record<string, string | number>) =>
    Object.entries(values).reduce((text, [name, v]) => text.replaceAll("{" + name + "}", String(v)), d.words[key] ?? "");

  const value = (name: Name): number | null => {
    const chosen = typed(name)?.value || radios(name).find((r) => r.checked)?.value;
    return chosen && !isNaN(Number(chosen)) ? Number(chosen) : null;
  };
  const names: Name[] = d.aim ? ["direction", "angle", "range"] : [];
  const aim = (): Aim => ({ direction: value("direction"), angle: value("angle"), range: value("range") });

  const side = (deg: number) => `${d.words["wind." + (Math.round(deg / 45) % 8)]} (${deg}°)`;
  const spoken: Record<Name, (n: number) => string> = {
    direction: side,
    angle: (n) => fill("wide", { deg: n }),
    range: (n) => fill("far", { m: n }),
  };

  // choose checks the number's own choice, or the one that stands for any other.
  const choose = (name: Name, n: number) => {
    const preset = radios(name).find((r) => r.value === String(n) && !r.closest("[data-exact]"));
    const number = typed(name);
    if (number) {
      number.value = preset ? "" : String(n);
      for (const r of radios(name)) r.checked = r === preset;
      return;
    }
    const exact = form.querySelector<HTMLElement>(`[data-exact=${name}]`)!;
    const other = exact.querySelector("input")!;
    exact.hidden = other.disabled = !!preset;
    if (!preset) {
      other.value = String(n);
      exact.querySelector("span")!.textContent = name === "range" ? fill("metres", { m: n }) : fill("degrees", { deg: n });
    }
    (preset ?? other).checked = true;
  };

  // propose fills in what is not known once a direction is.
  const propose = () => {
    if (value("direction") === null) return;
    for (const name of ["angle", "range"] as const) if (value(name) === null && !said.has(name)) choose(name, usual[name]);
  };
  const said = new Set<Name>(); // of what the person has spoken, also that they do not know

  const point = (): Pair | null => {
    const m = /^\s*(-?\d+\.\d+)\s*[,;\s]\s*(-?\d+\.\d+)\s*$/.exec(control("position").value);
    const p: Pair | null = m && [Number(m[2]), Number(m[1])];
    return p && Math.abs(p[0]) <= 180 && Math.abs(p[1]) <= 85 ? p : (d.site?.at ?? null);
  };
  const put = (p: Pair, method: string, accuracy: number | null) => {
    control("position").value = p[1].toFixed(6) + ", " + p[0].toFixed(6);
    proposed();
    control("method").value = method;
    find("start-say")!.textContent = "";
    if (accuracy !== null) control("accuracy_m").value = String(accuracy);
    draw();
  };

  // proposed says that the point was not typed over one that the page proposed.
  const proposed = () => {
    const start = control("start");
    if (start) start.value = control("position").value;
  };

  let map: Editor | null = null;
  let broken = false; // this browser cannot draw it

  const say = () => {
    if (!d.aim) return;
    const a = aim();
    const at = point();
    let text = d.words["aim.unknown"] ?? "";
    if (a.direction !== null) {
      const street = map && at ? ahead(map, at, a) : "";
      text = street ? fill("aim.street", { street, side: side(a.direction) }) : fill("aim.side", { side: side(a.direction) });
    }
    for (const name of ["angle", "range"] as const) if (a[name] !== null) text += ", " + spoken[name](a[name]!);
    const line = find("say");
    if (!line) return;
    line.hidden = false;
    if (line.textContent !== text) line.textContent = text;
  };

  const draw = () => {
    const a = aim();
    for (const name of names) {
      const s = slider(name);
      if (!s) continue;
      const n = a[name] ?? (name === "direction" ? 0 : name === "angle" ? usual.angle : assumedRange);
      if (n > Number(s.max)) s.max = String(n);
      s.value = String(n);
      s.setAttribute("aria-valuetext", a[name] === null ? (d.words.dontknow ?? "") : spoken[name](n));
      s.classList.toggle("unknown", a[name] === null);
    }
    const needle = document.getElementById("needle");
    needle?.toggleAttribute("hidden", a.direction === null);
    if (needle) needle.style.rotate = (a.direction ?? 0) + "deg";
    const at = point();
    if (at && !map && !broken) open(at);
    else if (at) map?.show(at, d.aim ? a : null);
    say();
  };

  const open = (at: Pair) => {
    const box = find("map")!;
    const off = find("map-off")!;
    const part = (id: string) => find<HTMLTemplateElement>(id)!.content.firstElementChild!.cloneNode(true) as HTMLElement;
    box.hidden = false;
    try {
      map = editor({
        box, at, aim: d.aim ? aim() : null, others: d.others, words: d.words, pin: part("pin"), handle: part("handle"),
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
    if (names.includes(name)) {
      said.add(name);
      const number = typed(name);
      if (number) number.value = ""; // a choice stands for it now
    }
    for (const other of names) {
      if (target.name === exactly[other]) for (const r of radios(other)) r.checked = false;
    }
    if (name === "direction") propose();
    draw();
    map?.fit();
  });
  control("position").addEventListener("change", () => {
    control("method").value = "typed";
    proposed();
    const at = point();
    if (at) map?.look(at);
  });
  for (const name of names) slider(name)?.removeAttribute("hidden");
  addresses(form, d, ask, () => !point(), (p, sure) => {
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

// addresses looks for an address without leaving the page: by a form of its own, or in
// the page's form, where nowhere tells that there is no point yet.
function addresses(form: HTMLFormElement, d: Data, ask: Ask, nowhere: () => boolean, put: (p: Pair, sure: boolean) => void): void {
  const search = find<HTMLFormElement>("search");
  const field = (search ?? form).elements.namedItem("address") as HTMLInputElement;
  const list = find("found")!;
  const say = find("found-say")!;
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
  const look = async () => {
    const q = field.value.trim();
    if (!q) return;
    try {
      const places = await ask(q);
      const only = places.length === 1 && places[0]!.sure;
      if (only) put([places[0]!.lon, places[0]!.lat], true);
      list.replaceChildren(...(only ? [] : places.map(line)));
      say.textContent = (d.words[only ? "start.here" : places.length === 0 ? "found.none" : places.length === 1 ? "found.one" : "found.other"] ?? "").replace("{n}", String(places.length));
    } catch {
      list.replaceChildren();
      say.textContent = d.words["found.not"] ?? "";
    }
  };
  const instead = (e: Event) => {
    e.preventDefault();
    void look();
  };
  if (search) {
    search.addEventListener("submit", instead);
    return;
  }
  form.querySelector("button[name=find]")?.addEventListener("click", instead);
  field.addEventListener("keydown", (e) => { if (e.key === "Enter") instead(e); });
  field.addEventListener("change", () => { if (nowhere()) void look(); });
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

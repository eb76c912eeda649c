// Areas and routes drawn on the map, by mouse, touch or keyboard. What is drawn
// stands in the form's own fields, "area" and "route", as a person may type it:
// so the server knows of no drawing, and a drawing can be corrected by hand.
import { Marker } from "maplibre-gl";
import type { GeoJSONSource, LayerSpecification, Map as MapView, MapMouseEvent } from "maplibre-gl";

type Pair = [number, number];
type Kind = "area" | "route";

const fewest: Record<Kind, number> = { area: 3, route: 2 };
const most = 100; // corners: each is a button on the map and a line of the list
const step = 10; // pixels that an arrow key moves a corner

export const drawnLayers: LayerSpecification[] = [
  { id: "drawn-fill", type: "fill", source: "drawn", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#5b2a86", "fill-opacity": 0.12 } },
  { id: "drawn-line", type: "line", source: "drawn", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#5b2a86", "line-width": 3 } },
];

// drawnData is what the source "drawn" holds for corners.
export function drawnData(kind: Kind | null, corners: Pair[]) {
  type Geometry = { type: "Polygon"; coordinates: Pair[][] } | { type: "LineString"; coordinates: Pair[] };
  const one = (geometry: Geometry) => ({ type: "Feature" as const, properties: {}, geometry });
  const features = [];
  if (kind === "area" && corners.length > 2) features.push(one({ type: "Polygon", coordinates: [[...corners, corners[0]!]] }));
  else if (corners.length > 1) features.push(one({ type: "LineString", coordinates: corners }));
  return { type: "FeatureCollection" as const, features };
}

// pairsOf reads "lon,lat lon,lat ..." as the server does; null: it is something
// else, such as GeoJSON.
function pairsOf(text: string): Pair[] | null {
  const numbers = text.split(/[\s,;]+/).filter(Boolean).map(Number);
  if (numbers.length % 2 || numbers.some((n) => !Number.isFinite(n))) return null;
  const pairs: Pair[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const [a, b] = [numbers[i]!, numbers[i + 1]!];
    pairs.push(a >= 35 && a <= 48 && b >= 6 && b <= 19 ? [b, a] : [a, b]);
  }
  return pairs.every(([lon, lat]) => Math.abs(lon) <= 180 && Math.abs(lat) <= 85) ? pairs : null;
}

const write = (p: Pair) => p[0].toFixed(6) + "," + p[1].toFixed(6);
const round = (p: { lng: number; lat: number }): Pair => [Number(p.lng.toFixed(6)), Number(p.lat.toFixed(6))];

interface Asked { area: Pair[][] | null; route: Pair[] | null; words: Record<string, string> }

export interface Drawing { active(): boolean }

// drawing offers to draw on the map; active tells whether a click there adds a
// corner now.
export function drawing(map: MapView, asked: Asked): Drawing {
  const none: Drawing = { active: () => false };
  const bar = document.getElementById("draw");
  const panel = document.getElementById("draw-panel");
  const list = document.getElementById("corners");
  const state = document.getElementById("draw-state");
  const cross = document.getElementById("cross");
  const field = (name: string) => document.querySelector<HTMLInputElement | HTMLTextAreaElement>("#ask [name=" + name + "]");
  const fields = { area: field("area"), route: field("route") };
  const at = field("at");
  if (!bar || !panel || !list || !state || !cross || !fields.area || !fields.route || !at) return none;

  const say = (key: string, values: Record<string, string | number> = {}) =>
    Object.entries(values).reduce((text, [name, v]) => text.replace("{" + name + "}", String(v)), asked.words[key] ?? "");

  let kind: Kind | null = null; // what is being drawn
  let shown: Kind = "area"; // whose corners these are
  let corners: Pair[] = [];
  let markers: Marker[] = [];
  let moved = true; // by keyboard, since the last corner: then Enter adds one more

  // before is what stands in the field already, or was searched.
  const before = (k: Kind): Pair[] => {
    const text = fields[k]!.value.trim();
    const typed = text ? pairsOf(text) : [];
    const drawn = typed ?? (k === "route" ? asked.route : asked.area?.length === 1 ? asked.area[0]! : null) ?? [];
    const [first, last] = [drawn[0], drawn[drawn.length - 1]];
    const closed = k === "area" && drawn.length > 1 && first![0] === last![0] && first![1] === last![1];
    return closed ? drawn.slice(0, -1) : [...drawn];
  };

  // keep writes the corners into the form, where they take the place of any other
  // place.
  const keep = () => {
    const text = corners.map(write).join(" ");
    fields[shown]!.value = text;
    if (text) {
      fields[shown === "area" ? "route" : "area"]!.value = "";
      at.value = "";
    }
    for (let d = fields[shown]!.closest("details"); d; d = d.parentElement?.closest("details") ?? null) d.open = true;
  };

  const paint = () => map.getSource<GeoJSONSource>("drawn")?.setData(drawnData(shown, corners));

  const draw = () => {
    paint();
    markers.forEach((m) => m.remove());
    markers = corners.map(corner);
    list.replaceChildren(...corners.map(line));
    panel.hidden = !kind && !corners.length;
    document.documentElement.dataset.mapCorners = String(corners.length);
  };

  const change = (said: string) => {
    keep();
    draw();
    state.textContent = said;
  };

  const count = () => (corners.length < fewest[shown] ? say("draw.more", { n: corners.length, least: fewest[shown] }) : say("draw.count", { n: corners.length }));

  const add = (p: Pair) => {
    if (corners.length >= most) {
      state.textContent = say("draw.full", { n: most });
      return;
    }
    corners.push(p);
    moved = false;
    change(count());
  };

  const remove = (i: number) => {
    if (i < 0 || i >= corners.length) return;
    corners.splice(i, 1);
    moved = true;
    change(count());
  };

  const place = (i: number, p: Pair) => {
    corners[i] = p;
    change(say("draw.moved", { n: i + 1 }));
  };

  const centre = () => round(map.getCenter());

  function corner(p: Pair, i: number): Marker {
    const b = document.createElement("button");
    b.type = "button";
    b.className = "corner";
    b.textContent = String(i + 1);
    b.setAttribute("aria-label", say("draw.corner", { n: i + 1 }));
    const m = new Marker({ element: b, anchor: "center", draggable: true }).setLngLat(p).addTo(map);
    m.on("drag", () => { corners[i] = round(m.getLngLat()); paint(); });
    m.on("dragend", () => place(i, round(m.getLngLat())));
    b.addEventListener("click", (e) => {
      e.stopPropagation(); // the map would add one more
      // The second click of two hits the corner that the first has made.
      const twice = e.detail > 1 && i === corners.length - 1;
      const around = i === 0 && shown === "area" && corners.length >= fewest.area;
      if (kind && (twice || around)) finish();
    });
    b.addEventListener("dblclick", (e) => e.stopPropagation());
    b.addEventListener("keydown", (e) => {
      const way = ({ ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] } as Record<string, Pair>)[e.key];
      if (way) {
        const at = map.project(corners[i]!);
        place(i, round(map.unproject([at.x + way[0] * step, at.y + way[1] * step])));
      } else if (e.key === "Delete" || e.key === "Backspace") {
        remove(i);
      } else return;
      e.preventDefault();
      e.stopPropagation();
      (markers[Math.min(i, markers.length - 1)]?.getElement() ?? map.getCanvas()).focus();
    });
    return m;
  }

  function line(p: Pair, i: number): HTMLLIElement {
    const li = document.createElement("li");
    const text = document.createElement("span");
    text.textContent = i + 1 + ". " + write(p);
    const act = (key: string, f: () => void) => {
      const b = document.createElement("button");
      b.type = "button";
      b.className = "btn btn-outline-primary btn-sm";
      b.textContent = say(key);
      b.setAttribute("aria-label", say(key) + ": " + say("draw.corner.name", { n: i + 1 }));
      b.addEventListener("click", () => {
        f();
        const rows = list!.children;
        const next = rows[Math.min(i, rows.length - 1)]?.querySelector<HTMLElement>(key === "draw.remove" ? "button + button" : "button");
        (next ?? map.getCanvas()).focus();
      });
      return b;
    };
    li.append(text, act("draw.here", () => place(i, centre())), act("draw.remove", () => remove(i)));
    return li;
  }

  const buttons = [...bar.querySelectorAll<HTMLButtonElement>("button[data-draw]")];
  const press = () => {
    for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.draw === kind));
    cross.hidden = !kind;
    panel.classList.toggle("drawing", !!kind);
    for (const b of panel.querySelectorAll<HTMLElement>("[data-do]")) b.hidden = !kind && b.dataset.do !== "clear";
    if (kind) map.doubleClickZoom.disable();
    else map.doubleClickZoom.enable();
    document.documentElement.dataset.mapDraws = kind ?? "";
  };

  const begin = (k: Kind) => {
    if (kind === k) return finish();
    kind = shown = k;
    corners = before(k);
    moved = true;
    press();
    draw();
    state.textContent = say("draw.begin." + k);
    map.getCanvas().focus();
  };

  const finish = (): void => {
    kind = null;
    press();
    draw();
    state.textContent = corners.length < fewest[shown] && corners.length ? count() : corners.length ? say("draw.done." + shown, { n: corners.length }) : "";
    state.focus(); // it says what to do next
  };

  const acts: Record<string, () => void> = {
    undo: () => remove(corners.length - 1),
    done: finish,
    clear: () => { corners = []; moved = true; change(say("draw.cleared")); if (!kind) buttons[0]?.focus(); },
  };
  for (const b of buttons) b.addEventListener("click", () => begin(b.dataset.draw as Kind));
  for (const b of panel.querySelectorAll<HTMLButtonElement>("[data-do]")) b.addEventListener("click", () => acts[b.dataset.do ?? ""]?.());

  map.on("click", (e: MapMouseEvent) => {
    if (!kind) return;
    if (e.originalEvent.detail > 1) finish(); // the second click of two: the first has added the corner
    else add(round(e.lngLat));
  });
  map.getCanvas().addEventListener("keydown", (e) => {
    if (!kind) return;
    if (e.key.startsWith("Arrow")) {
      moved = true;
      return;
    }
    if (e.key === " " || (e.key === "Enter" && moved)) add(centre());
    else if (e.key === "Enter") finish();
    else if (e.key === "Backspace") acts.undo!();
    else return;
    e.preventDefault();
  });
  document.addEventListener("keydown", (e) => {
    if (kind && e.key === "Escape") finish();
  });
  // Typed by hand, the field is right and the drawing follows.
  for (const k of ["area", "route"] as const) {
    fields[k]!.addEventListener("change", () => {
      if (k !== shown && !fields[k]!.value) return;
      [shown, corners] = [k, before(k).slice(0, most)];
      draw();
    });
  }
  at.addEventListener("change", () => {
    if (!at.value || !corners.length) return;
    corners = [];
    fields[shown]!.value = "";
    draw();
  });

  bar.hidden = false;
  press();
  // What was asked, or refused, is shown for going on with it.
  const again = (["area", "route"] as const).find((k) => fields[k]!.value);
  if (again) {
    shown = again;
    corners = before(again);
    if (corners.length > most) corners = [];
    map.once("load", draw);
  }
  return { active: () => kind !== null };
}

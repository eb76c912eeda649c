// The map beside the list, and small help for the form. The page works without
// any of it: the list is whole, the forms post.
import { Map as MapView, Marker, NavigationControl, ScaleControl, addProtocol, setWorkerUrl } from "maplibre-gl";
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification, LngLatBoundsLike, MapMouseEvent, StyleSpecification } from "maplibre-gl";
import { Protocol } from "pmtiles";
import { drawing, drawnData, drawnLayers } from "./_draw";
import type { Drawing } from "./_draw";
import { style } from "../../../protocol/pages/_style";
import { keepQuestion } from "./_tab";
import { chooseTimes } from "./_when";

type Pair = [number, number];
interface Shape { n: number; kind: "sees" | "may" | "near" | "gone"; assumed: boolean; at: Pair; mark: Pair; name: string }
interface Feature { type: "Feature"; geometry: { type: "Polygon"; coordinates: Pair[][] }; properties: Shape }
interface Features { type: "FeatureCollection"; features: Feature[] }
interface Data {
  base: string;
  layers: string[] | null;
  bounds: [number, number, number, number] | null;
  point: Pair | null;
  radius: number;
  area: Pair[][] | null;
  route: Pair[] | null;
  shapes: Features;
  sectors: Features; // whole, of those shapes that buildings have cut
  pick: boolean;
  words: Record<string, string>;
}

// Numbers are drawn as buttons for so many cameras; beyond that the shapes and
// the list must do, since each button is an element that moves with the map.
const maxMarks = 200;

const root = document.documentElement;
const still = matchMedia("(prefers-reduced-motion: reduce)").matches || root.dataset.still !== undefined;

function circle([lon, lat]: Pair, metres: number): Pair[] {
  const ring: Pair[] = [];
  for (let deg = 0; deg <= 360; deg += 4) {
    const a = (deg * Math.PI) / 180;
    ring.push([lon + (metres * Math.sin(a)) / (111195 * Math.cos((lat * Math.PI) / 180)), lat + (metres * Math.cos(a)) / 111195]);
  }
  return ring;
}

// twice is how wide a line is drawn that covers so many metres on both its sides
// at a latitude: the world is 512 pixels wide at zoom 0, and doubles.
function twice(metres: number, lat: number): ExpressionSpecification {
  const at0 = (2 * metres * 512) / (40075017 * Math.cos((lat * Math.PI) / 180));
  return ["interpolate", ["exponential", 2], ["zoom"], 0, at0, 20, at0 * 2 ** 20];
}

// asked is the area or the route that was searched.
function asked(d: Data) {
  type Geometry = { type: "MultiPolygon"; coordinates: Pair[][][] } | { type: "LineString"; coordinates: Pair[] };
  const one = (kind: string, geometry: Geometry) => ({ type: "Feature" as const, properties: { kind }, geometry });
  const features = [];
  if (d.area) features.push(one("area", { type: "MultiPolygon", coordinates: d.area.map((ring) => [ring]) }));
  if (d.route) features.push(one("route", { type: "LineString", coordinates: d.route }));
  return { type: "FeatureCollection" as const, features };
}

function around(point: Pair | null, radius: number) {
  const features = point ? [{ type: "Feature" as const, properties: {}, geometry: { type: "Polygon" as const, coordinates: [circle(point, radius)] } }] : [];
  return { type: "FeatureCollection" as const, features };
}

const colours: Record<Shape["kind"], string> = { sees: "#0058c2", may: "#0058c2", near: "#7a4b00", gone: "#5c6f82" };
const colour = ["match", ["get", "kind"], "near", colours.near, "gone", colours.gone, colours.sees] as unknown as string;
const strong = (on: number, off: number) => ["case", ["boolean", ["feature-state", "on"], false], on, off] as unknown as number;

const layers = (d: Data): LayerSpecification[] => [
  { id: "corridor", type: "line", source: "asked", filter: ["==", ["get", "kind"], "route"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#a3173a", "line-opacity": 0.08, "line-width": twice(d.radius, d.route?.[0]?.[1] ?? 0) } },
  { id: "radius", type: "line", source: "radius", paint: { "line-color": "#a3173a", "line-width": 2, "line-dasharray": [2, 2] } },
  { id: "area", type: "line", source: "asked", filter: ["==", ["get", "kind"], "area"], paint: { "line-color": "#a3173a", "line-width": 2, "line-dasharray": [2, 2] } },
  { id: "route", type: "line", source: "asked", filter: ["==", ["get", "kind"], "route"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#a3173a", "line-width": 4, "line-opacity": 0.75 } },
  { id: "seen", type: "fill", source: "shapes", paint: { "fill-color": colour, "fill-opacity": ["case", ["boolean", ["feature-state", "on"], false], 0.5, ["match", ["get", "kind"], "sees", 0.26, "may", 0.1, 0.1]] } },
  { id: "whole", type: "line", source: "sectors", paint: { "line-color": colour, "line-width": strong(2.5, 1), "line-dasharray": [1, 2.5] } },
  { id: "edge", type: "line", source: "shapes", filter: ["!", ["get", "assumed"]], paint: { "line-color": colour, "line-width": strong(3, 1.5) } },
  { id: "edge-assumed", type: "line", source: "shapes", filter: ["get", "assumed"], paint: { "line-color": colour, "line-width": strong(3, 1.5), "line-dasharray": [3, 2] } },
  { id: "hang", type: "circle", source: "hang", paint: { "circle-radius": 4, "circle-color": colour, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.5 } },
  ...drawnLayers,
];

function sources(d: Data): StyleSpecification["sources"] {
  const hang = d.shapes.features.map((f) => ({ type: "Feature" as const, properties: f.properties, geometry: { type: "Point" as const, coordinates: f.properties.at } }));
  return {
    radius: { type: "geojson", data: around(d.point, d.radius) },
    asked: { type: "geojson", data: asked(d) },
    shapes: { type: "geojson", data: d.shapes, promoteId: "n" },
    sectors: { type: "geojson", data: d.sectors, promoteId: "n" },
    drawn: { type: "geojson", data: drawnData(null, []) },
    hang: { type: "geojson", data: { type: "FeatureCollection", features: hang } },
  };
}

// view is where the map opens: all that was found, else the place asked for,
// else the whole basemap.
function view(d: Data): LngLatBoundsLike | null {
  const points: Pair[] = [...d.shapes.features, ...d.sectors.features].flatMap((f) => f.geometry.coordinates[0] ?? []);
  points.push(...(d.area ?? []).flat(), ...(d.route ?? []));
  if (d.point) points.push(...circle(d.point, points.length ? Math.min(d.radius, 60) : d.radius));
  if (!points.length) return d.bounds;
  const lons = points.map((p) => p[0]);
  const lats = points.map((p) => p[1]);
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
}

function draw(d: Data, box: HTMLElement): MapView {
  setWorkerUrl(MAP_WORKER);
  addProtocol("pmtiles", new Protocol().tile);
  const bounds = view(d);
  const map = new MapView({
    container: box,
    style: style(d.base ? { type: "vector", url: "pmtiles://" + new URL(d.base, location.href).href } : null, d.layers ?? [], layers(d), sources(d)),
    ...(bounds ? { bounds, fitBoundsOptions: { padding: 48, maxZoom: d.shapes.features.length ? 18 : 16 } } : {}),
    attributionControl: false, // the credit is in the page, under the map
    dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0,
    maxZoom: 19.5, fadeDuration: 0,
    locale: { "NavigationControl.ZoomIn": d.words.in ?? "", "NavigationControl.ZoomOut": d.words.out ?? "", "Map.Title": d.words.label ?? "" },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
  map.on("error", (e) => console.error("map", e.error?.message ?? e));
  map.on("idle", () => {
    // For tests, and for whoever asks why a map is empty: what is drawn.
    const drawn = (layer: string) => (map.getLayer(layer) ? map.queryRenderedFeatures({ layers: [layer] }) : []);
    root.dataset.mapShapes = String(new Set(drawn("seen").map((f) => f.id)).size);
    root.dataset.mapStreets = String(drawn("small").length + drawn("main").length);
    root.dataset.map = "ready";
  });
  return map;
}

// mark puts a numbered button for each camera and the sign of the place.
function mark(d: Data, map: MapView): Marker | null {
  let place: Marker | null = null;
  if (d.point) place = sign(d.words.point, map, d.point);
  if (d.route) {
    sign(d.words.from, map, d.route[0]!);
    sign(d.words.to, map, d.route[d.route.length - 1]!).addClassName("end");
  }
  for (const { properties: s } of d.shapes.features.slice(0, maxMarks)) {
    const b = document.createElement("button");
    b.type = "button";
    b.className = "mark kind-" + s.kind;
    b.dataset.n = String(s.n);
    b.textContent = String(s.n);
    b.setAttribute("aria-label", (d.words.camera ?? "{n}").replace("{n}", String(s.n)) + ": " + s.name);
    b.addEventListener("click", (e) => {
      e.stopPropagation();
      const row = document.getElementById("n" + s.n);
      row?.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "center" });
      row?.focus({ preventScroll: true });
    });
    new Marker({ element: b, anchor: "center" }).setLngLat(s.mark).addTo(map);
  }
  return place;
}

function sign(words: string | undefined, map: MapView, at: Pair): Marker {
  const el = document.createElement("div");
  el.className = "mark-point";
  el.setAttribute("role", "img");
  el.setAttribute("aria-label", words ?? "");
  return new Marker({ element: el, anchor: "center" }).setLngLat(at).addTo(map);
}

// twin makes a row and its shape one thing: what is hovered or has the focus
// on one side is marked on the other.
function twin(map: MapView): void {
  let now = 0;
  const show = (n: number) => {
    if (n === now) return;
    for (const [id, on] of [[now, false], [n, true]] as const) {
      if (!id) continue;
      for (const source of ["shapes", "sectors"]) if (map.getSource(source)) map.setFeatureState({ source, id }, { on });
      document.querySelector(`.mark[data-n="${id}"]`)?.classList.toggle("on", on);
      document.getElementById("n" + id)?.classList.toggle("on", on);
    }
    now = n;
  };
  const number = (e: Event) => Number((e.target as Element | null)?.closest?.<HTMLElement>("[data-n]")?.dataset.n ?? 0);
  const [overPage, overMap] = [rests(), rests()];
  document.addEventListener("focusin", (e) => show(number(e)));
  document.addEventListener("mouseover", (e) => { if (!overPage(e)) show(number(e)); });
  map.on("mousemove", "seen", (e) => { if (!overMap(e.originalEvent)) show(Number(e.features?.[0]?.id ?? 0)); });
  map.on("mouseleave", "seen", (e) => { if (!overMap(e.originalEvent)) show(0); });
}

// rests reports of each event whether the pointer is where it was at the one before: then
// the page moved under it, as it does when the focus goes to what is out of view.
function rests(): (e: MouseEvent) => boolean {
  let last = "";
  return (e) => {
    const at = `${e.screenX},${e.screenY}`;
    const rested = at === last;
    last = at;
    return rested;
  };
}

// showOnMap brings a row's camera into view when its number is pressed.
function showOnMap(d: Data, map: MapView): void {
  document.addEventListener("click", (e) => {
    const link = (e.target as Element).closest<HTMLElement>("[data-show]");
    const found = link && d.shapes.features.find((f) => f.properties.n === Number(link.dataset.show));
    if (!found) return;
    e.preventDefault();
    document.getElementById("map-box")?.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "nearest" });
    map.easeTo({ center: found.properties.mark, zoom: Math.max(map.getZoom(), 18), animate: !still });
    document.querySelector<HTMLElement>(`.mark[data-n="${found.properties.n}"]`)?.focus({ preventScroll: true });
  });
}

// through draws whole sectors in place of what buildings leave of them, and back.
function through(d: Data, map: MapView): void {
  const box = document.querySelector<HTMLInputElement>("#through");
  const choice = document.getElementById("through-choice");
  if (!box || !choice || !d.sectors.features.length) return;
  const whole = new Map(d.sectors.features.map((f) => [f.properties.n, f]));
  const uncut: Features = { ...d.shapes, features: d.shapes.features.map((f) => whole.get(f.properties.n) ?? f) };
  choice.hidden = false;
  const draw = () => {
    map.getSource<GeoJSONSource>("shapes")?.setData(box.checked ? uncut : d.shapes);
    map.setLayoutProperty("whole", "visibility", box.checked ? "none" : "visible");
    root.dataset.mapThrough = String(box.checked);
  };
  box.addEventListener("change", draw);
  map.once("load", draw); // a browser that goes back keeps the tick
}

// pick lets a click on the map name the place, and draws the place that is
// typed and the radius that is chosen.
function pick(d: Data, map: MapView, place: Marker | null, drawing: Drawing): void {
  const at = document.querySelector<HTMLInputElement>("#at");
  const radius = document.querySelector<HTMLSelectElement>("#radius");
  if (!at || !radius) return;
  const redraw = () => {
    const m = /^\s*(-?\d+\.\d+)\s*,\s*(-?\d+\.\d+)\s*$/.exec(at.value);
    if (!m) return;
    const p: Pair = [Number(m[1]), Number(m[2])];
    if (Math.abs(p[0]) > 180 || Math.abs(p[1]) > 85) return;
    place = place ? place.setLngLat(p) : sign(d.words.point, map, p);
    map.getSource<GeoJSONSource>("radius")?.setData(around(p, Number(radius.value)));
  };
  if (d.pick) {
    map.getCanvas().style.cursor = "crosshair";
    map.on("click", (e: MapMouseEvent) => {
      if (drawing.active()) return;
      at.value = e.lngLat.lng.toFixed(6) + "," + e.lngLat.lat.toFixed(6);
      at.setCustomValidity("");
      const again = at.closest("details");
      if (again) again.open = true;
      at.dispatchEvent(new Event("change")); // nothing is typed: no addresses are asked for
    });
  }
  at.addEventListener("change", redraw);
  radius.addEventListener("change", redraw);
  map.once("load", redraw);
}

// answers of htmx: a failure is said, and after a reveal, or a report that nobody
// answers, the focus goes to what has appeared.
function reveals(words: Record<string, string>): void {
  let pressed = "";
  document.addEventListener("submit", (e) => {
    pressed = ((e as SubmitEvent).submitter as HTMLButtonElement | null)?.id.replace(/^(reveal|unanswered)/, "") ?? "";
  });
  const suggested = (e: Event) => (e as CustomEvent<{ target?: Element }>).detail?.target?.id === "at-list";
  document.addEventListener("htmx:afterSwap", (e) => {
    if (suggested(e)) return;
    const target = document.getElementById("contacts" + pressed) ?? document.querySelector<HTMLElement>(".contacts");
    target?.focus();
  });
  for (const type of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(type, (e) => {
      if (suggested(e)) return; // a list that does not come is not missed
      const bar = document.querySelector(".reveal-bar p");
      if (!bar) return;
      bar.setAttribute("role", "alert");
      bar.textContent = words.reveal ?? "";
    });
  }
}

function start(): void {
  keepQuestion();
  chooseTimes();
  const block = document.getElementById("map-data");
  const box = document.getElementById("map");
  const off = document.getElementById("map-off");
  if (!block) return;
  const d = JSON.parse(block.textContent ?? "") as Data;
  reveals(d.words);
  if (!box || !off) { // no basemap and no place yet: nothing to draw on, nothing to draw
    root.dataset.map = "none";
    return;
  }
  box.hidden = false;
  try {
    const map = draw(d, box);
    off.hidden = true;
    const place = mark(d, map);
    twin(map);
    showOnMap(d, map);
    through(d, map);
    pick(d, map, place, drawing(map, d));
  } catch { // no WebGL2
    box.hidden = true;
    off.hidden = false;
    off.textContent = d.words.failed ?? "";
    root.dataset.map = "failed";
  }
}

start();

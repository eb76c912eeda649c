// The field-of-view editor: a map with a pin where a camera hangs and a handle at
// the tip of what it sees. It keeps nothing that a page's form does not have: what is
// dragged is told, what is to be seen is shown.
import { Map as MapView, Marker, NavigationControl, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { GeoJSONSource, LayerSpecification, StyleSpecification } from "maplibre-gl";
import { style } from "./_style";

export type Pair = [number, number]; // longitude and latitude, degrees WGS84

// Aim is what a camera sees; null: nobody knows.
export interface Aim {
  direction: number | null; // degrees clockwise from north
  angle: number | null; // degrees
  range: number | null; // metres
}

export interface Other extends Aim { at: Pair; name: string }

export interface Options {
  box: HTMLElement;
  tiles: { url: string; min: number; max: number } | null; // null: paper without streets
  at: Pair;
  aim: Aim | null; // null: the pin alone, of a place that sees nothing
  others: Other[]; // the cameras that hang there already
  pin: HTMLElement;
  handle: HTMLElement; // of an aim
  words: Record<string, string>;
  // moved is told where the pin was put, and how far it may be off by that, metres.
  moved(at: Pair, accuracy: number): void;
  aimed(direction: number, range: number): void;
  // lost is told, once, that a piece of the map does not come.
  lost(): void;
}

export interface Editor {
  map: MapView;
  show(at: Pair, aim: Aim | null): void;
  look(at: Pair): void; // brings a place into the middle
  fit(): void; // makes room where the sector goes beyond the map
  drawn(): Pair[]; // the ring of what is seen, as the map has it
}

// assumedRange is how far a camera is drawn whose range nobody knows; officers see it so.
export const assumedRange = 40;
export const farthest = 2000; // metres: no camera may be said to see farther

const perDegree = 111195; // metres, of a meridian on the sphere that the collector measures on
const rad = Math.PI / 180;

// away gives the place so many metres from at in a direction, on a flat earth: within
// 2 km that is some centimetres off.
export function away(at: Pair, metres: number, deg: number): Pair {
  return [at[0] + (metres * Math.sin(deg * rad)) / (perDegree * Math.cos(at[1] * rad)), at[1] + (metres * Math.cos(deg * rad)) / perDegree];
}

// offset gives how many metres east and north of from another place lies.
export function offset(from: Pair, to: Pair): [number, number] {
  return [(to[0] - from[0]) * perDegree * Math.cos(from[1] * rad), (to[1] - from[1]) * perDegree];
}

// sector gives the ring of what a camera sees; all round where only a person could say
// which side.
export function sector(at: Pair, aim: Aim): Pair[] {
  const range = aim.range ?? assumedRange;
  const round = aim.direction === null || aim.angle === null || aim.angle >= 360;
  const [from, over] = round ? [0, 360] : [aim.direction! - aim.angle! / 2, aim.angle!];
  const steps = Math.ceil(over / 6);
  const ring: Pair[] = [];
  for (let i = 0; i <= steps; i++) ring.push(away(at, range, from + (over * i) / steps));
  return round ? ring : [at, ...ring, at];
}

// round6 keeps what the register keeps: microdegrees.
const round6 = (p: { lng: number; lat: number }): Pair => [Number(p.lng.toFixed(6)), Number(p.lat.toFixed(6))];

const blue = "#0058c2";
const grey = "#4a5866";

const layers: LayerSpecification[] = [
  { id: "others", type: "fill", source: "others", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": grey, "fill-opacity": 0.14 } },
  { id: "others-edge", type: "line", source: "others", filter: ["==", ["geometry-type"], "Polygon"], paint: { "line-color": grey, "line-width": 1, "line-opacity": 0.7 } },
  { id: "seen", type: "fill", source: "seen", paint: { "fill-color": blue, "fill-opacity": ["case", ["get", "sure"], 0.26, 0.12] } },
  { id: "edge", type: "line", source: "seen", filter: ["get", "sure"], paint: { "line-color": blue, "line-width": 2 } },
  { id: "edge-assumed", type: "line", source: "seen", filter: ["!", ["get", "sure"]], paint: { "line-color": blue, "line-width": 2, "line-dasharray": [3, 2] } },
  { id: "axis", type: "line", source: "axis", paint: { "line-color": blue, "line-width": 2, "line-dasharray": [1, 1.5] } },
  { id: "others-at", type: "circle", source: "others", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 6, "circle-color": grey, "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 } },
  {
    id: "others-name", type: "symbol", source: "others", filter: ["==", ["geometry-type"], "Point"],
    layout: { "text-field": ["get", "name"], "text-font": ["Titillium Web", "sans-serif"], "text-size": 12.5, "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.9, "text-justify": "auto" },
    paint: { "text-color": "#2f3b46", "text-halo-color": "#ffffff", "text-halo-width": 2 },
  },
];

function feature<G>(geometry: G, properties: Record<string, unknown> = {}) {
  return { type: "Feature" as const, properties, geometry };
}

function seen(at: Pair, aim: Aim | null) {
  if (!aim) return feature({ type: "Polygon" as const, coordinates: [] as Pair[][] });
  const sure = aim.range !== null && (aim.angle === 360 || (aim.direction !== null && aim.angle !== null));
  return feature({ type: "Polygon" as const, coordinates: [sector(at, aim)] }, { sure });
}

// tip is where the handle stands: in a direction that nobody knows yet, north.
const tip = (at: Pair, aim: Aim) => away(at, aim.range ?? assumedRange, aim.direction ?? 0);

const axis = (at: Pair, aim: Aim | null) => feature({ type: "LineString" as const, coordinates: aim ? [at, tip(at, aim)] : [] });

function sources(o: Options): StyleSpecification["sources"] {
  const others = o.others.flatMap((c) => [
    feature({ type: "Polygon" as const, coordinates: [sector(c.at, c)] }),
    feature({ type: "Point" as const, coordinates: c.at }, { name: c.name }),
  ]);
  return {
    seen: { type: "geojson", data: seen(o.at, o.aim) },
    axis: { type: "geojson", data: axis(o.at, o.aim) },
    others: { type: "geojson", data: { type: "FeatureCollection", features: others } },
  };
}

// editor draws the map. It throws where the browser cannot (no WebGL2).
export function editor(o: Options): Editor {
  setWorkerUrl(MAP_WORKER);
  let { at, aim } = o;
  const reach = Math.max(o.aim?.range ?? assumedRange, assumedRange) * 1.15;
  const corner = (deg: number) => away(at, reach * Math.SQRT2, deg);
  const map = new MapView({
    container: o.box,
    style: style(o.tiles && { type: "vector", tiles: [o.tiles.url], minzoom: o.tiles.min, maxzoom: o.tiles.max }, null, layers, sources(o)),
    bounds: [corner(225), corner(45)],
    attributionControl: false, // the credit is in the page, under the map
    dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0, doubleClickZoom: false,
    maxZoom: 20, fadeDuration: 0,
    locale: { "NavigationControl.ZoomIn": o.words.in ?? "", "NavigationControl.ZoomOut": o.words.out ?? "", "Map.Title": o.words.label ?? "" },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
  let whole = true;
  map.on("error", () => {
    if (whole) o.lost();
    whole = false;
  });

  const pin = new Marker({ element: o.pin, anchor: "center", draggable: true }).setLngLat(at).addTo(map);
  const handle = new Marker({ element: o.handle, anchor: "center", draggable: true });
  if (aim) handle.setLngLat(tip(at, aim)).addTo(map);
  let held = false; // the handle follows the hand, not the whole degrees that it gives

  const show = (a: Pair, v: Aim | null) => {
    [at, aim] = [a, v];
    pin.setLngLat(at);
    if (aim && !held) handle.setLngLat(tip(at, aim));
    map.getSource<GeoJSONSource>("seen")?.setData(seen(at, aim));
    map.getSource<GeoJSONSource>("axis")?.setData(axis(at, aim));
  };
  map.once("load", () => show(at, aim)); // what was done before the sources were there

  // A hand puts a pin some 8 pixels from where it means; the map itself is some metres off.
  const accuracy = () => {
    const metres = (40075017 * Math.cos(at[1] * rad)) / (512 * 2 ** map.getZoom());
    return Math.max(5, Math.round(8 * metres));
  };
  const move = (p: Pair) => o.moved(p, accuracy());
  pin.on("drag", () => move(round6(pin.getLngLat())));
  map.on("click", (e) => move(round6(e.lngLat)));

  const turn = (direction: number, range: number) =>
    o.aimed(((Math.round(direction) % 360) + 360) % 360, Math.min(farthest, Math.max(1, Math.round(range))));
  handle.on("dragstart", () => { held = true; });
  handle.on("drag", () => {
    const p = handle.getLngLat();
    const [east, north] = offset(at, [p.lng, p.lat]);
    turn(Math.atan2(east, north) / rad, Math.hypot(east, north));
  });
  handle.on("dragend", () => {
    held = false;
    show(at, aim);
  });

  const fit = () => {
    if (!aim) return;
    const reach = (aim.range ?? assumedRange) * 1.6;
    if (map.getBounds().contains(tip(at, aim))) return;
    map.fitBounds([away(at, reach, 225), away(at, reach, 45)], { animate: false });
  };

  keys(o.pin, (east, north, far) => {
    const step = far ? 10 : 1;
    const p = away(away(at, east * step, 90), north * step, 0);
    move(round6({ lng: p[0], lat: p[1] }));
    if (!map.getBounds().contains(at)) map.panTo(at, { animate: false });
  });
  keys(o.handle, (east, north, far) => {
    turn((aim?.direction ?? 0) + east * (far ? 15 : 1), (aim?.range ?? assumedRange) + north * (far ? 10 : 1));
    fit();
  });
  const drawn = () => {
    const data = map.getSource<GeoJSONSource>("seen")?.serialize().data as ReturnType<typeof seen> | undefined;
    return data?.geometry.coordinates[0] ?? [];
  };
  return { map, show, look: (p) => map.jumpTo({ center: p }), fit, drawn };
}

// keys tells f which arrow was pressed on a button of the map, which would else move
// the map, and whether with Shift.
function keys(button: HTMLElement, f: (east: number, north: number, far: boolean) => void): void {
  const ways: Record<string, [number, number]> = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  button.addEventListener("keydown", (e) => {
    const way = ways[e.key];
    if (!way) return;
    e.preventDefault();
    e.stopPropagation();
    f(way[0], way[1], e.shiftKey);
  });
  button.addEventListener("click", (e) => e.stopPropagation()); // the map would take it for a place
}

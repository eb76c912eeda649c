// The look of the base map, of officers and owners alike: quiet, so that sectors
// and numbers stand out. It draws vector tiles in the OpenMapTiles schema. There are
// no glyphs: labels are drawn with the page's own fonts, so no font server is asked.
import type { StyleSpecification, LayerSpecification, ExpressionSpecification, VectorSourceSpecification } from "maplibre-gl";

const font = ["Titillium Web", "sans-serif"];
const name: ExpressionSpecification = ["coalesce", ["get", "name"], ["get", "name:latin"]];

// Some street names end in a house number that went astray ("Via Dante 7n04"):
// a last word with a digit is left away.
const words: ExpressionSpecification = ["split", ["get", "name"], " "];
const last: ExpressionSpecification = ["join", ["slice", words, -1], ""];
const stray: ExpressionSpecification = ["any", ...[..."0123456789"].map((d): ExpressionSpecification => [">=", ["index-of", d, last], 0])];
const street: ExpressionSpecification = ["case", stray, ["join", ["slice", words, 0, -1], " "], ["get", "name"]];

const paper = "#f6f4ef";
const ink = "#3c4650";

// width grows with the zoom, doubling roughly every one and a half levels.
function width(at12: number, at18: number): ExpressionSpecification {
  return ["interpolate", ["exponential", 1.5], ["zoom"], 12, at12, 18, at18];
}

function fill(id: string, layer: string, color: string, filter?: ExpressionSpecification): LayerSpecification {
  return { id, type: "fill", source: "base", "source-layer": layer, paint: { "fill-color": color }, ...(filter ? { filter } : {}) };
}

function road(id: string, classes: string[], color: string, w: ExpressionSpecification, minzoom = 8): LayerSpecification {
  return {
    id, type: "line", source: "base", "source-layer": "transportation", minzoom,
    filter: ["in", ["get", "class"], ["literal", classes]],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": color, "line-width": w },
  };
}

const big = ["motorway", "trunk"];
const main = ["primary", "secondary"];
const middle = ["tertiary"];
const small = ["minor", "service", "unclassified", "residential", "living_street", "busway"];

function streets(): LayerSpecification[] {
  return [
    fill("green", "landcover", "#e3ecd8", ["in", ["get", "class"], ["literal", ["grass", "wood", "forest", "scrub"]]]),
    fill("use", "landuse", "#efeae4", ["in", ["get", "class"], ["literal", ["school", "university", "hospital", "cemetery", "stadium", "industrial", "commercial", "retail"]]]),
    fill("park", "park", "#dbe8cc"),
    fill("water", "water", "#bcd9ea"),
    { id: "stream", type: "line", source: "base", "source-layer": "waterway", paint: { "line-color": "#bcd9ea", "line-width": width(1, 6) } },
    { id: "house", type: "fill", source: "base", "source-layer": "building", minzoom: 14, paint: { "fill-color": "#e4dfd8", "fill-outline-color": "#cdc6bd" } },
    { id: "path", type: "line", source: "base", "source-layer": "transportation", minzoom: 15,
      filter: ["in", ["get", "class"], ["literal", ["path", "track"]]],
      paint: { "line-color": "#d3cbbf", "line-width": width(0.5, 3), "line-dasharray": [3, 2] } },
    road("small-edge", small, "#d5d0c8", width(0.6, 19), 13),
    road("middle-edge", middle, "#cbc5bb", width(1.6, 23), 11),
    road("main-edge", main, "#c4b99f", width(2.4, 27)),
    road("big-edge", big, "#c9a66b", width(3, 29)),
    road("small", small, "#ffffff", width(0.3, 16), 13),
    road("middle", middle, "#ffffff", width(1, 20), 11),
    road("main", main, "#fff6dd", width(1.6, 24)),
    road("big", big, "#fbe3b3", width(2.2, 26)),
    { id: "rail", type: "line", source: "base", "source-layer": "transportation", minzoom: 12,
      filter: ["in", ["get", "class"], ["literal", ["rail", "transit"]]], paint: { "line-color": "#b5b0aa", "line-width": width(0.6, 3) } },
  ];
}

function labels(): LayerSpecification[] {
  const halo = { "text-color": ink, "text-halo-color": "#ffffff", "text-halo-width": 1.6 };
  return [
    { id: "street-names", type: "symbol", source: "base", "source-layer": "transportation_name", minzoom: 13,
      filter: ["!", ["in", ["get", "class"], ["literal", ["rail", "transit", "path", "track"]]]],
      layout: { "symbol-placement": "line", "text-field": name, "text-font": font, "text-size": ["interpolate", ["linear"], ["zoom"], 14, 11, 18, 15], "symbol-spacing": 260 },
      paint: halo },
    { id: "local-names", type: "symbol", source: "base", "source-layer": "street_name_local", minzoom: 15.5,
      layout: { "symbol-placement": "line", "text-field": street, "text-font": font, "text-size": ["interpolate", ["linear"], ["zoom"], 15, 11.5, 18, 15], "symbol-spacing": 260 },
      paint: halo },
    { id: "house-numbers", type: "symbol", source: "base", "source-layer": "housenumber", minzoom: 17.5,
      layout: { "text-field": ["get", "housenumber"], "text-font": font, "text-size": 11 },
      paint: { ...halo, "text-color": "#6b7178" } },
    { id: "water-names", type: "symbol", source: "base", "source-layer": "water_name", layout: { "text-field": name, "text-font": font, "text-size": 12 },
      paint: { "text-color": "#31708e", "text-halo-color": "#ffffff", "text-halo-width": 1.4 } },
    { id: "places", type: "symbol", source: "base", "source-layer": "place", maxzoom: 15,
      filter: ["in", ["get", "class"], ["literal", ["city", "town", "village", "suburb", "quarter", "neighbourhood"]]],
      layout: { "text-field": name, "text-font": font, "text-size": ["match", ["get", "class"], "city", 18, "town", 15, 12.5], "text-max-width": 7 },
      paint: halo },
  ];
}

// style gives the whole style; under is what lies between streets and labels. A base
// of null draws no streets. Layers that its tiles do not have are left out; has is
// null where nobody told which they have.
export function style(base: VectorSourceSpecification | null, has: string[] | null, under: LayerSpecification[], sources: StyleSpecification["sources"]): StyleSpecification {
  const there = (l: LayerSpecification) => !has || !("source-layer" in l) || has.includes(l["source-layer"] ?? "");
  const background: LayerSpecification = { id: "paper", type: "background", paint: { "background-color": paper } };
  if (!base) {
    return { version: 8, sources, layers: [background, ...under] };
  }
  return {
    version: 8,
    sources: { base, ...sources },
    layers: [background, ...streets().filter(there), ...under, ...labels().filter(there)],
  };
}

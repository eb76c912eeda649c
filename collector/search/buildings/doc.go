// Package buildings says what buildings hide from a camera. It hides the source of their
// outlines (the basemap's vector tiles: layer "building" of the OpenMapTiles schema, zoom
// 14), the cache of unpacked tiles, and the geometry. Package search asks it whether a camera
// sees a point, the consultation pages which shape to draw.
//
// # Limits
//
// The world is flat: an outline is a wall from the ground to the sky, so that a camera on the
// fifth floor is blind behind a kiosk. Trees, awnings and lorries are not known. Parts that
// begin 2 m or more above the ground (arcades, bridges; render_min_height) are no walls.
// Outlines of zoom 14 are accurate to about half a metre.
//
// # The eye
//
// A camera on a wall is often declared some metres off, on the street or within the building.
// An eye within an outline is moved to the nearest wall that faces open ground and the
// camera's direction, within the position's accuracy plus 3 m. Several eyes are tried: the
// declared place and open ground around it, within the accuracy. Hidden is what none of them
// sees; what some see may be hidden. Where no eye can be placed, nothing is certain.
//
// A point inside a building stands for the nearest wall that faces open ground, up to 6 m
// away, because house numbers are often drawn inside. Further in, nothing is certain.
//
// # Tiles
//
// Tiles overlap, and an outline that crosses a tile's margin is clipped there, which would
// draw a wall that does not exist. Walls are therefore taken only from each tile's own square;
// only the test "within an outline?" reads the outlines as they come. In a tile without a
// margin, walls on the square's edge are left out.
package buildings

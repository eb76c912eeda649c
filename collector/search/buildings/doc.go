// Package buildings tells what buildings hide from a camera. It hides where
// their outlines come from (the vector tiles of the basemap, layer "building" of
// the OpenMapTiles schema, zoom 14), how they are kept (a few tiles at a time,
// unpacked and sorted into a grid), and the geometry. Package search asks it
// whether a camera sees a point, the consultation pages what shape to draw.
//
// # What it knows, and what it does not
//
// The world is flat here: an outline is a wall from the ground to the sky. A
// camera on a fifth floor that looks over a kiosk is told to be blind behind it,
// and nothing is known of trees, awnings, lorries and scaffolding. Parts of
// buildings that begin 2 m or more above the ground (arcades, bridges, roofs
// over a square: render_min_height in the tiles) are no walls. Outlines of zoom
// 14 are drawn to about half a metre.
//
// # The eye
//
// A camera hangs on a wall, and is declared some metres off: on the street, or
// within the building that it hangs on. An eye within an outline is moved out to
// the nearest wall that faces open ground and the camera's direction, no further
// than the position's accuracy and 3 m more for the outline's own error. What
// is hidden is asked of several eyes: the declared place and, around it, open
// ground within the accuracy. Hidden is what none of them sees; what some see
// may be hidden. Where no eye can be placed, nothing is said for sure.
//
// A point that was asked for and lies within a building stands for the front
// before it: the nearest wall that faces open ground, up to 6 m away, as house
// numbers are often drawn inside. Further in it has several fronts, and nothing
// is said for sure.
//
// # Tiles
//
// Each tile repeats some of its neighbours' ground, and an outline that goes on
// beyond it is cut there: the cut would stand as a wall that is not there. So
// walls are taken from each tile's own square alone, where nothing is cut, and
// only the question "within an outline?" reads the outlines as they come. A tile
// without that margin has its cuts on the square's edge, where walls are left
// out.
package buildings

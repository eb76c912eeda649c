package ingest

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

const (
	// shownDay is what one agent gets of the map and the addresses in a day, and at
	// once. To place the cameras of a site takes some ten tiles of 100 KiB; an agent
	// keeps what it got.
	shownDay = 32 << 20 // bytes
	// shownCost is what a call counts at least: to look an address up with its
	// typing errors takes some milliseconds.
	shownCost = 8 << 10 // bytes
)

// Map is the map on which owners place their cameras, and its addresses. Its methods
// may be called from many goroutines; what Describe says is missing is not asked for.
type Map interface {
	Describe() protocol.MapDescription
	// Packed gives a vector tile packed by gzip; nil: there is nothing.
	Packed(z, x, y int) ([]byte, error)
	// Find says what an address may mean, best first.
	Find(text string) []protocol.FoundPlace
}

// maps serves wire's MapService. It writes down nothing of what is asked: neither a
// log nor a counter says which square or which address it was.
type maps struct{ *Server }

// DescribeMap says what there is to ask for.
func (s maps) DescribeMap(ctx context.Context, _ *connect.Request[wire.DescribeMapRequest]) (*connect.Response[wire.DescribeMapResponse], error) {
	if _, refused := s.admit(ctx, "describe map", 0); refused != nil {
		return nil, refused
	}
	return connect.NewResponse(s.described().Wire()), nil
}

func (s maps) described() protocol.MapDescription {
	if s.o.Map == nil {
		return protocol.MapDescription{}
	}
	return s.o.Map.Describe()
}

// GetTile returns one tile of the map.
func (s maps) GetTile(ctx context.Context, req *connect.Request[wire.GetTileRequest]) (*connect.Response[wire.GetTileResponse], error) {
	const op = "get tile"
	agentID, refused := s.admit(ctx, op, 0)
	if refused != nil {
		return nil, refused
	}
	if !s.described().Tiles {
		return nil, s.without("a map")
	}
	at, err := protocol.TileAtFromWire(req.Msg)
	if err != nil {
		return nil, s.answer(ctx, op, agentID, err)
	}
	tile, err := s.o.Map.Packed(at.Z, at.X, at.Y)
	if err == nil && len(tile) > protocol.MaxTile {
		err = errors.New("a tile of the map is too large to be sent")
	}
	if err != nil {
		// The file's own trouble, without the words that name the tile.
		s.log.ErrorContext(ctx, "the map cannot be read", "op", op, "err", errors.Unwrap(err))
		return nil, s.temporary("the map cannot be read now: try again later")
	}
	if refused := s.show(agentID, len(tile)); refused != nil {
		return nil, refused
	}
	return connect.NewResponse(&wire.GetTileResponse{Tile: tile}), nil
}

// FindPlaces says what an address may mean.
func (s maps) FindPlaces(ctx context.Context, req *connect.Request[wire.FindPlacesRequest]) (*connect.Response[wire.FindPlacesResponse], error) {
	const op = "find places"
	agentID, refused := s.admit(ctx, op, 0)
	if refused != nil {
		return nil, refused
	}
	if !s.described().Places {
		return nil, s.without("addresses")
	}
	if err := protocol.CheckPlaceText(req.Msg.GetText()); err != nil {
		return nil, s.answer(ctx, op, agentID, err)
	}
	if refused := s.show(agentID, 0); refused != nil {
		return nil, refused
	}
	return connect.NewResponse(protocol.PlacesToWire(s.o.Map.Find(req.Msg.GetText()))), nil
}

// show pays for an answer from the agent's share of the day.
func (s maps) show(agentID string, size int) *connect.Error {
	wait, ok := s.shown.take(agentID, float64(max(size, shownCost)), s.now())
	if ok {
		return nil
	}
	e := s.refuse(reasonBudget, connect.CodeResourceExhausted, "this agent has had more of the map than a day's share: place the cameras by coordinates, or go on later")
	e.Meta().Set(protocol.ReasonHeader, string(protocol.ReasonTooMany))
	e.Meta().Set(protocol.RetryAfterHeader, seconds(wait))
	return e
}

// without is what a collector that lacks the whole service answers, too.
func (s maps) without(what string) *connect.Error {
	return s.refuse(protocol.ReasonNoMap, connect.CodeUnimplemented, "this collector has not got "+what+": place the cameras by coordinates")
}

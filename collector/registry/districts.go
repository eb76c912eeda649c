package registry

import (
	"context"
	"fmt"

	"anagrafe/protocol"
)

// District is where a site lies, by the names that the Comune's files give: "Municipio
// 3", "ISOLA". One is "" outside all districts, and where it is not known.
type District struct{ Municipio, NIL string }

// Locator tells districts. It is package gazetteer's, which reads what this package
// keeps.
type Locator struct {
	// Map names the files of districts that are asked. Where it changes, all sites are
	// placed anew (PlaceSites).
	Map string
	At  func(protocol.Point) District
	// Find is for a site without cameras: the zero District unless the address is sure.
	Find func(address string) District
}

// UseLocator has sites be placed as they are recorded, from now on. Until it is called
// for the first time, what is recorded is placed by the next PlaceSites. It is no part
// of Options: who locates reads the districts that this register keeps, and each import
// makes another.
func (r *Registry) UseLocator(l *Locator) { r.locator.Store(l) }

// district is that in which most of the cameras hang. Without cameras it is that of the
// address.
func (l *Locator) district(address string, cameras []protocol.Camera) (most District) {
	if len(cameras) == 0 {
		return l.Find(address)
	}
	count := make(map[District]int)
	for _, c := range cameras {
		count[l.At(c.Position.Point)]++
	}
	for d, n := range count { // of two with as many, always the same
		if m := count[most]; n > m || n == m && (d.Municipio > most.Municipio || d.Municipio == most.Municipio && d.NIL > most.NIL) {
			most = d
		}
	}
	return most
}

// nowhere sets a site's district to that of one of which nothing is known.
const nowhere = "municipio = '', nil = '', district_map = ''"

// district tells where a site lies, and by which files of districts; without a locator
// by none.
func (r *Registry) district(address string, cameras []protocol.Camera) (d District, by string) {
	l := r.locator.Load()
	if l == nil {
		return District{}, ""
	}
	return l.district(address, cameras), l.Map
}

// place writes down where a site lies.
func (r *Registry) place(ctx context.Context, tx *tx, siteID, address string, cameras []protocol.Camera) error {
	in, by := r.district(address, cameras)
	_, err := tx.ExecContext(ctx, "UPDATE sites SET municipio = ?2, nil = ?3, district_map = ?4 WHERE id = ?1 AND (municipio, nil, district_map) <> (?2, ?3, ?4)",
		siteID, in.Municipio, in.NIL, by)
	return err
}

// placeBatch bounds the sites that are placed in one transaction: some 20 ms.
const placeBatch = 64

// PlaceSites places the sites that were recorded without a locator or with one of
// another map, a few at a time and only while nobody else writes. It tells how many.
func (r *Registry) PlaceSites(ctx context.Context) (placed int, err error) {
	l := r.locator.Load()
	if l == nil {
		return 0, nil
	}
	after := ""
	for {
		sites, err := r.unplaced(ctx, l.Map, after)
		if err != nil || len(sites) == 0 {
			return placed, placing(err)
		}
		if err := r.updateIdle(ctx, func(ctx context.Context, tx *tx) error {
			for _, id := range sites {
				if err := r.placeAnew(ctx, tx, id); err != nil {
					r.log.ErrorContext(ctx, "a site's district cannot be found: it is counted in none", "site", id, "err", err)
				}
			}
			return nil
		}); err != nil {
			return placed, placing(err)
		}
		after = sites[len(sites)-1]
		placed += len(sites)
	}
}

func placing(err error) error {
	if err != nil {
		err = fmt.Errorf("find the districts of sites: %w", err)
	}
	return err
}

func (r *Registry) unplaced(ctx context.Context, from, after string) (sites []string, err error) {
	err = r.view(ctx, func(tx *tx) (err error) {
		sites, err = textsOf(ctx, tx, `SELECT id FROM sites WHERE id > ?1 AND body IS NOT NULL AND district_map <> ?2 ORDER BY id LIMIT ?3`, after, from, placeBatch)
		return err
	})
	return sites, err
}

// placeAnew places a site by what stands in the record. One that was erased meanwhile
// has no place.
func (r *Registry) placeAnew(ctx context.Context, tx *tx, siteID string) error {
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err != nil {
		return err
	}
	var body []byte
	if err := tx.QueryRowContext(ctx, "SELECT body FROM sites WHERE id = ?", siteID).Scan(&body); err != nil || body == nil {
		return err
	}
	site, err := openBody[protocol.Site](b, siteBody, body)
	if err != nil {
		return err
	}
	var cameras []protocol.Camera
	if err := each(ctx, tx, func(scan func(...any) error) error {
		k := thing{kind: kindCamera}
		var version int64
		var sealed []byte
		if err := scan(&k.id, &version, &sealed); err != nil {
			return err
		}
		c, err := openBody[protocol.Camera](b, versionBody(k, version), sealed)
		cameras = append(cameras, c)
		return err
	}, "SELECT id, version, body FROM versions WHERE site_id = ? AND "+declaredCamera, siteID); err != nil {
		return err
	}
	return r.place(ctx, tx, siteID, site.Address, cameras)
}

package web

import (
	"net/http"
	"strings"

	"postern.dev/postern"
)

// logo serves an app's logo from our own origin, under the name of its content.
func (d *Door) logo(w http.ResponseWriter, r *http.Request) error {
	hash, ok := strings.CutSuffix(r.PathValue("file"), ".png")
	if !ok {
		return postern.Errorf(postern.NotFound, "There is no page at this address.")
	}
	png, err := d.Rows.Logo(r.Context(), r.PathValue("app"), hash)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(png) // that a browser went away meanwhile is nobody's error
	return nil
}

package ui

import (
	"encoding/base64"
	"strings"
)

// Inline is the style sheet and the icon, as a data: URL, of a page that stands
// alone in one file.
func (a *Assets) Inline() (style, icon string) {
	css, svg := a.files[a.paths["style.css"]], a.files[a.paths["logo"]]
	media, _, _ := strings.Cut(svg.mediaType, ";")
	return string(css.content), "data:" + media + ";base64," + base64.StdEncoding.EncodeToString(svg.content)
}

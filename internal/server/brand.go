package server

import (
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/ui"
)

// Pages are the looks that a configuration asks for; nil: Postern's own.
func Pages(cfg *config.Config) (*ui.Pages, error) {
	if cfg == nil {
		return ui.New(ui.Brand{})
	}
	brand, err := brandOf(cfg)
	if err != nil {
		return nil, err
	}
	return ui.New(brand)
}

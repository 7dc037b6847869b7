package ui

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Brand is what the operator's configuration says of the looks.
type Brand struct {
	Name   string // of the product whose accounts are connected; default "Postern"
	Colour string // "#rrggbb": of buttons and links
	Logo   []byte // an image, shown beside the name; default: an open door
	// LogoType is the image's media type: image/svg+xml, image/png, image/jpeg or
	// image/webp.
	LogoType string
	Help     string // whom to ask, as a sentence; may be empty
}

const defaultColour = "#0b5d6b"

// logoEndings are the images that every browser shows.
var logoEndings = map[string]string{
	"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp",
}

func (b Brand) withDefaults() (Brand, error) {
	if b.Name == "" {
		b.Name = "Postern"
	}
	if b.Colour == "" {
		b.Colour = defaultColour
	}
	if _, err := parseColour(b.Colour); err != nil {
		return b, err
	}
	if len(b.Logo) > 0 && logoEndings[b.LogoType] == "" {
		return b, errors.New("branding: the logo must be an SVG, PNG, JPEG or WebP image")
	}
	return b, nil
}

// colour is sRGB, each part from 0 to 1.
type colour [3]float64

func parseColour(text string) (colour, error) {
	n, err := strconv.ParseUint(text[min(1, len(text)):], 16, 32)
	if len(text) != 7 || text[0] != '#' || err != nil {
		return colour{}, fmt.Errorf("branding: %q is not a colour: write it as #rrggbb", text)
	}
	return colour{float64(n >> 16 & 255), float64(n >> 8 & 255), float64(n & 255)}.scaled(1. / 255), nil
}

func (c colour) scaled(by float64) colour { return colour{c[0] * by, c[1] * by, c[2] * by} }

// towards mixes in a share of another colour.
func (c colour) towards(other colour, share float64) (mixed colour) {
	for i := range c {
		mixed[i] = c[i] + (other[i]-c[i])*share
	}
	return mixed
}

func (c colour) String() string {
	return fmt.Sprintf("#%02x%02x%02x", byteOf(c[0]), byteOf(c[1]), byteOf(c[2]))
}

func byteOf(part float64) int { return int(math.Round(part * 255)) }

// luminance is WCAG 2.2's relative luminance.
func (c colour) luminance() float64 {
	linear := func(part float64) float64 {
		if part <= 0.04045 {
			return part / 12.92
		}
		return math.Pow((part+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is WCAG 2.2's ratio between two colours, 1 to 21.
func contrast(a, b colour) float64 {
	light, dark := a.luminance(), b.luminance()
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

var (
	white = colour{1, 1, 1}
	black = colour{}
)

// legible moves a colour towards an end until text in it can be read on the
// ground, so that any brand colour passes WCAG's 4.5 with room to spare.
func (c colour) legible(ground, end colour, ratio float64) colour {
	for share := 0.; share < 1; share += 0.04 {
		if mixed := c.towards(end, share); contrast(mixed, ground) >= ratio {
			return mixed
		}
	}
	return end
}

// vivid lifts a dark colour without greying it, for a dark ground.
func (c colour) vivid() colour {
	const bright = 0.72
	if top := max(c[0], c[1], c[2]); top > 0 && top < bright {
		return c.scaled(bright/top).towards(white, 0.1)
	}
	return c
}

// Package logo fetches the logos of apps in the background. What a partner's
// host sends is decoded, scaled down and written anew as a small PNG, which is
// served from our own origin: nothing of the original bytes reaches a browser,
// and no browser reaches the partner's host (attacks.md LC-10).
package logo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the forms that are read
	_ "image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

// Store is what the fetching asks of the rows.
type Store interface {
	// WantedLogos are apps whose logo_url has not been fetched, or is to be looked
	// at again, up to limit, and the same of what is proposed for them.
	WantedLogos(ctx context.Context, now time.Time, limit int) ([]Wanted, error)
	// SaveLogo keeps what came of it. An app that has changed its logo_url
	// meanwhile is left as it is, and so is one that another node has fetched the
	// logo of. A proposed picture that is there never changes, nor does one that is
	// not to be looked at again.
	SaveLogo(ctx context.Context, l Fetched) error
}

// Wanted is a logo to fetch.
type Wanted struct {
	AppID, URL string
	Proposed   bool // for the operator to look at; the app is without it meanwhile
}

// Fetched is what came of it: an image, or a problem in words.
type Fetched struct {
	Wanted
	Image   []byte // PNG; nil when there is a problem
	Hash    string // of Image, in hex
	Problem string
	Asked   time.Time
	NextAt  time.Time // when to look again
}

// Fetcher fetches logos. Transport must refuse addresses that are not public at
// the moment it dials them.
type Fetcher struct {
	Store     Store
	Transport http.RoundTripper
	Now       func() time.Time
	Log       *slog.Logger
	// Once: what was fetched stays, whatever stands at the address later. So it is
	// where somebody looks at logos before people see them.
	Once bool
}

const (
	side        = 128     // pixels of the longer side, as served
	mostBytes   = 1 << 20 // of the original
	mostSide    = 4096    // pixels: scaling down a line of 16 million took a gigabyte
	fetchTime   = 10 * time.Second
	mostScans   = 64 // of a JPEG; a progressive one has about ten
	lookAgain   = 7 * 24 * time.Hour
	afterAFault = time.Hour
	atOnce      = 5
)

// startOfScan is the marker of ITU T.81, B.1.1.3. Within a scan no 0xFF is followed
// by another byte than 0 without being a marker.
var startOfScan = []byte{0xff, 0xda}

// never is the end of the year 9999, which comes later than anybody looks.
var never = time.UnixMilli(253402300799000)

// Sweep fetches a few logos and gives how many it dealt with.
func (f *Fetcher) Sweep(ctx context.Context) (int, error) {
	wanted, err := f.Store.WantedLogos(ctx, f.Now(), atOnce)
	if err != nil {
		return 0, err
	}
	for _, w := range wanted {
		got := Fetched{Wanted: w, Asked: f.Now(), NextAt: f.Now().Add(lookAgain)}
		if f.Once {
			got.NextAt = never
		}
		if got.Image, err = f.fetch(ctx, w.URL); err != nil {
			got.Problem, got.NextAt = err.Error(), f.Now().Add(afterAFault)
			f.Log.Info("a logo could not be fetched", "app", w.AppID, "problem", got.Problem)
		} else {
			got.Hash = hashOf(got.Image)
		}
		if err := f.Store.SaveLogo(ctx, got); err != nil {
			return 0, err
		}
	}
	return len(wanted), nil
}

// fetch makes one request, follows nothing and believes no media type.
func (f *Fetcher) fetch(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, errors.New("the address cannot be read")
	}
	req.Header.Set("User-Agent", "Postern-Logos")
	req.Header.Set("Accept", "image/png, image/jpeg, image/webp, image/gif")
	resp, err := f.Transport.RoundTrip(req)
	if err != nil {
		return nil, errors.New("the host does not answer, or may not be asked")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the host answers %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBytes+1))
	if err != nil {
		return nil, errors.New("the answer breaks off")
	}
	if len(body) > mostBytes {
		return nil, ErrTooLarge
	}
	return small(body)
}

// ErrTooLarge is said of an image that is not read at all.
var ErrTooLarge = errors.New("the image is larger than 1 MiB")

// Read makes a logo of an image that was handed in: a small PNG of our own making
// and its hash. The error says in words what is wrong with the image. It may take
// a hundred megabytes for a moment: read few at a time.
func Read(image []byte) (png []byte, hash string, err error) {
	if len(image) > mostBytes {
		return nil, "", ErrTooLarge
	}
	if png, err = small(image); err != nil {
		return nil, "", err
	}
	return png, hashOf(png), nil
}

func hashOf(png []byte) string {
	sum := sha256.Sum256(png)
	return hex.EncodeToString(sum[:8])
}

// small reads an image and writes it anew, not larger than needed. Its size is
// looked at before its pixels are.
func small(body []byte) ([]byte, error) {
	config, form, err := image.DecodeConfig(bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("it is no PNG, JPEG, WebP or GIF image")
	}
	w, h := config.Width, config.Height
	if w < 1 || h < 1 || max(w, h) > mostSide {
		return nil, fmt.Errorf("the image has %d × %d pixels; at most 4096 × 4096 are read", w, h)
	}
	// Each scan walks all pixels and need not bring a byte for most of them: a
	// megabyte of scans is minutes of work.
	if form == "jpeg" && bytes.Count(body, startOfScan) > mostScans {
		return nil, fmt.Errorf("the JPEG is written in more than %d scans; save it again as a PNG", mostScans)
	}
	original, _, err := image.Decode(bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the image is damaged")
	}
	if longer := max(w, h); longer > side {
		w, h = max(1, w*side/longer), max(1, h*side/longer)
	}
	scaled := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(scaled, scaled.Bounds(), original, original.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := png.Encode(&out, scaled); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

package logo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rows remember what was saved.
type rows struct {
	wanted []Wanted
	saved  []Fetched
}

func (r *rows) WantedLogos(context.Context, time.Time, int) ([]Wanted, error) { return r.wanted, nil }
func (r *rows) SaveLogo(_ context.Context, l Fetched) error                   { r.saved = append(r.saved, l); return nil }

type host func(*http.Request) (*http.Response, error)

func (h host) RoundTrip(r *http.Request) (*http.Response, error) { return h(r) }

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		m.Set(x, x%h, color.NRGBA{200, 30, 90, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLC10_ALogoIsWrittenAnewOrRefused(t *testing.T) {
	script := "<script>alert(1)</script>"
	says := func(w, h uint32) string { // a picture that says how large it is
		p := picture(t, 100, 100)
		binary.BigEndian.PutUint32(p[16:], w)
		binary.BigEndian.PutUint32(p[20:], h)
		binary.BigEndian.PutUint32(p[29:], crc32.ChecksumIEEE(p[12:29]))
		return string(p)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		err    error
		want   string // the problem; "" is an image
	}{
		"a picture":                  {200, string(picture(t, 400, 200)), nil, ""},
		"a small picture":            {200, string(picture(t, 16, 16)), nil, ""},
		"a picture and a script":     {200, string(picture(t, 400, 200)) + script, nil, ""},
		"an SVG with script":         {200, `<svg xmlns="http://www.w3.org/2000/svg">` + script + `</svg>`, nil, "it is no PNG"},
		"a page":                     {200, "<html>", nil, "it is no PNG"},
		"half a picture":             {200, string(picture(t, 400, 200)[:200]), nil, "damaged"},
		"a giant of few bytes":       {200, says(20000, 20000), nil, "20000 × 20000"},
		"a line of 16 million":       {200, says(1, 4096*4096), nil, "1 × 16777216"},
		"as large as can be":         {200, string(picture(t, 4096, 1)), nil, ""},
		"too many bytes":             {200, strings.Repeat("x", mostBytes+1), nil, "larger than 1 MiB"},
		"a redirect to somewhere":    {302, "", nil, "answers 302"},
		"a host that is not allowed": {0, "", errors.New("policy: 169.254.169.254"), "may not be asked"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &rows{wanted: []Wanted{{AppID: "app", URL: "https://partner.test/logo.png"}}}
			f := &Fetcher{Store: r, Now: time.Now, Log: slog.New(slog.DiscardHandler), Transport: host(func(*http.Request) (*http.Response, error) {
				if c.err != nil {
					return nil, c.err
				}
				return &http.Response{StatusCode: c.status, Body: io.NopCloser(strings.NewReader(c.body))}, nil
			})}
			if n, err := f.Sweep(t.Context()); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			got := r.saved[0]
			if !strings.Contains(got.Problem, c.want) || (c.want == "") != (got.Problem == "") || strings.Contains(got.Problem, "169.254") {
				t.Fatalf("problem %q, want %q", got.Problem, c.want)
			}
			if c.want != "" {
				if got.Image != nil {
					t.Fatal("an image all the same")
				}
				return
			}
			m, err := png.Decode(bytes.NewReader(got.Image))
			if err != nil || max(m.Bounds().Dx(), m.Bounds().Dy()) > side || bytes.Contains(got.Image, []byte("script")) || got.Hash == "" {
				t.Fatalf("%v %v", m.Bounds(), err)
			}
		})
	}
}

// manyScans is a progressive JPEG in grey of 8 × 8 pixels, of which n scans say
// nothing.
func manyScans(n int) []byte {
	code := append([]byte{1}, make([]byte, 15)...) // one code, of one bit
	var b bytes.Buffer
	segment := func(marker byte, content ...byte) {
		b.Write([]byte{0xff, marker, 0, byte(len(content) + 2)})
		b.Write(content)
	}
	b.Write([]byte{0xff, 0xd8})
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	segment(0xc2, 8, 0, 8, 0, 8, 1, 1, 0x11, 0)
	segment(0xc4, append(append([]byte{0x00}, code...), 0)...) // DC: no difference
	segment(0xc4, append(append([]byte{0x10}, code...), 0)...) // AC: end of block
	segment(0xda, 1, 1, 0, 0, 0, 0)
	b.WriteByte(0x7f)
	for range n - 1 {
		segment(0xda, 1, 1, 0, 1, 63, 0)
		b.WriteByte(0x7f)
	}
	b.Write([]byte{0xff, 0xd9})
	return b.Bytes()
}

// A megabyte of scans over the largest image kept a core busy for two minutes,
// and everybody else's logo waiting.
func TestLC10_AJPEGOfVeryManyScansIsNotRead(t *testing.T) {
	if _, _, err := Read(manyScans(mostScans)); err != nil {
		t.Errorf("a JPEG of %d scans: %v", mostScans, err)
	}
	if _, _, err := Read(manyScans(mostScans + 1)); err == nil || !strings.Contains(err.Error(), "scans") {
		t.Errorf("a JPEG of one scan more: %v", err)
	}
}

func FuzzSmall(f *testing.F) {
	f.Add([]byte("GIF89a"))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "))
	f.Fuzz(func(t *testing.T, body []byte) {
		if out, err := small(body); err == nil {
			if _, err := png.Decode(bytes.NewReader(out)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

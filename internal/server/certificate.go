package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"postern.dev/postern/internal/config"
)

// certificate is the pair of files that a TLS listener shows. It is read again
// when one of them has changed, so that a renewed certificate needs no restart;
// while the new pair cannot be read, the old one stays.
type certificate struct {
	files config.TLS
	log   *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	stamp  [2]time.Time
	looked time.Time
}

// lookAgain is how long a certificate is shown before its files are looked at.
const lookAgain = time.Second

func newCertificate(files config.TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log}
	stamp, err := c.stamps()
	if err == nil {
		err = c.load(stamp)
	}
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return c, nil
}

// tls allows 1.2 and 1.3 with Go's own choice of suites.
func (c *certificate) tls() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookAgain {
		return c.pair, nil
	}
	c.looked = time.Now()
	stamp, err := c.stamps()
	if err == nil && stamp == c.stamp {
		return c.pair, nil
	}
	if err == nil {
		err = c.load(stamp)
	}
	if err != nil {
		c.log.Error("the new certificate cannot be read; the old one stays", "error", err)
	} else {
		c.log.Info("certificate read again", "file", c.files.CertFile)
	}
	return c.pair, nil
}

func (c *certificate) load(stamp [2]time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.files.CertFile, c.files.KeyFile)
	if err != nil {
		return err
	}
	c.pair, c.stamp = &pair, stamp
	return nil
}

func (c *certificate) stamps() (stamp [2]time.Time, err error) {
	for i, file := range []string{c.files.CertFile, c.files.KeyFile} {
		info, err := os.Stat(file)
		if err != nil {
			return stamp, err
		}
		stamp[i] = info.ModTime()
	}
	return stamp, nil
}

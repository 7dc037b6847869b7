package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/server"
)

// source is where the configuration comes from; commands that need one embed it.
type source struct {
	Config    string  `short:"c" placeholder:"FILE" env:"POSTERN_CONFIG" help:"The configuration file."`
	Database  *string `placeholder:"ADDRESS" help:"sqlite:PATH or postgres://…; outweighs the file's."`
	PublicURL *string `name:"public-url" placeholder:"ORIGIN" help:"The origin that people and partners use; outweighs the file's."`
}

// load reads the configuration and hands each warning to warn.
func (s *source) load(warn func(string), more ...config.Flag) (*config.Config, error) {
	flags := append(more, given("--database", "database", s.Database)...)
	flags = append(flags, given("--public-url", "public_url", s.PublicURL)...)
	cfg, warnings, err := config.Load(config.Sources{File: s.Config, Environ: os.Environ(), Flags: flags})
	for _, w := range warnings {
		warn(w)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; check the path in --config or POSTERN_CONFIG", err)
	}
	return cfg, err
}

// given is a flag that was typed, as the configuration takes it.
func given(name, key string, value *string) []config.Flag {
	if value == nil {
		return nil
	}
	return []config.Flag{{Name: name, Key: key, Value: *value}}
}

// open is load for commands that are not the server: warnings go to the
// terminal.
func (s *source) open(t *terminal) (*config.Config, error) {
	return s.load(func(w string) { t.warn("warning: %s", w) })
}

// rooms opens the rooms for a command, and closes them after it.
func (s *source) rooms(t *terminal, use func(context.Context, *config.Config, *server.Rooms) error) error {
	cfg, err := s.open(t)
	if err != nil {
		return err
	}
	ctx := context.Background()
	rooms, err := server.Build(ctx, cfg, server.Outside{})
	if err != nil {
		return err
	}
	return errors.Join(use(ctx, cfg, rooms), rooms.Close())
}

// logger writes as the configuration says, from a level on that may change.
func logger(cfg *config.Config, level slog.Leveler, out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

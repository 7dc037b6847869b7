package vault

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// Key is what seals. It prints as a blank.
type Key [32]byte

func (Key) String() string       { return "[secret]" }
func (Key) GoString() string     { return "[secret]" }
func (Key) LogValue() slog.Value { return slog.StringValue("[secret]") }

// HowToMake is the command that makes a key, for messages.
const HowToMake = "openssl rand -base64 32"

// ParseKey reads a key as configuration and key files hold it: 32 bytes in
// base64, either alphabet, with or without padding.
func ParseKey(text string) (Key, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	b, err := encoding.Strict().DecodeString(text)
	if err != nil || len(b) != len(Key{}) {
		return Key{}, errors.New("the secret key must be 32 bytes in base64: " + HowToMake + " makes one")
	}
	return Key(b), nil
}

// ReadKeyFile reads a key from its file.
func ReadKeyFile(path string) (Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("the secret key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1024)) // a directory or a device is no key
	if err != nil {
		return Key{}, fmt.Errorf("the secret key: %w", err)
	}
	k, err := ParseKey(string(text))
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// MakeKeyFile makes a key and writes it to a new file that only its owner reads.
// If the file appeared meanwhile, its key is the one: nothing is overwritten.
func MakeKeyFile(path string, random io.Reader) (Key, error) {
	var k Key
	if _, err := io.ReadFull(random, k[:]); err != nil {
		return Key{}, fmt.Errorf("random source: %w", err)
	}
	err := writeNew(path, base64.StdEncoding.EncodeToString(k[:])+"\n")
	if errors.Is(err, fs.ErrExist) {
		return ReadKeyFile(path)
	}
	if err != nil {
		return Key{}, fmt.Errorf("write the secret key: %w", err)
	}
	return k, nil
}

// writeNew makes a whole file appear at once, on disk, or not at all.
func writeNew(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

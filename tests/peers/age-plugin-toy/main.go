// An age plugin whose recipients and identities are the same key: to be a plugin is all that it is for.
//
// Run without arguments it prints a recipient, then an identity, then an identity that asks for a PIN, which is 1234.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"

	"filippo.io/age"
	"filippo.io/age/plugin"
)

const (
	quiet = 0
	asks  = 1
)

type key struct {
	plugin *plugin.Plugin
	bytes  []byte
	asks   bool
}

func (k key) mask(text []byte) []byte {
	pad := sha256.Sum256(k.bytes)
	out := make([]byte, len(text))
	subtle.XORBytes(out, text, pad[:])
	return out
}

func (k key) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	check := sha256.Sum256(fileKey)
	return []*age.Stanza{{Type: "toy", Args: []string{fmt.Sprintf("%x", check[:4])}, Body: k.mask(fileKey)}}, nil
}

func (k key) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, stanza := range stanzas {
		if stanza.Type != "toy" || len(stanza.Args) != 1 {
			continue
		}
		fileKey := k.mask(stanza.Body)
		check := sha256.Sum256(fileKey)
		if stanza.Args[0] != fmt.Sprintf("%x", check[:4]) {
			continue
		}
		if k.asks {
			if err := k.plugin.DisplayMessage("the toy wants to know you"); err != nil {
				return nil, err
			}
			pin, err := k.plugin.RequestValue("PIN of the toy", true)
			if err != nil {
				return nil, err
			}
			if pin != "1234" {
				return nil, errors.New("that is not the PIN")
			}
		}
		return fileKey, nil
	}
	return nil, age.ErrIncorrectIdentity
}

func main() {
	if len(os.Args) == 1 {
		bytes := make([]byte, 16)
		_, _ = rand.Read(bytes)
		fmt.Println(plugin.EncodeRecipient("toy", bytes))
		fmt.Println(plugin.EncodeIdentity("toy", append(bytes, quiet)))
		fmt.Println(plugin.EncodeIdentity("toy", append(bytes, asks)))
		return
	}
	p, err := plugin.New("toy")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p.HandleRecipient(func(bytes []byte) (age.Recipient, error) {
		return key{p, bytes, false}, nil
	})
	p.HandleIdentity(func(bytes []byte) (age.Identity, error) {
		last := len(bytes) - 1
		return key{p, bytes[:last], bytes[last] == asks}, nil
	})
	os.Exit(p.Main())
}

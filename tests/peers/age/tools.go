//go:build tools

// Package tools names the programs that are built from this module.
package tools

import (
	_ "filippo.io/age/cmd/age"
	_ "filippo.io/age/cmd/age-keygen"
)

// Decrypts the files that are named with the library of sops, 20 at a time as KSOPS does, and prints them in order.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"

	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/decrypt"
)

const workers = 20

func main() {
	files := os.Args[1:]
	texts := make([][]byte, len(files))
	failures := make([]error, len(files))
	places := make(chan int)
	var done sync.WaitGroup
	for range workers {
		done.Add(1)
		go func() {
			defer done.Done()
			for at := range places {
				texts[at], failures[at] = open(files[at])
			}
		}()
	}
	for at := range files {
		places <- at
	}
	close(places)
	done.Wait()
	out := bufio.NewWriter(os.Stdout)
	for at, text := range texts {
		if failures[at] != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", files[at], failures[at])
			os.Exit(1)
		}
		out.Write(text)
		out.WriteString("---\n")
	}
	if err := out.Flush(); err != nil {
		os.Exit(1)
	}
}

func open(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return decrypt.DataWithFormat(text, formats.FormatForPath(file))
}

// Reads files of variables as KSOPS does: one JSON text per line in, one JSON object of variables per line out, or null.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/joho/godotenv"
)

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var text string
		if err := json.Unmarshal(line, &text); err != nil {
			panic(err)
		}
		variables, err := godotenv.Unmarshal(text)
		if err != nil {
			variables = nil
		}
		if err := out.Encode(variables); err != nil {
			panic(err)
		}
	}
}

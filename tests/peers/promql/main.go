// Promql reads one query a line and names the ones that Prometheus would not take.
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/prometheus/prometheus/promql/parser"
)

func main() {
	failed := false
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if _, err := parser.ParseExpr(lines.Text()); err != nil {
			failed = true
			fmt.Printf("%s: %v\n", lines.Text(), err)
		}
	}
	if failed || lines.Err() != nil {
		os.Exit(1)
	}
}

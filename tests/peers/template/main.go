// Renders templates as the controller of sealed-secrets 0.40.0 does: JSON lines {"source", "data"} in, {"output"} or
// {"error", "stage"} out, all strings that may hold any bytes in base64. The line {"functions": true} is answered with
// the names that templates may call.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"text/template"

	_ "time/tzdata" // zones, whatever the machine has

	"github.com/Masterminds/sprig/v3"
)

type request struct {
	Source    []byte            `json:"source"`
	Data      map[string][]byte `json:"data"`
	Functions bool              `json:"functions"`
}

type answer struct {
	Output    []byte   `json:"output"`
	Error     string   `json:"error,omitempty"`
	Stage     string   `json:"stage,omitempty"`
	Functions []string `json:"functions,omitempty"`
}

// Go's own functions; they are in no map that can be asked.
var builtins = []string{
	"and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf",
	"println", "slice", "urlquery",
}

func main() {
	functions := sprig.GenericFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		var reply answer
		if asked.Functions {
			reply.Functions = names(functions)
		} else {
			reply = render(functions, asked)
		}
		if err := out.Encode(reply); err != nil {
			os.Exit(1)
		}
	}
}

func names(functions map[string]any) []string {
	all := map[string]bool{}
	for name := range functions {
		all[name] = true
	}
	for _, name := range builtins {
		all[name] = true
	}
	var sorted []string
	for name := range all {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	return sorted
}

func render(functions map[string]any, asked request) answer {
	parsed, err := template.New("t").Funcs(functions).Parse(string(asked.Source))
	if err != nil {
		return answer{Error: err.Error(), Stage: "parse"}
	}
	data := map[string]string{}
	for key, value := range asked.Data {
		data[key] = string(value)
	}
	var output bytes.Buffer
	if err := parsed.Execute(&output, data); err != nil {
		return answer{Error: err.Error(), Stage: "render"}
	}
	return answer{Output: output.Bytes()}
}

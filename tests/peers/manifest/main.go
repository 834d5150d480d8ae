// Reads and writes manifests as sealed-secrets 0.40.0 does: one JSON request per line in, one answer per line out.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type request struct {
	Op   string `json:"op"`
	Text string `json:"text"`
}

// answer holds one result per document, and what went wrong, if anything did.
type answer struct {
	Results []string `json:"results"`
	Errors  []string `json:"errors"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			panic(err)
		}
		if err := out.Encode(serve(asked)); err != nil {
			panic(err)
		}
	}
}

func serve(asked request) answer {
	var given answer
	switch asked.Op {
	case "generic":
		given.generic(asked.Text)
	case "secrets":
		given.secrets(asked.Text)
	case "write_yaml":
		given.write(asked.Text, yaml.Marshal)
	case "write_json":
		given.write(asked.Text, func(value any) ([]byte, error) {
			text, err := json.MarshalIndent(value, "", "  ")
			return append(text, '\n'), err
		})
	default:
		panic("unknown op " + asked.Op)
	}
	return given
}

func (a *answer) fail(err error) {
	a.Errors = append(a.Errors, err.Error())
}

// generic turns every YAML document of a stream into indented JSON.
func (a *answer) generic(text string) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			a.fail(err)
			return
		}
		compact, err := yaml.YAMLToJSON(document)
		if err != nil {
			a.fail(err)
			return
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, compact, "", "  "); err != nil {
			a.fail(err)
			return
		}
		a.Results = append(a.Results, indented.String()+"\n")
	}
}

// secrets reads Secrets as kubeseal does, and reports the errors that it swallows.
func (a *answer) secrets(text string) {
	decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for range 1000 {
		var secret corev1.Secret
		err := decoder.Decode(&secret)
		if err != nil && !errors.Is(err, io.EOF) {
			a.fail(err)
		}
		if reflect.DeepEqual(secret, corev1.Secret{}) {
			if errors.Is(err, io.EOF) {
				return
			}
			continue
		}
		encoded, encodeErr := json.Marshal(secret)
		if encodeErr != nil {
			a.fail(encodeErr)
		}
		a.Results = append(a.Results, string(encoded))
	}
	a.fail(fmt.Errorf("kubeseal would never end"))
}

func (a *answer) write(text string, marshal func(any) ([]byte, error)) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		a.fail(err)
		return
	}
	written, err := marshal(numbers(value))
	if err != nil {
		a.fail(err)
		return
	}
	a.Results = append(a.Results, string(written))
}

// numbers gives every number the type that typed objects would have for it.
func numbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			value[key] = numbers(value[key])
		}
	case []any:
		for i := range value {
			value[i] = numbers(value[i])
		}
	case json.Number:
		if signed, err := strconv.ParseInt(value.String(), 10, 64); err == nil {
			return signed
		}
		if unsigned, err := strconv.ParseUint(value.String(), 10, 64); err == nil {
			return unsigned
		}
		float, err := value.Float64()
		if err != nil {
			panic(err)
		}
		return float
	}
	return value
}

// Renders a Helm chart as `helm template` does, with the same template language and function library, for machines
// without helm:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run helm_render.go CHART RELEASE [VALUES.yaml...]
//
// What it leaves out of Helm: subcharts, hooks, `lookup`, the cluster's capabilities, .Files. A chart that asks for one
// of them fails here.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type object = map[string]interface{}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "helm_render:", err)
		os.Exit(1)
	}
}

func readYAML(path string) object {
	text, err := os.ReadFile(path)
	must(err)
	value := object{}
	must(yaml.Unmarshal(text, &value))
	return value
}

// merge lays over on base, as Helm does with values: mappings are merged, all else replaced; null removes.
func merge(base, over object) object {
	for key, value := range over {
		below, isMap := base[key].(object)
		above, both := value.(object)
		switch {
		case value == nil:
			delete(base, key)
		case isMap && both:
			base[key] = merge(below, above)
		default:
			base[key] = value
		}
	}
	return base
}

// functions are sprig's and those that Helm adds.
func functions(all *template.Template) template.FuncMap {
	known := sprig.TxtFuncMap()
	delete(known, "env")
	delete(known, "expandenv")
	known["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	known["include"] = func(name string, data interface{}) (string, error) {
		var text bytes.Buffer
		err := all.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	known["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	return known
}

// chartObject is Chart.yaml under the names that templates use: its keys with a capital.
func chartObject(dir string) object {
	chart := object{}
	for key, value := range readYAML(filepath.Join(dir, "Chart.yaml")) {
		chart[strings.ToUpper(key[:1])+key[1:]] = value
	}
	return chart
}

func main() {
	if len(os.Args) < 3 {
		must(fmt.Errorf("usage: helm_render CHART RELEASE [VALUES.yaml...]"))
	}
	dir, release := os.Args[1], os.Args[2]
	values := readYAML(filepath.Join(dir, "values.yaml"))
	for _, file := range os.Args[3:] {
		values = merge(values, readYAML(file))
	}
	data := object{
		"Values":  values,
		"Chart":   chartObject(dir),
		"Release": object{"Name": release, "Namespace": "default", "Service": "Helm", "IsInstall": true, "Revision": 1},
	}

	// As Helm without --strict: what a value does not have is empty.
	all := template.New("chart").Option("missingkey=zero")
	all.Funcs(functions(all))
	files, err := filepath.Glob(filepath.Join(dir, "templates", "*"))
	must(err)
	sort.Strings(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(err)
		_, err = all.New(filepath.Base(file)).Parse(string(text))
		must(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var text bytes.Buffer
		must(all.ExecuteTemplate(&text, name, data))
		if name == "NOTES.txt" {
			continue
		}
		fmt.Printf("---\n# %s\n%s\n", name, text.String())
	}
}

// Command schemas judges manifests with kubeconform, and reads them as the API server does.
//
//	schemas FOLDER NEWEST FILE...
//
// FOLDER has the schemas as kubeconform looks for them: v1.37.0-standalone-strict/deployment-apps-v1.json. A file is held
// to those of the version that its name ends in (name@1.30.yaml), or to those of NEWEST (1.37).
//
// It prints a JSON object for each document of each file: kubeconform's status with -strict (valid, invalid, error or
// empty; of a List the worst of its items) and its messages, and what the API server's code says when it decodes the
// document into its Go type as for fieldValidation=Strict: "ok", "unknown kind", or its error; nothing of an older version.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

type answer struct {
	File        string   `json:"file"`
	Document    int      `json:"document"`
	Version     string   `json:"version"`
	Kubeconform string   `json:"kubeconform"`
	Messages    []string `json:"messages,omitempty"`
	Decode      string   `json:"decode,omitempty"`
}

// The statuses of kubeconform, the worse the later.
var statuses = map[validator.Status]int{validator.Empty: 0, validator.Valid: 1, validator.Invalid: 2, validator.Error: 3}
var names = []string{"empty", "valid", "invalid", "error"}

var versionOfName = regexp.MustCompile(`@(1\.\d+)\.yaml$`)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: schemas FOLDER NEWEST FILE...")
	}
	folder, newest := os.Args[1], os.Args[2]
	if err := apiextensions.AddToScheme(scheme.Scheme); err != nil {
		log.Fatal(err)
	}
	if err := apiregistration.AddToScheme(scheme.Scheme); err != nil {
		log.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	validators := map[string]validator.Validator{}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)

	for _, file := range os.Args[3:] {
		version := newest
		if found := versionOfName.FindStringSubmatch(file); found != nil {
			version = found[1]
		}
		kubeconform, ok := validators[version]
		if !ok {
			location := filepath.Join(folder, "{{ .NormalizedKubernetesVersion }}-standalone{{ .StrictSuffix }}",
				"{{ .ResourceKind }}{{ .KindSuffix }}.json")
			var err error
			options := validator.Opts{KubernetesVersion: version + ".0", Strict: true}
			if kubeconform, err = validator.New([]string{location}, options); err != nil {
				log.Fatal(err)
			}
			validators[version] = kubeconform
		}
		text, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		scanner := bufio.NewScanner(bytes.NewReader(text))
		scanner.Buffer(nil, 1<<24)
		scanner.Split(resource.SplitYAMLDocument)
		for document := 0; scanner.Scan(); document++ {
			whole := resource.Resource{Path: file, Bytes: bytes.Clone(scanner.Bytes())}
			answer := answer{File: file, Document: document, Version: version}
			if version == newest {
				answer.Decode = "ok"
			}
			worst := 0
			for _, item := range whole.Resources() {
				result := kubeconform.ValidateResource(item)
				worst = max(worst, statuses[result.Status])
				if result.Err != nil {
					answer.Messages = append(answer.Messages, messages(result.Err, folder)...)
				}
				if said := decode(decoder, item.Bytes); result.Status != validator.Empty && answer.Decode == "ok" {
					answer.Decode = said
				}
			}
			answer.Kubeconform = names[worst]
			if err := out.Encode(answer); err != nil {
				log.Fatal(err)
			}
		}
	}
}

// What kubeconform found: a line for each field, or its error.
func messages(err error, folder string) []string {
	parts := strings.Split(strings.ReplaceAll(err.Error(), folder, ""), " - at ")
	if len(parts) == 1 {
		return parts
	}
	lines := make([]string, 0, len(parts))
	for _, part := range parts[1:] {
		part = strings.TrimSpace(part)
		// What follows says what is wrong below it.
		if strings.HasSuffix(part, ": validation failed") {
			continue
		}
		// It finds properties in another order each time.
		if at, names, found := strings.Cut(part, ": additional properties "); found {
			names := strings.Split(strings.TrimSuffix(names, " not allowed"), ", ")
			slices.Sort(names)
			part = fmt.Sprintf("%s: additional properties %s not allowed", at, strings.Join(names, ", "))
		}
		lines = append(lines, part)
	}
	slices.Sort(lines)
	return lines
}

// What the API server says when it reads an object.
func decode(decoder runtime.Decoder, text []byte) string {
	_, _, err := decoder.Decode(text, nil, nil)
	switch {
	case err == nil:
		return "ok"
	case runtime.IsNotRegisteredError(err):
		return "unknown kind"
	default:
		return fmt.Sprint(err)
	}
}

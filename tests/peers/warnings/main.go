// Command warnings prints what an API server warns of when it creates the objects in a file of YAML, with the API
// server's own code: a line for each warning, after the object's kind and name.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"

	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/node/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolume"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/node/runtimeclass"
	"k8s.io/kubernetes/pkg/registry/storage/storageclass"
)

var strategies = map[string]rest.RESTCreateStrategy{
	"CronJob":          cronjob.Strategy,
	"Deployment":       deployment.Strategy,
	"Ingress":          ingress.Strategy,
	"PersistentVolume": persistentvolume.Strategy,
	"Pod":              pod.Strategy,
	"RuntimeClass":     runtimeclass.Strategy,
	"Service":          service.Strategy,
	"ServiceAccount":   serviceaccount.Strategy,
	"StorageClass":     storageclass.Strategy,
}

func main() {
	log.SetFlags(0)
	reader := yaml.NewYAMLOrJSONDecoder(os.Stdin, 4096)
	for {
		var raw runtime.RawExtension
		if err := reader.Decode(&raw); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		create(raw.Raw)
	}
}

func create(text []byte) {
	versioned, kind, err := legacyscheme.Codecs.UniversalDeserializer().Decode(text, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	if list, ok := versioned.(*corev1.List); ok {
		for _, item := range list.Items {
			create(item.Raw)
		}
		return
	}
	object, err := legacyscheme.Scheme.ConvertToVersion(versioned, runtime.InternalGroupVersioner)
	if err != nil {
		log.Fatal(err)
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		log.Fatal(err)
	}
	strategy, known := strategies[kind.Kind]
	if !known {
		log.Fatalf("what an API server warns of in a %s is not asked here", kind)
	}
	say := recorder(func(text string) { fmt.Printf("%s %s: %s\n", kind.Kind, accessor.GetName(), text) })
	ctx := warning.WithWarningRecorder(request.WithNamespace(context.Background(), "default"), say)
	strategy.PrepareForCreate(ctx, object)
	for _, text := range strategy.WarningsOnCreate(ctx, object) {
		say(text)
	}
}

type recorder func(text string)

// AddWarning is for warnings that are given while an object is prepared.
func (r recorder) AddWarning(_, text string) { r(text) }

package sbom_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

func publicForm() sbom.PublicForm {
	return sbom.PublicForm{
		Registry: func(host string) bool { return host == "quay.io" || host == "registry.osism.tech" },
		Address: func(a string) bool {
			return strings.HasPrefix(a, "https://") && !strings.Contains(a, ".internal")
		},
	}
}

// plant writes the path of every string field into it and returns the paths, so that a test sees which fields come through.
func plant(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("secret." + path + ".secret")
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type.String() != "time.Time" {
				plant(v.Field(i), path+"/"+f.Name)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		plant(v.Index(0), path)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		plant(v.Elem(), path)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("secret."+path+"-key.secret"), reflect.ValueOf("secret."+path+".secret"))
	}
}

func TestOfAllFieldsOnlyTheListedOnesReachThePublic(t *testing.T) {
	always := []string{ // schemas, versions, digests and closed lists of words
		"a/Area", "a/Config", "a/Digest", "a/Digests", "a/Edition", "a/Projects", "a/Sightings/Digest", "a/Sightings/State",
		"a/Support/Cycle", "a/Support/Ends", "a/Support/Source", "a/Tiers", "a/Version", "i/Schema",
		"p/Depth", "p/OS", "p/SHA512", "p/Schema", "p/Tool",
		"c/Arch", "c/CPE", "c/Layer", "c/Licences/Provenance", "c/Licences/Value", "c/Licences/Weight", "c/Name", "c/Section", "c/Source",
		"c/SourceVersion", "c/Supplier", "c/Version", "c/Dependencies",
		"f/Kind", "f/Layer", "f/Path", "f/SHA256", "f/SHA512",
		"a/Sightings/Source", "i/Failures/Source", // their first word
		"a/Platform", // system and processor
	}
	byKind := map[string][]string{"known software": {"a/Name", "a/ID"}, "known bom": {"a/Name", "a/ID"}, "known image": {"a/Name"}}
	for _, kind := range []string{sbom.KindImage, sbom.KindHost, sbom.KindSoftware, sbom.KindBOM} {
		for _, known := range []bool{true, false} {
			name := kind
			if known {
				name = "known " + kind
			}
			t.Run(name, func(t *testing.T) {
				var inv sbom.Inventory
				plant(reflect.ValueOf(&inv).Elem(), "i")
				var a sbom.Artifact
				plant(reflect.ValueOf(&a).Elem(), "a")
				a.Kind, a.Placed, a.Service = kind, "assign entry 1", "secret.a/Service.secret"
				if kind == sbom.KindImage {
					a.Reference, a.Aliases = "registry.corp.internal/secret/shop:1", []string{"registry.corp.internal/secret.secret/shop:2"}
				}
				if !known {
					a.Projects = nil
				}
				inv.Artifacts, inv.Packages = []sbom.Artifact{a}, nil
				var p sbom.Packages
				plant(reflect.ValueOf(&p).Elem(), "p")
				var c sbom.Component
				plant(reflect.ValueOf(&c).Elem(), "c")
				c.Type, c.DependsOn, c.OwnedBy, c.PURL = "deb", nil, "", "pkg:deb/debian/x@1?arch=amd64&vcs_url=secret.c/PURL.secret"
				var f sbom.File
				plant(reflect.ValueOf(&f).Elem(), "f")
				f.Owner = c.Ref
				p.Artifact, p.Components, p.Files = a.ID, audit.Known([]sbom.Component{c}), []sbom.File{f}

				public, pkgs := publicForm().Of(inv, []sbom.Packages{p})
				data, err := json.Marshal([]any{public, pkgs})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, part := range strings.Split(string(data), "secret.")[1:] {
					if path, _, ok := strings.Cut(part, ".secret"); ok && !slices.Contains(got, path) {
						got = append(got, path)
					}
				}
				for _, path := range got {
					if !slices.Contains(always, path) && !slices.Contains(byKind[name], path) {
						t.Errorf("%s reaches the public: %s", path, data)
					}
				}
				if strings.Contains(string(data), "corp.internal") {
					t.Errorf("the internal registry reaches the public: %s", data)
				}
			})
		}
	}
}

func internalStack() (sbom.Inventory, []sbom.Packages) {
	inv, pkgs := twoImages()
	shop := sbom.Artifact{ID: "image:registry.corp.internal/team/shop:1", Kind: sbom.KindImage, Name: "shop", Reference: "registry.corp.internal/team/shop:1",
		Tiers: []string{"functional"}, Service: "shop", Sightings: told("inventory/hosts")}
	host := sbom.Artifact{ID: "host:node-17", Kind: sbom.KindHost, Name: "node-17", Platform: "debian 12", Tiers: []string{"base"}, Sightings: seen("node-17")}
	mirrored := sbom.Artifact{ID: "image:registry.corp.internal/mirror/nova-api:30", Kind: sbom.KindImage, Name: "nova-api", Projects: []string{"nova"},
		Reference: "registry.corp.internal/mirror/nova-api:30", Tiers: []string{"functional"}, Service: "nova", Placed: "catalogue image rule"}
	inv.Artifacts = append(inv.Artifacts, shop, host, mirrored)
	inv.Failures = []sbom.Failure{{Source: "kubernetes https://10.0.0.1", Reason: "node-17 refused"}, {Source: "kubernetes https://10.0.0.2", Reason: "node-18 refused"}}
	hostPackages := keystonePackages()
	hostPackages.Artifact = host.ID
	(*hostPackages.Components.Value)[0].Homepage = "https://git.corp.internal/x"
	hostPackages.Files = []sbom.File{{Path: "/usr/bin/bash", Owner: (*hostPackages.Components.Value)[0].Ref, Kind: "elf"}, {Path: "/opt/corp.internal/tool", Kind: "elf"}}
	return inv, append(pkgs, hostPackages)
}

func TestTheTwoFormsOfAStackAreToldApartAndThePublicOneNamesNothingInternal(t *testing.T) {
	inv, pkgs := internalStack()
	forms := map[string][]string{}
	for range 2 { // both have stable digests, whatever the order
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(inv.Artifacts), func(i, j int) { inv.Artifacts[i], inv.Artifacts[j] = inv.Artifacts[j], inv.Artifacts[i] })
		slices.Reverse(pkgs)
		full := options()
		full.Internal = true
		publicInv, publicPkgs := publicForm().Of(inv, pkgs)
		counted := sbom.StackOptions{BOMOptions: options(), PackageCounts: sbom.CountPackages(publicPkgs)}
		counted.Counts = true
		for name, write := range map[string]func(*strings.Builder) (sbom.Written, error){
			"full": func(w *strings.Builder) (sbom.Written, error) {
				return sbom.WriteFlatBOM(w, inv, pkgs, sbom.StackOptions{BOMOptions: full})
			},
			"public": func(w *strings.Builder) (sbom.Written, error) {
				return sbom.WriteFlatBOM(w, publicInv, publicPkgs, sbom.StackOptions{BOMOptions: options()})
			},
			"counts": func(w *strings.Builder) (sbom.Written, error) {
				return sbom.WriteStackBOM(w, publicInv, nil, counted)
			},
		} {
			var out strings.Builder
			if _, err := write(&out); err != nil {
				t.Fatal(err)
			}
			validate(t, []byte(out.String()))
			forms[name] = append(forms[name], out.String())
		}
	}
	for name, texts := range forms {
		if texts[0] != texts[1] {
			t.Errorf("the form %q is not stable: %s", name, cmp.Diff(texts[0], texts[1]))
		}
		for _, word := range []string{"corp.internal", "node-17", "node-18", "shop", "10.0.0.1", "inventory/hosts"} {
			if got, want := strings.Contains(texts[0], word), name == "full" && word != "inventory/hosts"; got != want {
				t.Errorf("the form %q holds %q: %t, want %t", name, word, got, want)
			}
		}
		for _, word := range []string{"nova-api", "quay.io/kolla/glance:1", someDigest} {
			if !strings.Contains(texts[0], word) {
				t.Errorf("the form %q lacks %q", name, word)
			}
		}
		tlp := map[string]string{"full": "AMBER", "public": "CLEAR", "counts": "CLEAR"}[name]
		if !strings.Contains(texts[0], fmt.Sprintf(`"tlp": %q`, tlp)) {
			t.Errorf("the form %q is not marked %s", name, tlp)
		}
		if got := strings.Contains(texts[0], "pkg:deb/debian/bash"); got != (name != "counts") {
			t.Errorf("the form %q lists packages: %t", name, got)
		}
	}
	if !strings.Contains(forms["counts"][0], `"pegel:packages:count:deb"`) || !strings.Contains(forms["counts"][0], "packages, but for their number") {
		t.Errorf("the form with counts does not say what it hides and how many: %s", forms["counts"][0])
	}
}

func TestThePublicFormOfAnImageIsValid(t *testing.T) {
	inv, pkgs := internalStack()
	publicInv, publicPkgs := publicForm().Of(inv, pkgs)
	for _, p := range publicPkgs {
		i := slices.IndexFunc(publicInv.Artifacts, func(a sbom.Artifact) bool { return a.ID == p.Artifact })
		for _, counts := range []bool{false, true} {
			opt := options()
			opt.Counts = counts
			doc, err := sbom.ImageBOM(publicInv.Artifacts[i], p, opt)
			if err != nil {
				t.Fatal(err)
			}
			validate(t, doc.Data)
			if got := unreachable(t, doc.Data); len(got) > 0 {
				t.Errorf("not reachable from the root: %v", got)
			}
			if counts && doc.Components != 0 {
				t.Errorf("%d components, want only their number", doc.Components)
			}
		}
	}
}

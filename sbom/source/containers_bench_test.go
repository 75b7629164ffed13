package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/sbom/source"
)

// writeHosts writes lists of 60 containers as docker ps prints them on hosts of kolla, with its labels.
func writeHosts(b *testing.B, files int) string {
	b.Helper()
	dir := b.TempDir()
	for n := range files {
		var text strings.Builder
		for c := range 60 {
			name := fmt.Sprintf("service_%d", c)
			text.WriteString(strings.Replace(dockerLineOf("1", "registry.example.org/kolla/release/"+name+":26.0.1.20250408", name, "running",
				"build-date=20250408", "de.osism.commit.docker_images_kolla=3d9a6d4", "de.osism.release.openstack=2024.2", "de.osism.service.version=26.0.1.20250408",
				"kolla_version=19.1.0", "maintainer=Kolla Project", "name="+name, "org.opencontainers.image.documentation=https://docs.example.org",
				"org.opencontainers.image.licenses=ASL 2.0", "org.opencontainers.image.source=https://git.example.org/container-images-kolla",
				"org.opencontainers.image.url=https://www.example.org", "org.opencontainers.image.vendor=Example"),
				hexOf("1"), fmt.Sprintf("%04x%04x%056d", c, n, 0), 1))
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("node-%04d-docker-ps.json", n)), []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// BenchmarkThousandHostsOfSixtyContainers reads 1,000 files of 60 containers; the target is 2 CPU-s.
func BenchmarkThousandHostsOfSixtyContainers(b *testing.B) {
	dir := writeHosts(b, 1000)
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte("containers: {ps: '*.json'}"), &doc); err != nil {
		b.Fatal(err)
	}
	s, err := source.Decode(&doc, dir, source.Options{At: assessedAt})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	start := cpuSeconds(b)
	for b.Loop() {
		inv, err := s.Inventory(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if len(inv.Artifacts) != 60 || inv.Artifacts[0].Replicas != 1000 || len(inv.Artifacts[0].Sightings) != 1000 || len(inv.Failures) != 0 {
			b.Fatalf("%d artifacts, %d replicas, failures %v", len(inv.Artifacts), inv.Artifacts[0].Replicas, inv.Failures)
		}
	}
	b.ReportMetric((cpuSeconds(b)-start)/float64(b.N), "cpu-s/op")
}

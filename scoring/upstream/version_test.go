package upstream

import (
	"strings"
	"testing"
)

func TestVersionsAreComparedAsTheyAreDeployed(t *testing.T) {
	for _, tt := range []struct {
		name, constraint, version string
		want                      trilean
	}{
		{"a patch below the bound is below", "<7.4", "7.0.15", yes},
		{"a patch of the bound is not below it", "<7.4", "7.4.2", no},
		{"numbers are compared as numbers", "<7.4", "7.10.1", no},
		{"the last version before a change is included", "<=1.14.8", "1.14.8", yes},
		{"the first version after a change is not", "<=1.14.8", "1.14.9", no},
		{"the version after the bound is above", ">1.14.8", "1.14.9", yes},
		{"the bound is not above itself", ">1.14.8", "1.14.8", no},
		{"a leading v does not count", ">1.14.8", "v1.19.1", yes},
		{"a distribution suffix does not count", ">=7.4,<8.0", "7.4.2-alpine", yes},
		{"an epoch does not count", "<7.4", "5:7.0.15-1~deb12u3", yes},
		{"a Debian revision does not count", "<=1.14.8", "1.14.8-3", yes},
		{"a build date does not count", "<=1.14.8", "1.14.8.20250408", yes},
		{"a build date after two parts does not count", "<7.4", "7.0.20250408", yes},
		{"a fourth part counts", ">1.14.8", "1.14.8.1", yes},
		{"shorter and longer forms are equal", "=7.4", "7.4.0", yes},
		{"a series that lies within is within", ">=7.4,<8.0", "7.4", yes},
		{"a major series within is within", ">=7.0", "7", yes},
		{"a series that the bound cuts is open", "<7.4", "7", maybe},
		{"a minor series that the bound cuts is open", "<=1.14.8", "1.14", maybe},
		{"a series above is above", "<=1.14.8", "1.15", no},
		{"a series with suffix is a series", "<7.4", "7-alpine", maybe},
		{"a release candidate of the bound is open", ">=8.0", "8.0-rc1", maybe},
		{"so is it on the other side", "<8.0", "8.0-rc1", maybe},
		{"and with three parts", "<7.4", "7.4.0-rc2", maybe},
		{"and as Debian writes it", "<7.4", "7.4~rc1-1", maybe},
		{"and as Python writes it", "<7.4", "7.4.0b2", maybe},
		{"a release candidate away from the bound is clear", ">1.14.8", "1.15.0-rc1", yes},
		{"a pre-release up to the bound is included", "<=1.14.8", "1.14.8-beta1", yes},
		{"alpine is no alpha", "<7.4", "7.4.0-alpine", no},
		{"everything lies within no bounds", "*", "0.0.1", yes},
	} {
		c, err := parseConstraint(tt.constraint)
		if err != nil {
			t.Fatal(err)
		}
		v, ok := parseVersion(tt.version)
		if !ok {
			t.Errorf("%s: %q is read as no version", tt.name, tt.version)
			continue
		}
		if got := c.holds(v); got != tt.want {
			t.Errorf("%s: %q in %q: got %d, want %d", tt.name, tt.version, tt.constraint, got, tt.want)
		}
	}
}

func TestWhatNamesNoVersionIsNotRead(t *testing.T) {
	for _, raw := range []string{"", "latest", "v0:1", "1:2:3", "master", "stable-2024.2", "77c3114", "e77c311442cb1d1ef8caa7df9d9c00471afa75e7", "v", ":", "-1",
		"1.2.3.4.5.6.7.8.9", "99999999999999999999.1", strings.Repeat("1", 300)} {
		if v, ok := parseVersion(raw); ok {
			t.Errorf("%q: got %v, want no version", raw, v)
		}
	}
}

func TestConstraintsThatCannotBeReadAreErrors(t *testing.T) {
	for _, s := range []string{"", "7.4", "=>7.4", "<7.4-rc1", "<7.4,", "< 7.4", "~>7", "<1.2.3.4.5", "*,<7", "<99999999999"} {
		if _, err := parseConstraint(s); err == nil {
			t.Errorf("%q: got no error", s)
		}
	}
}

func TestUpstreamVersionsLoseWhatPackagersAdded(t *testing.T) {
	for _, tt := range []struct{ kind, raw, want string }{
		{PartImage, "26.0.1.20250408", "26.0.1"},
		{PartImage, "2.90.20250408", "2.90"},
		{PartImage, "v3.3.5", "3.3.5"},
		{PartImage, "0.20250407.0", "0.20250407.0"},
		{PartImage, "0.20250407", "0.20250407"},
		{PartSoftware, "v1.30.10+k3s1", "1.30.10+k3s1"},
		{PartSoftware, "5:27.5.1", "27.5.1"},
		{PartImage, "latest", ""},
		{PartSoftware, "stable-2024.2", ""},
		{PartDeb, "5:7.0.15-1~deb12u3", "7.0.15"},
		{PartDeb, "1:9.2.0+ds-1", "9.2.0"},
		{PartDeb, "2.6.12-1+deb12u1", "2.6.12"},
		{PartDeb, "12.4+deb12u10", "12.4"},
		{PartDeb, "2:22.0.0~rc1-2", "22.0.0~rc1"},
	} {
		if got := UpstreamVersion(tt.kind, tt.raw); got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.kind, tt.raw, got, tt.want)
		}
	}
}

func FuzzUpstreamVersion(f *testing.F) {
	for _, s := range []string{"7.4.2-alpine", "5:7.0.15-1~deb12u3", "v1.19.1", "2.1.8.20250408", "8.0-rc1", "77c3114", "1.2.3.4.5.6.7.8.9", "v1.1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		before, ok := parseVersion(raw)
		cut := UpstreamVersion(PartImage, raw)
		if !ok {
			if cut != "" {
				t.Errorf("%q names no version, but was cut to %q", raw, cut)
			}
			return
		}
		after, ok := parseVersion(cut)
		if !ok || compareParts(before.parts, after.parts) != 0 || before.pre != after.pre {
			t.Errorf("%q is %v, but its upstream version %q is %v", raw, before, cut, after)
		}
		if again := UpstreamVersion(PartImage, cut); again != cut {
			t.Errorf("%q was cut to %q, and again to %q", raw, cut, again)
		}
	})
}

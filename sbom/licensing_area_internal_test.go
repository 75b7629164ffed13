package sbom

import "testing"

func TestOnlyVersionsInTheFormOfDebianCount(t *testing.T) {
	for version, want := range map[string]bool{
		"5.2.15-2+b2": true, "1:2.36-9+deb12u13": true, "2.28.1+dfsg-1": true, "12.4+deb12u5": true, "0.0.17+nmu1": true, "3.0043+nmu1+deb12u1": true,
		"37~deb12u1": true, "0.101.0-2": true, "0.16.0-0.1": true, "1.0-3~bpo12+1": true, "20230311": true, "2.0-1build2": true,
		"1.0-1+acme1": false, "1.0-1~vendor2": false, "1.0-1.el9": false, "1.0-1ubuntu3": false, "1.0+acme": false, "1.0-1osism1": false, "1.0-alpha": false,
	} {
		if got := ownBuild(version); got != want {
			t.Errorf("%s: %v, want %v", version, got, want)
		}
	}
}

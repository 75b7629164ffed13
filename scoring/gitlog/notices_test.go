package gitlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func TestTheOpeningWordsOfANoticeSayTheLicence(t *testing.T) {
	for _, row := range []struct {
		name, text string
		says, spdx bool
	}{
		{"an SPDX line", "// SPDX-License-Identifier: MIT\npackage a", true, true},
		{"Apache", "#    Licensed under the Apache License, Version 2.0 (the \"License\"); you may", true, false},
		{"Apache, broken over lines", "/*\n * Licensed under the\n * Apache License, Version 2.0\n */", true, false},
		{"GPL", "// under the terms of the GNU General Public License version 2", true, false},
		{"LGPL, broken over lines", "# terms of the GNU Lesser\n# General Public License", true, false},
		{"AGPL", ";; GNU Affero General Public License", true, false},
		{"old LGPL", "-- GNU Library General Public License", true, false},
		{"MIT", "// Permission is hereby granted, free of charge, to any person", true, false},
		{"BSD", "/* Redistribution and use in source and binary forms, with or without", true, false},
		{"MPL", "%% The contents of this file are subject to the Mozilla Public\n%% License", true, false},
		{"ISC", "/* Permission to use, copy, modify, and/or distribute this software", true, false},
		{"EPL", "<!-- made available under the terms of the Eclipse Public License -->", true, false},
		{"BSD of Go", "// Use of this source code is governed by a BSD-style\n// license that can be found in the LICENSE file.", true, false},
		{"pointing to the file", "// This file is subject to the license terms in the LICENSE file", true, false},
		{"no notice", "# Copyright 2024 Example GmbH\nimport licensed", false, false},
		{"a rule about rights is no notice", "# All rights reserved. See the license.", false, false},
		{"below the head", strings.Repeat("x", headerBytes) + "Licensed under the Apache License", false, false},
		{"nothing", "", false, false},
	} {
		if says, spdx := namesLicence([]byte(row.text)); says != row.says || spdx != row.spdx {
			t.Errorf("%s: got %v, %v", row.name, says, spdx)
		}
	}
}

func TestNoticesAreCountedBesideSPDXLines(t *testing.T) {
	r := newRepo()
	files := map[string]string{"s.py": "# SPDX-License-Identifier: Apache-2.0\n", "none.py": "x = 1\n", "README.md": "Licensed under the Apache License"}
	for i := range 7 {
		files[fmt.Sprintf("n%d.py", i)] = fmt.Sprintf("#    Licensed under the Apache License, Version 2.0\nx = %d\n", i)
	}
	r.commit(testCommit{when: at(10), files: files})
	tree := treeOf(t, collect(t, r))
	spdx, _ := tree.SPDXHeaders.Get()
	said, known := tree.LicenceNotices.Get()
	if !known || said != 8 || spdx != 1 || tree.SourceFiles != 9 {
		t.Errorf("got %d notices (%v) and %d SPDX lines in %d source files; want 8, 1 and 9", said, known, spdx, tree.SourceFiles)
	}
	if tree.LicenceNotices.Unknown() == audit.DNF {
		t.Error("got a failure:", tree.LicenceNotices.Failure)
	}
}

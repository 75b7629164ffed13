package gitlog

import (
	"bytes"
	"regexp"
)

// noticeGlue is what stands between the words of a notice in a source file: white space, line ends and comment marks.
var noticeGlue = regexp.MustCompile(`[\s#*/;%!<>-]+`)

// spdxLine begins the line that SPDX defines for source files (SPDX 2.3, annex E).
var spdxLine = []byte("SPDX-License-Identifier:")

// notices are the opening words of licence notices in source files, as the texts of the licences (apache.org, gnu.org,
// opensource.org, mozilla.org, eclipse.org) tell authors to put them there, and two short forms that point to the licence
// file and are wide-spread in Go and in Chromium. They are compared after noticeGlue was made one space.
var notices = regexp.MustCompile(`(?i)licensed under the apache license|GNU (?:(?:lesser|library|affero) )?general public license|` +
	`permission is hereby granted, free of charge|redistribution and use in source and binary forms|mozilla public license|` +
	`permission to use, copy, modify, and or distribute|eclipse public license|` +
	`governed by a bsd style licen[cs]e|subject to the licen[cs]e terms in the licen[cs]e file`)

// head is the part of a source file in which a licence header must stand.
func head(text []byte) []byte { return text[:min(headerBytes, len(text))] }

// namesLicence reports whether the head of a source file says its licence, and whether it does so by an SPDX line.
func namesLicence(text []byte) (says, spdx bool) {
	text = head(text)
	if bytes.Contains(text, spdxLine) {
		return true, true
	}
	return notices.Match(noticeGlue.ReplaceAll(text, []byte(" "))), false
}

package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// subunitSignature begins each packet of subunit version 2.
const subunitSignature = 0xb3

// Bits of the flags of a packet (testing-cabal/subunit, README.rst, "Version 2").
const (
	subunitVersion = 0x2000
	subunitTestID  = 0x0800
	subunitTime    = 0x0200
	subunitStatus  = 0x0007
)

// readSubunit reads a stream of subunit version 2, as stestr keeps it and "stestr last --subunit" prints it. Attachments are not
// looked at. The last status of a test counts, except that a failure stays.
func readSubunit(data []byte) (results, error) {
	r := results{format: "subunit"}
	at := map[string]int{}
	for offset := 0; len(data) > 0; {
		p, n, err := readPacket(data)
		if err != nil {
			return r, fmt.Errorf("byte %d: %w", offset, err)
		}
		data, offset = data[n:], offset+n
		if !p.time.IsZero() && (r.at.IsZero() || p.time.Before(r.at)) {
			r.at = p.time
		}
		outcome := p.outcome()
		if outcome == absent || p.test == "" {
			continue
		}
		if i, again := at[p.test]; again {
			r.tests[i].result = max(r.tests[i].result, outcome)
			continue
		}
		before := len(r.tests)
		if err := r.add(p.test, outcome); err != nil {
			return r, err
		}
		if len(r.tests) > before {
			at[p.test] = before
		}
	}
	return r, nil
}

type packet struct {
	test   string
	status byte
	time   time.Time
}

// outcome of the status: success and xfail are as expected, uxsuccess is a failure.
func (p packet) outcome() result {
	switch p.status {
	case 3, 7:
		return passed
	case 4, 6:
		return failed
	case 5:
		return skipped
	}
	return absent
}

// readPacket reads one packet and returns its length.
func readPacket(data []byte) (packet, int, error) {
	if len(data) < 8 || data[0] != subunitSignature {
		return packet{}, 0, errors.New("no packet of subunit version 2 begins here")
	}
	flags := binary.BigEndian.Uint16(data[1:])
	if flags&0xf000 != subunitVersion {
		return packet{}, 0, fmt.Errorf("version %d of subunit is not read", flags>>12)
	}
	length, width, err := subunitNumber(data[3:])
	if err != nil {
		return packet{}, 0, err
	}
	if length > len(data) || length < 3+width+4 {
		return packet{}, 0, fmt.Errorf("a packet of %d bytes is cut off", length)
	}
	body := data[3+width : length-4]
	if binary.BigEndian.Uint32(data[length-4:]) != crc32.ChecksumIEEE(data[:length-4]) {
		return packet{}, 0, errors.New("the check sum of a packet is wrong")
	}
	p := packet{status: byte(flags & subunitStatus)}
	if flags&subunitTime != 0 {
		if len(body) < 5 {
			return packet{}, 0, errors.New("a time is cut off")
		}
		p.time = time.Unix(int64(binary.BigEndian.Uint32(body)), 0).UTC()
		_, width, err := subunitNumber(body[4:])
		if err != nil {
			return packet{}, 0, err
		}
		body = body[4+width:]
	}
	if flags&subunitTestID != 0 {
		n, width, err := subunitNumber(body)
		if err != nil || n > len(body)-width {
			return packet{}, 0, errors.New("the name of a test is cut off")
		}
		p.test = string(body[width : width+n])
	}
	return p, length, nil
}

// subunitNumber reads a number of one to four bytes; its two highest bits say how many.
func subunitNumber(b []byte) (n, width int, err error) {
	if len(b) == 0 {
		return 0, 0, errors.New("a number is cut off")
	}
	width = int(b[0]>>6) + 1
	if width > len(b) {
		return 0, 0, errors.New("a number is cut off")
	}
	n = int(b[0] & 0x3f)
	for _, c := range b[1:width] {
		n = n<<8 | int(c)
	}
	return n, width, nil
}

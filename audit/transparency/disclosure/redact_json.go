package disclosure

import (
	"bytes"
	"encoding/json"
)

// rewriteJSON gives the values of some keys to a function, at any depth, and puts what it returns in their place; everything
// else stays byte by byte. It returns false where the bytes are no JSON.
func rewriteJSON(data []byte, wanted func(key string) bool, change func(key string, value []byte) []byte) ([]byte, bool) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var out bytes.Buffer
	var inObject []bool // of each open value, the innermost last
	done, atKey := int64(0), false
	for {
		token, err := dec.Token()
		if err != nil {
			break
		}
		if key, ok := token.(string); ok && atKey {
			atKey = false
			if !wanted(key) {
				continue
			}
			from := dec.InputOffset()
			var value json.RawMessage
			if dec.Decode(&value) != nil {
				return nil, false
			}
			out.Write(data[done:from])
			out.WriteByte(':')
			out.Write(change(key, value))
			done, atKey = dec.InputOffset(), true
			continue
		}
		switch token {
		case json.Delim('{'):
			inObject = append(inObject, true)
		case json.Delim('['):
			inObject = append(inObject, false)
		case json.Delim('}'), json.Delim(']'):
			inObject = inObject[:len(inObject)-1]
		}
		atKey = len(inObject) > 0 && inObject[len(inObject)-1]
		if len(inObject) == 0 {
			break
		}
	}
	if len(inObject) > 0 || len(bytes.TrimSpace(data[dec.InputOffset():])) > 0 {
		return nil, false
	}
	out.Write(data[done:])
	return out.Bytes(), true
}

// looksLikeJSON tells JSON by its first byte.
func looksLikeJSON(data []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

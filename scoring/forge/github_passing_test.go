package forge

import "testing"

func TestWhatGitHubCouldNotAnswerInTimeIsAskedAgain(t *testing.T) {
	for body, want := range map[string]bool{
		`{"data":{"r0":{}}}`: false,
		`{"data":{"r0":null},"errors":[{"type":"NOT_FOUND","path":["r0"],"message":"other"}]}`: false,
		`{"data":{"r0":null},"errors":[{"type":"FORBIDDEN","path":["r0"],"message":"other"}]}`: false,
		`{"data":{"r0":{}},"errors":[{"path":["r0","labels"],"message":"forbidden"}]}`:         false,
		`{"errors":[{"type":"RATE_LIMITED","message":"limit"}]}`:                               true,
		`{"data":{"r0":{}},"errors":[{"path":["r0","labels"],"message":"timeout"}]}`:           true,
		`{"data":null,"errors":[{"message":"other"}]}`:                                         true,
		`null`: false,
	} {
		if got := passingGraph(200, []byte(body)); got != want {
			t.Errorf("%s: passing %v, want %v", body, got, want)
		}
	}
}

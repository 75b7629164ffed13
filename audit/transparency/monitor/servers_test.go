package monitor_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests in this file and in real_test.go start the servers that Debian has (packages prometheus, influxdb,
// victoria-metrics) on loopback, with a directory of their own.

// daysOfSamples is how much the servers are given: more than a look reaches back.
const daysOfSamples = 40

// tool returns the path of a program. Without it the test is skipped by name; in CI that is a failure.
func tool(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed; install the Debian package %s", name, debian)
	}
	t.Skipf("%s is not installed; install the Debian package %s", name, debian)
	return ""
}

// freePort returns an address of loopback that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs a server until the test ends and waits until it answers at ready.
func start(t *testing.T, ready string, env []string, program string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	logFile, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, logFile, logFile
	cmd.Env = append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		logFile.Close()
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for {
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(logFile.Name())
			t.Fatalf("%s ended: %v\n%s", filepath.Base(program), err, tail(text))
		case <-limit:
			text, _ := os.ReadFile(logFile.Name())
			t.Fatalf("%s does not answer at %s\n%s", filepath.Base(program), ready, tail(text))
		case <-tick.C:
			if resp, err := http.Get(ready); err == nil {
				resp.Body.Close()
				if resp.StatusCode < 300 {
					return
				}
			}
		}
	}
}

func tail(text []byte) string { return string(text[max(0, len(text)-2000):]) }

func send(t *testing.T, address, contentType string, body []byte) {
	t.Helper()
	resp, err := http.Post(address, contentType, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		t.Fatalf("%s answers %s: %s", address, resp.Status, text)
	}
}

// startPrometheus runs a Prometheus over blocks made from samples in OpenMetrics.
func startPrometheus(t *testing.T, samples string) string {
	t.Helper()
	program, promtool := tool(t, "prometheus", "prometheus"), tool(t, "promtool", "prometheus")
	dir := t.TempDir()
	input, data, config := filepath.Join(dir, "samples.txt"), filepath.Join(dir, "data"), filepath.Join(dir, "prometheus.yml")
	for name, text := range map[string]string{input: samples, config: "global: {}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1000h", "-q", input, data).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, tail(out))
	}
	address := freePort(t)
	start(t, "http://"+address+"/-/ready", nil, program, "--config.file="+config, "--storage.tsdb.path="+data,
		"--storage.tsdb.retention.time=100y", "--web.listen-address="+address, "--log.level=warn")
	return "http://" + address
}

// startVictoria runs a VictoriaMetrics and imports samples in the text form of Prometheus.
func startVictoria(t *testing.T, samples string) string {
	t.Helper()
	program := tool(t, "victoria-metrics", "victoria-metrics")
	address := freePort(t)
	start(t, "http://"+address+"/health", nil, program, "-storageDataPath="+filepath.Join(t.TempDir(), "data"), "-retentionPeriod=100y",
		"-httpListenAddr="+address, "-search.latencyOffset=1s")
	send(t, "http://"+address+"/api/v1/import/prometheus", "text/plain", []byte(samples))
	resp, err := http.Get("http://" + address + "/internal/force_flush") // shows what was imported at once
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return "http://" + address
}

// startInflux runs an InfluxDB 1.x with a database cicd and writes lines to it, as api_monitor.sh does.
func startInflux(t *testing.T, lines string) string {
	t.Helper()
	program := tool(t, "influxd", "influxdb")
	dir, address, backup := t.TempDir(), freePort(t), freePort(t)
	start(t, "http://"+address+"/ping", []string{
		"INFLUXDB_DATA_DIR=" + filepath.Join(dir, "data"), "INFLUXDB_META_DIR=" + filepath.Join(dir, "meta"), "INFLUXDB_DATA_WAL_DIR=" + filepath.Join(dir, "wal"),
		"INFLUXDB_HTTP_BIND_ADDRESS=" + address, "INFLUXDB_BIND_ADDRESS=" + backup, "INFLUXDB_REPORTING_DISABLED=true", "INFLUXDB_MONITOR_STORE_ENABLED=false",
	}, program)
	send(t, "http://"+address+"/query?"+url.Values{"q": {"CREATE DATABASE cicd"}}.Encode(), "application/x-www-form-urlencoded", nil)
	send(t, "http://"+address+"/write?db=cicd&precision=s", "text/plain", []byte(lines))
	return "http://" + address
}

// series says what a monitor is to show.
type series struct {
	cloud   string
	age     time.Duration                   // of the newest sample
	without func(time.Time) bool            // times without a sample; nil: none
	outage  func(time.Time) bool            // times at which half of the calls fail; nil: none
	days    int                             // 0: daysOfSamples
	every   time.Duration                   // 0: ten minutes
	only    string                          // metrics to write, by their begin; empty: all
	pushed  func(shown time.Time) time.Time // for a Pushgateway: when what is shown was pushed
}

func (s series) times() []time.Time {
	if s.days == 0 {
		s.days = daysOfSamples
	}
	if s.every == 0 {
		s.every = 10 * time.Minute
	}
	var out []time.Time
	end := at().Add(-s.age)
	for n := s.days * 24 * int(time.Hour/time.Minute) / int(s.every/time.Minute); n >= 0; n-- {
		if moment := end.Add(-time.Duration(n) * s.every); s.without == nil || !s.without(moment) {
			out = append(out, moment)
		}
	}
	return out
}

// healthMonitor writes what scs-health-monitor pushes (libs/PrometheusExporter.py and openstacksdk's metrics), in OpenMetrics.
// text is true for the text form of Prometheus, with milliseconds.
func (s series) healthMonitor(text bool) string {
	var b strings.Builder
	line := func(metric, labels string, value float64, moment time.Time) {
		if !strings.HasPrefix(metric, s.only) {
			return
		}
		stamp := fmt.Sprint(moment.Unix())
		if text {
			stamp += "000"
		}
		fmt.Fprintf(&b, "%s{%s} %g %s\n", metric, labels, value, stamp)
	}
	kinds := []struct{ metric, kind string }{
		{"openstack_http_requests_total", "counter"}, {"openstack_http_response_time_sum", "unknown"}, {"openstack_http_response_time_count", "unknown"}, {"push_time_seconds", "gauge"},
	}
	for _, k := range kinds {
		if !text {
			fmt.Fprintf(&b, "# TYPE %s %s\n", strings.TrimSuffix(k.metric, "_total"), k.kind)
		}
		for i, moment := range s.times() {
			bad := 0.0
			if s.outage != nil && s.outage(moment) {
				bad = 100
			}
			api := `cloud="` + s.cloud + `",command="api-call",job="SCS-Health-Monitor",service_type="compute",method="GET",endpoint="https://api.example.org:8774/v2.1/servers",resource="servers"`
			switch k.metric {
			case "openstack_http_requests_total":
				line(k.metric, api+`,status_code="200"`, 100, moment)
				line(k.metric, api+`,status_code="503"`, bad, moment)
			case "openstack_http_response_time_sum":
				line(k.metric, api+`,status_code="200"`, 20+float64(i%7), moment)
			case "openstack_http_response_time_count":
				line(k.metric, api+`,status_code="200"`, 100, moment)
			case "push_time_seconds":
				if s.pushed != nil {
					line(k.metric, `job="SCS-Health-Monitor"`, float64(s.pushed(moment).Unix()), moment)
				}
			}
		}
	}
	if !text {
		b.WriteString("# EOF\n")
	}
	return b.String()
}

// lineProtocol writes what openstack-health-monitor writes (api_monitor.sh, log_grafana).
func (s series) lineProtocol() string {
	var b strings.Builder
	for i, moment := range s.times() {
		failed := 0
		if s.outage != nil && s.outage(moment) {
			failed = 2
		}
		fmt.Fprintf(&b, "%s,cmd=nova,method=list duration=%g,return_code=0 %d\n", s.cloud, 1+float64(i%5)/10, moment.Unix())
		fmt.Fprintf(&b, "%s,cmd=cinder,method=create duration=2.5,return_code=%d %d\n", s.cloud, failed, moment.Unix())
	}
	return b.String()
}

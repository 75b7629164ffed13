package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what a piece of work cost.
type usage struct {
	CPU  float64 `json:"cpu"`  // seconds, user and system
	Wall float64 `json:"wall"` // seconds
	Peak int64   `json:"peak"` // largest resident memory in bytes; 0: not measured
}

func (u usage) plus(v usage) usage {
	return usage{CPU: u.CPU + v.CPU, Wall: u.Wall + v.Wall, Peak: max(u.Peak, v.Peak)}
}

// execute runs a command to its end and returns what it cost with all processes that it waited for. The error holds the
// end of what it said.
func execute(c *exec.Cmd) (usage, error) {
	var said bytes.Buffer
	if c.Stderr == nil {
		c.Stderr = &said
	}
	if c.Stdout == nil {
		c.Stdout = &said
	}
	start := time.Now()
	err := c.Run()
	u := usage{Wall: time.Since(start).Seconds()}
	if c.ProcessState != nil {
		u.CPU = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
		if r, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
			u.Peak = r.Maxrss << 10 // Linux counts kilobytes
		}
	}
	if err != nil {
		text := strings.TrimSpace(said.String())
		return u, fmt.Errorf("%w: %s", err, text[max(0, len(text)-300):])
	}
	return u, nil
}

// phase is one part of a job, measured inside its process.
type phase struct {
	Name string `json:"name"`
	usage
}

// job is what a measuring process does; it returns its phases.
type job func(ctx context.Context, args []string) ([]phase, error)

var jobs = map[string]job{
	"floor":     floorJob,
	"scan":      scanJob,
	"synthetic": syntheticJob,
}

// reportJob runs a job and prints its phases as JSON.
func reportJob(ctx context.Context, j job, args []string) error {
	phases, err := j(ctx, args)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(phases)
}

// start runs a job in a process of its own. The peak of the phases is that of the process, as the kernel tells it to the
// process itself: what wait4 tells is not below the parent's.
func start(ctx context.Context, name string, args ...string) (whole usage, phases []phase, err error) {
	self, err := os.Executable()
	if err != nil {
		return whole, nil, err
	}
	c := exec.CommandContext(ctx, self, append([]string{name}, args...)...)
	var out bytes.Buffer
	c.Stdout = &out
	if whole, err = execute(c); err != nil {
		return whole, nil, fmt.Errorf("job %s: %w", name, err)
	}
	if err := json.Unmarshal(out.Bytes(), &phases); err != nil {
		return whole, nil, fmt.Errorf("job %s: %w", name, err)
	}
	whole.Peak = 0
	for _, p := range phases {
		whole.Peak = max(whole.Peak, p.Peak)
	}
	return whole, phases, nil
}

// timed runs one phase in this process.
func timed(name string, f func() error) (phase, error) {
	before, start := cpu(), time.Now()
	err := f()
	return phase{Name: name, usage: usage{CPU: cpu() - before, Wall: time.Since(start).Seconds(), Peak: peak()}}, err
}

// cpu is what this process has used, in seconds.
func cpu() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

// peak is the largest resident memory of this process in bytes; 0 where the kernel does not tell.
func peak() int64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}

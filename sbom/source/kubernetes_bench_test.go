//go:build unix

package source_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/pegel-audit/pegel/sbom/source"
	"github.com/pegel-audit/pegel/sbom/source/sourcetest"
)

// The size that the design asks for: 10,000 pods on 500 nodes from 300 images within 3 CPU-s and 300 MB.
const (
	benchPods   = 10_000
	benchNodes  = 500
	benchImages = 300
)

// benchServe is set in the process that plays the API server, so that the CPU time of the benchmark is that of Pegel.
const benchServe = "PEGEL_BENCH_KUBE_SERVE"

func benchImage(i int) (name, id string) {
	name = fmt.Sprintf("registry.example.org/platform/service-%03d", i)
	return name + fmt.Sprintf(":%d.%d.%d", 1+i%4, i%20, i%7), fmt.Sprintf("%s@sha256:%064x", name, i+1)
}

func benchManaged(manager string) metav1.ManagedFieldsEntry {
	fields := `{"f:metadata":{"f:labels":{".":{},"f:app":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"5d1e2a6c\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:env":{".":{},` +
		`"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"f:imagePullPolicy":{},"f:livenessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}}},"f:name":{},"f:resources":{},"f:volumeMounts":{".":{}}}},"f:dnsPolicy":{},"f:restartPolicy":{}}}`
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: "Update", APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(fields)},
		Time: &metav1.Time{Time: assessedAt}}
}

func benchPod(i int) corev1.Pod {
	image, id := benchImage(i % benchImages)
	app, hash := fmt.Sprintf("app-%04d", i/4), fmt.Sprintf("%010d", i/4)
	truth := true
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%s-%05d", app, hash, i), GenerateName: app + "-" + hash + "-", Namespace: fmt.Sprintf("team-%02d", i/4%60),
		UID: types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), ResourceVersion: fmt.Sprint(100000 + i), CreationTimestamp: metav1.Time{Time: assessedAt},
		Labels:          map[string]string{"app": app, "pod-template-hash": hash, "app.kubernetes.io/part-of": "platform", "app.kubernetes.io/managed-by": "Helm"},
		Annotations:     map[string]string{"checksum/config": strings.Repeat("0f", 32), "prometheus.io/scrape": "true", "cni.projectcalico.org/podIP": "10.1.2.3/32"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: app + "-" + hash, UID: "5d1e2a6c", Controller: &truth, BlockOwnerDeletion: &truth}},
		ManagedFields:   []metav1.ManagedFieldsEntry{benchManaged("kube-controller-manager"), benchManaged("kubelet")}},
		Spec: corev1.PodSpec{NodeName: fmt.Sprintf("node-%03d", i%benchNodes), ServiceAccountName: app, RestartPolicy: "Always", DNSPolicy: "ClusterFirst", SchedulerName: "default-scheduler",
			Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute"}, {Key: "node.kubernetes.io/unreachable", Operator: "Exists", Effect: "NoExecute"}},
			Volumes: []corev1.Volume{{Name: "kube-api-access", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}, {ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"}}}}}}}}},
		Status: corev1.PodStatus{Phase: "Running", HostIP: "192.0.2.7", PodIP: "10.1.2.3", PodIPs: []corev1.PodIP{{IP: "10.1.2.3"}}, QOSClass: "Burstable", StartTime: &metav1.Time{Time: assessedAt}}}
	for _, c := range []corev1.PodConditionType{"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: c, Status: "True", LastTransitionTime: metav1.Time{Time: assessedAt}})
	}
	side, sideID := benchImage((i + 7) % benchImages)
	p.Spec.InitContainers = []corev1.Container{benchContainer("init", side, 3)}
	p.Spec.Containers = []corev1.Container{benchContainer("main", image, 14)}
	p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", Image: side, ImageID: sideID, ContainerID: "containerd://" + strings.Repeat("1", 64),
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: metav1.Time{Time: assessedAt}, FinishedAt: metav1.Time{Time: assessedAt}}}}}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", Image: image, ImageID: id, Ready: true, Started: &truth, ContainerID: "containerd://" + strings.Repeat("2", 64),
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: assessedAt}}}}}
	return p
}

func benchContainer(name, image string, env int) corev1.Container {
	c := corev1.Container{Name: name, Image: image, ImagePullPolicy: "IfNotPresent", TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: "File",
		Command: []string{"/usr/local/bin/service"}, Args: []string{"--config=/etc/service/config.yaml", "--log-level=info"},
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: "TCP"}}, VolumeMounts: []corev1.VolumeMount{{Name: "kube-api-access", ReadOnly: true, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}},
		Resources:     corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")}, Limits: corev1.ResourceList{"memory": resource.MustParse("512Mi")}},
		LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http"), Scheme: "HTTP"}}, TimeoutSeconds: 1, PeriodSeconds: 10, SuccessThreshold: 1, FailureThreshold: 3}}
	for i := range env {
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SERVICE_SETTING_%02d", i), Value: fmt.Sprintf("value-of-setting-%02d-of-%s", i, name)})
	}
	return c
}

func benchNode(i int) corev1.Node {
	n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%03d", i), ManagedFields: []metav1.ManagedFieldsEntry{benchManaged("kubelet"), benchManaged("cloud-controller-manager")}},
		Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KernelVersion: "6.8.0-51-generic", OSImage: "Ubuntu 24.04.1 LTS", ContainerRuntimeVersion: "containerd://1.7.24", KubeletVersion: "v1.33.1"},
			Conditions: []corev1.NodeCondition{{Type: "MemoryPressure", Status: "False"}, {Type: "DiskPressure", Status: "False"}, {Type: "Ready", Status: "True"}}}}
	for j := range 40 {
		image, id := benchImage((i*7 + j) % (benchImages + 20))
		n.Status.Images = append(n.Status.Images, corev1.ContainerImage{Names: []string{id, image}, SizeBytes: 1 << 26})
	}
	return n
}

// benchPages are the answers of the API server: pages of 500 objects, plain and as its own gzip (level 1) makes them.
func benchPages(t testing.TB) map[string][][2][]byte {
	t.Helper()
	out := map[string][][2][]byte{}
	add := func(path string, list any) {
		data, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(data); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		out[path] = append(out[path], [2][]byte{data, packed.Bytes()})
	}
	meta := func(next, all int) metav1.ListMeta {
		if next >= all {
			return metav1.ListMeta{ResourceVersion: "1"}
		}
		return metav1.ListMeta{ResourceVersion: "1", Continue: fmt.Sprint(next / 500)}
	}
	for i := 0; i < benchPods; i += 500 {
		pods := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, ListMeta: meta(i+500, benchPods)}
		for j := range 500 {
			pods.Items = append(pods.Items, benchPod(i+j))
		}
		add("/api/v1/pods", pods)
	}
	nodes := corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}}
	for i := range benchNodes {
		nodes.Items = append(nodes.Items, benchNode(i))
	}
	add("/api/v1/nodes", nodes)
	for i := 0; i < benchPods/4; i += 500 {
		sets := appsv1.ReplicaSetList{TypeMeta: metav1.TypeMeta{Kind: "ReplicaSetList", APIVersion: "apps/v1"}, ListMeta: meta(i+500, benchPods/4)}
		for j := range 500 {
			p := benchPod((i + j) * 4)
			name := p.OwnerReferences[0].Name
			sets.Items = append(sets.Items, appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: p.Namespace, Labels: p.Labels, ManagedFields: p.ManagedFields,
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: p.Labels["app"], Controller: p.OwnerReferences[0].Controller}}},
				Spec: appsv1.ReplicaSetSpec{Template: corev1.PodTemplateSpec{Spec: p.Spec}}})
		}
		add("/apis/apps/v1/replicasets", sets)
	}
	add("/apis/batch/v1/jobs", map[string]any{"kind": "JobList", "apiVersion": "batch/v1", "metadata": map[string]any{}, "items": []any{}})
	return out
}

// TestServeTheBenchmark is no test: it is the API server of the benchmark, in a process of its own.
func TestServeTheBenchmark(t *testing.T) {
	if os.Getenv(benchServe) == "" {
		t.Skip("only started by BenchmarkKubernetes")
	}
	pages, ca := benchPages(t), sourcetest.NewCA(t)
	s := ca.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := pages[r.URL.Path]
		n := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("continue"), &n)
		if n >= len(list) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		form := 0
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			form = 1
			w.Header().Set("Content-Encoding", "gzip")
		}
		_, _ = w.Write(list[n][form])
	}))
	fmt.Println(s.URL, base64.StdEncoding.EncodeToString(ca.PEM), len(pages["/api/v1/pods"][0][0])/500)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark ends
}

func benchStart(b *testing.B) (address string, ca []byte, size string) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServeTheBenchmark$")
	cmd.Env = append(os.Environ(), benchServe+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(line)
	ca, err = base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		b.Fatal(err)
	}
	return fields[0], ca, fields[2]
}

func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkKubernetes reads 10,000 pods on 500 nodes of 300 images over HTTPS from another process. cpu-s/op is the CPU time
// of this process alone, with TLS, gzip and garbage collection; peak-MB the most heap that was in use.
func BenchmarkKubernetes(b *testing.B) {
	address, ca, size := benchStart(b)
	dir := sourcetest.Kubeconfig(b, sourcetest.KubeContext{Name: "bench", Server: address, Token: "t", CA: ca})
	runtime.GC()
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(10 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	b.ReportAllocs()
	before := cpuSeconds(b)
	n := 0
	for b.Loop() {
		r := kubeInventory(b, "kubeconfig: kubeconfig", dir, source.Network{Dial: kubeDial(address)})
		if r.err != nil || len(r.inv.Failures) > 0 || len(r.inv.Artifacts) != benchNodes+benchImages+20+3 {
			b.Fatalf("error %v, failures %q, %d artifacts", r.err, reasons(r.inv), len(r.inv.Artifacts))
		}
		n++
	}
	b.ReportMetric((cpuSeconds(b)-before)/float64(n), "cpu-s/op")
	close(stop)
	b.ReportMetric(float64(<-peak)/1e6, "peak-MB")
	b.Logf("%s bytes a pod", size)
}

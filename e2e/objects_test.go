package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// secret stands in every place of a pod that must never be read.
const secret = "canary-4b1d"

type object = map[string]any

func digestOf(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func meta(name, namespace string, more object) object {
	m := object{"name": name}
	if namespace != "" {
		m["namespace"] = namespace
	}
	for k, v := range more {
		m[k] = v
	}
	return m
}

// owner is a reference to what manages an object.
func owner(version, kind, name string) []object {
	return []object{{"apiVersion": version, "kind": kind, "name": name, "uid": "00000000-0000-4000-8000-00000000000" + fmt.Sprint(len(name)%10), "controller": true}}
}

func container(name, image string) object {
	return object{"name": name, "image": image, "env": []object{{"name": "PASSWORD", "value": secret}}, "command": []string{"/run", secret}, "args": []string{"--token=" + secret}}
}

func running(name, image, id string) object {
	return object{"name": name, "image": image, "imageID": id, "ready": true, "restartCount": 0, "containerID": "containerd://" + strings.Repeat("0", 64),
		"state": object{"running": object{"startedAt": "2026-11-24T06:00:00Z"}}}
}

func terminated(name, image, id string) object {
	s := running(name, image, id)
	s["state"] = object{"terminated": object{"exitCode": 0, "reason": "Completed", "message": secret, "startedAt": "2026-11-24T06:00:00Z", "finishedAt": "2026-11-24T06:00:01Z"}}
	return s
}

func pod(name, namespace, node string, m, spec, status object) object {
	s := object{"nodeName": node, "terminationGracePeriodSeconds": 0}
	for k, v := range spec {
		s[k] = v
	}
	return object{"apiVersion": "v1", "kind": "Pod", "metadata": meta(name, namespace, m), "spec": s, "status": status}
}

func node(name, os string, images []object) object {
	return object{"apiVersion": "v1", "kind": "Node", "metadata": meta(name, "", object{"annotations": object{"note": secret}}), "status": object{
		"conditions": []object{{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}},
		"nodeInfo": object{"machineID": "m", "systemUUID": "s", "bootID": "b", "kernelVersion": "6.8.0-51-generic", "osImage": os,
			"containerRuntimeVersion": "containerd://1.7.24", "kubeletVersion": "v1.33.1", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64"},
		"images": images}}
}

// deploy makes a Deployment with its replicaset and pods, as the controllers would.
func (c *cluster) deploy(t *testing.T, namespace, name, hash, image, id string, labels object, nodes ...string) {
	t.Helper()
	rs := name + "-" + hash
	all := object{"app": name, "pod-template-hash": hash}
	for k, v := range labels {
		all[k] = v
	}
	template := object{"metadata": object{"labels": all}, "spec": object{"containers": []object{container(name, image)}}}
	c.create(t, "/apis/apps/v1/namespaces/"+namespace+"/deployments", object{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name, namespace, nil),
		"spec": object{"replicas": len(nodes), "selector": object{"matchLabels": object{"app": name}}, "template": template}})
	c.create(t, "/apis/apps/v1/namespaces/"+namespace+"/replicasets", object{"apiVersion": "apps/v1", "kind": "ReplicaSet",
		"metadata": meta(rs, namespace, object{"labels": all, "ownerReferences": owner("apps/v1", "Deployment", name)}),
		"spec":     object{"replicas": len(nodes), "selector": object{"matchLabels": all}, "template": template}})
	for i, n := range nodes {
		c.create(t, "/api/v1/namespaces/"+namespace+"/pods", pod(fmt.Sprintf("%s-%05d", rs, i), namespace, n,
			object{"labels": all, "ownerReferences": owner("apps/v1", "ReplicaSet", rs), "annotations": object{"note": secret}},
			object{"containers": []object{container(name, image)}},
			object{"phase": "Running", "containerStatuses": []object{running(name, image, id)}}))
	}
}

// populate creates one of everything that a cluster of SCS has.
func (c *cluster) populate(t *testing.T) {
	t.Helper()
	for _, ns := range []string{"monitoring", "customer-a", "kaas", "nobody"} {
		c.create(t, "/api/v1/namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": meta(ns, "", nil)})
	}
	pause := object{"names": []string{"registry.k8s.io/pause@" + digestOf("9"), "registry.k8s.io/pause:3.10"}, "sizeBytes": 320368}
	coredns := object{"names": []string{"registry.k8s.io/coredns/coredns@" + digestOf("1"), "registry.k8s.io/coredns/coredns:v1.12.0"}, "sizeBytes": 1}
	c.create(t, "/api/v1/nodes", node("node-1", "Ubuntu 24.04.1 LTS", []object{pause, coredns}))
	c.create(t, "/api/v1/nodes", node("node-2", "Debian GNU/Linux 12 (bookworm)", []object{pause}))
	c.deploy(t, "kube-system", "coredns", "5d78c9869d", "registry.k8s.io/coredns/coredns:v1.12.0", "registry.k8s.io/coredns/coredns@"+digestOf("1"), nil, "node-1", "node-2")
	c.deploy(t, "customer-a", "shop", "7c4f8b9d66", "registry.example.org/customer/shop:1", "registry.example.org/customer/shop@"+digestOf("c"), nil, "node-2")
	c.deploy(t, "monitoring", "tenant-db", "6b8d7f5c44", "docker.io/library/postgres:16.4", "docker.io/library/postgres@"+digestOf("d"), object{"tenant": "a"}, "node-2")
	c.daemons(t)
	c.jobs(t)
	c.create(t, "/api/v1/namespaces/kube-system/pods", pod("kube-apiserver-node-1", "kube-system", "node-1",
		object{"annotations": object{"kubernetes.io/config.mirror": "0f1e2d3c4b5a", "kubernetes.io/config.hash": "0f1e2d3c4b5a", "kubernetes.io/config.source": "file"}, "ownerReferences": owner("v1", "Node", "node-1")},
		object{"containers": []object{container("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.33.1")}},
		object{"phase": "Running", "containerStatuses": []object{running("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.33.1", "registry.k8s.io/kube-apiserver@"+digestOf("2"))}}))
	c.create(t, "/api/v1/namespaces/monitoring/pods", pod("waits", "monitoring", "", nil,
		object{"containers": []object{container("waits", "quay.io/prometheus/prometheus:v3.0.1")}}, object{"phase": "Pending"}))
	c.stacks(t)
}

// daemons makes pods of a daemonset with an init container, and gives one of them an ephemeral container.
func (c *cluster) daemons(t *testing.T) {
	t.Helper()
	image, id := "quay.io/cilium/cilium:v1.17.4", "quay.io/cilium/cilium@"+digestOf("3")
	for _, n := range []string{"node-1", "node-2"} {
		p := pod("cilium-"+n, "kube-system", n, object{"labels": object{"controller-revision-hash": "6f5d"}, "ownerReferences": owner("apps/v1", "DaemonSet", "cilium")},
			object{"initContainers": []object{container("config", image)}, "containers": []object{container("cilium-agent", image)}},
			object{"phase": "Running", "initContainerStatuses": []object{terminated("config", image, id)}, "containerStatuses": []object{running("cilium-agent", image, id)}})
		c.create(t, "/api/v1/namespaces/kube-system/pods", p)
	}
	debug := object{"name": "debug", "image": "docker.io/library/busybox:1.37.0", "env": []object{{"name": "PASSWORD", "value": secret}}}
	made := c.get(t, "/api/v1/namespaces/kube-system/pods/cilium-node-1")
	made["spec"].(object)["ephemeralContainers"] = []object{debug}
	c.do(t, http.MethodPut, "/api/v1/namespaces/kube-system/pods/cilium-node-1/ephemeralcontainers", made)
	made = c.get(t, "/api/v1/namespaces/kube-system/pods/cilium-node-1")
	made["status"].(object)["ephemeralContainerStatuses"] = []object{running("debug", "docker.io/library/busybox:1.37.0", digestOf("4"))}
	c.do(t, http.MethodPut, "/api/v1/namespaces/kube-system/pods/cilium-node-1/status", made)
}

func (c *cluster) jobs(t *testing.T) {
	t.Helper()
	image, id := "registry.osism.tech/osism/backup:1.2.3", "registry.osism.tech/osism/backup@"+digestOf("5")
	template := object{"spec": object{"restartPolicy": "Never", "containers": []object{container("backup", image)}}}
	c.create(t, "/apis/batch/v1/namespaces/monitoring/cronjobs", object{"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta("backup", "monitoring", nil),
		"spec": object{"schedule": "0 3 * * *", "jobTemplate": object{"spec": object{"template": template}}}})
	c.create(t, "/apis/batch/v1/namespaces/monitoring/jobs", object{"apiVersion": "batch/v1", "kind": "Job",
		"metadata": meta("backup-29400000", "monitoring", object{"ownerReferences": owner("batch/v1", "CronJob", "backup")}), "spec": object{"template": template}})
	c.create(t, "/api/v1/namespaces/monitoring/pods", pod("backup-29400000-x7k2p", "monitoring", "node-1",
		object{"ownerReferences": owner("batch/v1", "Job", "backup-29400000")}, object{"restartPolicy": "Never", "containers": []object{container("backup", image)}},
		object{"phase": "Succeeded", "containerStatuses": []object{terminated("backup", image, id)}}))
}

// stacks defines the kinds of Cluster API and of cluster stacks with as little schema as is allowed, and creates one each.
func (c *cluster) stacks(t *testing.T) {
	t.Helper()
	open := object{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	for _, d := range []struct{ group, version, kind string }{{"cluster.x-k8s.io", "v1beta2", "Cluster"}, {"cluster.x-k8s.io", "v1beta2", "MachineDeployment"},
		{"controlplane.cluster.x-k8s.io", "v1beta2", "KubeadmControlPlane"}, {"clusterstack.x-k8s.io", "v1alpha1", "ClusterStack"}, {"clusterstack.x-k8s.io", "v1alpha1", "ClusterStackRelease"}} {
		plural := strings.ToLower(d.kind) + "s"
		c.create(t, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", object{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
			"metadata": meta(plural+"."+d.group, "", object{"annotations": object{"api-approved.kubernetes.io": "unapproved, a test"}}),
			"spec": object{"group": d.group, "scope": "Namespaced", "names": object{"plural": plural, "singular": strings.ToLower(d.kind), "kind": d.kind},
				"versions": []object{{"name": d.version, "served": true, "storage": true, "subresources": object{"status": object{}},
					"schema": object{"openAPIV3Schema": object{"type": "object", "properties": object{"spec": open, "status": open}}}}}}})
		await(t, d.kind, func() bool {
			status, _ := c.ask(t, http.MethodGet, "/apis/"+d.group+"/"+d.version+"/namespaces/kaas/"+plural, adminToken, nil)
			return status == http.StatusOK
		})
	}
	capi, kcp, css := "/apis/cluster.x-k8s.io/v1beta2/namespaces/kaas/", "/apis/controlplane.cluster.x-k8s.io/v1beta2/namespaces/kaas/", "/apis/clusterstack.x-k8s.io/v1alpha1/namespaces/kaas/"
	c.create(t, capi+"clusters", object{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": meta("workload-1", "kaas", nil),
		"spec": object{"topology": object{"classRef": object{"name": "openstack-scs-1-32-v1"}, "version": "v1.32.5"}}})
	c.create(t, capi+"machinedeployments", object{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "MachineDeployment", "metadata": meta("workload-1-md", "kaas", nil),
		"spec": object{"clusterName": "workload-1", "template": object{"spec": object{"clusterName": "workload-1", "version": "v1.32.4"}}}})
	c.create(t, kcp+"kubeadmcontrolplanes", object{"apiVersion": "controlplane.cluster.x-k8s.io/v1beta2", "kind": "KubeadmControlPlane", "metadata": meta("workload-1-cp", "kaas", nil),
		"spec": object{"version": "v1.32.5"}})
	c.create(t, css+"clusterstacks", object{"apiVersion": "clusterstack.x-k8s.io/v1alpha1", "kind": "ClusterStack", "metadata": meta("scs-1-32", "kaas", nil),
		"spec": object{"provider": "openstack", "name": "scs", "kubernetesVersion": "1.32", "channel": "stable", "autoSubscribe": false, "versions": []string{"v1"}}})
	c.create(t, css+"clusterstackreleases", object{"apiVersion": "clusterstack.x-k8s.io/v1alpha1", "kind": "ClusterStackRelease", "metadata": meta("openstack-scs-1-32-v1", "kaas", nil),
		"spec": object{}, "status": object{"ready": true, "kubernetesVersion": "1.32.5"}})
}

func (c *cluster) get(t *testing.T, path string) object {
	t.Helper()
	return decodeObject(t, c.do(t, http.MethodGet, path, nil))
}

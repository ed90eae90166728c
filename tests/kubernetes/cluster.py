"""Starts a real Kubernetes of one node: etcd, API server, controller manager, scheduler, containerd, kubelet and kube-proxy.

    with Cluster(folder) as cluster:
        cluster.load_image(path)
        cluster.kubectl("get", "nodes")
        cluster.api("/api/v1/nodes")["items"]

REQUIRES: separate network, process and mount namespaces, which tests/kubernetes/run creates. All processes, mounts and links disappear
with them; _isolate() covers what would reach beyond them. Nothing is downloaded: the node has only loaded images.

Two things differ from a real cluster. service_names.py resolves the names of Services, and network policies are not enforced, because the
packaged plugins do not support them.
"""

import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from service_names import ServiceNames
from support.concurrency import poll_until

NODE = "node"
NODE_ADDRESS = "10.32.0.1"
POD_RANGE = "10.200.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
DOMAIN = "cluster.local"
API = f"https://{NODE_ADDRESS}:6443"
ETCD = "http://127.0.0.1:2379"
ETCD_PEERS = "http://127.0.0.1:2380"
RUNTIME = "/run/containerd/containerd.sock"
PAUSE_IMAGE = "docker.io/library/pause:local"
# The certificate of the administrator. All components use it, because access rules are not tested here.
TOKEN = "administrator"

COMPONENT_SECONDS_MAX = 60
NODE_SECONDS_MAX = 180
COMMAND_SECONDS_MAX = 300
STOP_SECONDS_MAX = 20
REQUEST_SECONDS_MAX = 30

# Settings of the machine's kernel that kubelet requires and would set.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}
# Folders whose paths are built into the programs.
BUILT_IN_FOLDERS = ("/run", "/var/log", "/var/lib/cni", "/var/lib/kubelet")


def run(*command, text_in=None, environment=None, folder=None, seconds=COMMAND_SECONDS_MAX):
    """Runs a command that has to succeed; returns its output."""
    result = subprocess.run(
        list(map(str, command)), env=environment, input=text_in or "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=folder, timeout=seconds, check=False)
    assert result.returncode == 0, f"{' '.join(map(str, command))} gave {result.returncode}:\n{result.stdout}"
    return result.stdout


class Cluster:
    """The processes of one cluster, and calls for tests. All files are under `folder`, whose path must be short, because it holds
    sockets. The programs are found in PATH."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._started = {}
        self._names = None
        # The API server creates its certificate itself.
        self._unverified = ssl.create_default_context()
        self._unverified.check_hostname = False
        self._unverified.verify_mode = ssl.CERT_NONE
        self.kubeconfig = self._folder / "kubeconfig"

    def __enter__(self):
        try:
            self._isolate()
            self._start_control_plane()
            self._start_node()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # Calls for tests.

    def environment(self):
        """Returns the environment in which commands use the cluster and write nothing to the user's home."""
        return {"KUBECONFIG": str(self.kubeconfig), "HOME": str(self._folder)}

    def kubectl(self, *arguments, **options):
        return run("kubectl", *arguments, environment={**os.environ, **self.environment()}, **options)

    def api(self, path, body=None):
        """Calls the API server. Returns the response; raises urllib's HTTPError if it is an error."""
        return json.loads(self._request(path, body))

    def load_image(self, archive):
        """Loads an image into the node, in place of a pull."""
        run("ctr", "--address", RUNTIME, "--namespace", "k8s.io", "images", "import", archive)

    def wait_node_ready(self):
        """Waits until the node accepts pods. REQUIRES: the pause image is loaded."""
        self._wait("kubelet", self._node_is_ready, NODE_SECONDS_MAX)

    def offer_volume(self, name, size="100Gi"):
        """Creates a volume on the node's disk, for a claim to be bound to."""
        path = self._folder / "volumes" / name
        path.mkdir(parents=True)
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
        self.api("/api/v1/persistentvolumes", {
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain",
                     "local": {"path": str(path)},
                     "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}}})

    def log(self, component, lines=30):
        text = (self._folder / f"{component}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self):
        """Ends all processes, last first; fails if one has ended before."""
        if self._names:
            self._names.close()
        ended = [f"{name} has ended with {process.poll()}:\n{self.log(name)}"
                 for name, process in self._started.items() if process.poll() is not None]
        for process in reversed(self._started.values()):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS_MAX)
        self._started.clear()
        assert not ended, "\n".join(ended)

    # Start of the components.

    def _isolate(self):
        links = [link["ifname"] for link in json.loads(run("ip", "-json", "link"))]
        assert links == ["lo"], f"not in a separate network namespace, but among {links}: use tests/kubernetes/run"
        for path in BUILT_IN_FOLDERS:
            own = self._folder / "root" / path[1:]
            own.mkdir(parents=True)
            Path(path).mkdir(parents=True, exist_ok=True)
            run("mount", "--bind", own, path)
        for name, value in KERNEL_SETTINGS.items():
            value_file = self._folder / name.replace("/", ".")
            value_file.write_text(f"{value}\n")
            run("mount", "--bind", value_file, f"/proc/sys/{name}")
        # Beside the hierarchies of version 1 it has no controllers, but containerd and kubelet would use it.
        if Path("/sys/fs/cgroup/unified").is_dir():
            run("umount", "/sys/fs/cgroup/unified")
        run("ip", "link", "set", "lo", "up")
        # A veth pair, because the kernel may lack dummy devices. Its other end is not connected.
        run("ip", "link", "add", "node0", "type", "veth", "peer", "name", "nowhere0")
        run("ip", "address", "add", f"{NODE_ADDRESS}/24", "dev", "node0")
        for link in ("nowhere0", "node0"):
            run("ip", "link", "set", link, "up")
        # Without a route the kernel rejects the addresses of Services before it translates them.
        run("ip", "route", "add", "default", "dev", "node0")

    def _start_control_plane(self):
        key = self._folder / "service-accounts.key"
        run("openssl", "genrsa", "-out", key, "2048")
        tokens = self._write("tokens.csv", f'{TOKEN},administrator,administrator,"system:masters"\n')
        self._write_kubeconfig()
        self._start("etcd", "etcd", "--data-dir", self._folder / "etcd", "--listen-client-urls", ETCD, "--advertise-client-urls", ETCD,
                    "--listen-peer-urls", ETCD_PEERS, "--initial-advertise-peer-urls", ETCD_PEERS,
                    "--initial-cluster", f"default={ETCD_PEERS}")
        self._start(
            "kube-apiserver", "kube-apiserver", f"--etcd-servers={ETCD}", f"--cert-dir={self._folder}",
            f"--advertise-address={NODE_ADDRESS}", f"--service-cluster-ip-range={SERVICE_RANGE}", "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}", "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={key}", f"--service-account-key-file={key}",
            "--kubelet-preferred-address-types=InternalIP")
        self._wait("kube-apiserver", self._serves, COMPONENT_SECONDS_MAX)
        self._start("kube-controller-manager", "kube-controller-manager", f"--kubeconfig={self.kubeconfig}",
                    f"--service-account-private-key-file={key}", f"--root-ca-file={self._folder / 'apiserver.crt'}",
                    f"--cert-dir={self._folder}", "--leader-elect=false")
        self._start("kube-scheduler", "kube-scheduler", f"--kubeconfig={self.kubeconfig}",
                    f"--cert-dir={self._folder}", "--leader-elect=false")
        self._wait("kube-controller-manager", self._has_default_account, COMPONENT_SECONDS_MAX)

    def _start_node(self):
        self._start("containerd", "containerd", "--config", self._write("containerd.toml", self._containerd_config()))
        self._wait("containerd", Path(RUNTIME).is_socket, COMPONENT_SECONDS_MAX)
        self._names = ServiceNames(NODE_ADDRESS, DOMAIN, self._find)
        resolver = self._write("resolv.conf", "")
        self._start(
            "kubelet", "kubelet", f"--config={self._write('kubelet.json', self._kubelet_config(resolver))}",
            f"--kubeconfig={self.kubeconfig}", f"--hostname-override={NODE}", f"--node-ip={NODE_ADDRESS}",
            f"--cert-dir={self._folder / 'kubelet-certificates'}", "--container-runtime=remote",
            f"--container-runtime-endpoint=unix://{RUNTIME}", f"--volume-plugin-dir={self._folder / 'volume-plugins'}")
        self._start("kube-proxy", "kube-proxy", f"--kubeconfig={self.kubeconfig}", f"--hostname-override={NODE}",
                    f"--cluster-cidr={POD_RANGE}", "--proxy-mode=iptables", "--conntrack-max-per-core=0")

    def _start(self, name, *command):
        with open(self._folder / f"{name}.log", "wb") as log:
            self._started[name] = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder,
                env={**os.environ, **self.environment()})

    def _wait(self, name, condition, seconds):
        def reached():
            code = self._started[name].poll()
            assert code is None, f"{name} ended with {code}:\n{self.log(name)}"
            return condition()

        try:
            poll_until(reached, f"{name} is ready", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log(name)}") from None

    def _serves(self):
        with contextlib.suppress(OSError):
            return self._request("/readyz") == b"ok"
        return False

    def _has_default_account(self):
        return self._find("serviceaccounts", "default", "default") is not None

    def _node_is_ready(self):
        node = self._find("nodes", None, NODE)
        conditions = node["status"].get("conditions", []) if node else []
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)

    def _request(self, path, body=None):
        request = urllib.request.Request(
            API + path, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS_MAX, context=self._unverified) as answer:
            return answer.read()

    def _find(self, kind, namespace, name):
        """Returns an object of the core API; None if there is none."""
        path = f"/api/v1/namespaces/{namespace}/{kind}/{name}" if namespace else f"/api/v1/{kind}/{name}"
        try:
            return self.api(path)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    def _write(self, name, text):
        path = self._folder / name
        path.write_text(text)
        return path

    def _write_kubeconfig(self):
        self._write("kubeconfig", json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": API, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "administrator", "user": {"token": TOKEN}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "administrator"}}]}))
        self.kubeconfig.chmod(0o600)

    def _containerd_config(self):
        networks = self._folder / "networks"
        networks.mkdir()
        plugins = Path(shutil.which("containerd")).parent.parent / "lib/cni"
        # A veth pair for each pod instead of a bridge, so that all traffic is routed, and thus translated, in both directions.
        (networks / "pods.conflist").write_text(json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [{
            "type": "ptp", "ipMasq": True,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": POD_RANGE}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}))
        return f"""version = 2
root = "{self._folder}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
address = "{RUNTIME}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{networks}"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""

    def _kubelet_config(self, resolver):
        return json.dumps({
            "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "clusterDNS": [NODE_ADDRESS], "clusterDomain": DOMAIN, "resolvConf": str(resolver),
            # The cluster shares processes, memory and disk with the rest of the machine.
            "cgroupDriver": "cgroupfs", "cgroupsPerQOS": False, "enforceNodeAllocatable": [], "failSwapOn": False, "oomScoreAdj": 0,
            "evictionHard": {"memory.available": "50Mi"}, "imageGCHighThresholdPercent": 100,
            "nodeStatusUpdateFrequency": "2s", "syncFrequency": "5s"})

"""What holds of every pod of every profile: rights, resources, probes, endings."""

from __future__ import annotations

import pytest

from tests.cluster.rendering import WATCHERS, bytes_of, deployments, of_kind, pods

SMALLEST_UID = 10_000
VOLUMES = {"configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim"}
LONGEST_REQUEST_S = {"gateway": 10}  # of the gateway; behind it a process finishes what is in work in twenty seconds
DRAIN_S = 20


@pytest.mark.target("D-01")
def test_no_pod_is_or_becomes_root(manifests, profile):
    for pod in pods(manifests):
        context = pod.spec["securityContext"]
        assert context["runAsNonRoot"] is True, pod.name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, pod.name
        if profile == "openshift":
            assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(context), pod.name
        else:
            assert context["runAsUser"] >= SMALLEST_UID, pod.name
        for container in pod.containers:
            held = container["securityContext"]
            assert held["allowPrivilegeEscalation"] is False, pod.name
            assert held["capabilities"] == {"drop": ["ALL"]}, pod.name
            assert not {"privileged", "runAsUser"} & set(held), pod.name


@pytest.mark.target("D-01")
def test_nothing_is_written_but_to_volumes_of_a_stated_size(manifests):
    for pod in pods(manifests):
        assert all(each["securityContext"]["readOnlyRootFilesystem"] is True for each in pod.containers), pod.name
        for volume in pod.spec.get("volumes", []):
            (kind,) = set(volume) - {"name"}
            assert kind in VOLUMES, f"{pod.name}: {volume['name']}"
            assert kind != "emptyDir" or volume["emptyDir"]["sizeLimit"], f"{pod.name}: {volume['name']}"


def test_every_volume_is_mounted_and_every_mount_has_its_volume(manifests):
    for pod in pods(manifests):
        there = {each["name"] for each in pod.spec.get("volumes", [])}
        there |= {each["metadata"]["name"] for each in pod.owner["spec"].get("volumeClaimTemplates", [])}
        mounted = {mount["name"] for each in pod.containers for mount in each.get("volumeMounts", [])}
        assert mounted == there, pod.name


@pytest.mark.target("D-02")
def test_no_pod_has_a_token_of_the_cluster_and_each_service_an_account_of_its_own(manifests):
    accounts = {each["metadata"]["name"]: each for each in of_kind(manifests, "ServiceAccount")}
    assert all(each["automountServiceAccountToken"] is False for each in accounts.values())
    assert not of_kind(manifests, "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    used: dict[str, set[str]] = {}
    for pod in pods(manifests):
        assert pod.spec["automountServiceAccountToken"] is False, pod.name
        assert pod.spec["enableServiceLinks"] is False, pod.name
        assert pod.spec["serviceAccountName"] in accounts, pod.name
        if pod.owner["kind"] != "Job":
            used.setdefault(pod.spec["serviceAccountName"], set()).add(
                pod.labels.get("infirmary/service") or pod.component
            )
    assert all(len(components) == 1 for components in used.values())
    assert set(accounts) - set(used) == {"house-infirmary-migrate"}


@pytest.mark.target("D-03")
def test_every_container_says_what_it_needs_and_memory_is_what_it_gets(manifests):
    for pod in pods(manifests):
        for container in pod.containers:
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            assert set(requests) == {"cpu", "memory", "ephemeral-storage"}, f"{pod.name}: {container['name']}"
            assert requests["memory"] == limits["memory"], f"{pod.name}: {container['name']}"
            assert "cpu" not in limits, f"{pod.name}: a limit of CPU throttles, and helps nobody"
            assert bytes_of(limits["ephemeral-storage"]) > 0


@pytest.mark.target("D-04")
def test_to_live_asks_nobody_and_to_be_ready_asks_the_stores(manifests):
    """A start asks what living does, with more patience: a store that is away must not have a process killed."""
    for pod in deployments(manifests):
        (container,) = pod.spec["containers"]
        startup, living, ready = (container[f"{name}Probe"] for name in ("startup", "liveness", "readiness"))
        assert (living["httpGet"]["path"], ready["httpGet"]["path"]) == ("/healthz", "/readyz"), pod.name
        assert startup["httpGet"] == living["httpGet"], pod.name
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 60, pod.name
        assert all(each["timeoutSeconds"] > 1 for each in (startup, living, ready)), pod.name
        ports = {port["name"] for port in container["ports"]}
        assert {each["httpGet"]["port"] for each in (startup, living, ready)} <= ports, pod.name


@pytest.mark.target("D-04")
def test_stores_have_their_own_probes(manifests):
    for pod in pods(manifests):
        if pod.is_store:
            (container,) = pod.spec["containers"]
            assert "tcpSocket" in container["livenessProbe"], pod.name
            assert "exec" in container["readinessProbe"], pod.name
            assert container["startupProbe"]["failureThreshold"] >= 60, pod.name


@pytest.mark.target("D-04")
def test_watchers_are_asked_at_their_own_ports_where_they_say_how_they_are(manifests):
    for pod in pods(manifests):
        if pod.component in WATCHERS:
            (container,) = pod.spec["containers"]
            startup, living, ready = (container[f"{name}Probe"] for name in ("startup", "liveness", "readiness"))
            assert startup["httpGet"] == living["httpGet"], pod.name
            assert startup["periodSeconds"] * startup["failureThreshold"] >= 60, pod.name
            assert all(each["timeoutSeconds"] > 1 for each in (startup, living, ready)), pod.name
            ports = {port["name"] for port in container["ports"]}
            assert {each["httpGet"]["port"] for each in (startup, living, ready)} <= ports, pod.name


@pytest.mark.target("D-05")
def test_a_pod_is_out_of_services_before_its_process_is_told_and_has_time_to_finish(manifests):
    for pod in deployments(manifests):
        (container,) = pod.spec["containers"]
        hook = container["lifecycle"]["preStop"]
        asleep = hook["sleep"]["seconds"] if "sleep" in hook else int(hook["exec"]["command"][-1].split()[-1])
        assert 5 <= asleep <= 15, pod.name
        # The gateway finishes its requests while it sleeps, a service after it was told to stop.
        work = LONGEST_REQUEST_S.get(pod.component, DRAIN_S)
        assert pod.spec["terminationGracePeriodSeconds"] >= asleep + work + 5, pod.name


@pytest.mark.target("D-06")
def test_a_rollout_takes_no_process_away_before_another_is_ready(manifests):
    for pod in deployments(manifests):
        spec = pod.owner["spec"]
        assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        assert spec["minReadySeconds"] >= 5
        assert spec["revisionHistoryLimit"] > 0
        assert spec["progressDeadlineSeconds"] >= spec["minReadySeconds"]


@pytest.mark.target("D-08")
def test_pods_of_a_kind_are_spread_softly_over_zones_and_hosts(manifests):
    for pod in deployments(manifests):
        spread = pod.spec["topologySpreadConstraints"]
        assert {each["topologyKey"] for each in spread} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}
        assert all(each["labelSelector"] == pod.owner["spec"]["selector"] for each in spread)
        assert "affinity" not in pod.spec


@pytest.mark.target("D-23")
def test_nothing_touches_its_node_and_nothing_is_open_there(manifests):
    for pod in pods(manifests):
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec), pod.name
        assert not [port for each in pod.containers for port in each.get("ports", []) if "hostPort" in port], pod.name
    assert all(each["spec"].get("type", "ClusterIP") == "ClusterIP" for each in of_kind(manifests, "Service"))
    assert all(each["metadata"]["namespace"] == "care" for each in manifests)


@pytest.mark.target("D-23")
def test_no_image_is_whatever_is_newest(manifests):
    for pod in pods(manifests):
        for container in pod.containers:
            name, _, tag = container["image"].rpartition(":")
            assert name, container["image"]
            assert tag not in {"", "latest"}, container["image"]


@pytest.mark.target("D-22")
def test_nothing_is_started_by_the_clock_of_the_cluster(manifests):
    """Timed work is done by workers, which know that another one does it; a CronJob would need its own fence."""
    assert not of_kind(manifests, "CronJob")

"""Switches of the chart, each in both positions."""

from __future__ import annotations

import pytest

from tests.cluster.rendering import (
    MANY,
    PROFILES,
    Document,
    Wrong,
    documents,
    merged,
    named,
    of_kind,
    pods,
    rendered,
    texts,
    values_of,
)

OPERATOR = {"capabilities": {"apiVersions": ["monitoring.coreos.com/v1"]}}
STORES = ("postgresql", "mongodb", "records", "bus", "cache")


def job(found: list[Document], service: str) -> Document:
    """The migration of a service."""
    (one,) = [
        each
        for each in of_kind(found, "Job")
        if each["metadata"]["labels"]["app.kubernetes.io/component"] == f"{service}-migrate"
    ]
    return one


@pytest.mark.target("D-11")
def test_a_migration_is_a_job_with_the_release_and_named_by_what_it_does():
    found = documents(values_of("demo"))
    migration = job(found, "patients")
    assert "annotations" not in migration["metadata"]
    assert migration["spec"]["backoffLimit"] > 0
    assert migration["spec"]["activeDeadlineSeconds"] > 0
    assert "ttlSecondsAfterFinished" not in migration["spec"], "GitOps would make it anew for ever"
    again = job(documents(values_of("demo"), revision=7), "patients")
    assert again["metadata"]["name"] == migration["metadata"]["name"], "nothing changed: the same Job, which is done"
    other = job(documents(merged(values_of("demo"), {"image": {"tag": "2.0.0"}})), "patients")
    assert other["metadata"]["name"] != migration["metadata"]["name"]


@pytest.mark.target("D-11")
def test_a_migration_is_a_hook_where_stores_and_secrets_are_there_before():
    found = documents(values_of("production"))
    for each in [job(found, "patients"), *[a for a in of_kind(found, "ServiceAccount") if "migrate" in named(a)]]:
        annotations = each["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation"
    assert not of_kind(found, "Secret"), "a hook that runs before the release could not mount it"


@pytest.mark.target("D-11")
def test_a_process_waits_for_its_schema_and_a_migration_for_its_store(manifests):
    for pod in pods(manifests):
        service = pod.labels.get("infirmary/service")
        if service:
            (wait,) = [each for each in pod.spec["initContainers"] if each["name"] == "wait"]
            words = ["wait", service, "stores"] if pod.owner["kind"] == "Job" else ["wait", service]
            assert wait["args"] == words, pod.name
            assert pod.spec["initContainers"][-1] is wait, "it waits with the code that then runs"


@pytest.mark.target("D-11")
def test_in_a_demo_databases_are_made_before_they_are_migrated():
    for each in of_kind(list(rendered("demo")), "Job"):
        provide = each["spec"]["template"]["spec"]["initContainers"][0]
        store = "mongodb" if "history" in each["metadata"]["name"] else "postgresql"
        assert provide["command"] == ["bash", f"/run/provide/{store}.sh"]
    assert not [p for p in pods(rendered("production")) if any(c["name"] == "provide" for c in p.containers)]


@pytest.mark.target("D-05")
@pytest.mark.parametrize(("version", "hook"), [("1.29.3", "exec"), ("v1.30.0", "sleep"), ("1.37", "sleep")])
def test_a_pod_sleeps_by_itself_where_kubernetes_can(version, hook):
    found = documents(merged(values_of("demo"), {"capabilities": {"kubeVersion": version}}))
    hooks = {
        name
        for pod in pods(found)
        if pod.owner["kind"] == "Deployment" and pod.component != "gateway"
        for name in pod.spec["containers"][0]["lifecycle"]["preStop"]
    }
    assert hooks == {hook}


@pytest.mark.target("D-17")
def test_the_kinds_of_the_prometheus_operator_are_made_only_where_it_is():
    kinds = {"PodMonitor", "PrometheusRule"}
    assert not of_kind(documents(values_of("production")), *kinds)
    on = documents(merged(values_of("production"), OPERATOR))
    assert of_kind(on, "PodMonitor")
    assert not of_kind(documents(merged(values_of("single"), OPERATOR)), *kinds), "off as long as nobody asks"


@pytest.mark.target("D-18")
def test_the_gateway_is_reached_by_an_ingress_or_by_a_route_or_by_neither():
    assert not of_kind(documents(values_of("demo")), "Ingress", "HTTPRoute")
    (ingress,) = of_kind(documents(values_of("single")), "Ingress", "HTTPRoute")
    assert ingress["kind"] == "Ingress"
    assert ingress["spec"]["tls"] == [{"hosts": ["infirmary.example.org"], "secretName": "infirmary-tls"}]
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["pathType"] == "Prefix"
    (route,) = of_kind(documents(values_of("production")), "Ingress", "HTTPRoute")
    assert route["kind"] == "HTTPRoute"
    live, rule = route["spec"]["rules"]
    assert int(rule["timeouts"]["request"][:-1]) > 10, "longer than the gateway's own"
    assert (live["matches"][0]["path"]["value"], live["timeouts"]["request"]) == ("/live", "0s"), (
        "as long as it is open"
    )
    assert {each["backendRefs"][0]["name"] for each in (live, rule)} == {"house-infirmary-gateway"}
    assert path["backend"]["service"]["name"] == "house-infirmary-gateway"


def test_the_gateway_speaks_https_itself_where_it_has_a_certificate():
    found = documents(merged(values_of("demo"), {"gateway": {"tlsSecret": "front", "service": {"port": 443}}}))
    (gateway,) = [pod for pod in pods(found) if pod.component == "gateway"]
    assert "tls_certificate=/run/secrets/tls/tls.crt" in gateway.spec["initContainers"][0]["args"]
    (service,) = [each for each in of_kind(found, "Service") if each["metadata"]["name"].endswith("gateway")]
    assert service["spec"]["ports"] == [{"name": "https", "port": 443, "targetPort": "public"}]


@pytest.mark.target("D-14")
def test_what_helm_tests_with_ends_within_two_minutes_and_goes_when_all_was_right():
    found = documents(values_of("demo"))
    mine = [each for each in found if "helm.sh/hook" in each["metadata"].get("annotations", {})]
    assert {each["kind"] for each in mine} == {"ConfigMap", "Pod", "ServiceAccount"}
    for each in mine:
        annotations = each["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "test"
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    (pod,) = [each for each in mine if each["kind"] == "Pod"]
    assert pod["spec"]["activeDeadlineSeconds"] <= 120
    assert pod["spec"]["restartPolicy"] == "Never"
    assert not [each for each in documents(merged(values_of("demo"), {"tests": {"enabled": False}})) if each in mine]


@pytest.mark.target("D-19")
def test_only_profiles_to_look_at_have_stores_of_their_own_and_say_so():
    for profile in PROFILES:
        stores = [pod.owner for pod in pods(rendered(profile)) if pod.is_store]
        assert bool(stores) == (profile in {"demo", "dev", "single", "air-gapped"}), profile
        notes = texts(values_of(profile))["infirmary/templates/NOTES.txt"]
        assert notes.count("is one process without backup") == len(stores), profile
        for store in stores:
            (claim,) = store["spec"]["volumeClaimTemplates"]
            assert claim["spec"]["resources"]["requests"]["storage"]
            kept = store["spec"]["persistentVolumeClaimRetentionPolicy"]
            assert kept["whenScaled"] == "Retain"
            assert store["spec"]["template"]["spec"]["securityContext"]["fsGroup"]
            mounts = store["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
            assert claim["metadata"]["name"] in {each["name"] for each in mounts}


def test_data_of_a_demo_outlives_it_unless_it_may_go():
    kept = {
        named(s): s["spec"]["persistentVolumeClaimRetentionPolicy"]
        for s in (pod.owner for pod in pods(rendered("demo")) if pod.is_store)
    }
    assert {name.rpartition("-")[2] for name, each in kept.items() if each["whenDeleted"] == "Delete"} == {"cache"}
    gone = of_kind(list(rendered("dev")), "StatefulSet")
    assert {each["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] for each in gone} == {"Delete"}


@pytest.mark.target("D-19")
def test_a_storage_class_is_said_where_one_is_wanted():
    values = merged(
        values_of("demo"), {"stores": {"postgresql": {"storage": {"storageClass": "fast", "size": "20Gi"}}}}
    )
    (store,) = [s for s in of_kind(documents(values), "StatefulSet") if "postgresql" in named(s)]
    claim = store["spec"]["volumeClaimTemplates"][0]["spec"]
    assert (claim["storageClassName"], claim["resources"]["requests"]["storage"]) == ("fast", "20Gi")


@pytest.mark.target("D-20")
def test_a_change_of_settings_or_of_a_mounted_file_makes_new_pods():
    """Settings stand in the pod itself; files of a store are counted into an annotation of it."""
    changed = documents(
        merged(values_of("demo"), {"services": {"patients": {"settings": {"HOME_ZONE": "Europe/Lisbon"}}}})
    )
    before = {named(p.owner): p.spec for p in pods(rendered("demo"))}
    rolled = {p.name for p in pods(changed) if p.name in before and p.spec != before[p.name]}
    assert rolled == {"Deployment/house-infirmary-patients", "Deployment/house-infirmary-patients-worker"}
    for store in of_kind(changed, "StatefulSet"):
        assert store["spec"]["template"]["metadata"]["annotations"]["checksum/config"]


@pytest.mark.target("D-15")
def test_the_notes_tell_the_way_in(profile):
    notes = texts(values_of(profile))["infirmary/templates/NOTES.txt"]
    assert "Sign in as `admin`" in notes
    assert "get secret" in notes
    assert "helm test house" in notes or "/docs" in notes
    address = "https://infirmary.example.org" if profile in {*MANY, "single"} else "http://127.0.0.1:8080"
    assert {address, f"{address}/docs"} <= set(notes.split())
    assert ("port-forward service/house-infirmary-gateway" in notes) == address.startswith("http:")


def test_code_lies_in_a_volume_for_developers_only(profile, manifests):
    with_code = [pod for pod in pods(manifests) if any(v["name"] == "code" for v in pod.spec.get("volumes", []))]
    assert bool(with_code) == (profile == "dev")


WRONG = {
    "hook with stores": ({"migrations": {"mode": "hook"}}, "demo", "exclude each other: a hook runs before the store"),
    "hook with secrets": (
        {"migrations": {"mode": "hook"}},
        "demo",
        "migrations.mode=hook wants secrets.generate=false",
    ),
    "store without secrets": ({"secrets": {"generate": False}}, "demo", "stores.bus.enabled wants secrets.generate"),
    "no store at all": ({"stores": {"mongodb": {"enabled": False}}}, "demo", "DATABASE_URL of history has no place"),
    "secret as setting": (
        {"services": {"patients": {"settings": {"DATABASE_URL": "x"}}}},
        "demo",
        "services.patients.settings.DATABASE_URL is a secret",
    ),
    "accounts apart": (
        {"services": {"patients": {"existingSecret": "mine"}}},
        "demo",
        "SERVICE_SECRET of patients and SERVICE_ACCOUNTS of identity must both be made here or both be given",
    ),
    "fewest above most": (
        {"gateway": {"autoscaling": {"enabled": True, "minReplicas": 9, "maxReplicas": 2}}},
        "demo",
        "gateway.autoscaling: minReplicas is above maxReplicas",
    ),
    "no metric": (
        {"services": {"audit": {"worker": {"autoscaling": {"enabled": True}}}}},
        "demo",
        "services.audit.worker.autoscaling has no metric",
    ),
    "two ends of TLS": (
        {"gateway": {"tlsSecret": "front"}},
        "production",
        "route.kind=httproute and gateway.tlsSecret exclude each other",
    ),
    "watchers without secrets": (
        {"monitoring": {"enabled": True}},
        "production",
        "monitoring.enabled wants monitoring.grafana.existingSecret where no secrets are made",
    ),
    "two collectors": (
        {"telemetry": {"otlpEndpoint": "http://collector:4318"}},
        "demo",
        "monitoring.enabled and telemetry.otlpEndpoint exclude each other",
    ),
    "a collector elsewhere": (
        {"telemetry": {"peers": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}},
        "demo",
        "monitoring.enabled and telemetry.peers exclude each other",
    ),
    "watched twice": (
        {"telemetry": {"podMonitor": {"enabled": True}}},
        "demo",
        "monitoring.enabled and telemetry.podMonitor.enabled exclude each other",
    ),
    "no account for tests": (
        {"tests": {"existingSecret": ""}},
        "production",
        "tests.enabled wants tests.existingSecret",
    ),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_values_that_contradict_each_other_are_refused_with_the_reason(case):
    values, profile, reason = WRONG[case]
    with pytest.raises(Wrong) as said:
        documents(merged(values_of(profile), values))
    assert reason in str(said.value)
